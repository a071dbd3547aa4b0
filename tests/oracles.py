"""What a test does when the machine lacks the program or the right it compares with."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from pathlib import Path

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


def require_ext4(folder: Path) -> None:
    """Demand the file system whose blocks the containerd store's sizes are counted in."""
    asked = [require_program("stat", "coreutils"), "--file-system", "--format=%T %S", str(folder)]
    found = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    if found != "ext2/ext3 4096":
        lacking(f"ext4 with blocks of 4096 bytes for {folder} (set TMPDIR); it is on: {found}")
