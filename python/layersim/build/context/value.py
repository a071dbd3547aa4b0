"""The context of a build: what a builder is sent, and the Dockerfile."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from layersim._core import Layer, View, remove, write
from layersim.build.context.asked import asked_of
from layersim.build.context.checksum import content_checksum
from layersim.build.context.dialect import is_legacy, is_old_buildkit
from layersim.build.context.directory import read_directory
from layersim.build.context.ignore import Ignore
from layersim.build.context.patterns import clean
from layersim.build.context.plant import planted
from layersim.build.context.reading import IGNORE_FILE, reader_of
from layersim.build.context.selection import Selection, select
from layersim.build.context.sums import source_sum
from layersim.build.context.synced import SyncedTree
from layersim.build.context.tree import SentTree
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Buffer

    from layersim.build.context.dialect import Dialect
    from layersim.build.context.reading import Reader
    from layersim.build.context.synced import Synced
    from layersim.build.context.tree import Tree

Text: TypeAlias = str | os.PathLike[str] | bytes
"""The path of a Dockerfile, or its text."""


class Context:
    """What a builder is sent: files after ``.dockerignore``, and the Dockerfile.

    Made by `of`.

    Attributes
    ----------
    tree : Tree
        The files.
    dockerfile : bytes
        The Dockerfile, also where it lies outside or is ignored.
    ignore : Ignore
        What kept files out.
    """

    def __init__(
        self, tree: Tree, dockerfile: bytes, ignore: Ignore, dialect: Dialect, synced: Synced | None = None
    ) -> None:
        self.tree = tree
        self.dockerfile = dockerfile
        self.ignore = ignore
        self._dialect, self._synced = dialect, synced

    @classmethod
    def of(
        cls,
        source: str | os.PathLike[str] | Buffer | BinaryIO | Mapping[str, bytes | str],
        *,
        dockerfile: Text = "Dockerfile",
        dialect: Dialect,
        synced: Synced | None = None,
    ) -> Context:
        """Take a context as a builder is sent it.

        Parameters
        ----------
        source : path, bytes-like, binary file or Mapping of str to bytes or str
            A directory; a tar, plain or compressed; or files in memory, which get the modes 0644 and 0755.
        dockerfile : path or bytes
            Its path in the context; an absolute path of the host, outside of it; or its text.
        dialect : Dialect
            The builder.
        synced : Synced, optional
            What BuildKit has of the directory from earlier builds; without it all is compared by content.

        Returns
        -------
        Context
            Of a directory only names and what is known of them is read; bytes when they are wanted.

        Raises
        ------
        BuildError
            Naming what cannot be read; or without a Dockerfile.

        Notes
        -----
        A tar is taken as it is, owners too: no engine applies ``.dockerignore`` to one. The legacy builder takes the
        Dockerfile and the ``.dockerignore`` out of it where their patterns say so.
        Links are kept, wherever they lead; sockets are left out, as engines do.
        """
        if isinstance(source, Mapping):
            return _of_mapping(source, dockerfile, dialect)
        if isinstance(source, str | os.PathLike) and Path(source).is_dir():
            return _of_directory(os.fspath(source), dockerfile, dialect, synced)
        return _of_tar(source, dockerfile, dialect)

    @property
    def place(self) -> str:
        """What BuildKit knows the directory by; empty where it is none."""
        return "" if self._synced is None else self._synced.place

    @cached_property
    def view(self) -> View:
        """The files as a view, bytes and all."""
        return self.tree if isinstance(self.tree, View) else planted(self.tree)

    def select(self, word: str, dialect: Dialect | None = None, *, instruction: str = "COPY") -> Selection:
        """Find what a source word of COPY or ADD names.

        Parameters
        ----------
        word : str
            After substitution.
        dialect : Dialect, optional
            Another builder than that which the context is for.
        instruction : str
            ``COPY`` or ``ADD``, for messages.

        Returns
        -------
        Selection
            In the order in which they are copied.

        Raises
        ------
        BuildError
            In the builder's words.
        """
        rules = dialect or self._dialect
        if not isinstance(self.tree, SentTree):
            return select(self.tree, word, rules, instruction=instruction, from_stage=False)
        key = (word, rules.builder, rules.generation, instruction)
        known = self.tree.memo.get(key)
        if not isinstance(known, Selection):
            known = select(self.tree, word, rules, instruction=instruction, from_stage=False)
            self.tree.memo[key] = known
        return known

    def asked(self, paths: frozenset[str], *, is_whole: bool) -> int:
        """Take in what a build has asked for, and whether it came to its end; return how many bytes that is."""
        asked = asked_of(self.tree, paths)
        if self._synced is not None and isinstance(self.tree, SyncedTree):
            self._synced.settle(self.tree, asked, is_whole=is_whole)
        return asked.size

    def source_sum(self, words: Sequence[str]) -> str:
        """Return the legacy builder's sum of some source words, as its history shows it."""
        return source_sum([self.select(word) for word in words], self._dialect)

    def checksum(self, words: Sequence[str]) -> str:
        """Return a key for the content that some source words name, which changes when BuildKit's does."""
        return content_checksum([self.select(word) for word in words], self._dialect)


def _of_mapping(files: Mapping[str, bytes | str], dockerfile: Text, dialect: Dialect) -> Context:
    contents = dict(_checked(name, data) for name, data in files.items())
    ignore = _ignore(contents.get, dockerfile, dialect)
    text = _dockerfile(contents.get, dockerfile)
    kept = [name for name in contents if not ignore.excludes(name)]
    layer = Layer.from_changes([write(name, contents[name]) for name in kept])
    return Context(View([layer]), text, ignore, dialect)


def _checked(name: object, data: object) -> tuple[str, bytes]:
    """Return a file of a mapping, its path without detours; refuse what is neither path nor content."""
    if not (isinstance(name, str) and isinstance(data, str | bytes | bytearray | memoryview)):
        raise TypeError(f"context: expected str or bytes by path, got {data!r:.80} for {name!r:.80}")
    path = clean(name.strip("/"))
    if path in {"", ".", ".."} or path.startswith("../"):
        raise BuildError(f"context: {name!r:.80} is no path of a file below its root")
    return path, data.encode(errors="surrogateescape") if isinstance(data, str) else bytes(data)


def _of_directory(root: str, dockerfile: Text, dialect: Dialect, synced: Synced | None) -> Context:
    has_texts = synced is not None and is_old_buildkit(dialect)
    read = synced.texts.reader(root) if synced is not None and has_texts else reader_of(root)
    ignore = _ignore(read, dockerfile, dialect)
    text = _dockerfile(read, dockerfile)
    if synced is not None and not is_legacy(dialect):
        return Context(synced.tree(root, ignore, dialect), text, ignore, dialect, synced)
    return Context(read_directory(root, ignore, dialect), text, ignore, dialect)


def _of_tar(source: str | os.PathLike[str] | Buffer | BinaryIO, dockerfile: Text, dialect: Dialect) -> Context:
    view = View([Layer.from_tar(source)])

    def read(name: str) -> bytes | None:
        return view.read_bytes(name) if view.exists(name) else None

    text = _dockerfile(read, dockerfile)
    ignore = _ignore(read, dockerfile, dialect)
    if dialect.builder != "legacy":
        return Context(view, text, Ignore([], dialect), dialect)
    hidden = [name for name in (_name(dockerfile), IGNORE_FILE) if name in view and ignore.excludes(name)]
    layers = [*view.layers, Layer.from_changes([remove(name) for name in hidden])] if hidden else view.layers
    return Context(View(layers), text, Ignore(hidden, dialect), dialect)


def _name(dockerfile: Text) -> str:
    return "" if isinstance(dockerfile, bytes) else os.fspath(dockerfile)


def _ignore(read: Reader, dockerfile: Text, dialect: Dialect) -> Ignore:
    """Read the file of patterns: BuildKit asks for one beside the Dockerfile first."""
    own = f"{_name(dockerfile)}{IGNORE_FILE}" if dialect.builder == "buildkit" and _name(dockerfile) else ""
    data = read(own) if own else None
    data = read(IGNORE_FILE) if data is None else data
    return Ignore.parse(data or b"", dialect)


def _dockerfile(read: Reader, dockerfile: Text) -> bytes:
    if isinstance(dockerfile, bytes):
        return dockerfile
    name = os.fspath(dockerfile)
    found = read(name)
    if found is None and name == "Dockerfile":
        found = read("dockerfile")  # both builders try it
    if found is None and Path(name).is_absolute() and Path(name).is_file():
        found = Path(name).read_bytes()
    if found is None:
        raise BuildError(f"failed to read dockerfile: open {name}: no such file or directory")
    return found
