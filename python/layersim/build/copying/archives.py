"""ADD of an archive: told by its content, extracted as an engine extracts."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import posixpath
import tarfile
import zlib
from typing import IO, TYPE_CHECKING, TypeAlias

from layersim._core import Layer
from layersim.build.context.dialect import OLD, is_legacy
from layersim.build.context.patterns import clean
from layersim.build.context.tree import CAPABILITY, resolve, status
from layersim.build.copying.owners import Owner
from layersim.build.copying.place import Making, is_directory, make_directories, remove_all, touch
from layersim.errors import ArchiveError, BuildError

if TYPE_CHECKING:
    from layersim._core import Overlay
    from layersim.build.context import Dialect
    from layersim.build.context.tree import Status

Stream: TypeAlias = IO[bytes] | gzip.GzipFile
"""A tar, inflated as it is read."""

_GZIP, _BZIP2, _XZ, _ZSTD = b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"
_DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError)
PERMISSIONS = 0o7777
_NANOSECONDS = 10**9


def opened_archive(data: bytes, dialect: Dialect) -> Stream | None:
    """Return the tar in some bytes, inflated, or None where the engine sees none.

    A compressed file without a tar inside is none; nor is a tar that begins with its end.
    """
    try:
        stream = _inflated(data, dialect)
        tarfile.TarInfo.frombuf(stream.read(tarfile.BLOCKSIZE), "utf-8", "surrogateescape")
        stream.seek(0)
    except (*_DAMAGED, ArchiveError):
        return None
    return stream


def _inflated(data: bytes, dialect: Dialect) -> Stream:
    plain = io.BytesIO(data)
    if data.startswith(_GZIP):
        return gzip.GzipFile(fileobj=plain)
    if data.startswith(_BZIP2):
        return bz2.BZ2File(plain)
    if data.startswith(_XZ):
        return lzma.LZMAFile(plain)
    if data.startswith(_ZSTD) and dialect.generation != OLD:
        return io.BytesIO(Layer.from_tar(data).tar_bytes())
    return plain


def extract(overlay: Overlay, place: str, archive: Stream, dialect: Dialect, *, owner: Owner | None) -> None:
    """Extract a tar into a directory.

    Raises
    ------
    BuildError
        For a damaged archive, or one whose names lead out.
    """
    refusal = "failed to copy files: " if is_legacy(dialect) else ""
    if refusal and dialect.generation == OLD:
        refusal += "Error processing tar file(exit status 1): "
    touch(overlay, place)
    extracting = _Extracting(overlay, place, dialect, owner, refusal)
    try:
        with tarfile.open(fileobj=archive, mode="r:") as members:
            for member in members:
                extracting.member(member, members)
            archive.seek(members.offset)
            _check_end(archive.read(tarfile.BLOCKSIZE), refusal)
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise
        raise BuildError(f"{refusal}unexpected EOF") from error
    extracting.finish()


def _check_end(block: bytes, refusal: str) -> None:
    """Demand that what stopped the reading is an end: a block of zeros, or nothing at all."""
    if 0 < len(block) < tarfile.BLOCKSIZE:
        raise BuildError(f"{refusal}unexpected EOF")
    if any(block):
        raise BuildError(f"{refusal}archive/tar: invalid tar header")


class _Inside:
    """What is below a directory of an overlay, as a process sees it that has the directory for its root."""

    def __init__(self, overlay: Overlay, place: str) -> None:
        self.overlay, self.place = overlay, place

    def lstat(self, path: str, /) -> Status:
        """Return what a name is, without following a link."""
        return self.overlay.lstat(f"{self.place}/{path}")

    def readlink(self, path: str, /) -> str:
        """Return the target of a link."""
        return self.overlay.readlink(f"{self.place}/{path}")


class _Extracting:
    def __init__(self, overlay: Overlay, place: str, dialect: Dialect, owner: Owner | None, refusal: str) -> None:
        self.overlay, self.place, self.owner, self.refusal = overlay, place, owner, refusal
        self.may_leave = dialect.generation == OLD
        self.directories: list[tuple[str, int]] = []

    def member(self, member: tarfile.TarInfo, archive: tarfile.TarFile) -> None:
        """Make what a member describes, in the place of what is there."""
        name = clean(member.name)
        if (name == ".." or name.startswith("../")) and not self.may_leave:
            raise BuildError(f'{self.refusal}invalid entry name "{member.name}"')
        inside = clean("/" + name).strip("/")
        if not inside:
            return
        target = self._target(inside)
        there = status(self.overlay, target)
        if not (is_directory(there) and member.isdir()):
            remove_all(self.overlay, target, there)
            there = None
        self._make(member, archive, target, is_there=there is not None)
        self._describe(member, target)

    def _target(self, inside: str) -> str:
        """Return where a member goes; directories that nothing describes are made."""
        parent, name = posixpath.split(inside)
        place = f"{self.place}/{resolve(_Inside(self.overlay, self.place), parent)}".strip("/")
        make_directories(self.overlay, place, Making(Owner(0, 0), refusal=self.refusal))
        return f"{place}/{name}".strip("/")

    def _make(self, member: tarfile.TarInfo, archive: tarfile.TarFile, target: str, *, is_there: bool) -> None:
        if member.isdir():
            if not is_there:
                self.overlay.mkdir(target)
        elif member.issym():
            self.overlay.symlink(member.linkname, target)
        elif member.islnk():
            self.overlay.link(f"{self.place}/{clean('/' + member.linkname).strip('/')}", target)
        elif member.ischr() or member.isblk() or member.isfifo():
            self._make_node(member, target)
        else:
            taken = archive.extractfile(member)
            self.overlay.write_bytes(target, taken.read() if taken is not None else b"")

    def _make_node(self, member: tarfile.TarInfo, target: str) -> None:
        kind = 0o020000 if member.ischr() else 0o060000 if member.isblk() else 0o010000
        major, minor = member.devmajor, member.devminor
        device = (major & 0xFFF) << 8 | minor & 0xFF | (minor & ~0xFF) << 12 | (major & ~0xFFF) << 32
        self.overlay.mknod(target, kind, 0 if member.isfifo() else device)

    def _describe(self, member: tarfile.TarInfo, target: str) -> None:
        owner = self.owner or Owner(member.uid, member.gid)
        self.overlay.chown(target, *owner, follow_symlinks=False)
        if not member.issym():
            self.overlay.chmod(target, member.mode & PERMISSIONS)
        capability = member.pax_headers.get(f"SCHILY.xattr.{CAPABILITY}")
        if capability is not None:
            value = capability.encode("utf-8", "surrogateescape")
            self.overlay.setxattr(target, CAPABILITY, value, follow_symlinks=False)
        mtime_ns = int(member.mtime) * _NANOSECONDS
        if member.isdir():
            self.directories.append((target, mtime_ns))
        else:
            self.overlay.utime(target, ns=(mtime_ns, mtime_ns), follow_symlinks=False)

    def finish(self) -> None:
        """Set the times of directories, which what came into them has changed."""
        for target, mtime_ns in self.directories:
            if is_directory(status(self.overlay, target)):
                self.overlay.utime(target, ns=(mtime_ns, mtime_ns))
