"""What can be seen of an engine, as comparable values; and sessions: the same commands on several engines."""

from __future__ import annotations

import stat
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import layersim as ls
from layersim.container.identity import container_name
from layersim.errors import LayerSimError
from layersim.testing import Operation

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from layersim.container import Container
    from layersim.image.document import Json

START_NS = 1_700_000_000 * 10**9


class Clock:
    """A clock that goes on by some odd nanoseconds whenever it is read, unless it is held."""

    def __init__(self, now: int = START_NS) -> None:
        self.now = now
        self.step = 10**9 + 7

    def __call__(self) -> int:
        self.now += self.step
        return self.now


def tree(fs: ls.Overlay) -> dict[str, object]:
    """Read everything that a path can reach, times of access and hard links included."""
    found: dict[str, object] = {}
    first_names: dict[tuple[int, int], str] = {}
    pending = [""]
    while pending:
        directory = pending.pop()
        for path in [f"{directory}/{name}" for name in fs.listdir(directory or "/")] + (
            [directory] if not directory else []
        ):
            at = path or "/"
            status = fs.lstat(at)
            if stat.S_ISDIR(status.st_mode) and path:
                pending.append(path)
            names = fs.listxattr(at, follow_symlinks=False)
            found[at] = (
                status.st_mode,
                status.st_uid,
                status.st_gid,
                status.st_size,
                status.st_rdev,
                status.st_nlink,
                status.st_mtime_ns,
                status.st_atime_ns,
                first_names.setdefault((status.st_dev, status.st_ino), at),
                [(name, fs.getxattr(at, name, follow_symlinks=False)) for name in names],
                fs.readlink(at) if stat.S_ISLNK(status.st_mode) else None,
                ls.sha256(fs.read_bytes(at)) if stat.S_ISREG(status.st_mode) and status.st_size < 1 << 20 else None,
            )
    return found


def describe(engine: ls.Engine, clock: Clock) -> dict[str, object]:
    """Tell all that an engine shows; its clock is held meanwhile."""
    step, clock.step = clock.step, 0
    images = [engine.get_image(row.id) for row in engine.images(all=True)]
    containers = [engine.get_container(row.id) for row in engine.containers(all=True)]
    told: dict[str, object] = {
        "images -a": str(engine.images(all=True)),
        "df -v": engine.df(verbose=True).verbose_text(),
        "df": (str(engine.df()), engine.df().layers_size),
        "ps -a -s": str(engine.containers(all=True, size=True)),
        "history": [engine.history(image.id).text(no_trunc=True) for image in images],
        "image": [(image, image.raw_config, image.layer_sizes, image.chain_ids) for image in images],
        "layer": [_layer(layer) for image in images for layer in image.layers],
        "container": [_container(container) for container in containers],
        "volume": [tree(engine.get_volume(row.name).fs) for row in engine.df(verbose=True).volumes],
    }
    clock.step = step
    return told


def _layer(layer: ls.Layer) -> tuple[object, ...]:
    known = (layer.diff_id, layer.size, layer.tar_size, len(layer), layer.is_synthetic)
    return known if layer.is_synthetic else (*known, layer.tar_length, [repr(entry) for entry in layer])


def _container(container: Container) -> tuple[object, ...]:
    told = (
        container.id,
        container.name,
        container.number,
        container.created_ns,
        container.image_name,
        container.image.id,
        container.life,
        container.wishes,
        container.was_started,
        container.command,
        sorted((path, volume.name, volume.links, volume.created_ns) for path, volume in container.volumes.items()),
        container.size_rw,
        container.size_root_fs,
    )
    if any(place.layer.is_synthetic for place in container.image.chain):
        return told
    upper = container.fs.upper()
    return (*told, container.changes(), tree(container.fs), None if upper is None else upper.digest)


class Command(NamedTuple):
    """One command of a session; `at` chooses among what is there."""

    name: str
    at: int = 0
    tag: str = "a:1"
    work: Operation = Operation("write", "/f", "/g", b"x")


TAGS = ("a:1", "a:2", "b:1", "localhost:5000/c/d:2")
# Two that are given, and two that would be generated for containers to come.
NAMES = (None, "web", None, container_name(5), None, container_name(12))
_PATHS = ("/a", "/a/b", "/a/c", "/b", "/b/c", "/c")
_WORKS = ("write", "append", "mkdir", "unlink", "rmdir", "rename", "link", "symlink", "chmod", "truncate")


def random_session(rng: random.Random, length: int) -> list[Command]:
    """Return commands of every kind."""
    return [
        Command(
            name=rng.choice(_FREQUENT),
            at=rng.randrange(12),
            tag=rng.choice(TAGS),
            work=Operation(rng.choice(_WORKS), rng.choice(_PATHS), rng.choice(_PATHS), rng.randbytes(rng.randrange(9))),
        )
        for _ in range(length)
    ]


CONFIG: dict[str, Json] = {"Cmd": ["serve"], "WorkingDir": "/srv/app", "Volumes": {"/data": {}}}


def do(engine: ls.Engine, command: Command) -> str:
    """Do one command; return what it said, or its error."""
    try:
        return str(_ACTS[command.name](engine, command))
    except (LayerSimError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


def _image(engine: ls.Engine, command: Command) -> str:
    rows = engine.images(all=True)
    return rows[command.at % len(rows)].id if len(rows) else command.tag


def _of_containers(engine: ls.Engine, command: Command) -> Container:
    rows = engine.containers(all=True)
    return engine.get_container(rows[command.at % len(rows)].id if len(rows) else "none")


def _import(engine: ls.Engine, command: Command) -> object:
    name, path, data = command.work.kind, command.work.path, command.work.data
    layer = ls.Layer.from_changes([ls.mkdir("/a"), ls.write(path, data + name.encode())])
    return engine.import_tar(layer.tar_bytes(), tag=command.tag if command.at % 2 else None).id


def _stack(engine: ls.Engine, command: Command) -> object:
    base = ls.Layer.from_changes(
        [ls.mkdir("/a"), ls.write("/a/b", b"1"), ls.hardlink("/a/c", "/a/b"), ls.symlink("/a/l", "b")]
    )
    top = ls.Layer.from_changes([ls.remove("/a/b"), ls.write("/b/c", command.work.data)])
    way = ("load", "build")[command.at % 2]
    return engine.add_image([base, top, base], tag=command.tag, config=CONFIG if command.at % 3 else None, way=way).id


def _synthetic(engine: ls.Engine, command: Command) -> object:
    layer = ls.Layer.synthetic(diff_id=f"sha256:{command.at:064}", size=1000 + command.at)
    return engine.add_image([layer], tag=command.tag).id


def _start(engine: ls.Engine, command: Command, *, runs: bool) -> object:
    start = engine.run if runs else engine.create
    name = NAMES[command.at % len(NAMES)]
    volumes = {"/data": "shared", "/b": "mine"} if command.at % 4 == 0 else None
    words = ("sleep", "1") if command.at % 3 == 0 else None
    return start(_image(engine, command), name, command=words, volumes=volumes).id


def _write(engine: ls.Engine, command: Command) -> object:
    container = _of_containers(engine, command)
    command.work.perform(container.fs)
    for volume in container.volumes.values():
        command.work.perform(volume.fs)
    return container.size_rw


def _volume(engine: ls.Engine, command: Command) -> object:
    if command.at % 3 == 0:
        engine.remove_volume("mine")
    return engine.create_volume(("mine", "alone")[command.at % 2]).size


def _record(engine: ls.Engine, command: Command) -> object:
    layer = ls.Layer.from_changes([ls.write("/built", command.work.data)])
    return engine.add_cache_record(7, layers=[layer] if command.at % 2 else [], in_use=command.at == 5)


def _special(engine: ls.Engine, command: Command) -> object:
    """Write what no layer can say."""
    fs = _of_containers(engine, command).fs
    path, other, data = command.work.path, command.work.other, command.work.data
    acts: list[Callable[[], object]] = [
        lambda: fs.mknod(path, stat.S_IFSOCK | 0o700),
        lambda: fs.mknod(path, stat.S_IFCHR | 0o600, 0x501),
        lambda: fs.setxattr(path, "user.note", data),
        lambda: fs.setxattr(other, "trusted.none", b""),
        lambda: fs.utime(path, ns=(123_456_789, 987_654_321)),
        lambda: fs.truncate(path, 1 << 21),
        lambda: fs.write_bytes("/.wh.name", data),
        lambda: fs.chown(other, 7, 1 << 31),
    ]
    with suppress(OSError):
        acts[command.at % len(acts)]()
    return len(fs.changes())


_ACTS: dict[str, Callable[[ls.Engine, Command], object]] = {
    "import": _import,
    "stack": _stack,
    "synthetic": _synthetic,
    "run": lambda engine, command: _start(engine, command, runs=True),
    "create": lambda engine, command: _start(engine, command, runs=False),
    "write": _write,
    "special": _special,
    "commit": lambda engine, command: _of_containers(engine, command).commit(tag=command.tag, message="m").id,
    "tag": lambda engine, command: engine.tag(_image(engine, command), command.tag).tags,
    "rmi": lambda engine, command: engine.remove_image(command.tag),
    "rmi -f": lambda engine, command: engine.remove_image(_image(engine, command), force=True),
    "stop": lambda engine, command: _of_containers(engine, command).stop(command.at),
    "start": lambda engine, command: _of_containers(engine, command).start(),
    "pause": lambda engine, command: _of_containers(engine, command).pause(),
    "unpause": lambda engine, command: _of_containers(engine, command).unpause(),
    "rm -f": lambda engine, command: _of_containers(engine, command).remove(force=True),
    "prune": lambda engine, command: engine.prune(unused_images=command.at == 0),
    "prune cache": lambda engine, _: engine.prune("build cache"),
    "volume": _volume,
    "record": _record,
}
_FREQUENT = (
    *_ACTS,
    "stack",
    "import",
    "run",
    "run",
    "create",
    "write",
    "write",
    "special",
    "special",
    "commit",
    "rmi -f",
)
