"""The laws of sizes that add up: on random hosts, against sets, and against really removing the images."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

import layersim as ls
from layersim.errors import ImageInUseError, ImageNotFoundError
from tests.test_usage import synthetic

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

LAYERS = [synthetic(f"layer {number}", size) for number, size in enumerate((0, 1, 2, 5, 100, 1000))]
IMAGES = 7

Step = tuple[str, int, object, object]

steps = st.one_of(
    st.tuples(
        st.just("add"),
        st.integers(0, IMAGES - 1),
        st.lists(st.integers(0, len(LAYERS) - 1), max_size=4),
        st.none() | st.integers(0, IMAGES - 1),
    ),
    st.tuples(st.just("run"), st.integers(0, IMAGES - 1), st.booleans(), st.none()),
    st.tuples(st.just("remove"), st.integers(0, IMAGES - 1), st.none(), st.none()),
    st.tuples(st.just("cache"), st.integers(0, IMAGES - 1), st.none(), st.none()),
)
histories = st.lists(steps, max_size=25)
choices = st.sets(st.integers(0, IMAGES - 1))


def host(history: Iterable[Step], profile: str = "docker20") -> ls.Engine:
    """Return an engine after such a history; what does not apply changes nothing."""
    engine = ls.Engine(profile=profile, clock=lambda: 0)
    for number, (kind, at, what, parent) in enumerate(history):
        tags = {tag for row in engine.images(all=True) for tag in row.tags}
        tag, base = f"i{at}:1", f"i{parent}:1"
        if kind == "add":
            assert isinstance(what, list)
            chain = [LAYERS[layer] for layer in what]
            engine.add_image(chain, tag, config={"User": str(number)}, parent=base if base in tags else None)
        elif kind == "run" and tag in tags:
            (engine.run if what else engine.create)(tag)
        elif kind == "cache" and tag in tags:
            engine.add_cache_record(0, layers=engine.get_image(tag).layers)
        elif kind == "remove" and tag in tags:
            with suppress(ImageInUseError):
                engine.remove_image(tag, force=True)
    return engine


def chosen(engine: ls.Engine, places: Collection[int]) -> list[str]:
    """Return the ids of the images at these places, as far as there are so many."""
    return [row.id for place, row in enumerate(engine.sharing().images) if place in places]


def held_bytes(engine: ls.Engine) -> int:
    return sum(held.size for held in (*engine._layers, *engine._contents))


def really_remove(engine: ls.Engine, ids: set[str]) -> set[str]:
    """Remove containers and images, children first; return what is gone, parents taken along included."""
    before = {row.id for row in engine.images(all=True)}
    for container in engine.containers(all=True):
        if container.image_id in ids:
            engine.remove_container(container.id, force=True)
    for _ in ids:
        for image in ids & {row.id for row in engine.images(all=True)}:
            # One that was removed before may have taken this one, its parent, along.
            with suppress(ImageInUseError, ImageNotFoundError):
                engine.remove_image(image, force=True)
    return before - {row.id for row in engine.images(all=True)}


def pinned_by_counting(engine: ls.Engine) -> set[str]:
    """Return what the store says is held by more than images, their containers and layers, and what lies below."""
    images = {image.id: image for image in engine._images}
    known = Counter(layer.parent for layer in engine._layers if layer.parent is not None)
    known.update(image.top for image in images.values() if image.top is not None)
    for container in engine._containers:
        if container.image.id in images and container.image.top is not None:
            known[container.image.top] += 1
    tops = [layer for layer in engine._layers if layer.references > known[layer]]
    return {place.chain_id for top in tops for place in top.chain()}


@given(histories)
@settings(deadline=None)
def test_shares_add_up_and_pins_are_what_the_store_counts(history: list[Step]) -> None:
    engine = host(history)
    sharing = engine.sharing()
    images = [engine.get_image(row.id) for row in sharing.images]
    held = {
        chain_id: size for image in images for chain_id, size in zip(image.chain_ids, image.layer_sizes, strict=True)
    }
    assert sum(row.fair_share for row in sharing.images) == sharing.size == sum(held.values())
    pinned = pinned_by_counting(engine)
    assert {row.chain_id for row in sharing.layers if row.pinned} == pinned
    assert sharing.pinned_size == sum(size for chain_id, size in held.items() if chain_id in pinned)
    users = Counter(chain_id for image in images for chain_id in image.chain_ids)
    for layer in sharing.layers:
        assert layer.referrers == len(sharing.referrers(layer.chain_id)) == users[layer.chain_id]
        assert layer.referrers or layer.pinned


@given(histories, choices, st.sampled_from(("docker20", "overlay2", "containerd")))
@settings(deadline=None)
def test_marginal_is_what_really_removing_the_images_frees(history: list[Step], places: set[int], profile: str) -> None:
    engine = host(history, profile)
    sharing, ids = engine.sharing(), chosen(engine, places)
    before = held_bytes(engine)
    gone = really_remove(engine, set(ids))
    assert sharing.marginal(gone) == before - held_bytes(engine)


@given(histories, choices, choices)
@settings(deadline=None)
def test_marginal_is_monotone_and_supermodular(history: list[Step], one: set[int], two: set[int]) -> None:
    engine = host(history)
    sharing = engine.sharing()
    first, second, both, common = (
        sharing.marginal(chosen(engine, places)) for places in (one, two, one | two, one & two)
    )
    assert common <= first <= both
    assert first + second <= both + common
    everything = [row.id for row in sharing.images]
    assert sharing.marginal(everything) == sharing.size - sharing.pinned_size
    assert [row.exclusive for row in sharing.images] == sharing.marginal_many([[ref] for ref in everything]).tolist()


@given(histories, choices, choices)
@settings(deadline=None)
def test_what_images_hold_is_submodular_and_tells_what_goes_with_the_others(
    history: list[Step], one: set[int], two: set[int]
) -> None:
    engine = host(history)
    sharing = engine.sharing()
    pinned = {row.chain_id for row in sharing.layers if row.pinned}

    def held(ids: Iterable[str]) -> int:
        """Return the bytes of what these images hold and is not pinned, each layer once, from sets."""
        images = [engine.get_image(ref) for ref in ids]
        pairs = {pair for image in images for pair in zip(image.chain_ids, image.layer_sizes, strict=True)}
        return sum(size for chain_id, size in pairs if chain_id not in pinned)

    first, second, both, common = (held(chosen(engine, places)) for places in (one, two, one | two, one & two))
    assert first + second >= both + common
    everything = {row.id for row in sharing.images}
    rest = everything - set(chosen(engine, one))
    assert sharing.marginal(chosen(engine, one)) == held(everything) - held(rest)
