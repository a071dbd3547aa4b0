"""Random stacks and operations, the same on the kernel's overlay and on ours: `python -m tests.kernel.fuzz --help`."""
