"""COPY, ADD and WORKDIR by a real builder and by ours: a Dockerfile of many lines, compared layer by layer."""

from __future__ import annotations

import io
import json
import shlex
import tarfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import layersim as ls
from layersim.build.context import Context, Selection, select, source_sum
from layersim.build.context.remote import check_word
from layersim.build.copying import CopyOptions, copy_into, make_workdir
from layersim.errors import BuildError
from tests.tars import Entry, directory, layer_tar, symlink

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.build.builders import Builder
    from tests.engine.daemon import Daemon

NOW_NS = 1_900_000_000 * 10**9
LONG_AGO = 1_700_000_000
"""Files of contexts are older than this; what a builder makes is younger."""

PASSWD = b"root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/:/bin/sh\n7:x:70:71::/:/bin/sh\n"
GROUP = b"root:x:0:\nstaff:x:50:\napp:x:1001:\n7:x:77:\n"
BASE = layer_tar(
    [
        directory("etc"),
        Entry("etc/passwd", content=PASSWD),
        Entry("etc/group", content=GROUP),
        Entry("dir", tarfile.DIRTYPE, mode=0o750, uid=3, gid=4),
        Entry("dir/old", content=b"old", mode=0o600, uid=9, gid=9),
        Entry("file", content=b"file", mode=0o600, uid=5, gid=6),
        symlink("todir", "dir"),
        symlink("abs", "/dir"),
        symlink("tofile", "file"),
        symlink("dangle", "nowhere"),
        symlink("loop", "loop"),
        Entry("sg", tarfile.DIRTYPE, mode=0o2775, uid=3, gid=44),
    ]
)
CAPABILITY = bytes([1, 0, 0, 2, *[1] * 16])
ODD = layer_tar(
    [
        Entry("o", tarfile.DIRTYPE, mode=0o1750, uid=7, gid=8),
        Entry("o/f", content=b"f", mode=0o4755, uid=7, gid=8),
        Entry("o/d", tarfile.DIRTYPE, mode=0o2700, uid=9, gid=9),
        Entry("o/d/x", content=b"x", uid=5, gid=5),
        Entry("o/empty", tarfile.DIRTYPE, mode=0o700, uid=9, gid=9),
        Entry("o/l", tarfile.SYMTYPE, target="f", uid=7, gid=8),
        Entry("o/c", tarfile.CHRTYPE, device=(1, 3), uid=1, gid=1, mode=0o666),
        Entry("o/p", tarfile.FIFOTYPE, uid=1, gid=1),
        Entry("o/cap", content=b"c", mode=0o755, uid=3, gid=3, xattrs=(("security.capability", CAPABILITY),)),
        Entry("r", tarfile.DIRTYPE),
        Entry("r/x", content=b"x"),
        symlink("abs", "/o/d"),
        symlink("up", "../../o"),
    ]
)
IMAGES = {"base": BASE, "odd": ODD}
LAYERS = {name: ls.Layer.from_tar(tar) for name, tar in IMAGES.items()}

Row = dict[str, tuple[object, ...]]
"""A layer: what is known of each name."""


def import_images(daemon: Daemon) -> None:
    """Put the images into an engine that Dockerfiles build upon."""
    for name, tar in IMAGES.items():
        daemon.docker("import", "-", name, stdin=tar)


@dataclass(frozen=True)
class Built:
    """What the real builder made: the layers above the base, and what its history says of each step."""

    layers: list[Row]
    created_by: list[str]
    error: str = ""


def built(daemon: Daemon, builder: Builder, folder: Path, lines: Sequence[str]) -> Built:
    """Build a Dockerfile of these lines on the base."""
    (folder / "Dockerfile").write_text("\n".join(["FROM base", *lines, ""]))
    # The context of another build must not be taken for this one.
    words = ["build", "--quiet", "--no-cache", str(folder)]
    done = daemon.run(*words, DOCKER_BUILDKIT="1" if builder.builder == "buildkit" else "0", BUILDKIT_PROGRESS="plain")
    if done.returncode != 0:
        return Built([], [], done.stderr.decode(errors="replace"))
    saved = daemon.run("save", done.stdout.decode().split()[-1]).stdout
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
        manifest = json.loads(_member(archive, "manifest.json"))[0]
        config = json.loads(_member(archive, manifest["Config"]))
        layers = [rows(_member(archive, name)) for name in manifest["Layers"]]
    history = [step.get("created_by", "") for step in config["history"] if not step.get("empty_layer")]
    return Built(layers[1:], history[1:])


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    found = archive.extractfile(name)
    assert found is not None
    return found.read()


def rows(tar: bytes, begun: int = LONG_AGO) -> Row:
    """Return the entries of a layer's tar; times are told unless they are those of the build, which are later."""
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        return {member.name: _row(member, archive, begun) for member in archive}


def _row(member: tarfile.TarInfo, archive: tarfile.TarFile, begun: int) -> tuple[object, ...]:
    taken = archive.extractfile(member) if member.isreg() else None
    content = taken.read() if taken is not None else b""
    xattrs = {key: value for key, value in member.pax_headers.items() if key.startswith("SCHILY.xattr.")}
    device = (member.devmajor, member.devminor) if member.ischr() or member.isblk() else ()
    time = "now" if member.mtime >= begun else int(member.mtime)
    owner = f"{member.uid}:{member.gid}"
    return (member.type, f"{member.mode & 0o7777:04o}", owner, member.linkname, content, xattrs, device, time)


class Ours:
    """Our side: the same lines, one layer each."""

    def __init__(self, builder: Builder, folder: Path, context: Context | None = None) -> None:
        self.builder = builder
        self.context = context or Context.of(folder, dockerfile=b"", dialect=builder)
        self.layers = [LAYERS["base"]]
        self.user, self.workdir = "", "/"
        self.sums: list[tuple[str, str]] = []

    def line(self, line: str) -> Row:
        """Do what one line says; return the layer that it makes."""
        overlay = ls.Overlay(self.layers, clock=lambda: NOW_NS)
        word, _, rest = line.partition(" ")
        getattr(self, f"_{word.lower()}")(overlay, rest)
        self.layers.append(overlay.to_layer())
        return rows(self.layers[-1].tar_bytes())

    def _user(self, _overlay: ls.Overlay, user: str) -> None:
        self.user = user

    def _workdir(self, overlay: ls.Overlay, path: str) -> None:
        make_workdir(overlay, path, self.builder, user=self.user)
        self.workdir = path

    def _copy(self, overlay: ls.Overlay, rest: str) -> None:
        self._transfer(overlay, rest, CopyOptions("COPY"))

    def _add(self, overlay: ls.Overlay, rest: str) -> None:
        self._transfer(overlay, rest, CopyOptions("ADD"))

    def _transfer(self, overlay: ls.Overlay, rest: str, options: CopyOptions) -> None:
        words = shlex.split(rest)
        flags = [word for word in words if word.startswith("--")]
        *sources, dest = words[len(flags) :]
        origin = ""
        for flag in flags:
            name, _, value = flag[2:].partition("=")
            if name == "from":
                origin = value
            else:
                options = replace(options, **_option(name, value, options))
        selections = [self._select(word, origin, options) for word in sources]
        if self.builder.builder == "legacy":
            self.sums.append((rest, source_sum(selections, self.builder)))
        copy_into(overlay, selections, dest, options, dialect=self.builder, workdir=self.workdir)

    def _select(self, word: str, origin: str, options: CopyOptions) -> Selection:
        check_word(word, options.instruction, self.builder)
        if origin:
            return select(ls.View([LAYERS[origin]]), word, self.builder, instruction=options.instruction)
        return self.context.select(word, instruction=options.instruction)


def _option(name: str, value: str, options: CopyOptions) -> Mapping[str, Any]:
    if name == "exclude":
        return {"exclude": (*options.exclude, value)}
    if name in {"link", "parents", "unpack"}:
        return {name: value != "false"}
    return {{"chown": "owner", "chmod": "mode"}.get(name, name): value}


def differences(daemon: Daemon, builder: Builder, folder: Path, lines: Sequence[str]) -> Iterator[str]:
    """Build lines that succeed on both sides, and tell where layers or sums of sources differ."""
    theirs = built(daemon, builder, folder, lines)
    if theirs.error:
        yield f"{lines}: {theirs.error[-500:]}"
        return
    ours = Ours(builder, folder)
    made = [(line, ours.line(line)) for line in lines]
    made = [(line, row) for line, row in made if not line.startswith("USER")]
    for (line, mine), their in zip(made, theirs.layers, strict=True):
        yield from (f"{line}: ours {name} {mine.get(name)}" for name in mine.keys() - their.keys())
        yield from (f"{line}: theirs {name} {their.get(name)}" for name in their.keys() - mine.keys())
        yield from (
            f"{line}: {name}:\n  ours   {mine[name]}\n  theirs {their[name]}"
            for name in sorted(mine.keys() & their.keys())
            if mine[name] != their[name]
        )
    if builder.builder == "legacy":
        told = [text for text in theirs.created_by if " in " in text]
        for text, (line, own) in zip(told, ours.sums, strict=True):
            # The old engine hashes the names that owners in a stage have on its host; of those we know root.
            is_known = builder.generation != 20 or "--from" not in line or " /r" in line
            if is_known and own not in text:
                yield f"{text}: ours {own}"


def refusal(builder: Builder, folder: Path, lines: Sequence[str]) -> str:
    """Return our error for lines of which the last fails."""
    ours = Ours(builder, folder)
    try:
        for line in lines:
            ours.line(line)
    except BuildError as error:
        return str(error)
    return ""
