"""Random trees, patterns and lines of COPY and ADD that every builder accepts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.tars import BORN

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from tests.build.builders import Builder

NAMES = ("a", "b", "c.md", "d.go", "e f", "docs", "node_modules", ".git", "ab", "é")
PARTS = (*NAMES, "*", "*.md", "?", "[a-b]", "[^a]", "**", "a*", "*b", "d?cs", "**a")
MODES = (0o644, 0o600, 0o755, 0o4755, 0o400, 0o2644)


def write_tree(rng: random.Random, folder: Path) -> list[str]:
    """Write directories, files and links to a folder; return their paths."""
    directories, paths = [""], []
    for _ in range(rng.randrange(6, 24)):
        parent = rng.choice(directories)
        path = f"{parent}/{rng.choice(NAMES)}".lstrip("/")
        if path in paths or path.count("/") > 4:
            continue
        paths.append(path)
        _write(rng, folder / path, folder, directories, path)
    for place in (*folder.rglob("*"), folder):
        when = BORN + rng.randrange(1000)
        os.utime(place, (when, when), follow_symlinks=False)
    return paths


def _write(rng: random.Random, place: Path, folder: Path, directories: list[str], path: str) -> None:
    draw = rng.random()
    files = [found for found in folder.rglob("*") if found.is_file() and not found.is_symlink()]
    if draw < 0.4:
        place.mkdir()
        place.chmod(rng.choice((0o755, 0o700, 0o1777, 0o2750)))
        directories.append(path)
    elif draw < 0.5 and files:
        place.hardlink_to(rng.choice(files))
    elif draw < 0.6:
        place.symlink_to(rng.choice(("a", "../b", "/docs", "nowhere", "../../..", place.name)))
    else:
        place.write_bytes(rng.randbytes(rng.choice((0, 1, 100, 5000))))
        place.chmod(rng.choice(MODES))


def patterns(rng: random.Random) -> list[str]:
    """Return the lines of a `.dockerignore`."""
    return [_pattern(rng) for _ in range(rng.randrange(1, 5))]


def _pattern(rng: random.Random) -> str:
    text = "/".join(rng.choice(PARTS) for _ in range(rng.choice((1, 1, 2, 2, 3))))
    text = rng.choice(("", "", "", "/", "./")) + text + rng.choice(("", "", "", "/", "/**"))
    return ("!" if rng.random() < 0.35 else "") + text


def lines(rng: random.Random, folder: Path, paths: list[str], builder: Builder) -> list[str]:
    """Return lines that copy to a new place each, or into one that a line before has made."""
    good = [path for path in paths if " " not in path and (folder / path).exists()]
    good = [path for path in good if folder in (folder / path).resolve().parents] or ["."]
    return [_line(rng, folder, good, number, builder) for number in range(rng.randrange(4, 12))]


def _line(rng: random.Random, folder: Path, good: list[str], number: int, builder: Builder) -> str:
    instruction = rng.choice(("COPY", "COPY", "ADD"))
    flags = [rng.choice(("--chown=1:2", "--chown=app", "--chown=app:staff"))] if rng.random() < 0.4 else []
    if builder.builder == "buildkit" and rng.random() < 0.3:
        flags.append(rng.choice(("--chmod=755", "--chmod=0640", "--chmod=2711")))
    sources = [rng.choice([*good, "."]) for _ in range(rng.choice((1, 1, 1, 2)))]
    if rng.random() < 0.25:
        sources = [_glob(rng, folder, rng.choice(good))]
    dest = rng.choice((f"/n{number}/", f"/n{number}/x/y/", f"sg/n{number}/", f"/todir/n{number}/"))
    if len(sources) == 1 and sources[0] in good and rng.random() < 0.5:
        dest = dest.rstrip("/")
    return " ".join([instruction, *flags, *sources, dest])


def _glob(rng: random.Random, folder: Path, path: str) -> str:
    """Return a pattern that matches a path, and nothing that cannot be copied."""
    head, _, name = path.rpartition("/")
    pattern = f"{name[:1]}*" if rng.random() < 0.5 and name[:1] not in {".", ""} else f"{name[:-1]}?"
    whole = f"{head}/{pattern}".lstrip("/")
    found = list(folder.glob(whole))
    is_fit = all(match.exists() and folder in match.resolve().parents and " " not in match.name for match in found)
    return whole if found and is_fit and (folder / head).resolve() == folder / head else path
