"""A stack in the kernel that grows: an upper that is committed is the next lower."""

from __future__ import annotations

import os
import stat
import subprocess
from typing import TYPE_CHECKING, Self

from tests.kernel.mount import OPAQUE, extract
from tests.oracles import require_program

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from tests.kernel.fuzz.worker import Worker
    from tests.kernel.operations import Operation, Outcome

CAPABILITY = "security.capability"


class KernelStack:
    """Extracted layers, and an overlay mounted on them while it is entered."""

    redirect_dir = False

    def __init__(self, folder: Path, layers: Sequence[bytes], worker: Worker) -> None:
        self.folder = folder
        self.layers = layers
        self.worker = worker
        self.lower: list[str] = []
        self.number = 0
        self.is_mounted = False
        for number, layer in enumerate(layers):
            (folder / f"l{number}").mkdir(mode=0o755)
            extract(layer, str(folder / f"l{number}"))
            self.lower.insert(0, f"l{number}")
        if not layers:
            (folder / "nothing").mkdir(mode=0o755)
            self.lower = ["nothing"]

    def __enter__(self) -> Self:
        self._mount()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._unmount()

    @property
    def merged(self) -> Path:
        return self.folder / "merged"

    @property
    def upper(self) -> Path:
        return self.folder / f"u{self.number}"

    def _mount(self) -> None:
        for folder in (self.merged, self.upper, self.folder / f"w{self.number}"):
            folder.mkdir(mode=0o755, exist_ok=True)
        # Volatile: nothing here outlives the test, so that no unmount waits for the disk.
        # Docker makes upper directories anew; when is nobody's promise.
        os.utime(self.upper, (0, 0))
        upper, work = f"u{self.number}", f"w{self.number}"
        options = f"lowerdir={':'.join(self.lower)},upperdir={upper},workdir={work},volatile"
        mount = require_program("mount", "mount")
        command = [mount, "--no-canonicalize", "-t", "overlay", "overlay", "-o", options, str(self.merged)]
        subprocess.run(command, check=True, cwd=self.folder)
        self.is_mounted = True
        self.worker.enter(str(self.merged))

    def _unmount(self) -> None:
        if not self.is_mounted:
            return
        self.worker.leave()
        self.is_mounted = False
        subprocess.run([require_program("umount", "mount"), str(self.merged)], check=True)

    def commit(self) -> None:
        """Put the upper on the stack, and an empty one on that."""
        self._unmount()
        keep_what_a_tar_keeps(self.upper)
        self.lower.insert(0, f"u{self.number}")
        self.number += 1
        self._mount()

    def perform_all(self, operations: Sequence[Operation]) -> list[Outcome]:
        return self.worker.perform_all(operations)


def keep_what_a_tar_keeps(upper: Path) -> None:
    """Take from an upper what a commit leaves out: sockets, attributes other than capabilities, parts of a second.

    What engines do not extract goes too: times before 1970 of anything but links.
    """
    for directory, folders, files in os.walk(upper, topdown=False):
        for name in (*folders, *files):
            path = os.path.join(directory, name)
            if stat.S_ISSOCK(os.lstat(path).st_mode):
                os.unlink(path)
                continue
            for attribute in os.listxattr(path, follow_symlinks=False):
                if attribute not in {OPAQUE, CAPABILITY}:
                    os.removexattr(path, attribute, follow_symlinks=False)
        _cut_times(directory, (*folders, *files))


def _cut_times(directory: str, names: Sequence[str]) -> None:
    for name in names:
        path = os.path.join(directory, name)
        if os.path.lexists(path):
            found = os.lstat(path)
            first = -(1 << 31) if stat.S_ISLNK(found.st_mode) else 0
            seconds = max(first, found.st_mtime_ns // 10**9)
            os.utime(path, (seconds, seconds), follow_symlinks=False)
