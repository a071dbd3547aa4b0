"""``RUN --mount`` on its way: what each names, what a step is known by because of it, and what a command finds."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layersim._core import Overlay, View
from layersim.build.cache import digest
from layersim.build.context import Selection, find
from layersim.build.context.checksum import folder_checksum
from layersim.build.context.plant import PERMISSIONS, plant
from layersim.build.copied import asked_by, digests_of, rechecked
from layersim.build.dockerfile import read_mount
from layersim.build.metadata import cleaned
from layersim.build.running.mounts import TMPFS_MODE, StepMount
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from layersim.build.dockerfile import Mount, Run
    from layersim.build.request import Request
    from layersim.build.stage import StageState

_SECRETS = "/run/secrets"
_AGENT = "/run/buildkit/ssh_agent."
_SECRET_MODE = 0o400
_CACHE_MODE = 0o755
_CONTEXT = ""


@dataclass(frozen=True)
class Wanted:
    """One mount of one RUN.

    Attributes
    ----------
    mount : Mount
        As written.
    target : str
        From the root on.
    selection : Selection or None
        What it shows of the context, a stage or an image.
    origin : str
        The key of the stage or image; empty for the context.
    """

    mount: Mount
    target: str
    selection: Selection | None = None
    origin: str = _CONTEXT

    @property
    def name(self) -> str:
        """What a cache or a secret is asked for by."""
        one = self.mount
        if one.type == "cache":
            return one.cache_id or posixpath.normpath(one.target)
        return one.cache_id or one.source or posixpath.basename(one.target)

    @property
    def is_file(self) -> bool:
        """Whether a secret is a file too, not a variable alone."""
        return not self.mount.env or bool(self.mount.target)

    def told(self, *, is_old: bool) -> str:
        """Return what a step is known by of it, beside content: 20.10 looks at the name of a cache, others do not."""
        one = self.mount
        if one.type == "bind":
            return f"bind {self.target} {one.is_readonly}"
        if one.type == "cache":
            name = self.name if is_old else ""
            return f"cache {self.target} {one.sharing or 'shared'} {one.is_readonly} {name} {self._made(is_old=is_old)}"
        if one.type == "tmpfs":
            return f"tmpfs {self.target} {one.size}"
        target = (one.target or self.target) if self.is_file else ""
        owner = f"{_SECRET_MODE if one.mode is None else one.mode:o} {one.uid or 0} {one.gid or 0}"
        return f"{one.type} {target} {self.name} {owner} {one.is_required} {one.env}"

    def _made(self, *, is_old: bool) -> str:
        """Return how the directory of a cache was asked for; 20.10 does not look at owners."""
        one = self.mount
        if one.mode is None and one.uid is None and one.gid is None:
            return ""
        mode = f"{_CACHE_MODE if one.mode is None else one.mode:o}"
        return mode if is_old else f"{mode} {one.uid or 0} {one.gid or 0}"

    @property
    def cache(self) -> str:
        """What the content of a cache is kept by: its name and what it starts as."""
        source = "" if self.selection is None else self.selection.sources[0].path
        return digest("cache mount", self.name, self._made(is_old=False), self.origin, source)


@dataclass(frozen=True)
class Mounting:
    """The mounts of one RUN, in the order in which they are made.

    Attributes
    ----------
    wanted : tuple of Wanted
        By target.
    request : Request
        The build.
    agents : tuple of str
        Where sockets of ssh agents would be, in the order of the Dockerfile.
    """

    wanted: tuple[Wanted, ...]
    request: Request
    agents: tuple[str, ...] = ()

    @classmethod
    def of(cls, instruction: Run, state: StageState, request: Request, source: Callable[[str], Source]) -> Mounting:
        """Find what the mounts of a RUN name.

        Raises
        ------
        BuildError, DockerfileError
            In the builder's words.
        """
        expand = None if request.dialect.is_old else state.evaluator(request).word
        read = [read_mount(text, request.dialect, expand) for text in instruction.mounts]
        finder = _Finder(request, state.draft.working_dir or "/", source)
        wanted = [finder.wanted(one, read[:number]) for number, one in enumerate(read)]
        agents = tuple(one.target for one in wanted if one.mount.type == "ssh")
        return cls(tuple(sorted(wanted, key=lambda one: one.target)), request, agents)

    @property
    def told(self) -> str:
        """What a step is known by of them, beside content; empty for no mounts."""
        return "\n".join(one.told(is_old=self.request.dialect.is_old) for one in self.wanted)

    @property
    def selections(self) -> list[Selection]:
        """What is shown of the context, of stages and of images."""
        return [one.selection for one in self.wanted if one.selection is not None]

    def checksum(self) -> str:
        """Return a key for the content of what is shown; empty where nothing is."""
        shown = [one for one in self.wanted if one.selection is not None]
        return digest(*(self._checksum(one) for one in shown)) if shown else ""

    def _checksum(self, one: Wanted) -> str:
        is_sent = one.origin == _CONTEXT
        return "" if one.selection is None else folder_checksum(one.selection, self.request.dialect, is_sent=is_sent)

    def files(self) -> dict[str, str]:
        """Return a digest for each file that is shown, and a mode for each name."""
        return digests_of(self.selections)

    def asked(self) -> frozenset[str] | None:
        """Return the paths of the context that are shown; None where none is."""
        return asked_by(self.request, self.selections)

    def recheck(self) -> bool:
        """Hash files again that were taken for unchanged without being read; tell whether any is not what it was."""
        return rechecked(self.request, self.selections)

    def environment(self, env: dict[str, str]) -> dict[str, str]:
        """Return variables with those of mounts: secrets, empty where nobody gave one, and where an agent would be."""
        agent = {"SSH_AUTH_SOCK": self.agents[0]} if self.agents else {}
        secrets = [one for one in self.wanted if one.mount.env]
        texts = {one.mount.env: (self._secret(one) or b"").decode("utf-8", "surrogateescape") for one in secrets}
        return agent | env | texts

    def _secret(self, one: Wanted) -> bytes | None:
        found = self.request.secrets.get(one.name)
        if found is None and one.mount.is_required:
            told = "secret {} not found: not found" if self.request.dialect.is_old else "secret {}: not found"
            raise BuildError(told.format(one.name))
        return found

    def made(self, caches: Mapping[str, Overlay], clock: Callable[[], int]) -> Iterator[StepMount]:
        """Yield what a command finds; secrets that nobody gave, and agents, are not there.

        Parameters
        ----------
        caches : mapping of str to Overlay
            What each cache holds, by `Wanted.cache`.
        clock : callable
            Gives nanoseconds since 1970.

        Raises
        ------
        BuildError
            A secret or an agent is required and not there, in the builder's words.
        """
        for one in self.wanted:
            mount = one.mount
            if mount.type == "bind":
                yield _bound(one, clock)
            elif mount.type == "cache":
                yield _folder(one, caches[one.cache])
            elif mount.type == "tmpfs":
                fs = Overlay([], clock=clock)
                fs.chmod("/", TMPFS_MODE)
                yield _folder(one, fs)
            elif mount.type == "secret":
                yield from self._secret_file(one)
            elif mount.is_required:
                raise BuildError(self._no_agent(mount))

    def _secret_file(self, one: Wanted) -> Iterator[StepMount]:
        content, mount = self._secret(one), one.mount
        if content is not None and one.is_file:
            mode = _SECRET_MODE if mount.mode is None else mount.mode
            yield StepMount(
                type="secret",
                target=one.target,
                content=content,
                is_readonly=True,
                mode=mode,
                uid=mount.uid or 0,
                gid=mount.gid or 0,
            )

    def _no_agent(self, mount: Mount) -> str:
        if self.request.dialect.is_old:
            return f'no SSH key "{mount.cache_id}" forwarded from the client'
        return f"unset ssh forward key {mount.cache_id or 'default'}"


@dataclass(frozen=True)
class Source:
    """A stage or an image that is mounted from: its files, and what they are known by."""

    view: View
    key: str


def target_of(mount: Mount, before: Sequence[Mount], workdir: str) -> str:
    """Return where something is mounted, from the root on; of several sockets each has a number.

    Raises
    ------
    BuildError
        It is the root itself.
    """
    given = mount.target
    if mount.type == "ssh" and not given:
        given = f"{_AGENT}{sum(one.type == 'ssh' for one in before)}"
    if mount.type == "secret" and not given:
        given = f"{_SECRETS}/{posixpath.basename(mount.cache_id or mount.source)}"
    target = cleaned(given, workdir)
    if target == "/":
        raise BuildError('invalid mount target "/"')
    return target


@dataclass(frozen=True)
class _Finder:
    request: Request
    workdir: str
    source: Callable[[str], Source]

    def wanted(self, mount: Mount, before: Sequence[Mount]) -> Wanted:
        """Return a mount with its target from the root on, and what it shows."""
        target = target_of(mount, before, self.workdir)
        if mount.type == "bind" and not mount.source_stage:
            tree = self.request.context.tree
            return Wanted(mount, target, find(tree, mount.source, self.request.dialect, from_stage=False))
        if mount.type in {"bind", "cache"} and mount.source_stage:
            origin = self.source(mount.source_stage)
            return Wanted(mount, target, find(origin.view, mount.source, self.request.dialect), origin.key)
        return Wanted(mount, target)


def _folder(one: Wanted, fs: Overlay) -> StepMount:
    """Return a cache or a tmpfs, whose directory is as its file system has it."""
    found, mount = fs.lstat("/"), one.mount
    return StepMount(
        type="cache" if mount.type == "cache" else "tmpfs",
        target=one.target,
        fs=fs,
        is_readonly=mount.is_readonly,
        mode=found.st_mode & PERMISSIONS,
        uid=found.st_uid,
        gid=found.st_gid,
        mtime_ns=found.st_mtime_ns,
        size=mount.size,
    )


def _bound(one: Wanted, clock: Callable[[], int]) -> StepMount:
    """Return a bind mount: a directory as a file system of its own, or a file."""
    selection, is_readonly = one.selection, one.mount.is_readonly
    if selection is None:
        raise BuildError(f"nothing is bound at {one.target}")
    (source,) = selection.sources
    found = source.status
    return StepMount(
        type="bind",
        target=one.target,
        fs=folder_of(selection, clock, is_readonly=is_readonly) if source.is_dir else None,
        content=b"" if source.is_dir else selection.tree.read_bytes(source.path),
        is_readonly=is_readonly,
        mode=found.st_mode & PERMISSIONS,
        uid=found.st_uid,
        gid=found.st_gid,
        mtime_ns=found.st_mtime_ns,
    )


def folder_of(selection: Selection, clock: Callable[[], int], *, is_readonly: bool = False) -> Overlay:
    """Return the directory that a selection names, as a file system of its own."""
    tree, (source,) = selection.tree, selection.sources
    if isinstance(tree, View) and not source.path:
        return Overlay(tree, read_only=is_readonly, clock=clock)
    fs = Overlay([], clock=clock)
    plant(tree, source.path, fs)
    return Overlay([fs.to_layer(dialect="canonical")], read_only=True, clock=clock) if is_readonly else fs
