"""`cache_from`: steps that are taken from images that are named, and what is told of them."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from itertools import count
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.build.running import effect, runs
from layersim.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.build.building import Builder

BASE = ls.Layer.from_changes([ls.write("/bin/sh", b"shell", mode=0o755)])
FILES = {"f1": "1", "f2": "2"}
TEXT = "FROM base:1\nLABEL a=1\nCOPY f1 /f1\nRUN make\nCMD go\n"
STAGES = "FROM base:1 AS b\nCOPY f1 /f1\nRUN make\nFROM base:1\nCOPY f2 /f2\nCOPY --from=b /ran /r\nWORKDIR /w\n"
FIELD = "moby.buildkit.cache.v0"
INLINE = {"BUILDKIT_INLINE_CACHE": "1"}
RUN = runs({}, default=effect(writes={"/ran": b"done"}, seconds=2))


def told_of(build: ls.Build) -> tuple[str, ...]:
    """Return the warnings that are no remarks on the Dockerfile."""
    return tuple(one.message for one in build.warnings if not one.rule)


class Host:
    """An engine with a base and what an archive holds, and builds in it."""

    def __init__(self, profile: str = "docker20", archive: bytes = b"") -> None:
        ticks = count(1_700_000_000)
        self.engine = ls.Engine(profile=profile, clock=lambda: next(ticks) * 10**9)
        self.engine.load(archive or self._base())

    def _base(self) -> bytes:
        maker = ls.Engine(clock=lambda: 0)
        maker.add_image([BASE], "base:1")
        return _saved(maker, "base:1")

    def build(
        self,
        text: str,
        builder: Builder,
        *names: str,
        build_args: Mapping[str, str] | None = None,
        tag: str = "app:1",
        no_cache: bool = False,
    ) -> ls.Build:
        return self.engine.build(
            {"Dockerfile": text, **FILES},
            tag=tag,
            build_args=build_args or {},
            builder=builder,
            run=RUN,
            cache_from=names,
            no_cache=no_cache,
        )

    def moved(self, profile: str | None = None) -> Host:
        """Return another engine with the base and the image that was built."""
        return Host(profile or self.engine.profile.name, _saved(self.engine, "base:1", "app:1"))


def _saved(engine: ls.Engine, *tags: str) -> bytes:
    target = io.BytesIO()
    engine.save(list(tags), target)
    return target.getvalue()


def states(steps: Sequence[ls.Step]) -> str:
    """Return a letter for each step that can be cached: cached here, taken from an image, or run."""
    told = [step for step in steps if step.reason.kind not in {"base", "metadata"}]
    return "".join("x" if not step.is_cached else "C" if step.reason.image is None else "T" for step in told)


@pytest.mark.parametrize("profile", ["docker20", "overlay2"])
def test_all_steps_come_from_the_history_of_an_image(profile: str) -> None:
    host = Host(profile)
    image = host.build(TEXT, "legacy")
    there = host.moved()
    again = there.build(TEXT, "legacy", "app:1", tag="new:1")
    assert (again.id, states(again.steps)) == (image.id, "TTTT")
    assert again.explain().count("cached, taken from the image app:1") == 4
    assert str(again).count(" ---> Using cache") == 4
    between = there.engine.get_image(str(again.steps[2].image_id))
    assert there.engine.get_image(image.id).parent == again.steps[3].image_id
    assert between.config.config is not None
    assert between.config.config.command[:3] == ("/bin/sh", "-c", "#(nop) COPY file:" + _digits(between) + " in /f1 ")
    assert between.layers == (BASE, image.layers[1])


def _digits(image: ls.Image) -> str:
    text = (image.config.history or ())[-1].created_by or ""
    return text.partition("file:")[2][:64]


def test_after_a_miss_nothing_more_is_taken() -> None:
    host = Host()
    host.build(TEXT, "legacy")
    again = host.moved().build(TEXT.replace("LABEL a=1", "LABEL a=1\nENV E=1"), "legacy", "app:1")
    assert states(again.steps) == "Txxxx"
    assert [str(step.reason) for step in again.steps][2:4] == [
        "nothing like it was built before",
        "step 3 before it was not cached",
    ]


def test_the_builder_keeps_to_the_image_that_it_took_a_step_from() -> None:
    host = Host()
    host.build(TEXT, "legacy", tag="one:1")
    host.build(TEXT.replace("make", "make it"), "legacy", tag="two:1")
    there = Host(archive=_saved(host.engine, "base:1", "one:1", "two:1"))
    wanted = TEXT.replace("make", "make it")
    assert states(there.build(wanted, "legacy", "one:1", "two:1").steps) == "TTxx"
    assert states(there.build(wanted, "legacy", "two:1", "one:1").steps) == "TTTT"


@pytest.mark.parametrize("builder", ["legacy", "buildkit"])
def test_a_name_that_no_image_has_is_a_warning(builder: Builder) -> None:
    host = Host()
    host.build(TEXT, builder)
    again = host.build(TEXT, builder, "nope:1", "UPPER//x", "")
    # The legacy builder looks for nothing else then.
    assert states(again.steps) == ("xxxx" if builder == "legacy" else "CC")
    assert told_of(again) == tuple(
        f"cache_from: no image {name!r} is here, and there is no registry to ask; nothing is taken from it"
        for name in ("nope:1", "UPPER//x")
    )


def test_one_name_may_stand_alone() -> None:
    host = Host()
    host.build(TEXT, "legacy")
    files = {"Dockerfile": TEXT, **FILES}
    assert states(host.engine.build(files, builder="legacy", run=RUN, cache_from="app:1").steps) == "CCCT"


@pytest.mark.parametrize(("builder", "steps"), [("legacy", "xxxx"), ("buildkit", "xx")])
def test_without_the_cache_nothing_is_taken(builder: Builder, steps: str) -> None:
    host = Host()
    host.build(TEXT, builder, build_args=INLINE)
    assert states(host.moved().build(TEXT, builder, "app:1", no_cache=True).steps) == steps


def test_a_newer_engine_finds_what_it_made_and_not_what_it_loaded() -> None:
    for profile, expected in (("docker20", "C"), ("overlay2", "x")):
        host = Host(profile)
        host.build("FROM scratch\nCOPY f1 /f1\n", "legacy")
        assert states(host.build("FROM scratch\nCOPY f1 /f1\n", "legacy").steps) == "C"
        assert states(host.moved().build("FROM scratch\nCOPY f1 /f1\n", "legacy").steps) == expected


def test_the_containerd_store_cannot_restore_a_step_without_a_layer() -> None:
    host = Host("containerd")
    host.build(TEXT, "legacy")
    with pytest.raises(BuildError, match=r'failed to restore cached image from "sha256:.*"" failed validation'):
        host.moved().build(TEXT, "legacy", "app:1")


@pytest.mark.parametrize("profile", ["docker20", "overlay2"])
def test_buildkit_reads_the_cache_that_an_image_carries(profile: str) -> None:
    host = Host(profile)
    image = host.build(TEXT, "buildkit", build_args=INLINE)
    records = json.loads(base64.b64decode(json.loads(image.raw_config)[FIELD]))
    assert [record["layers"][0]["layer"] for record in records if "layers" in record] == [1, 2]
    there = host.moved()
    again = there.build(TEXT, "buildkit", "app:1", build_args=INLINE, tag="new:1")
    assert (states(again.steps), again.id, told_of(again)) == ("TT", image.id, ())
    assert states(there.build(TEXT, "buildkit").steps) == "CC"
    descriptions = {record.description for record in there.engine.build_cache}
    copied = "fileop target" if profile == "docker20" else "[2/3] COPY f1 /f1"
    assert {copied, "mount / from exec /bin/sh -c make"} <= descriptions


@pytest.mark.parametrize(("value", "is_kept"), [("1", True), ("true", True), ("0", False), ("", False), ("1 ", False)])
def test_an_image_carries_a_cache_if_the_argument_says_so(value: str, *, is_kept: bool) -> None:
    image = Host().build(TEXT, "buildkit", build_args={"BUILDKIT_INLINE_CACHE": value})
    assert (FIELD in json.loads(image.raw_config)) == is_kept
    empty = Host().build("FROM base:1\nLABEL a=1\n", "buildkit", build_args=INLINE)
    assert FIELD not in json.loads(empty.raw_config)


def test_a_stage_is_not_built_as_long_as_nothing_needs_its_files() -> None:
    host = Host()
    image = host.build(STAGES, "buildkit", build_args=INLINE)
    again = host.moved().build(STAGES, "buildkit", "app:1", build_args=INLINE)
    assert (states(again.steps), again.seconds, again.id) == ("TTTTT", 0, image.id)
    ended = host.moved().build(STAGES.replace("/w", "/v"), "buildkit", "app:1")
    assert states(ended.steps) == "TTxTT"
    needed = host.moved().build(STAGES.replace("f2 /f2", "f2 /f3"), "buildkit", "app:1")
    assert (states(needed.steps), needed.seconds) == ("xxxxx", 2)


def test_an_image_whose_cache_is_of_no_use_is_a_warning() -> None:
    host = Host()
    host.build(TEXT, "buildkit")
    told = host.moved().build(TEXT, "buildkit", "app:1")
    assert told_of(told) == (
        "cache_from: nothing is taken from app:1: it was not built with the build argument BUILDKIT_INLINE_CACHE=1",
    )
    host.build(TEXT, "buildkit", build_args=INLINE)
    told = host.moved("containerd").build(TEXT, "buildkit", "app:1")
    assert (states(told.steps), told_of(told)) == (
        "xx",
        ("cache_from: nothing is taken from app:1: the containerd image store has BuildKit ask a registry for it",),
    )


@pytest.mark.parametrize(
    ("cache", "reason"),
    [
        ("?", "its cache cannot be read"),
        (base64.b64encode(b"[{}]").decode(), "its cache cannot be read"),
        (base64.b64encode(b'[{"digest": "sha256:00"}]').decode(), "another implementation wrote its cache"),
    ],
)
def test_a_cache_that_another_wrote(cache: str, reason: str) -> None:
    there = Host()
    there.engine.load(_archive({FIELD: cache}))
    assert reason in told_of(there.build(TEXT, "buildkit", "odd:1"))[0]


def _archive(fields: Mapping[str, str]) -> bytes:
    """Return an image odd:1 of the base's layer, with more fields in its config."""
    rootfs = {"type": "layers", "diff_ids": [BASE.diff_id]}
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": rootfs, **fields}).encode()
    manifest = [{"Config": "config.json", "RepoTags": ["odd:1"], "Layers": ["layer.tar"]}]
    members = {"config.json": config, "layer.tar": BASE.tar_bytes(), "manifest.json": json.dumps(manifest).encode()}
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return body.getvalue()
