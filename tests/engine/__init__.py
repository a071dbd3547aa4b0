"""Comparisons with a private Docker engine."""
