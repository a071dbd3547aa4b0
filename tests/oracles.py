"""What a test does when the machine lacks the program or the right it compares with."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def lacking(oracle: str) -> NoReturn:
    """Fail in CI, where every oracle is owed; skip loudly elsewhere."""
    if IN_CI:
        pytest.fail(f"CI must provide this oracle: {oracle}", pytrace=False)
    pytest.skip(f"ORACLE MISSING, nothing was compared: {oracle}")


def require_root() -> None:
    """Demand the right to mount, to make devices and to change owners."""
    if os.geteuid() != 0:
        lacking("root, to mount an overlay and to make device nodes")


def require_program(name: str, package: str) -> str:
    """Return the path of an oracle program."""
    found = shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin")
    if found is None:
        lacking(f"the program {name!r} (Debian package {package})")
    return found
