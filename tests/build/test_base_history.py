"""Building upon an image whose history tells of fewer layers than it has."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from tests.engine.archives import ImageSpec, docker_archive

if TYPE_CHECKING:
    from tests.build.building import Builder

LAYERS = tuple(ls.Layer.from_changes([ls.write(f"/{name}", b"x")]).tar_bytes() for name in "abc")
ONE: dict[str, object] = {"created": "2020-01-01T00:00:00Z", "created_by": "one"}
EMPTY = {"created": "2020-01-02T00:00:00Z", "created_by": "two", "empty_layer": True}
KIT, ADDED = "buildkit.dockerfile.v0", "buildkit.exporter.image.v0"


def history(profile: str, builder: Builder, told: list[dict[str, object]], text: str) -> list[tuple[str, str]]:
    engine = ls.Engine(profile=profile, clock=lambda: 1_700_000_000 * 10**9)
    engine.load(io.BytesIO(docker_archive([ImageSpec(LAYERS, ("base:1",), None, tuple(told))])))
    run = ls.runs({}, default=ls.effect())
    raw = engine.build({"Dockerfile": f"FROM base:1\n{text}", "f": "x"}, builder=builder, run=run).raw_config
    return [(step["created_by"], step.get("comment", "")) for step in json.loads(raw).get("history", ())]


@pytest.mark.parametrize("told", [[], [EMPTY], [ONE], [ONE, EMPTY, ONE]])
def test_buildkit_tells_of_the_last_layers_that_nothing_tells_of(told: list[dict[str, object]]) -> None:
    missing = len(LAYERS) - sum("empty_layer" not in entry for entry in told)
    known = [(str(entry["created_by"]), "") for entry in told]
    named = ("COPY f /f # buildkit", KIT)
    from_base, copied = [("from local ", ADDED)] * (missing - 1), ("[2/2] COPY f /f", ADDED)
    assert history("overlay2", "buildkit", told, "COPY f /f\n") == [*known, named, *from_base, copied]
    assert history("docker20", "buildkit", told, "COPY f /f\n")[-1] == ("fileop target", ADDED)


def test_a_command_is_told_of_by_its_words() -> None:
    found = history("overlay2", "buildkit", [ONE, ONE], "WORKDIR /w\nRUN make\n")
    assert found[-1] == ("mount / from exec /bin/sh -c make", ADDED)


def test_a_history_without_layers_is_as_old_as_the_build() -> None:
    assert history("overlay2", "buildkit", [], "LABEL a=b\n") == [
        ("LABEL a=b", KIT),
        *[("from local ", ADDED)] * len(LAYERS),
    ]


def test_the_legacy_builder_adds_nothing() -> None:
    assert len(history("docker20", "legacy", [ONE], "COPY f /f\n")) == 2
