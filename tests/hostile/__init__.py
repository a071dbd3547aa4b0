"""Truncated, corrupted, lying and bottomless input: one typed error each, and nothing half-loaded."""
