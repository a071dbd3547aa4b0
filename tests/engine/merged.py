"""The merged tree of an image, as the engine's own folders and its exports show it."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.oracles import require_program
from tests.trees import Disk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layersim.testing import Node
    from tests.engine.daemon import Daemon

INIT_LAYER = ("/.dockerenv", "/dev", "/etc", "/proc", "/sys")
"""What the engine itself puts below every container's writable layer (accounting.md section 5)."""


@contextmanager
def kernel_mount(daemon: Daemon, reference: str) -> Iterator[Path]:
    """Mount the engine's own layer folders of an image, read-only, as the kernel merges them."""
    driver: dict[str, Any] = daemon.inspect(reference)["GraphDriver"]["Data"]
    folders = [driver["UpperDir"], *filter(None, driver.get("LowerDir", "").split(":"))]
    mount, umount = require_program("mount", "mount"), require_program("umount", "mount")
    with tempfile.TemporaryDirectory(prefix="layersim-merged-") as scratch:
        merged, nothing = Path(scratch, "merged"), Path(scratch, "nothing")
        merged.mkdir()
        nothing.mkdir()
        options = "ro,lowerdir=" + ":".join([*folders, str(nothing)])
        subprocess.run([mount, "-t", "overlay", "overlay", "-o", options, str(merged)], check=True, capture_output=True)
        try:
            yield merged
        finally:
            subprocess.run([umount, str(merged)], check=True)


def export(daemon: Daemon, reference: str) -> bytes:
    """Return the tar of a new container's root."""
    container = daemon.docker("create", reference, "x").strip()
    exported = daemon.run("export", container).stdout
    daemon.docker("rm", container)
    return exported


def unpacked(tar: bytes, folder: Path) -> Disk:
    """Unpack an exported root with GNU tar."""
    folder.mkdir()
    options = ["--extract", "--same-permissions", "--same-owner", "--numeric-owner", "--file", "-"]
    subprocess.run([require_program("tar", "tar"), *options, "--directory", str(folder)], input=tar, check=True)
    return Disk(folder)


def without_init(nodes: dict[str, Node]) -> dict[str, Node]:
    return {path: node for path, node in nodes.items() if "/" + path.split("/")[1] not in INIT_LAYER}
