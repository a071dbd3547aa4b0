"""COPY, ADD and WORKDIR against real builders, entry by entry: fixed lines, refusals, and random contexts."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import random
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.build.builders import BUILDKIT20, BUILDKIT29, LEGACY20, LEGACY29, Builder
from tests.engine.copying import built, differences, import_images, refusal
from tests.engine.random_contexts import lines, patterns, write_tree
from tests.tars import BORN, Entry, hardlink, layer_tar, symlink

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.daemon import Daemon

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

TAR = layer_tar(
    [
        Entry("td", tarfile.DIRTYPE, mode=0o700, uid=11, gid=12),
        Entry("td/a", content=b"aa", mode=0o4711, uid=11, gid=12),
        hardlink("td/h", "td/a"),
        Entry("s", tarfile.SYMTYPE, target="td/a", uid=3, gid=4),
        Entry("imp/x", content=b"x"),
        Entry("dev", tarfile.CHRTYPE, device=(1, 3), mode=0o666),
        Entry("ff", tarfile.FIFOTYPE),
    ]
)


def write_context(folder: Path) -> None:
    """Write files, links and archives of every kind that a line of this file copies."""
    texts = {
        "f1": "hello\n",
        "f2": "world\n",
        "d/x": "in\n",
        "d/sub/y": "y",
        "d/k.txt": "k",
        "a/b/c/f": "f",
        "a/g": "g",
    }
    texts |= {"a/b/k.txt": "k", "t/dir": "file over dir", "t2/file/z": "z", "t4/todir/q": "q", "t5/todir": "q"}
    texts |= {"t7/dir/w": "w", "m/1": "1"}
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "empty").mkdir()
    links = {"lf": "f1", "ld": "d", "labs": "/f1", "lout": "../../etc/passwd", "ldangle": "nope", "lloop": "lloop"}
    links |= {
        "d/lnk": "x",
        "d/lup": "../f1",
        "t3/dir": "x",
        "t3/file": "y",
        "t6/todir": "x",
        "t8/loop": "loop",
        "t8/no": "../../x",
        "t8/dir": "../d",
        "m/l": "../d",
    }
    for name, target in links.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).symlink_to(target)
    (folder / "d/xhard").hardlink_to(folder / "d/x")
    archives = {"t.tar": TAR, "t.tgz": gzip.compress(TAR), "t.tbz": bz2.compress(TAR), "t.xz": lzma.compress(TAR)}
    archives |= {"plain.gz": gzip.compress(b"no tar"), "zeros": bytes(10240), "none": b"", "cut": TAR[:700]}
    for name, content in archives.items():
        (folder / name).write_bytes(content)
    (folder / "up.tar").write_bytes(
        layer_tar([Entry("../up", content=b"u"), symlink("l", "/"), Entry("l/in", content=b"i")])
    )
    (folder / "lt").symlink_to("t.tar")
    modes = {"f2": 0o4755, "d": 0o700, "d/sub": 0o2750, "d/x": 0o600, "t7/dir": 0o700, "a": 0o1777}
    for name, mode in modes.items():
        (folder / name).chmod(mode)
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (BORN, BORN), follow_symlinks=False)


BOTH = """COPY f1 /new
COPY f1 /a/b/c
COPY f1 /a/b/d/
COPY f1 /dir
COPY f1 /todir
COPY f1 /abs
COPY f1 /tofile
COPY f1 /dangle
COPY f1 /file
COPY f2 /suid
COPY d /nd
COPY d /dir
COPY d /todir
COPY f1 f2 /m/
COPY f1 d /m2/
COPY d f1 /m3/
COPY lf /l1
COPY lf /l2/
COPY ld /l3
COPY ld /l4/
COPY labs /l5
COPY d/l* /l6/
COPY d/lup /l7
COPY ld/x /l8
COPY f? /l9/
COPY [f]* /l10/
COPY [^a-e]1 /l11/
COPY d/* /l12/
COPY m/* /l13/
COPY d/ /l14
COPY d/. /l15
COPY f1/ /l16
COPY empty /l17
COPY empty /dir
COPY t6 /x1/
COPY t7 /
COPY --chown=55 f1 /p/q/l
COPY --chown=app d /p1/l
COPY --chown=app:staff f1 /o1
COPY --chown=7 f1 /o2
COPY --chown=7:7 f1 /o3
COPY --chown=55:app f2 /o4
COPY --chown=1:2 d /dir
COPY --chown=-1 f1 /o5
COPY --chown=1:1 t7 /
COPY f1 sg/in
COPY f1 sg/deep/in
COPY d sg/dd
COPY --chown=1:2 f1 sg/deeper/in
COPY f1 .
COPY f1 ../x
COPY f1 /
COPY f1 /q/../b/x
COPY f1 todir/.
COPY d newd/.
COPY f1 /dir/.
COPY f1 /sg/y/..
COPY d/../f1 /dots
COPY --from=odd /o/f /y1
COPY --from=odd /o/d /y2
COPY --from=odd /o/l /y3
COPY --from=odd /abs /y4
COPY --from=odd up/f /y5
COPY --from=odd /o/cap /y6
COPY --from=odd --chown=1:2 /o/cap /y7
COPY --from=odd --chown=1:2 /o /y8
COPY --from=odd /o /y9
COPY --from=odd / /y10
ADD t.tar /z1
ADD t.tgz /z2/t.tgz
ADD t.tbz /dir
ADD t.xz /z3/
ADD plain.gz /z4
ADD plain.gz /z5/
ADD none /z6
ADD zeros /z7
ADD d /z8
ADD lt /z9
ADD t.tar /todir
ADD t.tar f1 /z10/
ADD f1 t.tar /z11/
ADD --chown=7:8 t.tar /z12
ADD --chown=7:8 plain.gz /z13
COPY t.tar /z14/
WORKDIR /w/sub
COPY f1 rel
COPY d rel2/
COPY t8 /x2
COPY --from=odd /r /x3
WORKDIR /todir/new
WORKDIR /sg/n
USER app
WORKDIR /w1/sub
COPY f1 rel/x
USER app:staff
WORKDIR /w2
USER 5:6
WORKDIR /w3
USER nobody
WORKDIR /w4
USER 5
WORKDIR /dir/w5
COPY t5 /""".splitlines()

BUILDKIT = """COPY f1 f2 /m
COPY f1 f2 /dir
COPY ../f1 /b1
COPY /../../f1 /b2
COPY nope* /b3
COPY ld/* /b5/
COPY --chown=:staff f1 /b6
COPY --chown=app: f1 /b7
COPY --chown=nobody f1 /b8
COPY --chown=app:nobody f1 /b9
COPY --chown=nobody:staff f1 /b10
COPY --chown=nobody:99 f1 /b11
COPY --chown=5: f1 /b12
COPY --chown=99999999999 f1 /b13
COPY --chmod=755 f1 /p5/l
COPY --chmod=0644 d /b14
COPY --chmod=0644 d /dir
COPY --chmod=4755 f1 /b15
COPY --chmod=4700 d /b16/deep
COPY --chmod=0 f1 /b17
COPY --from=odd --chmod=700 /o /b18
COPY --from=odd ../o/d/x /b19
COPY --from=odd /o/* /b20/
COPY --from=odd /o/p /b21
COPY --from=odd /o/c /b22
ADD --chmod=777 t.tar /b23
COPY f1 newd2/.
WORKDIR /dir
WORKDIR /todir""".splitlines()

LEGACY = [
    "COPY t4 /",
    "COPY t /",
    "COPY t2 /",
    "COPY t3 /",
    "COPY --chown=99999999999 f1 /c1",
    "COPY --from=odd /o/c /c2",
]
OLD = ["ADD up.tar /u1/u2/", "COPY --chmod=u+x f1 /u3", "COPY --chmod=999 f2 /u4"]
NEW = """COPY --chmod=u+x,g-r f1 /n1
COPY --chmod=a=rX d /n2
COPY --chmod=u+x f2 /n3
COPY --chmod=+x,o= f1 /n4
COPY --chmod=g=u,o+rwX d /n5
COPY --chmod=u+s,+t f1 /n6
COPY --link f1 /dir
COPY --link d /n7
COPY --link --chown=app f1 /n8/
COPY --exclude=k.txt d /n9
COPY --exclude=*.txt --exclude=sub d /n10/
COPY --exclude=**/*.txt a /n11/
COPY --exclude=d/x d /n12/
COPY --exclude=x d /n13/
COPY --exclude=f1 f* /n14/
COPY --exclude=* --exclude=!c a/b /n15/
ADD --unpack=false t.tar /n16/
ADD --unpack t.tar /n17/
ADD --unpack f1 /n18/""".splitlines()


SINCE_28 = frozenset(
    [
        *(line for line in NEW if "--link" not in line),
        *(line for line in BOTH + BUILDKIT if "--chmod=" in line or line.endswith("/.")),
        "ADD --chown=7:8 t.tar /z12",
        *(line for line in BOTH + BUILDKIT if "/todir" in line),
    ]
)
"""Lines that BuildKit understands, or does as it does now, since this version."""


def is_between(builder: Builder, major: int) -> bool:
    """Tell whether it is a BuildKit between the two generations that are modelled."""
    return builder.builder == "buildkit" and builder.generation != 20 and major < 28


def lines_of(builder: Builder, major: int = 28) -> list[str]:
    """Return the fixed lines that a builder accepts."""
    odd = SINCE_28 if is_between(builder, major) else frozenset[str]()
    return [line for line in _lines(builder) if line not in odd]


def _lines(builder: Builder) -> list[str]:
    if builder.builder == "legacy":
        return [line for line in BOTH if not line.startswith("COPY --from=odd /o/*")] + LEGACY
    return BOTH + BUILDKIT + (OLD if builder.generation == 20 else NEW)


@pytest.mark.parametrize("builder", [LEGACY20, BUILDKIT20], ids=lambda builder: builder.builder)
def test_layers_are_those_of_the_engine(builder: Builder, quick_daemon: Daemon, tmp_path: Path) -> None:
    check(builder, quick_daemon, tmp_path)


@pytest.mark.parametrize("builder", [LEGACY29, BUILDKIT29], ids=lambda builder: builder.builder)
def test_layers_are_those_of_a_newer_engine(builder: Builder, graph_daemon: Daemon, tmp_path: Path) -> None:
    check(builder, graph_daemon, tmp_path)


def check(builder: Builder, daemon: Daemon, folder: Path) -> None:
    """Compare the layers of all fixed lines, as many at a time as a chain may be long."""
    import_images(daemon)
    write_context(folder)
    all_lines = lines_of(builder, daemon.major())
    found = [
        text
        for at in range(0, len(all_lines), 60)
        for text in differences(daemon, builder, folder, all_lines[at : at + 60])
    ]
    assert found == []


REFUSALS = {
    "COPY f1 /loop": ("too many links", "too many links"),
    "COPY f1 /file/": ("failed to create new directory: mkdir", "mkdir"),
    "COPY f1 /file/x": ("failed to copy files: lstat", "mkdir"),
    "COPY d /file": ("failed to copy files: failed to copy directory: mkdir", "cannot copy to non-directory"),
    "COPY nope /x": (
        "COPY failed: file not found in build context or excluded by .dockerignore: stat nope: file does not exist",
        '"/nope"',
    ),
    "COPY lout /x": (
        "COPY failed: file not found in build context or excluded by .dockerignore: stat lout: file does not exist",
        "not found",
    ),
    "COPY ldangle /x": (
        "COPY failed: file not found in build context or excluded by .dockerignore: stat ldangle: file does not exist",
        "not found",
    ),
    "COPY lloop /x": ("COPY failed: forbidden path outside the build context: lloop ()", "too many"),
    "COPY --from=odd nope /x": ("COPY failed: stat nope: file does not exist", '"/nope"'),
    "ADD cut /x": ("unexpected EOF", "unexpected EOF"),
    "ADD t.tar /file": ("failed to copy files: ", "mkdir"),
    "ADD f1 t.tar /x": (
        "When using ADD with more than one source file, the destination must be a directory and end with a /",
        "mkdir",
    ),
    "COPY http://127.0.0.1:1/x /x/": ("source can't be a URL for COPY", "source can't be a URL for COPY"),
    "WORKDIR /file": ("Cannot mkdir: /file is not a directory", "mkdir"),
    "WORKDIR /file/x/y": ("/file/x: not a directory", "/file/x: not a directory"),
    "COPY f1 /file/x/y": ("/file/x: not a directory", "/file/x: not a directory"),
}
LEGACY_REFUSALS = {
    "COPY ../f1 /x": "COPY failed: forbidden path outside the build context: ../f1 ()",
    "COPY nope* /x": "COPY failed: no source files were specified",
    "COPY f1/x /y": "COPY failed: forbidden path outside the build context: f1/x ()",
    "COPY --from=odd /o/f/x /y": "COPY failed: forbidden path outside the build context: o/f/x ()",
    "COPY f1 f2 /x": "the destination must be a directory and end with a /",
    "COPY --chown=nobody f1 /x": "can't find uid for user nobody: no such user: nobody",
    "COPY --chown=app:nobody f1 /x": "can't find gid for group nobody: no such group: nobody",
    "COPY --chown=app: f1 /x": "can't find gid for group : no such group: ",
    "COPY --chmod=755 f1 /x": "the --chmod option requires BuildKit.",
}
BUILDKIT_REFUSALS = {
    "COPY t /": "cannot replace to directory",
    "COPY t2 /": "cannot copy to non-directory",
    "COPY t4 /": "cannot copy to non-directory",
}
NEW_REFUSALS = {
    "COPY --chmod=zz f1 /x": "invalid syntax",
    "COPY --chmod=999 f1 /x": "invalid chmod parameter: '999'. it should be octal string and between 0 and 07777",
    "ADD up.tar /x/": 'invalid entry name "../up"',
    "ADD --checksum=sha256:" + "0" * 64 + " f1 /x": "checksum requires HTTP(S) or Git sources",
}


def refusals_of(builder: Builder, major: int = 28) -> dict[str, str]:
    """Return the lines that a builder refuses, and what both sides must say."""
    is_legacy = builder.builder == "legacy"
    found = {line: says[0 if is_legacy else 1] for line, says in REFUSALS.items()}
    found |= LEGACY_REFUSALS if is_legacy else BUILDKIT_REFUSALS
    return found | (NEW_REFUSALS if not is_legacy and builder.generation != 20 and major >= 28 else {})


def check_refusals(builder: Builder, daemon: Daemon, folder: Path) -> None:
    """Compare what both sides say to lines that fail."""
    import_images(daemon)
    write_context(folder)
    for line, says in refusals_of(builder, daemon.major()).items():
        assert says in built(daemon, builder, folder, [line]).error, line
        assert says in refusal(builder, folder, [line]), line


@pytest.mark.parametrize("builder", [LEGACY20, BUILDKIT20], ids=lambda builder: builder.builder)
def test_what_the_engine_refuses_is_refused_in_its_words(
    builder: Builder, quick_daemon: Daemon, tmp_path: Path
) -> None:
    check_refusals(builder, quick_daemon, tmp_path)


@pytest.mark.parametrize("builder", [LEGACY29, BUILDKIT29], ids=lambda builder: builder.builder)
def test_what_a_newer_engine_refuses_is_refused_in_its_words(
    builder: Builder, graph_daemon: Daemon, tmp_path: Path
) -> None:
    check_refusals(builder, graph_daemon, tmp_path)


SEEDS = range(8)


def check_random(builder: Builder, daemon: Daemon, folder: Path) -> None:
    """Compare random lines on random trees, and what random patterns leave of them."""
    import_images(daemon)
    for seed in SEEDS:
        rng = random.Random(seed)
        copied, ignored = folder / f"copy-{seed}", folder / f"ignore-{seed}"
        copied.mkdir()
        ignored.mkdir()
        drawn = lines(rng, copied, write_tree(rng, copied), builder)
        if is_between(builder, daemon.major()):
            drawn = [line for line in drawn if "--chmod=" not in line and not line.endswith("/.")]
        kept: list[str] = []
        for line in drawn:
            if not refusal(builder, copied, [*kept, line]):
                kept.append(line)
            else:  # a file where a directory is: refused by both
                assert built(daemon, builder, copied, [*kept, line]).error, (seed, line)
        assert list(differences(daemon, builder, copied, kept)) == [], seed
        write_tree(rng, ignored)
        text = "\n".join([*patterns(rng), ""])
        (ignored / ".dockerignore").write_text(text)
        os.utime(ignored / ".dockerignore", (BORN, BORN))
        assert list(differences(daemon, builder, ignored, ["COPY . /l/"])) == [], (seed, text)


@pytest.mark.parametrize("builder", [LEGACY20, BUILDKIT20], ids=lambda builder: builder.builder)
def test_random_contexts(builder: Builder, quick_daemon: Daemon, tmp_path: Path) -> None:
    check_random(builder, quick_daemon, tmp_path)


@pytest.mark.parametrize("builder", [LEGACY29, BUILDKIT29], ids=lambda builder: builder.builder)
def test_random_contexts_on_a_newer_engine(builder: Builder, graph_daemon: Daemon, tmp_path: Path) -> None:
    check_random(builder, graph_daemon, tmp_path)
