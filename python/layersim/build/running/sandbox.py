"""`Sandbox`: executes the commands of RUN steps on Linux, in the merged tree of a step, and keeps what they write."""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from layersim.build.running.accounts import Account, account_of, environment
from layersim.build.running.hosted import READ_ONLY_FILE, HostedMounts, points_of
from layersim.build.running.launching import NotStartedError, OutOfTimeError, Output, launch
from layersim.build.running.lowers import Lowers, remove_folder
from layersim.build.running.step import Ran, RunStep, failure, not_started
from layersim.build.running.taking import Taking
from layersim.container.mountpoints import container_view
from layersim.errors import BuildError
from layersim.units import harmless

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from layersim._core import Overlay, Stat

_UNION = "index=off,metacopy=off,redirect_dir=off,xino=off"


class Sandbox:
    """Executes commands in the merged tree of each step; made by `sandbox`.

    Parameters
    ----------
    timeout : float, optional
        Seconds that one command may take.
    progress : callable, optional
        Called with each line that a command prints.
    folder : path, optional
        Where layers are extracted and commands write.
    """

    def __init__(
        self,
        *,
        timeout: float | None = None,
        progress: Callable[[str], object] | None = None,
        folder: str | os.PathLike[str] | None = None,
    ) -> None:
        self._timeout = timeout
        self._progress = progress
        self._is_root = os.geteuid() == 0
        self._marks = "trusted.overlay." if self._is_root else "user.overlay."
        self._made_ns = time.time_ns()
        self._folder = Path(tempfile.mkdtemp(prefix="layersim-sandbox-", dir=folder))
        self._lowers = Lowers(self._folder, f"{self._marks}opaque")
        self._closing = ExitStack()
        self._closing.callback(remove_folder, self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove all that was extracted; nothing is mounted between two steps."""
        self._closing.close()

    def __del__(self) -> None:
        """Remove what a forgotten sandbox leaves."""
        if hasattr(self, "_closing"):
            self.close()

    def __call__(self, step: RunStep, fs: Overlay, env: dict[str, str]) -> Ran:
        """Execute a step's command and take what it wrote into the overlay.

        Raises
        ------
        RunError
            If the command fails; the overlay is as it was.
        BuildError
            If it takes too long, or cannot be run here.
        """
        programs = _programs()
        account = account_of(step.user, fs)
        if account.uid and not self._is_root:
            raise BuildError(f"{step.place} runs as {step.user!r}, which takes root: {harmless(step.shown)}")
        work = Path(tempfile.mkdtemp(prefix="r", dir=self._folder))
        try:
            env = {**step.surroundings.env, **environment(env, account)}
            return self._execute(programs, (step, account), fs, env, work)
        finally:
            remove_folder(work)

    def _execute(
        self, programs: list[str], run: tuple[RunStep, Account], fs: Overlay, env: dict[str, str], work: Path
    ) -> Ran:
        step = run[0]
        hosted = HostedMounts(step.mounts, work, self._lowers, is_root=self._is_root)
        lowers = self._lower(fs, step, work)
        self._make(work, fs, step)
        _write_scripts(work, step)
        spec = self._spec(run, env, work, _options(lowers, work.name, is_root=self._is_root))
        spec["mounts"] = hosted.make()
        (work / "spec").write_text(json.dumps(spec))
        output = Output(self._progress)
        started = time.monotonic()
        try:
            code = launch(programs, work / "spec", output, timeout=self._timeout, maps_root=not self._is_root)
        except OutOfTimeError as error:
            raise BuildError(f"{step.place} took more than {self._timeout} seconds: {harmless(step.shown)}") from error
        except NotStartedError as error:
            raise not_started(step, str(error)) from error
        seconds = time.monotonic() - started
        hosted.take(self._marks, self._owner)
        if code != 0:
            raise failure(step, code, output.text)
        Taking(os.fsencode(work / "upper"), fs, self._marks, self._owner).take()
        return Ran(seconds)

    def _lower(self, fs: Overlay, step: RunStep, work: Path) -> list[str]:
        """Return the directories below the command's writes: layers, what was written before, mount points."""
        layers, written = fs.lower.layers, fs.to_layer()
        view = container_view([*layers, written], self._made_ns, step.surroundings.points)
        points = [view.layers[-1], points_of(view, self._made_ns, step.mounts)]
        places = self._lowers.names([*layers, *(layer for layer in points if len(layer))])
        if len(written):  # which `changes` does not tell: it compares no attributes
            self._lowers.extract_written(fs, work / "written")
            places.insert(len(layers), f"{work.name}/written")
        return places

    def _make(self, work: Path, fs: Overlay, step: RunStep) -> None:
        """Make an upper directory that looks like the root of the overlay, and the files that every container has."""
        for name in ("upper", "work", "etc"):
            (work / name).mkdir()
        (self._folder / "merged").mkdir(exist_ok=True)
        for path, text in step.surroundings.files.items():
            (work / path.strip("/")).write_text(text)
            (work / path.strip("/")).chmod(0o644)
        root = fs.lstat("/")
        upper = work / "upper"
        if self._is_root:
            os.chown(upper, root.st_uid, root.st_gid)
        upper.chmod(stat.S_IMODE(root.st_mode))
        os.utime(upper, ns=(root.st_atime_ns, root.st_mtime_ns))

    def _spec(self, run: tuple[RunStep, Account], env: dict[str, str], work: Path, options: str) -> dict[str, object]:
        step, account = run
        around = step.surroundings
        return {
            "folder": str(self._folder),
            "options": options,
            "files": {path: str(work / path.strip("/")) for path in around.files},
            "scripts": {path: str(work / path.strip("/")) for path in step.scripts},
            "files_flags": 0 if around.writes_files else READ_ONLY_FILE,
            "hostname": around.hostname,
            "cwd": step.cwd or "/",
            "uid": account.uid,
            "gid": account.gid,
            "groups": (account.others if step.user else ()) if around.has_old_groups else account.groups,
            "sets_ids": self._is_root,
            "command": step.command,
            "env": env,
        }

    def _owner(self, found: os.stat_result, before: Stat | None) -> tuple[int, int]:
        """Return who an entry belongs to: without root all belongs to one user, so who it belonged to before."""
        if self._is_root:
            return found.st_uid, found.st_gid
        return (before.st_uid, before.st_gid) if before else (0, 0)


def _write_scripts(work: Path, step: RunStep) -> None:
    """Write the programs that a command is given."""
    for path, text in step.scripts.items():
        place = work / path.strip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, errors="surrogateescape")
        place.chmod(0o755)


def _programs() -> list[str]:
    """Return the programs that tie a command to this process and make namespaces."""
    places = os.environ.get("PATH", os.defpath) + ":/usr/bin:/bin"
    found = [shutil.which(name, path=places) for name in ("setpriv", "unshare")]
    if None in found:
        raise BuildError("cannot make a sandbox here: 'unshare' and 'setpriv' of util-linux are not installed")
    return [program for program in found if program]


def _options(lowers: list[str], work: str, *, is_root: bool) -> str:
    """Return the options of the mount; the kernel wants the topmost lower directory first."""
    places = f"lowerdir={':'.join(reversed(lowers))},upperdir={work}/upper,workdir={work}/work"
    return f"{places},{_UNION}" if is_root else f"{places},userxattr"


def sandbox(
    *,
    timeout: float | None = None,
    progress: Callable[[str], object] | None = None,
    folder: str | os.PathLike[str] | None = None,
) -> Sandbox:
    """Make a build's `run=` that really executes the commands.

    Parameters
    ----------
    timeout : float, optional
        Seconds that one command may take; None: as long as it wants.
    progress : callable, optional
        Called with each line that a command prints, as text.
    folder : path, optional
        A directory for extracted layers and for what commands write, on a file system that can be the upper of an
        overlay; by default that of temporary files.

    Returns
    -------
    Sandbox
        A callable ``(step, fs, env)`` and a context manager: closing it removes all that was extracted.

    Notes
    -----
    It needs Linux, the program ``unshare`` of util-linux, and either root or a kernel that lets users make user
    namespaces and mount overlays in them (5.11). A command sees the merged tree, ``/proc``, ``/sys`` and a small
    ``/dev``, no network, no process of the host, its own hosts file, and Docker's default capabilities. What it
    writes is taken back exactly: whiteouts, opaque directories, modes, owners, times, attributes, hard links, devices
    and holes. Mount points that are not in the layers do not come into the step's layer. Without root all files belong
    to one user: what exists keeps its owner, what is new is root's, and USER must be root. What a step mounts, its
    secrets too, is on the disk while it runs, in a directory that nobody else can enter.

    Commands run with the host's kernel, without seccomp or limits: it keeps mistakes in, not attackers.
    """
    return Sandbox(timeout=timeout, progress=progress, folder=folder)
