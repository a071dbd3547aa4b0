"""Seeded random image sets: stacks that share prefixes, with every kind of entry that an engine accepts."""

from __future__ import annotations

import random
import tarfile
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tests.engine.archives import ImageSpec, stamp
from tests.tars import BORN, Entry, directory, layer_tar

NAMES = ("a", "b", "c", "d", "link", "f.txt", "nämé", "x" * 120)
XATTRS = (
    ("user.note", b"hello"),
    ("user.empty", b""),
    ("security.capability", b"\x01\x00\x00\x02\x00\x04\x00\x00" + bytes(12)),
)


class LayerDraft:
    """The entries of one layer, kept within what overlay2 extracts without an error (layers.md sections 3 to 6).

    With `spells_parents` every directory has an entry: containerd looks for the others in the layers below, and
    refuses what it finds to be no directory there.
    """

    def __init__(self, rng: random.Random, *, spells_parents: bool = False) -> None:
        self.rng = rng
        self.spells_parents = spells_parents
        self.entries: list[Entry] = []
        self.kinds: dict[str, bytes] = {}
        self.hidden: set[str] = set()

    def path(self) -> str:
        depth = self.rng.choice((1, 1, 2, 2, 3))
        return "/".join(self.rng.choice(NAMES) for _ in range(depth))

    def is_free(self, path: str) -> bool:
        """Tell whether a new entry may stand here: its parents are directories of this layer, or nowhere in it."""
        parts = path.split("/")
        parents = ["/".join(parts[:n]) for n in range(1, len(parts))]
        if path in self.kinds or any(parent in self.hidden for parent in parents):
            return False
        return all(self.kinds.get(parent, tarfile.DIRTYPE) == tarfile.DIRTYPE for parent in parents)

    def add(self, entry: Entry) -> None:
        parts = entry.path.split("/")
        for n in range(1, len(parts)):
            parent = "/".join(parts[:n])
            if self.spells_parents and parent not in self.kinds:
                self.entries.append(directory(parent))
            self.kinds.setdefault(parent, tarfile.DIRTYPE)
        self.kinds[entry.path] = entry.kind
        self.entries.append(entry)

    def step(self) -> None:
        path = self.path()
        if not self.is_free(path):
            return
        make = self.rng.choices(
            (self.file, self.directory, self.symlink, self.hardlink, self.whiteout, self.opaque, self.special),
            weights=(9, 4, 3, 3, 4, 2, 1),
        )[0]
        make(path)

    def _owned(self, entry: Entry) -> Entry:
        uid, gid = self.rng.choice(((0, 0), (0, 0), (1000, 1000), (3_000_000_000, 7)))
        return replace(entry, uid=uid, gid=gid, mtime=BORN + self.rng.randrange(10**6))

    def file(self, path: str) -> None:
        content = self.rng.randbytes(self.rng.choice((0, 1, 10, 511, 512, 513, 5000, 70_000)))
        mode = self.rng.choice((0o644, 0o755, 0o600, 0o4755, 0o000))
        xattrs = tuple(self.rng.sample(XATTRS, self.rng.choice((0, 0, 1, 2))))
        self.add(self._owned(Entry(path, content=content, mode=mode, xattrs=xattrs)))

    def directory(self, path: str) -> None:
        mode = self.rng.choice((0o755, 0o700, 0o1777, 0o2775))
        self.add(self._owned(Entry(path, tarfile.DIRTYPE, mode=mode)))

    def symlink(self, path: str) -> None:
        target = self.rng.choice(("a", "../b", "/c/d", "nowhere", "../../../etc/passwd", "f.txt/x", "t" * 130))
        self.add(self._owned(Entry(path, tarfile.SYMTYPE, target=target, mode=0o777)))

    def hardlink(self, path: str) -> None:
        linkable = [entry for entry in self.entries if entry.kind in {tarfile.REGTYPE, tarfile.SYMTYPE}]
        linkable = [
            entry for entry in linkable if self.kinds.get(entry.path) == entry.kind and ".wh." not in entry.path
        ]
        if linkable:
            source = self.rng.choice(linkable)
            # An engine sets owner and attributes again from the link's own header, and writes them there itself.
            self.add(replace(source, path=path, kind=tarfile.LNKTYPE, target=source.path, content=b""))

    def whiteout(self, path: str) -> None:
        folder, _, name = path.rpartition("/")
        self.add(Entry(f"{folder}/.wh.{name}".lstrip("/"), mode=0o600))
        self.kinds[path] = b"whiteout"
        self.hidden.add(path)
        if self.rng.random() < 0.2:  # a new entry in the place of the hidden one
            self.kinds.pop(path)
            self.file(path)

    def opaque(self, path: str) -> None:
        if self.rng.random() < 0.7:
            self.directory(path)
        self.add(Entry(f"{path}/.wh..wh..opq", mode=0o600))

    def special(self, path: str) -> None:
        kind = self.rng.choice((tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE))
        self.add(self._owned(Entry(path, kind, mode=0o660, device=(1, 3) if kind != tarfile.FIFOTYPE else (0, 0))))


def random_layer(rng: random.Random, *, spells_parents: bool = False) -> bytes:
    """Return one layer of up to 25 entries."""
    draft = LayerDraft(rng, spells_parents=spells_parents)
    for _ in range(rng.randrange(26)):
        draft.step()
    return layer_tar(draft.entries)


def random_history(rng: random.Random, layers: int, created: datetime) -> tuple[dict[str, Any], ...]:
    """Return rows for all layers, or for some, with empty ones between."""
    rows: list[dict[str, Any]] = []
    texts = (
        '/bin/sh -c #(nop)  CMD ["x"]',
        "COPY a b # buildkit",
        "RUN \tapt-get update &&   true" * 3,
        "日本語のコマンド" * 6,
        "",
    )
    for _ in range(layers if rng.random() < 0.8 else rng.randrange(layers + 1)):
        for is_empty in [True] * rng.choice((0, 0, 1, 2)) + [False]:
            row: dict[str, Any] = {
                "created": stamp(created - timedelta(minutes=len(rows))),
                "created_by": rng.choice(texts),
            }
            if is_empty:
                row["empty_layer"] = True
            if rng.random() < 0.3:
                row["comment"] = rng.choice(
                    ("buildkit.dockerfile.v0", "Imported from -", "a comment of some length " * 2)
                )
            rows.append(row)
    return tuple(rows)


def random_images(seed: int, now: datetime, *, spells_parents: bool = False) -> list[ImageSpec]:
    """Return three to six images, whose stacks share prefixes and layers."""
    rng = random.Random(seed)
    stacks: list[tuple[bytes, ...]] = [()]
    images: list[ImageSpec] = []
    for number in range(rng.randrange(3, 7)):
        stack = rng.choice(stacks)
        stack = stack[: rng.randrange(len(stack) + 1)] if rng.random() < 0.4 else stack
        for _ in range(rng.randrange(1, 4)):
            known = [layer for other in stacks for layer in other]
            layer = (
                rng.choice(known) if known and rng.random() < 0.15 else random_layer(rng, spells_parents=spells_parents)
            )
            stack = (*stack, layer)
            stacks.append(stack)
        created = now - timedelta(days=3 + 5 * number + rng.randrange(4), hours=6, seconds=rng.randrange(3600))
        tags = tuple(f"app{number}:v{n}" for n in range(rng.choice((0, 1, 1, 1, 2))))
        history = None if rng.random() < 0.1 else random_history(rng, len(stack), created)
        images.append(ImageSpec(stack, tags, created, history))
    return images
