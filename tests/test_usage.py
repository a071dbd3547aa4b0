"""What images take and share: the G20 column of accounting.md sections 2 to 5."""

from __future__ import annotations

import hashlib
import time

import numpy as np
import pytest

import layersim as ls


def synthetic(name: str, size: int) -> ls.Layer:
    """Return a layer known by digest and size alone."""
    return ls.Layer.synthetic(diff_id="sha256:" + hashlib.sha256(name.encode()).hexdigest(), size=size)


@pytest.fixture
def engine() -> ls.Engine:
    """Give the worked example of section 3: b and c on a, d on b, with the intermediates of the legacy builder."""
    engine = ls.Engine(clock=lambda: 0)
    a, b, c, d = (
        synthetic(name, size) for name, size in {"a": 1_000_000, "b": 500_000, "c": 300_000, "d": 100_000}.items()
    )
    engine.add_image([a], "a:1")
    for name, chain, parent in (("b", [a, b], "a:1"), ("c", [a, c], "a:1"), ("d", [a, b, d], "b:1")):
        step = engine.add_image(chain, parent=parent, config={"User": f"step of {name}"})
        engine.add_image(chain, f"{name}:1", parent=step.id, config={"Labels": {"l": name}})
    return engine


def sums(engine: ls.Engine) -> dict[str, tuple[int, int, int]]:
    """Return size, shared size and unique size by tag."""
    return {row.tags[0]: (row.size, row.shared_size, row.unique_size) for row in engine.df().images}


def test_only_listed_images_make_layers_shared(engine: ls.Engine) -> None:
    assert sums(engine) == {
        "a:1": (1_000_000, 1_000_000, 0),
        "b:1": (1_500_000, 1_500_000, 0),
        "c:1": (1_300_000, 1_000_000, 300_000),
        "d:1": (1_600_000, 1_500_000, 100_000),
    }


def test_intermediates_are_listed_on_demand_only(engine: ls.Engine) -> None:
    assert len(engine.images()) == 4
    assert len(engine.images(all=True)) == 7


def images_line(engine: ls.Engine) -> list[str]:
    """Return the words of the line on images."""
    return str(engine.df()).splitlines()[1].split()


def test_reclaimable_is_all_but_what_used_images_hold_alone(engine: ls.Engine) -> None:
    """Section 4: the CLI up to 28 subtracts the unique sizes of images with containers."""
    assert images_line(engine) == ["Images", "4", "0", "1.9MB", "1.9MB", "(100%)"]
    engine.create("b:1")
    assert images_line(engine) == ["Images", "4", "1", "1.9MB", "1.9MB", "(100%)"]
    engine.create("c:1")
    assert images_line(engine) == ["Images", "4", "2", "1.9MB", "1.6MB", "(84%)"]


def test_an_image_is_in_use_until_its_last_container_goes(engine: ls.Engine) -> None:
    one, two = engine.create("b:1"), engine.create("b:1")
    assert images_line(engine)[2] == "1"
    one.remove()
    assert images_line(engine)[2] == "1"
    two.remove()
    assert images_line(engine)[2] == "0"


def test_a_container_of_a_child_does_not_activate_the_parent(engine: ls.Engine) -> None:
    engine.create("d:1")
    containers = {row.tags[0]: row.containers for row in engine.df().images}
    assert containers == {"a:1": 0, "b:1": 0, "c:1": 0, "d:1": 1}


def test_a_layer_twice_counts_twice_in_its_image() -> None:
    engine, one = ls.Engine(clock=lambda: 0), synthetic("a", 1_000_000)
    engine.add_image([one], "a:1")
    engine.add_image([one, one], "aa:1")
    assert sums(engine)["aa:1"] == (2_000_000, 1_000_000, 1_000_000)
    assert engine.df().layers_size == 2_000_000


def test_the_same_diff_on_other_parents_is_not_shared() -> None:
    engine, top = ls.Engine(clock=lambda: 0), synthetic("top", 7)
    for base in "xy":
        engine.add_image([synthetic(base, 1), top], base)
    assert sums(engine) == {"x:latest": (8, 0, 8), "y:latest": (8, 0, 8)}


def test_deleting_never_makes_an_image_smaller() -> None:
    engine = ls.Engine(clock=lambda: 0)
    base = ls.Layer.from_changes([ls.write("/big", bytes(10_000))])
    gone = ls.Layer.from_changes([ls.remove("/big")])
    assert engine.add_image([base, gone], "x").size == 10_000


def test_layers_that_only_a_container_holds_are_in_no_size(engine: ls.Engine) -> None:
    engine.create("c:1")
    engine.remove_image("c:1", force=True)
    assert images_line(engine)[1:4] == ["3", "0", "1.6MB"]


def test_an_empty_engine_has_four_lines_of_nothing() -> None:
    df = ls.Engine(clock=lambda: 0).df()
    assert [tuple(map(int, (row.total, row.active, row.size, row.reclaimable))) for row in df] == [(0, 0, 0, 0)] * 4
    assert [row.type for row in df] == ["Images", "Containers", "Local Volumes", "Build Cache"]
    assert str(df).splitlines()[1] == "Images          0         0         0B        0B"


def test_the_verbose_text_of_an_empty_engine_is_that_of_docker() -> None:
    lines = str(ls.Engine(clock=lambda: 0).df(verbose=True)).split("\n")
    assert lines == [
        "Images space usage:",
        "",
        "REPOSITORY   TAG       IMAGE ID   CREATED   SIZE      SHARED SIZE   UNIQUE SIZE   CONTAINERS",
        "",
        "Containers space usage:",
        "",
        "CONTAINER ID   IMAGE     COMMAND   LOCAL VOLUMES   SIZE      CREATED   STATUS    NAMES",
        "",
        "Local Volumes space usage:",
        "",
        "VOLUME NAME   LINKS     SIZE",
        "",
        "Build cache usage: 0B",
        "",
        "CACHE ID   CACHE TYPE   SIZE      CREATED   LAST USED   USAGE     SHARED",
    ]


def test_what_was_returned_never_changes(engine: ls.Engine) -> None:
    """Tables tell of the moment they were asked for, whenever a row of them is looked at."""
    real = ls.Layer.from_changes([ls.write("/f", b"x")])
    engine.add_image([real], "e:1")
    running, idle = engine.run("e:1", name="running"), engine.create("e:1", name="idle")
    taken = [engine.df(verbose=True), engine.images(), engine.containers(all=True)]
    again = [engine.df(verbose=True), engine.images(), engine.containers(all=True)]
    before = list(map(str, taken))
    engine.tag("e:1", "0:1")
    engine.create("b:1")
    idle.fs.write_bytes("/g", bytes(99))
    idle.start()
    running.stop()
    running.remove()
    engine.remove_image("d:1")
    engine.import_tar(real.tar_bytes(), "e:1")
    assert list(map(str, taken)) == list(map(str, again)) == before
    assert list(map(str, [engine.df(verbose=True), engine.images(), engine.containers(all=True)])) != before


def test_rows_of_containers_are_a_sequence_newest_first(engine: ls.Engine) -> None:
    for name in ("one", "two", "six"):
        engine.create("b:1", name=name)
    rows = engine.df().containers
    assert [row.name for row in rows] == ["six", "two", "one"]
    assert (rows[-1].name, [row.name for row in rows[:2]]) == ("one", ["six", "two"])
    assert rows[0].image_id == engine.get_image("b:1").id
    with pytest.raises(IndexError):
        _ = rows[3]


def test_very_many_containers_cost_little_to_sum_up() -> None:
    """A hundred thousand of two hundred images: no row is made, and no image is asked for all containers."""
    engine = ls.Engine(clock=lambda: 0)
    for number in range(200):
        engine.add_image([synthetic(f"{number}", 1)], f"i:{number}")
    for number in range(100_000):
        engine.create(f"i:{number % 200}")
    start = time.perf_counter()
    assert [row.total for row in engine.df()][:2] == [200, 100_000]
    assert len(engine.containers(all=True)) == 100_000
    assert engine.prune("images", unused_images=True).freed == 0
    assert time.perf_counter() - start < 1


def test_rows_are_sequences_of_values(engine: ls.Engine) -> None:
    rows = engine.df(verbose=True).images
    assert rows[-1] == list(rows)[3]
    assert [row.id for row in rows[1:3]] == [row.id for row in rows][1:3]
    with pytest.raises(IndexError):
        _ = rows[4]


def test_shared_once_plus_unique_is_what_is_held() -> None:
    """A law, on a seeded fleet: every held layer counts once, as unique or as shared."""
    draw = np.random.default_rng(7)
    engine = ls.Engine(clock=lambda: 0)
    bases = [synthetic(f"base{number}", int(draw.integers(1, 1000))) for number in range(5)]
    held: dict[str, int] = {}
    for number in range(60):
        chain = [bases[int(draw.integers(5))]]
        chain += [synthetic(f"{draw.integers(30)}", int(number) + 1) for _ in range(int(draw.integers(4)))]
        image = engine.add_image(chain, f"image:{number}", config={"User": str(number)})
        held |= dict(zip(image.chain_ids, image.layer_sizes, strict=True))
    df = engine.df()
    assert df.layers_size == sum(held.values())
    counts: dict[str, int] = {}
    for row in df.images:
        for chain_id in engine.get_image(row.id).chain_ids:
            counts[chain_id] = counts.get(chain_id, 0) + 1
    shared_once = sum(held[chain_id] for chain_id, count in counts.items() if count > 1)
    assert sum(row.unique_size for row in df.images) + shared_once == df.layers_size


def test_a_summary_of_a_large_fleet_makes_no_rows() -> None:
    """Two thousand images: the sums are columns, and cost far less than a row each."""
    engine = ls.Engine(clock=lambda: 0)
    base = [synthetic(f"b{number}", number) for number in range(10)]
    for number in range(2000):
        engine.add_image([*base, synthetic(f"own{number}", 1)], f"i:{number}")
    engine.df()
    start = time.perf_counter()
    df = engine.df()
    assert time.perf_counter() - start < 0.05
    assert df.layers_size == sum(range(10)) + 2000
