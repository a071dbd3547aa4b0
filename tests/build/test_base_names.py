"""What a base is called: the engine tests ask real ones for the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.errors import BuildError, ImageNotFoundError, InvalidReferenceError

if TYPE_CHECKING:
    from typing import Literal

LINES = ("FROM {}\nCOPY f /\n", "FROM bb:1\nCOPY --from={} /etc/passwd /\n")
MOUNT = "FROM bb:1\nRUN --mount=from={},target=/m true\n"
BORN_NS = 1_600_000_000 * 10**9  # with it no id begins with digits alone, which COPY takes for the number of a stage
PROFILES: tuple[str, ...] = ("docker20", "overlay2", "containerd")


def names_of(image_id: str) -> dict[str, str]:
    """Return what an image could be called by its id."""
    digits = image_id.removeprefix("sha256:")
    return {
        "id": image_id,
        "digits": digits,
        "short": digits[:12],
        "shorter": digits[:6],
        "short id": f"sha256:{digits[:12]}",
        "digest": f"bb@{image_id}",
    }


def built(profile: str, builder: Literal["buildkit", "legacy"], line: str, kind: str) -> ls.Build:
    engine = ls.Engine(profile=profile, clock=lambda: BORN_NS)
    base = engine.add_image([ls.Layer.from_changes([ls.mkdir("/etc"), ls.write("/etc/passwd", b"")])], tag="bb:1")
    files = {"Dockerfile": line.format(names_of(base.id)[kind]), "f": "f"}
    return engine.build(files, builder=builder, run=ls.runs({}, default=ls.effect()))


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("line", [*LINES, MOUNT])
@pytest.mark.parametrize("kind", ["id", "short", "shorter", "short id"])
def test_buildkit_finds_no_image_by_its_id(profile: str, line: str, kind: str) -> None:
    with pytest.raises(ImageNotFoundError, match="No such image"):
        built(profile, "buildkit", line, kind)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("line", LINES)
def test_digits_alone_are_no_name(profile: str, line: str) -> None:
    with pytest.raises((BuildError, InvalidReferenceError)):
        built(profile, "buildkit", line, "digits")


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("kind", ["id", "digits", "short", "shorter", "short id"])
def test_the_legacy_builder_finds_it(profile: str, line: str, kind: str) -> None:
    assert len(built(profile, "legacy", line, kind).layers) > 1


def test_a_digest_is_found_where_digests_are_ids() -> None:
    assert len(built("containerd", "buildkit", LINES[0], "digest").layers) > 1
    for profile in PROFILES[:2]:
        with pytest.raises(ImageNotFoundError):
            built(profile, "buildkit", LINES[0], "digest")
