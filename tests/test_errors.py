"""Every error class is provoked through the public API: its bases, what it carries, and that it pickles."""

from __future__ import annotations

import errno
import inspect
import io
import os
import pickle
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

import layersim as ls
from layersim import _core, errors
from layersim.build.context import Context
from layersim.build.dockerfile import parse
from tests.build.builders import Builder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LAYER = ls.Layer.from_changes([ls.mkdir("/d"), ls.write("/d/f", b"x")])
EMPTY = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
OTHER = "sha256:" + "0" * 64
SYNTHETIC = ls.Layer.synthetic(diff_id=OTHER, size=1)


def fs() -> ls.Overlay:
    return ls.Overlay([LAYER])


def engine() -> ls.Engine:
    made = ls.Engine(clock=lambda: 0)
    made.add_image([LAYER], tag="a:1")
    return made


def name_two_alike() -> None:
    host = engine()
    host.create("a:1", name="one")
    host.create("a:1", name="one")


def remove_what_is_used() -> None:
    host = engine()
    host.create("a:1")
    host.remove_image("a:1")


def open_the_future() -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine().save_state(f"{folder}/store/")
        document = Path(folder, "store/state.json")
        document.write_bytes(document.read_bytes().replace(b":1,", b":2,", 1))
        ls.Engine.open(f"{folder}/store")


def open_a_store_twice() -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine().save_state(folder)
        with ls.Engine.open(folder):
            Path(folder, "layersim.lock").write_text('{"pid":7,"host":"h","since":"s"}')
            ls.Engine.open(folder)


def remove_a_mounted_volume() -> None:
    host = engine()
    host.create("a:1", volumes={"/data": "data"})
    host.remove_volume("data")


def save_no_layers() -> None:
    host = ls.Engine(clock=lambda: 0)
    host.add_image([], tag="empty:1")
    host.save("empty:1", io.BytesIO())


def run_undeclared() -> None:
    ls.runs({})(ls.RunStep(command=("make",)), fs(), {})


def run_without_input() -> None:
    ls.runs({"npm ci": ls.effect(uses=["lock"])})(ls.RunStep(command=("npm", "ci")), fs(), {})


class Row(NamedTuple):
    """How a class is provoked, what else catches it, what it says and what it carries."""

    base: type[Exception]
    provoke: Callable[[], object]
    says: str
    carries: dict[str, object]


def of_system(base: type[OSError], number: int, path: str, provoke: Callable[[], object]) -> Row:
    """Return a row of an error that carries what Python's own `os` puts into it."""
    return Row(base, provoke, os.strerror(number), {"errno": number, "filename": path, "strerror": os.strerror(number)})


ROWS: dict[type[errors.LayerSimError], Row] = {
    errors.DigestFormatError: Row(ValueError, lambda: ls.chain_ids(["md5:0"]), "64 lower-case hex", {}),
    errors.DigestMismatchError: Row(
        ValueError,
        lambda: ls.Layer.from_tar(bytes(1024), diff_id=OTHER),
        f"expected {OTHER}, got {EMPTY}",
        {"expected": OTHER, "actual": EMPTY},
    ),
    errors.ArchiveError: Row(ValueError, lambda: ls.Layer.from_tar(b"x" * 512), "invalid tar header", {"offset": 0}),
    errors.ArchiveLimitError: Row(
        errors.ArchiveError,
        lambda: ls.Layer.from_tar(LAYER.tar_bytes(), limits=ls.Limits(depth=1)),
        "over the limit of 1",
        {"offset": 512, "limit": 1},
    ),
    errors.InvalidPathError: Row(ValueError, lambda: fs().stat("/a\0b"), "holds a NUL byte", {}),
    errors.InvalidReferenceError: Row(ValueError, lambda: engine().tag("a:1", "UPPER"), "must be lowercase", {}),
    errors.PathNotFoundError: of_system(FileNotFoundError, errno.ENOENT, "/none", lambda: fs().stat("/none")),
    errors.PathExistsError: of_system(FileExistsError, errno.EEXIST, "/d", lambda: fs().mkdir("/d")),
    errors.PathNotDirectoryError: of_system(NotADirectoryError, errno.ENOTDIR, "/d/f", lambda: fs().listdir("/d/f")),
    errors.PathIsDirectoryError: of_system(IsADirectoryError, errno.EISDIR, "/d", lambda: fs().unlink("/d")),
    errors.DirectoryNotEmptyError: of_system(OSError, errno.ENOTEMPTY, "/d", lambda: fs().rmdir("/d")),
    errors.ImageNotFoundError: Row(LookupError, lambda: engine().get_image("b:1"), "No such image: b:1", {}),
    errors.ContainerNotFoundError: Row(LookupError, lambda: engine().get_container("no"), "No such container: no", {}),
    errors.LayerNotFoundError: Row(LookupError, lambda: engine().sharing().referrers("no"), "no layer is kept", {}),
    errors.ImageInUseError: Row(errors.LayerSimError, remove_what_is_used, "is using its referenced image", {}),
    errors.ChainTooDeepError: Row(
        errors.LayerSimError, lambda: engine().add_image([LAYER] * 126), "max depth exceeded", {"limit": 125}
    ),
    errors.ContainerStateError: Row(
        errors.LayerSimError,
        lambda: engine().run("a:1").remove(),
        "cannot remove a running container",
        {"state": "running", "wanted": "created or exited"},
    ),
    errors.NameInUseError: Row(errors.LayerSimError, name_two_alike, '"/one" is already in use', {}),
    errors.VolumeNotFoundError: Row(LookupError, lambda: engine().get_volume("no"), "get no: no such volume", {}),
    errors.VolumeInUseError: Row(
        errors.LayerSimError, remove_a_mounted_volume, r"remove data: volume is in use - [", {}
    ),
    errors.ContentMissingError: Row(errors.LayerSimError, lambda: list(SYNTHETIC), "digest and size alone", {}),
    errors.ValidationError: Row(
        ValueError, save_no_layers, "empty export", {"breaches": ("an image without layers cannot be saved",)}
    ),
    errors.BuildError: Row(
        errors.LayerSimError, lambda: Context.of({}, dialect=Builder()), "failed to read dockerfile", {}
    ),
    errors.RunError: Row(
        errors.BuildError,
        run_without_input,
        "uses 'lock', which is not there",
        {"command": ("npm", "ci"), "exit_code": 1, "output": ""},
    ),
    errors.DockerfileError: Row(
        ValueError,
        lambda: parse("FROM scratch\nFOO x", name="D"),
        "dockerfile parse error on line 2: unknown instruction: FOO (did you mean FROM?)",
        {"file": "D", "line": 2, "text": "FOO x"},
    ),
    errors.StateError: Row(ValueError, lambda: ls.Engine.open(__file__), "is no saved engine", {}),
    errors.StateVersionError: Row(errors.StateError, open_the_future, "versions up to 1", {"found": 2, "known": 1}),
    errors.StoreLockedError: Row(
        errors.LayerSimError, open_a_store_twice, "process 7 on h", {"pid": 7, "host": "h", "since": "s"}
    ),
}


def test_no_class_is_left_out() -> None:
    classes = {found for _, found in inspect.getmembers(errors, inspect.isclass) if found.__module__ == errors.__name__}
    assert classes - {errors.LayerSimError} == ROWS.keys()


@pytest.mark.parametrize("kind", ROWS, ids=lambda kind: kind.__name__)
def test_an_error_is_of_both_families_and_carries_what_it_knows(kind: type[errors.LayerSimError]) -> None:
    row = ROWS[kind]
    with pytest.raises(row.base) as caught:
        row.provoke()
    error = caught.value
    assert type(error) is kind
    assert isinstance(error, errors.LayerSimError)
    assert row.says in str(error)
    assert "\n" not in str(error)
    assert {name: getattr(error, name) for name in row.carries} == row.carries
    assert vars(error).keys() <= row.carries.keys()


@pytest.mark.parametrize("kind", ROWS, ids=lambda kind: kind.__name__)
def test_an_error_comes_out_of_a_pickle_as_it_went_in(kind: type[errors.LayerSimError]) -> None:
    with pytest.raises(kind) as caught:
        ROWS[kind].provoke()
    again: Any = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again), again.args) == (kind, str(caught.value), caught.value.args)
    assert vars(again) == vars(caught.value)
    assert {name: getattr(again, name) for name in ROWS[kind].carries} == ROWS[kind].carries


def usage(sizes: Sequence[int], layers: Sequence[int], offsets: Sequence[int], counted: Sequence[bool]) -> _core.Usage:
    return _core.usage(
        np.array(sizes, np.uint64), np.array(layers, np.uint32), np.array(offsets, np.uint64), np.array(counted)
    )


NOTHING = _core.Archive.from_bytes(bytes(1024))


@pytest.mark.parametrize(
    ("provoke", "says"),
    [
        (lambda: usage([1], [1], [0, 1], [True]), "a layer has no size"),
        (lambda: usage([1], [0], [0, 2], [True]), "offsets must rise and stay within"),
        (lambda: usage([1], [0], [1, 0], [True]), "offsets must rise and stay within"),
        (lambda: usage([1], [0], [0, 1], [True, False]), "one offset more than images"),
        (lambda: NOTHING.layers(["x"], []), "as many diff_ids and digests as names"),
        (lambda: NOTHING.layers(["x"], [OTHER], digests=[]), "as many diff_ids and digests as names"),
        (lambda: ls.Layer.from_changes([ls.symlink("/l", "a\0b")]), "holds a NUL byte"),
        (lambda: fs().to_layer(dialect="none"), "'docker29'"),
        (lambda: LAYER.write_tar("/"), "names no file"),
    ],
    ids=["size", "beyond", "falling", "offsets", "diff_ids", "digests", "NUL", "dialect", "target"],
)
def test_arguments_that_do_not_fit_are_a_value_error(provoke: Callable[[], object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        provoke()


@pytest.mark.parametrize(
    ("number", "provoke"),
    [
        (errno.EFBIG, lambda: fs().truncate("/d/f", (1 << 63) - 1)),
        (errno.EINVAL, lambda: fs().truncate("/d/f", -1)),
        (errno.E2BIG, lambda: fs().setxattr("/d/f", "user.a", bytes((1 << 16) + 1))),
        (errno.ERANGE, lambda: fs().setxattr("/d/f", "user." + "a" * 256, b"")),
        (errno.ENODATA, lambda: fs().getxattr("/d/f", "user.none")),
    ],
    ids=lambda given: errno.errorcode[given] if isinstance(given, int) else "",
)
def test_a_refusal_without_a_class_of_its_own_is_the_systems(number: int, provoke: Callable[[], object]) -> None:
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        provoke()
    assert type(caught.value) is OSError
    assert (caught.value.errno, caught.value.filename) == (number, "/d/f")
