"""The tests; `tests.engine` and `tests.kernel` compare with oracles that need root."""
