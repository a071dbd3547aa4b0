"""What happens to a directory between builds that a context sync notices, or does not: as turns of a project."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from tests.tars import BORN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


class Turn(NamedTuple):
    """A build after an edit."""

    what: str
    file: str = "Dockerfile"
    target: str | None = None
    context: str | None = None
    fails: bool = False
    prunes: bool = False


class Folder:
    """A project whose files have the size and time that a test gives them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()

    def put(self, name: str, text: str, *, age: int = 0, mode: int = 0o644) -> None:
        """Write a file of an age."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        os.utime(path, (BORN + age, BORN + age))

    def link(self, name: str, target: str) -> None:
        """Make a link in the place of whatever is there, always of one age."""
        path = self.root / name
        path.unlink(missing_ok=True)
        path.symlink_to(target)
        os.utime(path, (BORN, BORN), follow_symlinks=False)

    def steps(self, *lines: str, file: str = "Dockerfile") -> None:
        """Write the Dockerfile."""
        (self.root / file).write_text("\n".join(["FROM scratch AS a", *lines, ""]))


def bytes_of_a_file(one: Folder) -> Iterator[Turn]:
    one.put("f", "aaa")
    one.put("g", "ggg")
    one.steps("COPY f /f", "COPY . /all")
    yield Turn("start")
    one.put("f", "bbb")
    yield Turn("other bytes, of the same size and age")
    one.steps("COPY f /f2", "COPY f g /x/")
    yield Turn("copied elsewhere")
    one.put("f", "bbb", mode=0o600)
    yield Turn("another mode")
    one.put("f", "ccc", mode=0o600)
    os.utime(one.root / "f", ns=(0, BORN * 10**9 + 1))
    yield Turn("a nanosecond younger")


def sub_directories(one: Folder) -> Iterator[Turn]:
    one.put("d/s/x", "one")
    one.put("f", "aaa")
    one.steps("COPY f /f", "COPY d /d")
    yield Turn("start")
    (one.root / "d/s").chmod(0o700)
    yield Turn("another mode")
    one.steps("COPY f /f", "COPY d /d2")
    yield Turn("copied elsewhere")
    one.put("d/s/x", "ONE", age=2)
    one.steps("COPY f /f", "COPY d /d")
    yield Turn("a file in it")
    (one.root / "d/s").chmod(0o755)
    yield Turn("the first mode")
    one.put("d/s/x", "ONE", age=2, mode=0o600)
    yield Turn("the mode of a file in it")
    (one.root / "d/s").rename(one.root / "d/t")
    yield Turn("renamed")
    (one.root / "d/t").rename(one.root / "d/s")
    (one.root / "d/s").chmod(0o711)
    yield Turn("renamed back, with another mode")


def names_and_links(one: Folder) -> Iterator[Turn]:
    one.put("f", "aaa")
    one.put("g", "ggg")
    one.link("l", "aa")
    one.steps("COPY f* /x/", "COPY . /all")
    yield Turn("start")
    (one.root / "f").rename(one.root / "fh")
    yield Turn("renamed")
    (one.root / "fh").rename(one.root / "f")
    one.put("f", "bbb")
    yield Turn("renamed back, other bytes")
    one.link("l", "bb")
    yield Turn("a link to something else")
    os.utime(one.root / "l", (BORN + 5, BORN + 5), follow_symlinks=False)
    yield Turn("a younger link")
    (one.root / "f").unlink()
    one.link("f", "g")
    yield Turn("a link in the place of a file")


def hard_links(one: Folder) -> Iterator[Turn]:
    one.put("f", "aaa")
    (one.root / "h").hardlink_to(one.root / "f")
    one.steps("COPY f /f", "COPY h /h")
    yield Turn("start")
    one.put("f", "bbb")
    yield Turn("other bytes of both")
    (one.root / "h").unlink()
    one.put("h", "bbb")
    yield Turn("no link any more")
    one.steps("COPY f /f1", "COPY h /h1")
    yield Turn("copied elsewhere")


def what_is_asked_for(one: Folder) -> Iterator[Turn]:
    one.put("f", "aaa")
    one.put("g", "ggg")
    one.steps("COPY f /f", file="D1")
    one.steps("COPY g /g", file="D2")
    yield Turn("start", "D1")
    yield Turn("something else is asked for", "D2")
    one.put("f", "bbb")
    yield Turn("the first again", "D1")
    one.put("f", "ccc")
    yield Turn("at once", "D1")
    one.steps("COPY f /f", "FROM scratch AS b", "COPY g /g")
    yield Turn("a stage", target="a")
    yield Turn("another stage", target="b")
    one.put("f", "ddd")
    yield Turn("the first stage", target="a")
    one.steps("ENV A=1")
    yield Turn("nothing is asked for")
    one.put("f", "eee")
    one.steps("COPY f /f")
    yield Turn("the file again")


def ignored_files(one: Folder) -> Iterator[Turn]:
    one.put("f", "aaa")
    one.put("g", "ggg")
    one.steps("COPY . /")
    yield Turn("start")
    one.put(".dockerignore", "f\n")
    yield Turn("ignored")
    (one.root / ".dockerignore").unlink()
    one.put("f", "bbb")
    yield Turn("no longer ignored")


def dockerfiles(one: Folder) -> Iterator[Turn]:
    one.put("f", "aaa")
    one.put("g", "ggg")
    one.put("Dockerfile", "FROM scratch\nCOPY f /f1\n")
    yield Turn("start")
    one.put("Dockerfile", "FROM scratch\nCOPY f /f2\n")
    yield Turn("another text of the same size and age")
    one.put("Dockerfile", "FROM scratch\nCOPY . /\n")
    one.put(".dockerignore", "g\n")
    yield Turn("an ignore file")
    one.put(".dockerignore", "f\n")
    yield Turn("another text of it")


def failed_builds(one: Folder) -> Iterator[Turn]:
    one.put("f", "aaa")
    one.steps("COPY f /f")
    yield Turn("start")
    one.put("f", "bbb", age=1)
    one.steps("COPY f /f", "COPY nothing /")
    yield Turn("fails", fails=True)
    one.put("f", "ccc", age=1)
    one.steps("COPY f /f1", "COPY f /f2")
    yield Turn("as in the failed one, other bytes")


def pruned(one: Folder) -> Iterator[Turn]:
    one.put("f", "aaa")
    one.steps("COPY f /f")
    yield Turn("start")
    one.put("f", "bbb")
    yield Turn("after the cache was pruned", prunes=True)


def ways_to_say_where(one: Folder) -> Iterator[Turn]:
    one.put("f", "aaa")
    one.steps("COPY f /f")
    yield Turn("an absolute path")
    one.put("f", "bbb")
    yield Turn("a relative one", context=".")
    one.put("f", "ccc")
    one.root.with_name("link").symlink_to(one.root)
    yield Turn("through a link", context=str(one.root.with_name("link")))
    one.put("f", "ddd")
    yield Turn("with a slash", context=f"{one.root}/")
    one.put("f", "eee")
    yield Turn("an absolute path again")


SCENES: Mapping[str, Callable[[Folder], Iterator[Turn]]] = {
    scene.__name__: scene
    for scene in (
        bytes_of_a_file,
        sub_directories,
        names_and_links,
        hard_links,
        what_is_asked_for,
        ignored_files,
        dockerfiles,
        failed_builds,
        pruned,
        ways_to_say_where,
    )
}
