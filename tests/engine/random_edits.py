"""A project that is edited at random: its Dockerfile, its files, the options of its builds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.tars import BORN

if TYPE_CHECKING:
    import random
    from pathlib import Path

LINES = (
    "LABEL v={label}",
    "ENV {env}",
    "ARG X={arg}",
    "COPY {options}{source} /f1",
    "RUN echo {run} > /r",
    "COPY {given}dir /dir",
    "WORKDIR {folder}",
    "EXPOSE {port}",
)
VALUES = {
    "label": ("1", "2"),
    "env": ("A=1", "A=2", "A=3", "A=1 B=2", "B=2 A=1"),
    "arg": ("1", "2"),
    "run": ("1", "2", " 2"),
    "port": ("80", "81"),
    "options": ("", "--chown=1:2 "),
    "source": ("f1", "./f1", "f?"),
    "folder": ("/w", "/w/", "w"),
    "taken": ("/dir", "/dir/", "/d*"),
    "given": ("", "--chown=3:4 "),
}
CONTENTS = ("a", "bb", "ccc")
"""Of different sizes."""
IGNORED = ("", "unused\n", "dir/sub\n", "dir/x\nunused\n")


class Project:
    """What is built, edit after edit."""

    def __init__(self, rng: random.Random, folder: Path) -> None:
        self.rng, self.folder = rng, folder
        self.lines = list(LINES)
        self.values = {name: values[0] for name, values in VALUES.items()}
        self.build_args: dict[str, str] = {}
        self.clock = BORN
        (folder / "dir/sub").mkdir(parents=True)
        for name in ("f1", "dir/x", "dir/sub/y", "unused"):
            self._write(name)

    def edit(self) -> str:
        """Change one thing; return what."""
        edits = [self._set, self._set, self._set, self._content, self._content, self._mode, self._touch, self._swap]
        edits += [self._rewrite, self._rewrite, self._directory_mode, self._rename, self._ignore]
        return self.rng.choice([*edits, self._argument, self._comment])()

    def save(self) -> None:
        """Write the Dockerfile as it is now."""
        lines = ["FROM bb:1 AS b", *self.lines, "FROM bb:1", "COPY --from=b {taken} /out/", "RUN ls /out > /ls"]
        text = "\n".join(line.format(**self.values) for line in lines)
        (self.folder / "Dockerfile").write_text(f"{text}\n")

    def _set(self) -> str:
        name = self.rng.choice(sorted(VALUES))
        self.values[name] = self.rng.choice([value for value in VALUES[name] if value != self.values[name]])
        return f"{name}={self.values[name]}"

    def _content(self) -> str:
        name = self.rng.choice(("f1", "dir/x", "dir/sub/y", "unused"))
        self._write(name)
        return f"content of {name}"

    def _rewrite(self) -> str:
        """Give a file other bytes, of the same size and age: for BuildKit it has not changed."""
        name = self.rng.choice(("f1", "dir/x", "dir/sub/y"))
        path = self.folder / name
        age = path.stat().st_mtime_ns
        path.write_text(path.read_text().swapcase())
        os.utime(path, ns=(age, age))
        return f"bytes of {name}"

    def _directory_mode(self) -> str:
        (self.folder / "dir/sub").chmod(self.rng.choice((0o700, 0o755, 0o711)))
        return "mode of dir/sub"

    def _rename(self) -> str:
        name = self.rng.choice(("dir/x", "dir/sub/y"))
        (self.folder / name).rename(self.folder / "dir/kept")
        self._write(name)
        return f"{name} as dir/kept"

    def _ignore(self) -> str:
        text = self.rng.choice(IGNORED)
        (self.folder / ".dockerignore").write_text(text)
        self._age(".dockerignore")
        return f"ignored: {text!r}"

    def _mode(self) -> str:
        name = self.rng.choice(("f1", "dir/x", "dir", "dir/sub"))
        modes = (0o700, 0o750, 0o755) if (self.folder / name).is_dir() else (0o600, 0o644, 0o755)
        (self.folder / name).chmod(self.rng.choice(modes))
        return f"mode of {name}"

    def _touch(self) -> str:
        name = self.rng.choice(("f1", "dir/x"))
        self._age(name)
        return f"time of {name}"

    def _swap(self) -> str:
        at = self.rng.randrange(len(self.lines) - 1)
        self.lines[at : at + 2] = reversed(self.lines[at : at + 2])
        return f"order of {self.lines[at : at + 2]}"

    def _argument(self) -> str:
        self.build_args = self.rng.choice(({}, {"X": "given"}, {"X": "1"}, {"HTTP_PROXY": "http://p:1"}))
        return f"build arguments {self.build_args}"

    def _comment(self) -> str:
        self.lines.insert(self.rng.randrange(len(self.lines)), "# a remark")
        return "a comment"

    def _write(self, name: str) -> None:
        (self.folder / name).write_text(self.rng.choice(CONTENTS))
        self._age(name)

    def _age(self, name: str) -> None:
        self.clock += 1
        os.utime(self.folder / name, (self.clock, self.clock))
