"""Benchmarks: each row beside its peer, in the same run."""
