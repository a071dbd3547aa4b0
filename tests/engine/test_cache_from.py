"""`--cache-from`: which steps the real builders take from images that are named, and which image comes of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine.named_caches import SHORT, Pair

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.daemon import Daemon

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PLAIN = 'FROM bb:1\nMAINTAINER me\nLABEL a=1\nCOPY f1 /f1\nRUN echo x > /x\nENV E=1\nWORKDIR /w\nCMD ["go"]\n'
ONE_STEP = 'FROM bb:1\nCMD ["go"]\n'
SCRATCH = "FROM scratch\nLABEL a=1\nCOPY f1 /f1\nLABEL b=1\n"
BARE = "FROM scratch\nCOPY f1 /f1\n"
TWO_STAGES = "FROM bb:1 AS a\nLABEL a=1\nCOPY f1 /f1\nFROM bb:1\nLABEL b=1\nCOPY f2 /f2\nCOPY --from=a /f1 /g\n"
ARGUMENTS = "FROM bb:1\nARG X=1\nENV Q=$X\nLABEL a=1\n"
VARIETY = (
    'FROM bb:1\nVOLUME /v\nEXPOSE 80\nSHELL ["/bin/sh","-ec"]\nUSER 5\n'
    'STOPSIGNAL 9\nONBUILD RUN x\nENTRYPOINT ["e"]\nLABEL z=<&>\n'
)
MOVED: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "all": (PLAIN, PLAIN, ("img:1",)),
    "none named": (PLAIN, PLAIN, ()),
    "a miss in the middle": (PLAIN, PLAIN.replace("echo x", "echo y"), ("img:1",)),
    "fewer steps": (PLAIN, "".join(PLAIN.splitlines(keepends=True)[:5]), ("img:1",)),
    "more steps": (PLAIN, f"{PLAIN}LABEL z=1\n", ("img:1",)),
    "all kinds": (VARIETY, VARIETY, ("img:1",)),
    "another base": (PLAIN, f"FROM bb:1 AS s\nCOPY f2 /z\n{PLAIN.replace('bb:1', 's')}", ("img:1",)),
    "no base": (PLAIN, SCRATCH, ("img:1",)),
    "upon itself": (PLAIN, PLAIN.replace("bb:1", "img:1"), ("img:1",)),
    "from scratch": (SCRATCH, SCRATCH, ("img:1",)),
    "from scratch, a part": (SCRATCH, SCRATCH.replace("f1", "f2"), ("img:1",)),
    "from scratch, unnamed": (BARE, BARE, ()),
    "an unknown name": (PLAIN, PLAIN, ("nope:1",)),
    "an unknown name and a known one": (PLAIN, PLAIN, ("nope:1", "UPPER//x", "img:1")),
    "two stages": (TWO_STAGES, TWO_STAGES, ("img:1",)),
    "arguments": (ARGUMENTS, ARGUMENTS, ("img:1",)),
}

COPIES = "FROM bb:1\nCOPY f1 /f1\nWORKDIR /w\nCOPY f2 /f2\nLABEL a=1\n"
STAGES = "FROM bb:1 AS b\nCOPY f1 /f1\nWORKDIR /w\nFROM bb:1\nCOPY f2 /f2\nCOPY --from=b /f1 /g\nWORKDIR /v\n"
CHAIN = "FROM bb:1 AS b\nCOPY f1 /f1\nFROM b AS c\nCOPY f2 /f2\nFROM bb:1\nCOPY --from=c /f1 /f2 /\nWORKDIR /v\n"
INLINE: dict[str, tuple[str, str, tuple[str, ...], bool]] = {
    "all": (COPIES, COPIES, ("img:1",), True),
    "none named": (COPIES, COPIES, (), True),
    "nothing in it": (COPIES, COPIES, ("img:1",), False),
    "an unknown name": (COPIES, COPIES, ("nope:1",), True),
    "an unknown name and a known one": (COPIES, COPIES, ("nope:1", "img:1"), True),
    "another end": (COPIES, COPIES.replace("f2 /f2", "f1 /f3"), ("img:1",), True),
    "another beginning": (COPIES, COPIES.replace("f1 /f1", "f2 /f3"), ("img:1",), True),
    "another base": (COPIES, COPIES.replace("bb:1", "scratch"), ("img:1",), True),
    "stages": (STAGES, STAGES, ("img:1",), True),
    "stages, another end": (STAGES, STAGES.replace("/v", "/u"), ("img:1",), True),
    "stages, another beginning": (STAGES, STAGES.replace("f1 /f1", "f1 /f0\nCOPY f1 /f1"), ("img:1",), True),
    "stages, the first one is needed": (STAGES, STAGES.replace("f2 /f2", "f2 /f3"), ("img:1",), True),
    "stages upon stages": (CHAIN, CHAIN, ("img:1",), True),
    "stages upon stages, another end": (CHAIN, CHAIN.replace("/v", "/u"), ("img:1",), True),
    "stages upon stages, the second is needed": (CHAIN, CHAIN.replace("/f2 /\n", "/f2 /x/\n"), ("img:1",), True),
}


def check_moved(pair: Pair) -> None:
    """Build, save, load where nothing else is, and build again."""
    for name, (made, dockerfile, names) in MOVED.items():
        pair.begin()
        pair.build(made, tag="img:1")
        pair.move("img:1")
        ours, theirs = pair.build(dockerfile, *names)
        assert ours == theirs, name
        mine, known = pair.parents()
        taken = [image for image in known if image.removeprefix("sha256:")[:SHORT] in theirs.images]
        assert [mine[image] for image in taken] == [known[image] for image in taken], name
        again = pair.build(dockerfile)
        assert again[0].cached == again[1].cached, f"{name}, once more without"


def check_several(pair: Pair) -> None:
    """Name two images that part, or of which one is the beginning of the other."""
    other, start = PLAIN.replace("E=1", "E=2"), "".join(PLAIN.splitlines(keepends=True)[:4])
    for dockerfile, tag in ((PLAIN, "img:1"), (other, "img:2"), (start, "img:3")):
        pair.build(dockerfile, tag=tag)
    for names in (("img:1", "img:2"), ("img:2", "img:1"), ("img:1", "img:3"), ("img:3", "img:1")):
        pair.move("img:1", "img:2", "img:3")
        ours, theirs = pair.build(other, *names)
        assert ours == theirs, names


def check_beside_own(pair: Pair) -> None:
    """Name images that the engine made itself, beside others that it made."""
    changed = PLAIN.replace("go", "stop")
    told = [pair.build(PLAIN, tag="img:1"), pair.build(PLAIN, "nope:1"), pair.build(PLAIN, "")]
    told += [pair.build(PLAIN, "img:1"), pair.build(changed, "img:1", tag="img:2"), pair.build(changed, "img:1")]
    told += [pair.build(changed, "bb:1"), pair.build(changed, "img:1", "img:2"), pair.build(PLAIN, "img:1")]
    for ours, theirs in told:
        assert ours.cached == theirs.cached


def check_inline(pair: Pair) -> None:
    """Build with BuildKit and a cache in the image, save, load where nothing else is, and build again."""
    for name, (made, dockerfile, names, is_asked) in INLINE.items():
        pair.begin()
        arguments = {"BUILDKIT_INLINE_CACHE": "1"} if is_asked else {}
        pair.build(made, tag="img:1", builder="buildkit", **arguments)
        ours, theirs = pair.build_moved(dockerfile, names, arguments)
        assert ours == theirs, name
        if "stages" in name:  # what an image tells of stages that it has no layers of is forgotten here
            continue
        again = pair.build(dockerfile, builder="buildkit")
        assert again[0] == again[1], f"{name}, once more without"


def test_20_takes_the_same_steps(quick_daemon: Daemon, tmp_path: Path) -> None:
    check_moved(Pair(quick_daemon, tmp_path))


def test_20_tries_several_images_in_turn(quick_daemon: Daemon, tmp_path: Path) -> None:
    check_several(Pair(quick_daemon, tmp_path))


def test_20_counts_its_own_images_if_a_named_one_stands_on_them(quick_daemon: Daemon, tmp_path: Path) -> None:
    check_beside_own(Pair(quick_daemon, tmp_path))


def test_20_reads_the_caches_that_images_carry(quick_daemon: Daemon, tmp_path: Path) -> None:
    check_inline(Pair(quick_daemon, tmp_path))


@pytest.mark.thorough
def test_29_reads_the_caches_that_images_carry(graph_daemon: Daemon, tmp_path: Path) -> None:
    check_inline(Pair(graph_daemon, tmp_path))


@pytest.mark.thorough
def test_29_takes_the_same_steps(graph_daemon: Daemon, tmp_path: Path) -> None:
    check_moved(Pair(graph_daemon, tmp_path))


def test_29_tries_several_images_in_turn(graph_daemon: Daemon, tmp_path: Path) -> None:
    check_several(Pair(graph_daemon, tmp_path))


def test_29_counts_its_own_images_if_a_named_one_stands_on_them(graph_daemon: Daemon, tmp_path: Path) -> None:
    check_beside_own(Pair(graph_daemon, tmp_path))
