"""A RUN of BuildKit with all that is mounted in its container, and what is left of that in its file system."""

from __future__ import annotations

import io
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim._core import Layer, Overlay, View
from layersim.build.buildkit.stubs import Stubs, is_in_container
from layersim.build.mounting import folder_of
from layersim.build.running import Sandbox
from layersim.build.running.step import failure
from layersim.build.stage import in_words_of, perform

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layersim._core import Stat
    from layersim.build.mounting import Mounting, Wanted
    from layersim.build.request import Host, Request
    from layersim.build.running import RunStep
    from layersim.build.running.mounts import StepMount

_FOLDER_MODE = 0o755


@dataclass(frozen=True)
class MountedRun:
    """A RUN with its mounts.

    Attributes
    ----------
    host : Host
        The engine, which keeps caches.
    request : Request
        The build.
    mounting : Mounting
        What is mounted.
    """

    host: Host
    request: Request
    mounting: Mounting

    def run(self, fs: Overlay, step: RunStep, env: dict[str, str]) -> tuple[Overlay, float]:
        """Run a step in its file system; return what is left, and how long the command took by its own account.

        Raises
        ------
        BuildError
            The command failed, or something cannot be mounted.
        """
        env = self.mounting.environment(env)
        with _open_caches(self.host, self.mounting, step) as caches:
            mounts = tuple(self.mounting.made(caches, self.host.now))
            step = step.with_mounts(mounts)
            stubs = Stubs(self.request.dialect, mounts, step.scripts)
            try:
                stubs.make(fs)
                seen = _with_folders(fs, mounts)
            except OSError as error:
                raise in_words_of(self.request.dialect, failure(step, 1, str(error))) from error
            # The sandbox mounts files itself; elsewhere they are written, and taken away again.
            files = [] if isinstance(self.request.run, Sandbox) else [one for one in mounts if _is_shown_file(one)]
            with _written_files(seen, files):
                seconds = perform(self.request, step, seen, env)
            left = seen.fork(mounts={})
            stubs.clear(left)
        return left, seconds


def _is_shown_file(mount: StepMount) -> bool:
    return mount.fs is None and not is_in_container(mount.target)


def _with_folders(fs: Overlay, mounts: Sequence[StepMount]) -> Overlay:
    """Return the file system with directories mounted in it, those that lie in others too."""
    folders = {one.target: one.fs for one in mounts if one.fs is not None and not is_in_container(one.target)}
    if not folders:
        return fs
    seen = fs.fork(mounts=folders)
    seen.make_mountpoints()
    return seen


@contextmanager
def _written_files(fs: Overlay, mounts: Sequence[StepMount]) -> Iterator[None]:
    """Show files while a command runs; afterwards what was there before is there again."""
    before = [(one, _found(fs, one.target)) for one in mounts]
    for mount in mounts:
        fs.write_bytes(mount.target, mount.content)
        fs.chown(mount.target, mount.uid, mount.gid)
        fs.chmod(mount.target, mount.mode)
    yield
    for mount, (content, status) in before:
        if fs.exists(mount.target):
            _restore(fs, mount.target, content, status)


def _found(fs: Overlay, path: str) -> tuple[bytes, Stat]:
    return fs.read_bytes(path), fs.stat(path)


def _restore(fs: Overlay, path: str, content: bytes, status: Stat) -> None:
    fs.write_bytes(path, content)
    fs.chown(path, status.st_uid, status.st_gid)
    fs.chmod(path, status.st_mode & 0o7777)
    fs.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@contextmanager
def _open_caches(host: Host, mounting: Mounting, step: RunStep) -> Iterator[dict[str, Overlay]]:
    """Give the caches that a step asks for, and let the engine keep what it left in them, also where it fails."""
    wanted = {one.cache: one for one in mounting.wanted if one.mount.type == "cache"}
    opened = {name: _opened(host, one) for name, one in wanted.items()}
    try:
        yield opened
    finally:
        for name, one in wanted.items():
            layer = _flattened(opened[name])
            host.keep_cache_mount(name, layer, layer.size, _description(one, mounting, step))


def _opened(host: Host, one: Wanted) -> Overlay:
    """Return what a cache holds: what was left in it, or what it starts as."""
    kept = host.find_cache_mount(one.cache)
    mount = one.mount
    if kept is None and one.selection is not None:
        return folder_of(one.selection, host.now)
    fs = Overlay([] if kept is None else [kept], clock=host.now)
    if one.selection is None:
        fs.chown("/", mount.uid or 0, mount.gid or 0)
        fs.chmod("/", _FOLDER_MODE if mount.mode is None else mount.mode)
    return fs


def _flattened(fs: Overlay) -> Layer:
    """Return all that a file system shows as one layer."""
    tar = io.BytesIO()
    View([*fs.lower.layers, fs.to_layer(dialect="canonical")]).write_tar(tar)
    return Layer.from_tar(tar.getvalue())


def _description(one: Wanted, mounting: Mounting, step: RunStep) -> str:
    told = f"cached mount {one.target} from exec {' '.join(step.command)}"
    return told if mounting.request.dialect.is_old else f'{told} with id "/{one.name}"'
