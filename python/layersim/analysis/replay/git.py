"""The history of a context, as git tells it: sizes and ids of files, no contents."""

from __future__ import annotations

import itertools
import subprocess
from typing import TYPE_CHECKING

from layersim.analysis.replay.files import File
from layersim.build.context.reading import IGNORE_FILE

if TYPE_CHECKING:
    from os import PathLike

_LINK, _MODULE = "120000", "160000"
_EXECUTABLE = "100755"


def history(folder: str | PathLike[str], limit: int | None) -> list[tuple[str, dict[str, File | None]]]:
    """Return what each commit but the first changed below a directory, oldest first, with its subject.

    Parameters
    ----------
    folder : path
        A work tree, or a directory in one.
    limit : int, optional
        How many of the newest commits; by default all.

    Raises
    ------
    ValueError
        There is no history.
    """
    commits = _commits(folder, limit)
    found = []
    for before, after in itertools.pairwise(commits):
        subject = _git(folder, "log", "-1", "--format=%s", after).decode(errors="replace").strip()
        found.append((subject, _changes(folder, before, after)))
    return found


def first_tree(folder: str | PathLike[str], limit: int | None) -> dict[str, File]:
    """Return the files of the commit that a history starts from."""
    fields = _records(_git(folder, "ls-tree", "-r", "-z", _commits(folder, limit)[0]))
    listed = [(head.split(), path) for head, _, path in (field.partition("\t") for field in fields)]
    return _files(folder, [(path, mode, blob) for (mode, _, blob), path in listed])


def _commits(folder: str | PathLike[str], limit: int | None) -> list[str]:
    newest = [] if limit is None else [f"-n{limit + 1}"]
    found = _git(folder, "log", "--first-parent", "--format=%H", *newest, "--", ".").decode().split()
    if not found:
        raise ValueError(f"expected a directory with a history, got {str(folder)!r}")
    return found[::-1]


def _changes(folder: str | PathLike[str], before: str, after: str) -> dict[str, File | None]:
    fields = _records(_git(folder, "diff-tree", "-r", "-z", "--relative", "--no-renames", before, after))
    entries = [(path, *head.lstrip(":").split()[1:4:2]) for head, path in zip(fields[::2], fields[1::2], strict=True)]
    kept = _files(folder, [(path, mode, blob) for path, mode, blob in entries if blob.strip("0")])
    return {path: kept.get(path) for path, _, _ in entries}


def _files(folder: str | PathLike[str], entries: list[tuple[str, str, str]]) -> dict[str, File]:
    files = [(path, mode, blob) for path, mode, blob in entries if mode != _MODULE]
    asked = "".join(f"{blob}\n" for _, _, blob in files).encode()
    sizes = _git(folder, "cat-file", "--batch-check=%(objectsize)", given=asked).decode().split()
    return dict(_file(folder, *entry, int(size)) for entry, size in zip(files, sizes, strict=True))


def _file(folder: str | PathLike[str], path: str, mode: str, blob: str, size: int) -> tuple[str, File]:
    data = _git(folder, "cat-file", "blob", blob) if path == IGNORE_FILE else None
    permissions = "755" if mode == _EXECUTABLE else "644"
    return path, File(0 if mode == _LINK else size, f"{blob} {permissions}", data)


def _records(output: bytes) -> list[str]:
    return [field.decode("utf-8", "surrogateescape") for field in output.split(b"\0") if field]


def _git(folder: str | PathLike[str], *words: str, given: bytes = b"") -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], input=given, capture_output=True, check=True)
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()
        raise ValueError(f"expected a directory with a history, got {str(folder)!r}: {said}") from error
    return done.stdout
