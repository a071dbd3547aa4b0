"""Builds with the containerd image store: configs of OCI, blobs of bases, layers by themselves for a linked COPY."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from tests.build.building import BUILDERS

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any, Literal

    Builder = Literal["legacy", "buildkit"]

RUN = ls.runs({}, default=ls.effect(writes={"/made": b"made"}))
TEXT = "FROM base:1\nCOPY f /f\nENV A=1\nRUN make\n"
LINKED = "FROM base:1\nRUN {}\nCOPY --link f /app/f\nRUN last\n"


@pytest.fixture
def engine() -> ls.Engine:
    engine = ls.Engine("containerd", clock=lambda: 1_700_000_000 * 10**9)
    base = ls.Layer.from_changes(
        [ls.mkdir("/real", mode=0o700), ls.symlink("/app", "real"), ls.write("/big", b"b" * 9000)]
    )
    engine.add_image([base], tag="base:1")
    return engine


def built(engine: ls.Engine, text: str = TEXT, builder: Builder = "buildkit", content: str = "1") -> ls.Build:
    return engine.build({"Dockerfile": text, "f": content}, builder=builder, run=RUN)


def manifest_of(engine: ls.Engine, image: ls.Image) -> dict[str, Any]:
    target = io.BytesIO()
    engine.save(image.id, target)
    with tarfile.open(fileobj=io.BytesIO(target.getvalue())) as archive:
        found = archive.extractfile(f"blobs/sha256/{image.id[7:]}")
        assert found is not None
        told: dict[str, Any] = json.loads(found.read())
        return told


@pytest.mark.parametrize("builder", BUILDERS)
def test_the_config_is_one_of_oci(engine: ls.Engine, builder: Builder) -> None:
    raw = json.loads(built(engine, builder=builder).raw_config)
    assert not raw.keys() & {"container", "container_config", "docker_version"}
    assert raw["config"] == {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "A=1"]}


@pytest.mark.parametrize("builder", BUILDERS)
def test_the_blobs_of_a_base_are_kept_once(engine: ls.Engine, builder: Builder) -> None:
    base = manifest_of(engine, engine.get_image("base:1"))
    manifest = manifest_of(engine, built(engine, builder=builder))
    assert [layer["digest"] for layer in manifest["layers"][:1]] == [layer["digest"] for layer in base["layers"]]
    kind = "docker.distribution.manifest.v2" if builder == "buildkit" else "oci.image.manifest.v1"
    assert manifest["mediaType"] == f"application/vnd.{kind}+json"


def test_a_saved_engine_knows_the_steps_of_the_legacy_builder(engine: ls.Engine, tmp_path: Path) -> None:
    first = built(engine, builder="legacy")
    engine.save_state(tmp_path / "host.lsim")
    opened = ls.Engine.open(tmp_path / "host.lsim", clock=lambda: 1_800_000_000 * 10**9)
    again = built(opened, builder="legacy")
    assert again.id == first.id
    assert [step.reason.kind for step in again.steps] == ["base", "cached", "cached", "cached"]
    changed = built(opened, TEXT.replace("A=1", "A=2"), builder="legacy")
    assert [step.reason.kind for step in changed.steps] == ["base", "cached", "changed", "parent"]


def test_a_linked_copy_stands_upon_nothing(engine: ls.Engine) -> None:
    first = built(engine, LINKED.format("one"))
    view = ls.View(first.layers[2:3])
    assert [(path, oct(view.lstat(path).st_mode)) for path in ("/app", "/app/f")] == [
        ("/app", "0o40755"),
        ("/app/f", "0o100644"),
    ]
    again = built(engine, LINKED.format("two"))
    assert [step.reason.kind for step in again.steps] == ["base", "changed", "merged", "parent"]
    assert again.steps[2].layer == first.steps[2].layer
    assert again.rebuilt_size == sum(again.steps[number].size for number in (1, 3))
    assert "its layer was there, and is merged with what is new below" in again.explain()
    assert "CACHED" not in str(again).partition("COPY --link")[2]
    third = built(engine, LINKED.format("two"))
    assert [step.reason.kind for step in third.steps] == ["base", "cached", "cached", "cached"]
    assert third.id == again.id
    other = built(engine, LINKED.format("two"), content="2")
    assert [step.reason.kind for step in other.steps] == ["base", "cached", "changed", "parent"]


def test_with_a_graphdriver_it_is_a_copy_like_any_other() -> None:
    engine = ls.Engine("overlay2", clock=lambda: 0)
    engine.add_image([ls.Layer.from_changes([ls.mkdir("/real"), ls.symlink("/app", "real")])], tag="base:1")
    build = built(engine, LINKED.format("one"))
    assert ls.View(build.layers).exists("/real/f")


@pytest.mark.parametrize("builder", BUILDERS)
def test_an_image_without_layers_comes_back_as_it_was(engine: ls.Engine, builder: Builder) -> None:
    image, target = built(engine, "FROM scratch\nENV A=1\n", builder), io.BytesIO()
    assert manifest_of(engine, image)["layers"] is None
    engine.save(image.id, target)
    (loaded,) = ls.Engine("containerd").load(target.getvalue())
    assert (loaded.id, loaded.layers) == (image.id, ())
