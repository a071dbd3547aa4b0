"""The kernel's own overlay over layer tars.

They are extracted as the overlay2 driver does: each by itself, with the marks that the kernel wants.
"""

from __future__ import annotations

import io
import os
import pickle
import shutil
import stat
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.oracles import lacking, require_program, require_root

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from tests.kernel.operations import Operation, Outcome

REPOSITORY = Path(__file__).parents[2]
OPAQUE = "trusted.overlay.opaque"
REDIRECT = "trusted.overlay.redirect"


def extract(tar: bytes, folder: str) -> None:
    """Extract one layer: whiteouts become 0/0 devices, opaque markers an attribute of their directory.

    A directory that the tar only implies is of 1970; an engine's would be of the moment.
    """
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        members = archive.getmembers()
        for member in members:
            path = os.path.join(folder, member.name.strip("/"))
            _imply(os.path.dirname(path))
            _place(archive, member, folder, path)
        told = {member.name.strip("/"): member.mtime for member in members if member.isdir()}
    for directory, _, _ in os.walk(folder, topdown=False):
        time = told.get(os.path.relpath(directory, folder), 0)
        os.utime(directory, (time, time))


def _imply(path: str) -> None:
    """Make a directory and those above it: root's own, whatever group the one above gives to its children."""
    if not os.path.isdir(path):
        _imply(os.path.dirname(path))
        os.mkdir(path, 0o755)
        os.chown(path, 0, 0)


def _place(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: str, path: str) -> None:
    parent, name = os.path.split(path)
    if name == ".wh..wh..opq":
        os.setxattr(parent, OPAQUE, b"y")
    elif name.startswith(".wh."):
        os.mknod(os.path.join(parent, name.removeprefix(".wh.")), stat.S_IFCHR, 0)
    elif member.islnk():
        os.link(os.path.join(folder, member.linkname), path, follow_symlinks=False)
        _stamp(member, path)
    else:
        _clear(path, keep_directory=member.isdir())
        _create(archive, member, path)
        _stamp(member, path)


def _clear(path: str, *, keep_directory: bool) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        if not keep_directory:
            shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def _create(archive: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> None:
    if member.isdir():
        os.makedirs(path, exist_ok=True)
    elif member.issym():
        os.symlink(member.linkname, path)
    elif member.isfile():
        body = archive.extractfile(member)
        Path(path).write_bytes(body.read() if body else b"")
    else:
        kinds = {tarfile.FIFOTYPE: stat.S_IFIFO, tarfile.CHRTYPE: stat.S_IFCHR, tarfile.BLKTYPE: stat.S_IFBLK}
        os.mknod(path, kinds[member.type] | member.mode, os.makedev(member.devmajor, member.devminor))


def _stamp(member: tarfile.TarInfo, path: str) -> None:
    """Set owner, attributes, mode and time, from the header of a hard link too; an empty record counts as none."""
    os.chown(path, member.uid, member.gid, follow_symlinks=False)
    for record, value in member.pax_headers.items():
        if record.startswith("SCHILY.xattr.") and value:
            name = record.removeprefix("SCHILY.xattr.")
            os.setxattr(path, name, value.encode("utf-8", "surrogateescape"), follow_symlinks=False)
    if not os.path.islink(path):
        os.chmod(path, member.mode)
    os.utime(path, (member.mtime, member.mtime), follow_symlinks=False)


@dataclass
class KernelOverlay:
    """One mounted overlay and the process that works inside it."""

    folder: Path
    layers: Sequence[bytes]
    read_only: bool = False
    redirect_dir: bool = False
    _worker: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def merged(self) -> Path:
        return self.folder / "merged"

    @property
    def upper(self) -> Path:
        return self.folder / "upper"

    def __enter__(self) -> Self:
        require_root()
        for name in ("merged", "upper", "work", "nothing"):
            (self.folder / name).mkdir(parents=True, mode=0o755)
        os.utime(self.upper, (0, 0))
        lower = [self._extracted(number, layer) for number, layer in enumerate(self.layers)][::-1]
        options = "lowerdir=" + ":".join([*lower, *([str(self.folder / "nothing")] if self.read_only else [])])
        if not self.read_only:
            options += f",upperdir={self.upper},workdir={self.folder / 'work'}"
        if self.redirect_dir:
            options += ",redirect_dir=on"
        command = [require_program("mount", "mount"), "-t", "overlay", "overlay", "-o", options, str(self.merged)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lacking(f"a kernel that mounts overlays here: {done.stderr}")
        serve = [sys.executable, "-m", "tests.kernel.worker", str(self.merged)]
        self._worker = subprocess.Popen(serve, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY)
        return self

    def _extracted(self, number: int, layer: bytes) -> str:
        folder = self.folder / f"l{number}"
        folder.mkdir(mode=0o755)
        extract(layer, str(folder))
        return str(folder)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._worker is not None:
            self._worker.communicate()
        subprocess.run([require_program("umount", "mount"), str(self.merged)], check=True)

    def perform_all(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Carry out the operations inside the mount, in this order."""
        assert self._worker is not None
        assert self._worker.stdin is not None
        assert self._worker.stdout is not None
        pickle.dump(list(operations), self._worker.stdin)
        self._worker.stdin.flush()
        outcomes: list[Outcome] = pickle.load(self._worker.stdout)
        return outcomes

    def perform(self, operation: Operation) -> Outcome:
        return self.perform_all([operation])[0]
