"""Sizes that add up, beside those that Docker prints and where these mislead."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import layersim as ls
from layersim.errors import ImageNotFoundError, InvalidReferenceError, LayerNotFoundError
from tests.test_usage import synthetic

ALL = ("a:1", "b:1", "c:1")


def fleet() -> ls.Engine:
    """Return the worked example of accounting.md section 3 without intermediates: b and c on a."""
    engine = ls.Engine(clock=lambda: 0)
    a, b, c = synthetic("a", 1_000_000), synthetic("b", 500_000), synthetic("c", 300_000)
    for tag, chain in (("a:1", [a]), ("b:1", [a, b]), ("c:1", [a, c])):
        engine.add_image(chain, tag)
    return engine


@pytest.fixture
def engine() -> ls.Engine:
    return fleet()


def by_tag(sharing: ls.Sharing) -> dict[str, tuple[int, int, Fraction]]:
    """Return size, exclusive bytes and fair share by tag, or by id where there is none."""
    return {row.tags[0] if row.tags else row.id: (row.size, row.exclusive, row.fair_share) for row in sharing.images}


def test_shares_add_up_to_the_real_bytes(engine: ls.Engine) -> None:
    sharing = engine.sharing()
    third = Fraction(1_000_000, 3)
    assert by_tag(sharing) == {
        "a:1": (1_000_000, 0, third),
        "b:1": (1_500_000, 500_000, third + 500_000),
        "c:1": (1_300_000, 300_000, third + 300_000),
    }
    assert sum(row.fair_share for row in sharing.images) == sharing.size == engine.df().layers_size == 1_800_000


@pytest.mark.parametrize(
    ("refs", "freed"),
    [
        ([], 0),
        (["a:1"], 0),
        ("b:1", 500_000),
        (["b:1", "b:1"], 500_000),
        (["a:1", "b:1"], 500_000),
        (["b:1", "c:1"], 800_000),
        (ALL, 1_800_000),
    ],
)
def test_a_layer_goes_with_its_last_image(engine: ls.Engine, refs: str | list[str], freed: int) -> None:
    assert engine.sharing().marginal(refs) == freed


def test_uniques_leave_out_what_two_images_share_and_shares_do_not(engine: ls.Engine) -> None:
    """Docker's UNIQUE SIZE does not sum: the shared base is in no image's."""
    assert sum(row.unique_size for row in engine.df().images) == 800_000
    assert sum(row.fair_share for row in engine.sharing().images) == 1_800_000


def test_two_images_of_the_same_layers_have_nothing_alone_and_half_each() -> None:
    engine, layer = ls.Engine(clock=lambda: 0), synthetic("a", 1001)
    engine.add_image([layer], "one:1")
    engine.add_image([layer], "two:1", config={"User": "two"})
    assert [row.unique_size for row in engine.df().images] == [0, 0]
    assert set(by_tag(engine.sharing()).values()) == {(1001, 0, Fraction(1001, 2))}
    assert engine.sharing().marginal(["one:1", "two:1"]) == 1001


def test_two_tags_are_one_image() -> None:
    engine = ls.Engine(clock=lambda: 0)
    engine.add_image([synthetic("a", 10)], "one:1")
    engine.tag("one:1", "two:1")
    (row,) = engine.sharing().images
    assert (row.tags, row.exclusive, row.fair_share) == (("one:1", "two:1"), 10, Fraction(10))
    assert engine.sharing().marginal(["one:1", "two:1", row.id]) == 10


def test_a_layer_twice_in_an_image_is_two_layers() -> None:
    engine, layer = ls.Engine(clock=lambda: 0), synthetic("a", 10)
    engine.add_image([layer, layer], "aa:1")
    sharing = engine.sharing()
    assert [(row.diff_id, row.referrers) for row in sharing.layers] == [(layer.diff_id, 1)] * 2
    assert by_tag(sharing) == {"aa:1": (20, 20, Fraction(20))}


def test_hidden_images_hold_what_they_hold() -> None:
    """The legacy builder's intermediate: SHARED and UNIQUE of 20.10 do not see it, and a removal does."""
    engine, layer = ls.Engine(clock=lambda: 0), synthetic("a", 100)
    step = engine.add_image([layer], config={"User": "step"})
    engine.add_image([layer], "built:1", parent=step.id)
    assert [row.unique_size for row in engine.df().images] == [100]
    sharing = engine.sharing()
    assert [(row.exclusive, row.fair_share) for row in sharing.images] == [(0, Fraction(50))] * 2
    assert sharing.marginal("built:1") == 0
    assert sharing.marginal(["built:1", step.id]) == engine.remove_image("built:1").freed == 100


def test_an_image_goes_with_its_own_containers(engine: ls.Engine) -> None:
    engine.run("c:1")
    engine.create("c:1")
    sharing = engine.sharing()
    assert (sharing.pinned_size, sharing.marginal("c:1"), sharing.marginal(ALL)) == (0, 300_000, 1_800_000)


def test_what_a_removed_images_container_holds_is_pinned(engine: ls.Engine) -> None:
    """Docker drops the image from its list and its bytes from the sum; they stay on the disk."""
    engine.create("c:1")
    engine.remove_image("c:1", force=True)
    assert (engine.df().layers_size, [row.unique_size for row in engine.df().images]) == (1_500_000, [0, 500_000])
    sharing = engine.sharing()
    assert (sharing.size, sharing.pinned_size) == (1_500_000, 1_000_000)
    assert sharing.marginal(["a:1", "b:1"]) == 500_000
    assert [(row.size, row.referrers, row.pinned) for row in sharing.layers] == [
        (1_000_000, 2, True),
        (500_000, 1, False),
        (300_000, 0, True),
    ]


def test_an_only_image_over_a_pinned_layer_frees_nothing_and_bears_it_all() -> None:
    """Docker says UNIQUE 1MB of an image whose removal frees nothing: a container of another image holds the layer."""
    engine, layer = ls.Engine(clock=lambda: 0), synthetic("a", 1_000_000)
    engine.add_image([layer], "gone:1", config={"User": "gone"})
    engine.create("gone:1")
    engine.remove_image("gone:1", force=True)
    engine.add_image([layer], "stays:1")
    assert [row.unique_size for row in engine.df().images] == [1_000_000]
    assert by_tag(engine.sharing()) == {"stays:1": (1_000_000, 0, Fraction(1_000_000))}
    assert engine.remove_image("stays:1").freed == 0


def test_what_the_build_cache_holds_is_pinned(engine: ls.Engine) -> None:
    """Docker's sums of images leave it out, and the record of the base counts nothing."""
    a, b = engine.get_image("b:1").layers
    engine.add_cache_record(0, layers=[a])
    engine.add_cache_record(500_000, layers=[a, b])
    sharing = engine.sharing()
    assert (sharing.pinned_size, sharing.marginal("b:1"), sharing.marginal(ALL)) == (1_500_000, 0, 300_000)
    for ref in ALL:
        engine.remove_image(ref)
    assert (engine.df().layers_size, engine.sharing().size) == (0, 0)
    assert [(row.size, row.referrers, row.pinned) for row in engine.sharing().layers] == [
        (1_000_000, 0, True),
        (500_000, 0, True),
    ]


def test_blobs_count_where_an_engine_keeps_them() -> None:
    """The containerd image store: what both images reach is shared, packed or unpacked, their configs are not."""
    engine = ls.Engine(profile="containerd", clock=lambda: 0)
    tar = ls.Layer.from_changes([ls.write("/f", bytes(10_000))]).tar_bytes()
    one = engine.import_tar(tar, "one:1")
    engine.import_tar(tar, "two:1", message="another")
    sharing = engine.sharing()
    assert sharing.size == engine.df().layers_size > one.size
    assert sum(row.fair_share for row in sharing.images) == sharing.size
    uniques = {row.id: row.unique_size for row in engine.df().images}
    assert {row.id: row.exclusive for row in sharing.images} == uniques
    assert min(uniques.values()) > 0
    assert engine.remove_image("one:1").freed == sharing.marginal("one:1") == uniques[one.id]
    assert engine.remove_image("two:1").freed == sharing.size - uniques[one.id]


def test_an_image_that_came_back_takes_its_containers_along(engine: ls.Engine) -> None:
    a, c = engine.get_image("c:1").layers
    engine.create("c:1")
    engine.remove_image("c:1", force=True)
    engine.add_image([a, c], "c:1")
    assert (engine.sharing().pinned_size, engine.sharing().marginal("c:1")) == (0, 300_000)


def test_referrers_are_named(engine: ls.Engine) -> None:
    sharing = engine.sharing()
    ids = {tag: engine.get_image(tag).id for tag in ALL}
    base, own, _ = (row.chain_id for row in sharing.layers)
    assert set(sharing.referrers(base)) == set(ids.values())
    assert sharing.referrers(base) == tuple(row.id for row in sharing.images)
    assert sharing.referrers(own) == (ids["b:1"],)
    with pytest.raises(LayerNotFoundError, match="'sha256:no'"):
        sharing.referrers("sha256:no")


def test_many_sets_are_asked_at_once_by_names_or_by_places(engine: ls.Engine) -> None:
    sharing = engine.sharing()
    sets: list[str | list[str]] = [["a:1", "b:1"], [], "b:1", list(ALL)]
    freed = [500_000, 0, 500_000, 1_800_000]
    assert sharing.marginal_many(sets).tolist() == freed
    places = {row.tags[0]: place for place, row in enumerate(sharing.images)}
    packed = np.array([places[tag] for tag in ("a:1", "b:1", "b:1", *ALL)])
    for kind in (np.int64, np.uint64, np.uint8):
        answer = sharing.marginal_many((packed.astype(kind), np.array([0, 2, 2, 3, 6], dtype=kind)))
        assert (answer.dtype.str, answer.tolist()) == ("<u8", freed)
    assert sharing.marginal_many([]).tolist() == []
    assert sharing.marginal_many((np.array([]), np.array([0]))).tolist() == []


@pytest.mark.parametrize(
    ("places", "offsets", "error"),
    [
        ([3], [0, 1], ValueError),
        ([-1], [0, 1], ValueError),
        ([0], [0, 2], ValueError),
        ([0], [1, 0], ValueError),
        ([0.5], [0, 1], TypeError),
        ([True], [0, 1], TypeError),
    ],
)
def test_arrays_that_are_no_sets_are_refused(
    engine: ls.Engine, places: list[float], offsets: list[int], error: type[Exception]
) -> None:
    with pytest.raises(error):
        engine.sharing().marginal_many((np.array(places), np.array(offsets)))


def test_images_are_named_as_for_the_engine(engine: ls.Engine) -> None:
    sharing, image = engine.sharing(), engine.get_image("b:1")
    for ref in ("b:1", "docker.io/library/b:1", image.id, image.id.removeprefix("sha256:"), image.id[:20]):
        assert sharing.marginal([ref]) == 500_000
    for ref, error in (("b:2", ImageNotFoundError), ("sha256:", InvalidReferenceError), ("?", InvalidReferenceError)):
        with pytest.raises(error):
            sharing.marginal(["a:1", ref])
        with pytest.raises(error):
            engine.get_image(ref)


def test_a_moment_stays_what_it_was(engine: ls.Engine) -> None:
    taken, again = engine.sharing(), engine.sharing()
    before = str(taken), str(taken.layers), taken.marginal(ALL)
    engine.remove_image("c:1")
    engine.tag("b:1", "0:1")
    engine.add_image([synthetic("other", 7)], "d:1")  # takes the number that c's own layer had
    assert (str(again), str(again.layers), again.marginal(ALL)) == before
    assert (str(taken), str(taken.layers), taken.marginal(ALL)) == before
    assert str(engine.sharing()) != before[0]
    with pytest.raises(ImageNotFoundError):
        again.marginal("0:1")


def test_an_engine_of_nothing_has_a_table_of_nothing() -> None:
    sharing = ls.Engine(clock=lambda: 0).sharing()
    assert (sharing.size, sharing.marginal([]), list(sharing.layers)) == (0, 0, [])
    assert str(sharing).splitlines()[1].split() == ["all", "images", "0B", "0B", "0B"]


def test_an_image_without_layers_takes_nothing() -> None:
    engine = ls.Engine(clock=lambda: 0)
    engine.add_image([], "empty:1")
    assert by_tag(engine.sharing()) == {"empty:1": (0, 0, Fraction(0))}


def test_sums_at_the_end_of_what_docker_counts() -> None:
    engine = ls.Engine(clock=lambda: 0)
    engine.add_image([synthetic("a", 2**62), synthetic("b", 2**62 - 2), synthetic("c", 1)], "a:1")
    (row,) = engine.sharing().images
    assert (row.exclusive, engine.sharing().marginal("a:1")) == (2**63 - 1, 2**63 - 1)
    assert row.fair_share == engine.sharing().size == 2**63 - 1


def test_the_text_is_a_table_with_all_images_in_its_last_line(engine: ls.Engine) -> None:
    engine.create("c:1")
    engine.remove_image("c:1", force=True)
    sharing = engine.sharing()
    assert str(sharing).split("\n") == [
        "IMAGE        SIZE      EXCLUSIVE   FAIR SHARE",
        "a:1          1MB       0B          500kB",
        "b:1          1.5MB     500kB       1MB",
        "all images   2.5MB     500kB       1.5MB",
    ]
    assert sharing.text(human=False).split("\n")[2].split() == ["b:1", "1500000", "500000", "1000000.00"]
    assert repr(sharing) == "<Sharing: 2 images, 3 layers, 1.5MB>"
    header, base, *_ = str(sharing.layers).split("\n")
    assert header == "CHAIN ID       DIFF ID        SIZE      REFERRERS   PINNED"
    assert base.split()[2:] == ["1MB", "2", "true"]


def test_an_untagged_image_goes_by_its_id() -> None:
    engine = ls.Engine(clock=lambda: 0)
    image = engine.add_image([synthetic("a", 1)])
    assert str(engine.sharing()).split("\n")[1].split()[0] == image.id.removeprefix("sha256:")[:12]
    assert engine.sharing().text(no_trunc=True).split("\n")[1].split()[0] == image.id
    assert engine.sharing().images.text(quiet=True) == image.id.removeprefix("sha256:")[:12]


def test_rows_are_sequences_of_values(engine: ls.Engine) -> None:
    rows = engine.sharing().images
    assert rows[-1] == list(rows)[2]
    assert list(rows[1:]) == list(rows)[1:]
    with pytest.raises(IndexError):
        _ = rows[3]


def test_a_notebook_shows_the_images(engine: ls.Engine) -> None:
    sharing = engine.sharing()
    shown = sharing._repr_html_()
    assert shown == sharing.images._repr_html_()
    assert all(f"<td>{tag}</td>" in shown for tag in ALL)
