"""One host end to end: import, commit, tags, removal, prune; ids and texts against what a real engine made."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.errors import (
    ArchiveError,
    ChainTooDeepError,
    ImageInUseError,
    ImageNotFoundError,
    InvalidReferenceError,
)
from layersim.image import instant
from layersim.profiles import DOCKER20
from layersim.profiles.commit import Commit
from layersim.profiles.made import committed_config, imported_config
from tests.engine.archives import ImageSpec
from tests.golden import DOCKER20 as GOLDEN
from tests.layouts import (
    CONFIG_TYPE,
    INDEX_TYPE,
    LAYER_TYPE,
    MANIFEST_TYPE,
    Members,
    as_tar,
    blob,
    docker_archive,
    oci_layout,
)
from tests.tars import Entry, layer_tar, symlink
from tests.test_usage import synthetic

if TYPE_CHECKING:
    from layersim.image.document import Json

ONE = "a32600deef2cbf8db4fecf184ccfdbfe4735eb98b04773a1f8b641a768e06eb0"
COMMAND = ["-c", "echo <hi>"]


def golden_config(number: int) -> bytes:
    return (GOLDEN / f"config-{number}.json").read_bytes()


def created_ns(raw: bytes) -> int:
    return instant.parse(json.loads(raw)["created"])


@pytest.fixture
def imported() -> ls.Image:
    """Give `gold:1`, imported by us at the moment the real engine imported it."""
    raw = golden_config(1)
    engine = ls.Engine(clock=lambda: created_ns(raw))
    config = json.loads(raw)["config"]
    return engine.import_tar(GOLDEN / "rootfs.tar", "gold:1", message="by hand", config=config)


def test_an_import_has_the_id_that_the_engine_gave(imported: ls.Image) -> None:
    assert imported.raw_config == golden_config(1)
    assert imported.id == "sha256:3e59a13451ed628294b8758cef33ac8af60117d898867a36209603d659bce698"
    assert (imported.tags, imported.size) == (("gold:1",), 746)


def test_a_commit_has_the_config_that_the_engine_wrote(imported: ls.Image) -> None:
    raw = golden_config(2)
    theirs = json.loads(raw)
    own: dict[str, Json] = {
        "Hostname": ONE[:12],
        "AttachStdout": True,
        "AttachStderr": True,
        "Image": "gold:1",
        "Cmd": [*COMMAND],
    }
    commit = Commit(ONE, own, theirs["rootfs"]["diff_ids"][1], created_ns(raw), "a <message>", "A. Uthor")
    assert committed_config(DOCKER20, imported, commit) == raw


def test_a_commit_of_nothing_adds_a_step_and_no_layer(imported: ls.Image) -> None:
    raw = golden_config(3)
    theirs = json.loads(raw)
    parent = replace(
        imported, raw_config=golden_config(2), config=ls.Engine(clock=lambda: 0).load(GOLDEN / "saved.tar")[2].config
    )
    own = {"Hostname": theirs["container"][:12], "AttachStdout": True, "AttachStderr": True, "Image": "gold:2"}
    assert committed_config(DOCKER20, parent, Commit(theirs["container"], own, None, created_ns(raw))) == raw


def test_an_import_without_options_is_that_of_docker() -> None:
    raw = imported_config(DOCKER20, "sha256:" + "0" * 64, 0, "Imported from -")
    assert raw.startswith(
        b'{"architecture":"amd64","comment":"Imported from -","config":{"Hostname":"","Domainname":"",'
    )
    assert b'"history":[{"created":"1970-01-01T00:00:00Z","comment":"Imported from -"}]' in raw


def test_a_container_becomes_an_image_with_its_layer_on_top(imported: ls.Image) -> None:
    engine = ls.Engine(clock=lambda: 10**18)
    base = engine.add_image(imported.layers, "base", config={"WorkingDir": "/nw/x"})
    container = engine.create("base", command=["touch", "/etc/hello"])
    container.fs.write_bytes("/etc/hello", b"hello\n")
    image = container.commit("new:1", "a message", author="me")
    assert (image.tags, image.parent, image.size) == (("new:1",), base.id, base.size + 6)
    assert image.diff_ids[:-1] == base.diff_ids
    view = ls.View(image.layers)
    assert view.read_bytes("/etc/hello") == b"hello\n"
    assert view.exists("/nw/x")
    assert not view.exists("/.dockerenv")
    rows = engine.history("new:1")
    assert (rows[0].created_by, rows[0].comment, rows[0].size) == ("touch /etc/hello", "a message", 6)
    assert [row.id for row in rows] == [image.id, base.id]


def test_a_commit_of_an_unchanged_container_shares_all_layers() -> None:
    engine = ls.Engine(clock=lambda: 0)
    base = engine.add_image([ls.Layer.from_changes([ls.write("/f", b"1")])], "base")
    image = engine.create("base").commit("same")
    assert image.diff_ids == base.diff_ids
    assert engine.history("same")[0].empty_layer
    assert image.config.history is not None
    assert len(image.config.history) == 2


def test_a_commit_does_not_touch_the_layers_below() -> None:
    engine = ls.Engine(clock=lambda: 0)
    layer = ls.Layer.from_changes([ls.write("/f", b"before")])
    before = layer.tar_bytes()
    engine.add_image([layer], "base")
    container = engine.create("base")
    container.fs.write_bytes("/f", b"after")
    container.commit("new")
    assert layer.tar_bytes() == before
    assert ls.View(engine.get_image("base").layers).read_bytes("/f") == b"before"
    assert ls.View(engine.get_image("new").layers).read_bytes("/f") == b"after"


def test_the_mount_points_of_a_commit_are_the_engines_own() -> None:
    """Commit and run again: what the first container saw below its writes is in no layer."""
    engine = ls.Engine(clock=lambda: 0)
    engine.add_image([ls.Layer.from_changes([ls.mkdir("/etc")])], "base")
    container = engine.create("base")
    container.fs.write_bytes("/etc/own", b"1")
    image = container.commit("new")
    assert sorted(entry.path for entry in image.layers[-1]) == ["etc", "etc/own"]


def test_a_tag_that_moves_leaves_a_dangling_image() -> None:
    times = iter(range(10**18, 10**18 + 10**12, 10**9))
    engine = ls.Engine(clock=lambda: next(times))
    tar = ls.Layer.from_changes([ls.write("/f", b"12345")]).tar_bytes()
    first = engine.import_tar(io.BytesIO(tar), "a")
    second = engine.import_tar(tar, "a")
    assert first.id != second.id
    assert first.diff_ids == second.diff_ids
    rows = {row.id: row for row in engine.df().images}
    assert (rows[first.id].tags, rows[first.id].unique_size) == ((), 0)
    assert rows[second.id].tags == ("a:latest",)


def test_equal_calls_give_equal_bytes() -> None:
    def run() -> list[object]:
        engine = ls.Engine(clock=lambda: 12345)
        engine.add_image([ls.Layer.from_changes([ls.write("/f", b"1")])], "a")
        container = engine.run("a")
        container.fs.write_bytes("/g", b"2")
        target = io.BytesIO()
        engine.save(container.commit("b").id, target)
        return [container.name, container.id, engine.get_image("b").id, target.getvalue(), str(engine.df(verbose=True))]

    assert run() == run()


def test_clocks_of_datetimes_do_too() -> None:
    engine = ls.Engine(clock=lambda: datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC))
    image = engine.add_image([synthetic("a", 1)], "a")
    assert image.config.created == "2026-01-02T03:04:05.000678Z"
    assert image.created == datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


def test_a_tag_that_could_be_an_id_is_refused_and_nothing_is_made() -> None:
    engine = ls.Engine(clock=lambda: 0)
    base = engine.add_image([ls.Layer.from_changes([ls.write("/f", b"1")])], "base:1")
    for make in (
        lambda tag: engine.tag("base:1", tag),
        engine.create("base:1").commit,
        lambda t: engine.import_tar(b"", t),
    ):
        with pytest.raises(InvalidReferenceError, match="refusing to create an ambiguous tag"):
            make("sha256:abc")
    assert [row.tags for row in engine.images(all=True)] == [base.tags]


def test_what_an_image_says_of_itself_cannot_be_changed_through_it() -> None:
    engine = ls.Engine(clock=lambda: 0)
    image = engine.add_image([synthetic("a", 1)], "a", config={"Env": ["A=1"], "Labels": {"a": "b"}})
    assert image.config.config is not None
    assert image.config.config.env == ("A=1",)
    for change in ("append", "clear", "update", "__setitem__"):
        for held in (image.config.config.env, image.config.config.labels, image.config.history, image.diff_ids):
            assert not hasattr(held, change)


def test_a_layer_gets_its_content_when_it_comes() -> None:
    engine, real = ls.Engine(clock=lambda: 0), ls.Layer.from_changes([ls.write("/f", b"abc")])
    engine.add_image([ls.Layer.synthetic(diff_id=real.diff_id, size=9)], "bare")
    early = engine.create("bare")
    engine.add_image([real], "real", config={"User": "x"})
    assert engine.create("real").fs.read_bytes("/f") == early.fs.read_bytes("/f") == b"abc"
    assert (engine.get_image("bare").size, engine.get_image("real").size) == (9, 9)
    assert engine.save(["bare", "real"], io.BytesIO()) > 0


class TestNames:
    """What archives call their images, and what an engine makes of it."""

    IMAGE = ImageSpec(layers=(layer_tar([Entry("f", content=b"f")]),))

    def loaded(self, annotations: dict[str, str]) -> tuple[str, ...]:
        """Return the tags of an image that an OCI layout calls so."""
        members = oci_layout(self.IMAGE)
        index = json.loads(members["index.json"])
        index["manifests"][0]["annotations"] = annotations
        (image,) = ls.Engine().load(as_tar({**members, "index.json": json.dumps(index).encode()}))
        return image.tags

    @pytest.mark.parametrize("name", ["latest", "1.0", "V1", "", "Bad/Name:1", "a:b:c", "x@sha256:" + "0" * 64, "é:1"])
    def test_a_name_that_is_a_tag_alone_or_none_of_dockers_is_no_repository(self, name: str) -> None:
        assert self.loaded({"org.opencontainers.image.ref.name": name}) == ()

    def test_the_full_name_comes_first(self) -> None:
        name = {"org.opencontainers.image.ref.name": "1.0", "io.containerd.image.name": "docker.io/library/web:1.0"}
        assert self.loaded(name) == ("web:1.0",)
        assert self.loaded({"org.opencontainers.image.ref.name": "h.com/web"}) == ("h.com/web:latest",)
        assert self.loaded({"io.containerd.image.name": "web"}) == ("web:latest",)

    @pytest.mark.parametrize("tag", ["t", "x@sha256:" + "0" * 64])
    def test_a_docker_archive_must_write_its_tags_out(self, tag: str) -> None:
        with pytest.raises(InvalidReferenceError, match=f'^invalid tag "{tag}"$'):
            ls.Engine().load(as_tar(docker_archive(self.IMAGE, tag)))

    def test_a_tag_like_an_id_is_told_and_not_set(self) -> None:
        loaded = ls.Engine().load(as_tar(docker_archive(self.IMAGE, "sha256:1")))
        assert (str(loaded), loaded[0].tags) == ("Loaded image: sha256:1", ())


def with_platforms(*names: str | None) -> bytes:
    """Return a layout of an index with one image per architecture, its entries silent on what they are for.

    None is an entry for no image at all: its manifest names a config of another kind.
    """
    members: Members = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
    entries = []
    for name in names:
        raw = b"{}" if name is None else TestNames.IMAGE.config_bytes().replace(b"amd64", name.encode())
        config = blob(members, raw, "application/x-other" if name is None else CONFIG_TYPE)
        layers = [] if name is None else [blob(members, TestNames.IMAGE.layers[0], LAYER_TYPE)]
        manifest = json.dumps({"schemaVersion": 2, "config": config, "layers": layers}).encode()
        entries.append(blob(members, manifest, MANIFEST_TYPE))
    index = blob(members, json.dumps({"schemaVersion": 2, "manifests": entries}).encode(), INDEX_TYPE)
    members["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [index]}).encode()
    return as_tar(members)


def test_an_entry_without_a_platform_is_for_what_its_config_says() -> None:
    for names in (("amd64",), ("s390x", "amd64", "arm64"), (None, "amd64")):
        (image,) = ls.Engine().load(with_platforms(*names))
        assert (image.id, image.config.architecture) == (TestNames.IMAGE.image_id, "amd64")
    with pytest.raises(ArchiveError, match="no image for linux/amd64"):
        ls.Engine().load(with_platforms("s390x", None))


def test_an_unknown_profile_is_refused_with_a_list() -> None:
    with pytest.raises(ValueError, match="no profile 'podman'; there is 'docker20', 'overlay2', 'containerd'"):
        ls.Engine("podman")


def test_two_engines_know_nothing_of_each_other() -> None:
    first, second = ls.Engine(clock=lambda: 0), ls.Engine(clock=lambda: 0)
    first.add_image([synthetic("a", 1)], "a")
    with pytest.raises(ImageNotFoundError):
        second.get_image("a")


def test_the_way_in_decides_a_layers_size_and_the_first_wins() -> None:
    """accounting.md section 1: a layer of links is 0 B when built, the sum of their targets when loaded."""
    layer = ls.Layer.from_changes([ls.write("/f", b"abc"), *(ls.symlink(f"/l{n}", "x" * 33) for n in range(9))])
    engine = ls.Engine(clock=lambda: 0)
    assert engine.add_image([layer], "built", way="build").size == 3
    assert engine.add_image([layer], "loaded", config={"User": "x"}).size == 3
    other = ls.Engine(clock=lambda: 0)
    assert other.add_image([layer], "loaded").size == 3 + 9 * 33


def test_an_archive_may_stand_for_a_build() -> None:
    entries = [Entry("f", content=b"abc"), symlink("l", "x" * 33)]
    archive = as_tar(docker_archive(ImageSpec((layer_tar(entries),))))
    assert [ls.Engine().load(archive, way=way)[0].size for way in ("build", "commit", "import", "load")] == [
        3,
        *[36] * 3,
    ]
    engine = ls.Engine()
    with pytest.raises(ValueError, match="one of 'build', 'commit', 'import', 'load', got 'pull'"):
        engine.load(archive, way="pull")
    with pytest.raises(ValueError, match="got 'pull'"):
        engine.add_image([], way="pull")
    assert list(engine.images(all=True)) == []


def test_a_chain_deeper_than_125_is_refused_and_leaves_nothing() -> None:
    engine = ls.Engine(clock=lambda: 0)
    layers = [synthetic(str(number), 1) for number in range(126)]
    with pytest.raises(ChainTooDeepError):
        engine.add_image(layers, "deep")
    assert len(engine.images(all=True)) == 0
    assert engine.df().layers_size == 0
    assert engine.add_image(layers[:125], "deep").size == 125


def test_inspect(imported: ls.Image) -> None:
    engine = ls.Engine(clock=lambda: 0)
    engine.add_image(imported.layers, "x", config={"Cmd": ["sh"]})
    found = engine.inspect("x")
    assert (found["RepoTags"], found["Size"], found["Parent"]) == (["x:latest"], 746, "")
    assert found["RootFS"] == {"Type": "layers", "Layers": list(imported.diff_ids)}


class TestRemoval:
    """accounting.md section 8: what is printed, what is refused, what goes."""

    @pytest.fixture
    def engine(self) -> ls.Engine:
        """Give `base` and `kid`, which was committed from it."""
        engine = ls.Engine(clock=lambda: 0)
        engine.add_image([synthetic("base", 1000)], "base:1")
        engine.add_image([synthetic("base", 1000), synthetic("kid", 20)], "kid:1", parent="base:1")
        return engine

    def test_the_last_tag_takes_the_image_and_the_layers_that_nobody_holds(self, engine: ls.Engine) -> None:
        kid = engine.get_image("kid:1")
        removed = engine.remove_image("kid:1")
        assert str(removed).splitlines() == ["Untagged: kid:1", f"Deleted: {kid.id}", f"Deleted: {kid.chain_ids[1]}"]
        assert removed.freed == 20

    def test_a_tag_among_others_is_only_untagged(self, engine: ls.Engine) -> None:
        engine.tag("kid:1", "other")
        assert str(engine.remove_image("other")) == "Untagged: other:latest"

    def test_n1_a_used_image_keeps_its_last_name(self, engine: ls.Engine) -> None:
        container, kid = engine.create("kid:1"), engine.get_image("kid:1")
        with pytest.raises(ImageInUseError) as caught:
            engine.remove_image("kid:1")
        assert str(caught.value) == (
            'conflict: unable to remove repository reference "kid:1" (must force) - '
            f"container {container.id[:12]} is using its referenced image {kid.id[7:19]}"
        )

    def test_e1_children_protect_an_image_by_id_even_from_force(self, engine: ls.Engine) -> None:
        base = engine.get_image("base:1")
        for force in (False, True):
            with pytest.raises(ImageInUseError) as caught:
                engine.remove_image(base.id, force=force)
            start = f"conflict: unable to delete {base.id[7:19]} (cannot be forced) - "
            assert str(caught.value) == start + "image has dependent child images"
        assert str(engine.remove_image("base:1")) == "Untagged: base:1"
        assert engine.get_image(base.id).tags == ()

    def test_e2_before_e3_before_e4(self, engine: ls.Engine) -> None:
        kid = engine.get_image("kid:1")
        engine.tag("kid:1", "elsewhere/kid:1")
        stopped, running = engine.create("kid:1"), engine.run("kid:1")
        endings = []
        for way_out in (running.stop, lambda: engine.remove_image("elsewhere/kid:1"), stopped.remove):
            with pytest.raises(ImageInUseError) as caught:
                engine.remove_image(kid.id[7:19])
            endings.append(str(caught.value).partition(f"unable to delete {kid.id[7:19]} ")[2])
            way_out()
        assert endings == [
            f"(cannot be forced) - image is being used by running container {running.id[:12]}",
            "(must be forced) - image is referenced in multiple repositories",
            f"(must be forced) - image is being used by stopped container {stopped.id[:12]}",
        ]

    def test_force_by_id_takes_all_tags(self, engine: ls.Engine) -> None:
        kid = engine.get_image("kid:1")
        engine.tag("kid:1", "a/kid:1")
        lines = str(engine.remove_image(kid.id, force=True)).splitlines()
        assert lines[:3] == ["Untagged: a/kid:1", "Untagged: kid:1", f"Deleted: {kid.id}"]

    def test_force_by_name_under_a_running_container_only_untags(self, engine: ls.Engine) -> None:
        container = engine.run("kid:1")
        assert str(engine.remove_image("kid:1", force=True)) == "Untagged: kid:1"
        assert engine.get_image(container.image.id).tags == ()

    def test_layers_stay_until_the_container_goes(self, engine: ls.Engine) -> None:
        container, kid = engine.create("kid:1"), engine.get_image("kid:1")
        assert str(engine.remove_image("kid:1", force=True)).splitlines() == ["Untagged: kid:1", f"Deleted: {kid.id}"]
        assert container.start().state == "running"
        container.remove(force=True)
        engine.remove_image("base:1")
        assert repr(engine) == "<Engine docker20: 0 images, 0 layers, 0 containers>"

    def test_an_untagged_parent_goes_with_its_last_child(self, engine: ls.Engine) -> None:
        base, kid = engine.get_image("base:1"), engine.get_image("kid:1")
        engine.remove_image("base:1")
        deleted = [name for kind, name in engine.remove_image("kid:1") if kind == "deleted"]
        assert deleted == [kid.id, kid.chain_ids[1], base.id, base.chain_ids[0]]

    def test_nothing_of_this_name(self, engine: ls.Engine) -> None:
        with pytest.raises(ImageNotFoundError, match=r"^No such image: x$"):
            engine.remove_image("x")
        with pytest.raises(InvalidReferenceError):
            engine.remove_image("X")


class TestPrune:
    """What nobody uses goes, and the bytes are counted."""

    @pytest.fixture
    def engine(self) -> ls.Engine:
        """Give a tagged image, a dangling one, and one with a container."""
        engine = ls.Engine(clock=lambda: 0)
        engine.add_image([synthetic("a", 1000)], "a")
        engine.add_image([synthetic("b", 500_000)])
        engine.add_image([synthetic("c", 7)], "c")
        engine.tag("c", "c:2")
        engine.run("c")
        return engine

    def test_dangling_images(self, engine: ls.Engine) -> None:
        (dangling,) = [row for row in engine.images() if not row.tags]
        (chain_id,) = engine.get_image(dangling.id).chain_ids
        assert str(engine.prune("images")).splitlines() == [
            "Deleted Images:",
            f"deleted: {dangling.id}",
            f"deleted: {chain_id}",
            "",
            "Total reclaimed space: 500kB",
        ]

    def test_unused_images_go_tag_by_tag(self, engine: ls.Engine) -> None:
        pruned = engine.prune("images", unused_images=True)
        assert [name for kind, name in pruned.images if kind == "untagged"] == ["a:latest", "c:2"]
        assert pruned.freed == 501_000
        assert [row.tags for row in engine.images()] == [("c:latest",)]

    def test_containers_that_do_not_run(self, engine: ls.Engine) -> None:
        idle = engine.create("a")
        assert str(engine.prune("containers")) == f"Deleted Containers:\n{idle.id}\n\nTotal reclaimed space: 0B"
        assert str(engine.prune("containers")) == "Total reclaimed space: 0B"

    def test_a_system_prune_counts_what_containers_wrote(self) -> None:
        engine = ls.Engine(clock=lambda: 0)
        engine.add_image([ls.Layer.from_changes([ls.write("/f", b"1")])], "a")
        engine.create("a").fs.write_bytes("/g", bytes(30))
        assert engine.prune(unused_images=True).freed == 31
        assert len(engine.images(all=True)) == 0

    def test_layers_that_a_container_holds_are_not_freed(self) -> None:
        engine = ls.Engine(clock=lambda: 0)
        engine.add_image([synthetic("a", 9)], "a")
        engine.run("a")
        assert engine.remove_image("a", force=True).freed == 0
