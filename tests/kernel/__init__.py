"""Comparisons with the overlayfs of the kernel."""
