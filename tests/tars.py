"""Hand-made layer tars, written with Python's `tarfile` alone."""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

BLOCK = 512
END = bytes(2 * BLOCK)
BORN = 1_500_000_000
"""The modification time of every entry that a test writes itself."""


@dataclass(frozen=True)
class Entry:
    """One member of a layer's tar."""

    path: str
    kind: bytes = tarfile.REGTYPE
    content: bytes = b""
    target: str = ""
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = BORN
    device: tuple[int, int] = (0, 0)
    xattrs: tuple[tuple[str, bytes], ...] = ()


def directory(path: str, mode: int = 0o755) -> Entry:
    return Entry(path, tarfile.DIRTYPE, mode=mode)


def symlink(path: str, target: str) -> Entry:
    return Entry(path, tarfile.SYMTYPE, target=target, mode=0o777)


def hardlink(path: str, target: str) -> Entry:
    return Entry(path, tarfile.LNKTYPE, target=target)


def layer_tar(entries: Iterable[Entry]) -> bytes:
    """Write the entries, in this order, as an uncompressed PAX tar."""
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w", format=tarfile.PAX_FORMAT, errors="surrogateescape") as archive:
        for entry in entries:
            member = tarfile.TarInfo(entry.path)
            member.type, member.linkname, member.size = entry.kind, entry.target, len(entry.content)
            member.mode, member.uid, member.gid, member.mtime = entry.mode, entry.uid, entry.gid, entry.mtime
            member.devmajor, member.devminor = entry.device
            member.pax_headers = {
                f"SCHILY.xattr.{name}": value.decode("utf-8", "surrogateescape") for name, value in entry.xattrs
            }
            archive.addfile(member, io.BytesIO(entry.content))
    return body.getvalue()


def header(**fields: bytes) -> bytes:
    """Return a ustar header block with raw fields, its checksum right."""
    places = {"name": (0, 100), "mode": (100, 8), "uid": (108, 8), "size": (124, 12), "mtime": (136, 12)}
    places |= {"typeflag": (156, 1), "linkname": (157, 100), "devmajor": (329, 8), "prefix": (345, 155)}
    block = bytearray(tarfile.TarInfo("f").tobuf(tarfile.USTAR_FORMAT))
    for name, value in fields.items():
        start, length = places[name]
        block[start : start + length] = value.ljust(length, b"\0")[:length]
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def pax(records: bytes) -> bytes:
    """Return an extended header and its padding."""
    return header(name=b"x", typeflag=b"x", size=b"%011o" % len(records)) + records + bytes(-len(records) % BLOCK)


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
