"""accounting.md sections 2, 7 and 8: lists, histories, removals and prunes, by profile, word for word."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.errors import ImageInUseError, ImageNotFoundError, ValidationError
from layersim.profiles import CLI_20, CLI_28, CLI_29, OVERLAY2, PROFILE_NAMES
from tests.test_spec_accounting import family, new_engine
from tests.test_usage import synthetic

if TYPE_CHECKING:
    from layersim.profiles.form import Forms

GRAPH = ("docker20", "overlay2")
IDS = re.compile(r"\b[0-9a-f]{12}\b")


def refusal(engine: ls.Engine, ref: str, *, force: bool = False) -> str:
    """Return why an image is not removed, ids left out."""
    with pytest.raises(ImageInUseError) as caught:
        engine.remove_image(ref, force=force)
    return IDS.sub("ID", str(caught.value))


def words(removed: object) -> list[str]:
    """Return what a removal tells, digests left out."""
    return [line.split(" sha256:")[0] for line in str(removed).splitlines()]


N1 = {
    "docker20": 'conflict: unable to remove repository reference "bb:1" (must force) - '
    "container ID is using its referenced image ID",
    "containerd": "conflict: unable to delete bb:1 (must be forced) - container ID is using its referenced image ID",
}
N1["overlay2"] = N1["docker20"]
E1 = "conflict: unable to delete ID (cannot be forced) - image has dependent child images"
E2 = "conflict: unable to delete ID (cannot be forced) - image is being used by running container ID"
E3 = "conflict: unable to delete ID (must be forced) - image is referenced in multiple repositories"
E4 = "conflict: unable to delete ID (must be forced) - image is being used by stopped container ID"


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_the_last_name_of_a_used_image(profile: str) -> None:
    engine = new_engine(profile)
    image = engine.add_image([synthetic("a", 1)], "bb:1")
    engine.create("bb:1")
    assert refusal(engine, "bb:1") == N1[profile]
    engine.tag("bb:1", "bb:2")
    assert str(engine.remove_image("bb:2")) == "Untagged: bb:2"
    told = words(engine.remove_image("bb:1", force=True))
    if profile == "containerd":
        assert told == ["Untagged: bb:1"]
        assert engine.get_image(image.id).tags == ()
    else:
        assert told == ["Untagged: bb:1", "Deleted:"]
        with pytest.raises(ImageNotFoundError):
            engine.get_image(image.id)


@pytest.mark.parametrize("profile", GRAPH)
def test_a_running_container_leaves_its_image_without_a_name(profile: str) -> None:
    engine = new_engine(profile)
    image = engine.add_image([synthetic("a", 1)], "bb:1")
    engine.run("bb:1")
    assert words(engine.remove_image("bb:1", force=True)) == ["Untagged: bb:1"]
    assert engine.get_image(image.id).tags == ()


@pytest.mark.parametrize("profile", GRAPH)
def test_conflicts_by_id_in_their_order(profile: str) -> None:
    """E1, E2, E3, E4: each is told only where those before it do not apply."""
    engine = family(profile)
    b, d = engine.get_image("b:1").id, engine.get_image("d:1").id
    stopped = engine.create("d:1")
    assert refusal(engine, d) == E4
    engine.tag("d:1", "d:2")
    assert refusal(engine, d) == E3
    stopped.start()
    assert refusal(engine, d) == refusal(engine, d, force=True) == E2
    engine.create("b:1").start()
    assert refusal(engine, b) == refusal(engine, b, force=True) == E1


def test_conflicts_by_id_of_the_containerd_store() -> None:
    engine = family("containerd")
    d = engine.get_image("d:1").id
    engine.tag("d:1", "d:2")
    assert refusal(engine, d) == E3
    stopped = engine.create("d:1")
    assert refusal(engine, d) == E4
    stopped.start()
    assert refusal(engine, d) == refusal(engine, d, force=True) == E2
    assert words(engine.remove_image(engine.get_image("a:1").id)) == ["Untagged: a:1", "Deleted:"]


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_force_takes_all_names(profile: str) -> None:
    engine = new_engine(profile)
    image = engine.add_image([synthetic("a", 1)], "m:1")
    for tag in ("m:2", "n:1"):
        engine.tag("m:1", tag)
    told = words(engine.remove_image(image.id, force=True))
    layers = [] if profile == "containerd" else ["Deleted:"]
    assert told == ["Untagged: m:1", "Untagged: m:2", "Untagged: n:1", "Deleted:", *layers]


@pytest.mark.parametrize("profile", GRAPH)
def test_children_keep_an_image_that_loses_its_name(profile: str) -> None:
    engine = family(profile)
    a = engine.get_image("a:1").id
    assert str(engine.remove_image("a:1")) == "Untagged: a:1"
    assert engine.get_image(a).tags == ()
    assert a not in {row.id for row in engine.df().images}


@pytest.mark.parametrize("profile", GRAPH)
def test_parents_go_with_the_last_child(profile: str) -> None:
    """Names first, then d with its layer and its step, then b, its layer and its step, then a."""
    engine = family(profile)
    ids = {name: engine.get_image(f"{name}:1").id for name in "abcd"}
    engine.remove_image("c:1")
    for name in "ab":
        assert len(engine.remove_image(f"{name}:1")) == 1
    told = [name for kind, name in engine.remove_image("d:1") if kind == "deleted"]
    assert len(told) == 5 + 3
    assert [name for name in told if name in ids.values()] == [ids["d"], ids["b"], ids["a"]]
    assert engine.df().layers_size == 0


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ("docker20", "No such image: x"),
        ("overlay2", "No such image: x:latest"),
        ("containerd", "No such image: x:latest"),
    ],
)
def test_an_image_that_is_not_there(profile: str, message: str) -> None:
    with pytest.raises(ImageNotFoundError, match=f"^{message}$"):
        new_engine(profile).remove_image("x")


@pytest.mark.parametrize("profile", GRAPH)
def test_layers_stay_while_a_container_or_the_build_cache_holds_them(profile: str) -> None:
    engine, layer = new_engine(profile), synthetic("a", 500_000)
    engine.add_image([layer], "a:1")
    container = engine.create("a:1")
    engine.add_cache_record(0, layers=[layer])
    image = engine.get_image("a:1").id
    assert words(engine.remove_image(image, force=True)) == ["Untagged: a:1", "Deleted:"]
    container.remove()
    assert engine.add_image([layer], "a:1", config={"User": "again"}).size == 500_000


@pytest.mark.parametrize("profile", GRAPH)
def test_pruning_images(profile: str) -> None:
    """Untagged childless ones, with all parents that only they kept; with `-a` all that no container uses."""
    engine = family(profile)
    engine.remove_image("b:1")
    assert engine.prune("images").freed == 0
    engine.add_image([synthetic("lone", 500_000)])
    pruned = engine.prune("images")
    assert words(pruned) == ["Deleted Images:", "deleted:", "deleted:", "", "Total reclaimed space: 500kB"]
    engine.create("c:1")
    assert engine.prune("images", unused_images=True).freed == 600_000
    assert sorted(row.tags for row in engine.images(all=True)) == [(), (), ("c:1",)]


@pytest.mark.parametrize("profile", GRAPH)
def test_pruning_the_system(profile: str) -> None:
    """What containers wrote, images, volumes only if asked, build cache: one sum."""
    engine = new_engine(profile)
    engine.add_image([ls.Layer.from_changes([ls.write("/base", bytes(1_000))])], "a:1")
    engine.add_image([synthetic("lone", 200)])
    container = engine.run("a:1")
    container.fs.write_bytes("/f", bytes(30))
    container.stop()
    engine.create_volume("kept").fs.write_bytes("/f", bytes(4))
    engine.add_cache_record(50_000)
    assert engine.prune("system").freed == 50_230
    assert [row.name for row in engine.df().volumes] == ["kept"]


def test_the_list_of_version_29() -> None:
    """A line per name, sorted; CONTENT SIZE is 0B where layers are kept unpacked; untagged ones only if asked for."""
    engine = ls.Engine(profile="overlay2", clock=lambda: datetime(2024, 1, 1, tzinfo=UTC))
    engine.add_image([synthetic("b", 1_500_000)], "zz-longer:1")
    image = engine.add_image([synthetic("a", 1_000_000)], "a:1").id[7:19]
    engine.add_image([synthetic("c", 1)])
    engine.create("zz-longer:1")
    lines = str(engine.images()).splitlines()
    assert lines[0].split() == ["IMAGE", "ID", "DISK", "USAGE", "CONTENT", "SIZE", "EXTRA"]
    assert lines[1].split() == ["a:1", image, "1MB", "0B"]
    assert [line.split()[0] for line in lines[1:]] == ["a:1", "zz-longer:1"]
    assert lines[2].split()[-1] == "U"
    assert str(engine.images(all=True)).splitlines()[-1].split()[0] == "<untagged>"


@pytest.mark.parametrize("forms", [CLI_20, CLI_28])
def test_the_list_up_to_version_28(forms: Forms) -> None:
    now = datetime(2024, 1, 1, tzinfo=UTC)
    times = iter([now, now + timedelta(hours=1), now + timedelta(hours=2)])
    engine = ls.Engine(profile=replace(OVERLAY2, forms=forms), clock=lambda: next(times, now))
    for tag in ("a:1", "b:1"):
        engine.add_image([synthetic(tag, 1)], tag)
    engine.add_image([synthetic("c", 1)])
    lines = [line.split() for line in str(engine.images()).splitlines()]
    assert lines[0] == ["REPOSITORY", "TAG", "IMAGE", "ID", "CREATED", "SIZE"]
    assert [line[:2] for line in lines[1:]] == [["<none>", "<none>"], ["b", "1"], ["a", "1"]]


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_rows_of_a_history(profile: str) -> None:
    """Newest first; an empty step takes 0, the next ones the layers in turn; ids end where links to parents end."""
    engine = new_engine(profile)
    steps = [ls.HistoryEntry(created_by=f"s{n}", empty_layer=n == 1) for n in range(3)]
    image = engine.add_image([synthetic("a", 10), synthetic("b", 20)], "x:1", history=steps)
    rows = engine.history("x:1")
    assert [(row.created_by, row.size, row.empty_layer) for row in rows] == [
        ("s2", 20, False),
        ("s1", 0, True),
        ("s0", 10, False),
    ]
    assert [row.id for row in rows] == [image.id, None, None]
    with pytest.raises(ValidationError, match="too many non-empty layers in History section"):
        engine.add_image([synthetic("a", 10)], history=[ls.HistoryEntry(), ls.HistoryEntry()])


@pytest.mark.parametrize(
    ("forms", "age"), [(CLI_20, "292 years ago"), (CLI_28, "N/A"), (CLI_29, "N/A")], ids=["20", "28", "29"]
)
def test_a_step_without_a_date(forms: Forms, age: str) -> None:
    engine = ls.Engine(profile=replace(OVERLAY2, forms=forms), clock=lambda: datetime(2024, 1, 1, tzinfo=UTC))
    engine.add_image([synthetic("a", 10)], "x:1", history=[ls.HistoryEntry(created_by="x")])
    assert age in str(engine.history("x:1")).splitlines()[1]


@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_a_commit_of_an_unchanged_container(profile: str) -> None:
    """A step more, and no layer."""
    engine = new_engine(profile)
    base = engine.add_image([ls.Layer.from_changes([ls.write("/f", b"1")])], "x:1")
    image = engine.create("x:1", command=["sleep", "5"]).commit(tag="y:1", message="done")
    assert image.diff_ids == base.diff_ids
    row = engine.history("y:1")[0]
    assert (row.empty_layer, row.size, row.comment, row.created_by) == (True, 0, "done", "sleep 5")
    assert [row.id for row in engine.history("y:1")] == [image.id, base.id]
