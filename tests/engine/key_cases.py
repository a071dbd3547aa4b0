"""Dockerfiles that are nearly the same, and edits of a context: what BuildKit's keys depend on and what not."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from tests.tars import BORN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BASE, NAMED = "FROM bb:1", "FROM bb:1 AS b"

WORDS = """d1 /out
d2 /out
./d1 /out
d1/. /out
ld /out
d* /out
d[1] /out
f1 /o/
sub/f1 /o/
lnk /o/
f? /o/
f1 f1 /o/
. /oo
/ /oo
f1 /o
f1 /o/../o
f1 o
--chown=1 f1 /o
--chown=1:1 f1 /o
--chmod=644 f1 /o
--chmod=0644 f1 /o
--chmod=420 f1 /o""".splitlines()
VARIABLES = """ENV A=1 B=2
ENV A=1 B=2;ENV A=1
ENV B=2 A=1
ENV A=1;ARG A=1
ENV A=1
ARG A=1
ARG C
ARG A=1;ARG B=2
ARG B=2;ARG A=1
ENV A=1;ENV B=2;ENV A=3
ENV B=2;ENV A=3
ENV A=3;ENV B=2
ENV PATH=/bin A=9
ENV A=9 PATH=/bin
ARG HTTP_PROXY=x
ENV HTTP_PROXY=x
USER root
USER 0
WORKDIR /
WORKDIR /w
WORKDIR /w/
WORKDIR w
VOLUME /v""".splitlines()
INHERITED = """ARG A=1;ENV B=2
ENV B=2;ARG A=1
ENV A=1;ENV B=2;ENV A=3
ENV A=2;ARG A=1""".splitlines()
COMMANDS = """true
chown 5:6 /o/f
chown -h 5:6 /o/l
touch -d @0 /o/f
chmod 700 /o
chmod 600 /o/f
chown 7:7 /o
mknod /o/c c 1 3
mknod /o/c c 1 4
mknod /o/c b 1 3
ln /o/f /o/g
cp /o/f /o/g""".splitlines()
LINKED = """COPY f1 /q/
COPY --link f1 /q/
RUN true;COPY --link f1 /q/
COPY --link f1 /q/;COPY --link f2 /z
COPY --link f2 /z;COPY --link f1 /q/
COPY --link f1 /q/;COPY f2 /z""".splitlines()
"""The last one makes a store of snapshots put layers together, which it tells of as of the step itself once more."""


def write_context(folder: Path) -> None:
    """Write what the words name; two of each are alike."""
    for name in ("d1/x", "d2/x", "f1", "sub/f1", "f2"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("a")
    for name, target in {"lnk": "f1", "ld": "d1"}.items():
        (folder / name).symlink_to(target)
    (folder / ".dockerignore").write_text("Dockerfile\n.dockerignore\n")
    for path in folder.rglob("*"):
        os.utime(path, (BORN, BORN), follow_symlinks=False)


def dockerfiles() -> Iterator[str]:
    """Yield Dockerfiles, each of which shares steps with those before it."""
    yield from (f"{BASE}\nCOPY {words}\n" for words in WORDS)
    yield from (f"{BASE}\n{_lines(text)}\nRUN ls\n" for text in VARIABLES)
    yield from (f"{NAMED}\n{_lines(text)}\nFROM b\nRUN ls\n" for text in INHERITED)
    for command in COMMANDS:
        for path in ("/o", "/o/f"):
            made = f"RUN mkdir /o; echo > /o/f; ln -s f /o/l; {command}"
            yield f"{NAMED}\n{made}\n{BASE}\nCOPY --from=b {path} /out\n"


def linked_dockerfiles(*, are_put_together: bool) -> Iterator[str]:
    """Yield Dockerfiles with ``--link``; the last one where a store tells of its step once."""
    yield from (f"{BASE}\n{_lines(text)}\n" for text in (LINKED if are_put_together else LINKED[:-1]))


def _lines(text: str) -> str:
    return text.replace(";", "\n")


class Edits:
    """Edits of a directory that is copied, one after the other; no file keeps its age."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, BORN
        (folder / ".dockerignore").write_text("Dockerfile\n.dockerignore\n")
        for name in ("d/x", "d/k.txt", "d/sub/y", "d/sub/z.txt"):
            self.write(name, "a")
        for name in ("d", "d/sub"):
            self.mode(name, 0o755)

    def write(self, name: str, text: str, *, folder: int = 0o755) -> None:
        self.clock += 1
        (self.folder / name).parent.mkdir(folder, parents=True, exist_ok=True)
        (self.folder / name).write_text(text)
        os.utime(self.folder / name, (self.clock, self.clock))

    def mode(self, name: str, mode: int) -> None:
        (self.folder / name).chmod(mode)

    def gone(self, name: str) -> None:
        shutil.rmtree(self.folder / name)

    def all(self) -> list[tuple[str, Callable[[], object]]]:
        """Return what is done, with its name."""
        return [
            ("nothing", lambda: None),
            ("mode of a directory below", lambda: self.mode("d/sub", 0o700)),
            ("mode of the directory", lambda: self.mode("d", 0o711)),
            ("a file below", lambda: self.write("d/sub/y", "bb")),
            ("and back", lambda: self.write("d/sub/y", "a")),
            ("text", lambda: self.write("d/k.txt", "bb")),
            ("a text that is new", lambda: self.write("d/new.txt", "n")),
            ("text below", lambda: self.write("d/sub/z.txt", "bb")),
            ("a file", lambda: self.write("d/x", "bb")),
            ("a directory of texts", lambda: self.write("d/only/a.txt", "a")),
            ("no such directory", lambda: self.gone("d/only")),
            ("the directory below is gone", lambda: self.gone("d/sub")),
            ("it is there again", lambda: self.write("d/sub/y", "a", folder=0o750)),
            ("and has its old mode", lambda: self.mode("d/sub", 0o755)),
        ]
