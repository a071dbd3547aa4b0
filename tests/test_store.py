"""Layers kept once, counted by who holds them; tags as pointers."""

from __future__ import annotations

import pytest

import layersim as ls
from layersim.errors import (
    ChainTooDeepError,
    ImageNotFoundError,
    InvalidReferenceError,
)
from layersim.image import parse_config, parse_reference
from layersim.store import ImageStore, LayerStore, StoredImage
from tests.test_image import EXAMPLE
from tests.test_usage import synthetic

A, B, C = (synthetic(name, size) for name, size in {"a": 1, "b": 20, "c": 300}.items())


def size_of(layer: object) -> int:
    return int(getattr(layer, "size", 0))


def test_a_shared_prefix_is_kept_once() -> None:
    store = LayerStore(125)
    first, second = store.hold([A, B], size_of), store.hold([A, C], size_of)
    assert first is not None
    assert second is not None
    assert first.parent is second.parent
    assert (len(store), [place.layer for place in first.chain()], second.depth) == (3, [A, B], 2)


def test_the_first_registration_of_a_chain_id_wins() -> None:
    """accounting.md section 1: what comes in later keeps the size that is recorded."""
    store = LayerStore(125)
    first = store.hold([A], lambda _: 297)
    second = store.hold([A], lambda _: 3)
    assert first is second
    assert first is not None
    assert (first.size, first.references) == (297, 2)


def test_a_layer_with_content_takes_the_place_of_one_without() -> None:
    """The recorded size stays, as it was the first; what has content is never given up for what has none."""
    store, real = LayerStore(125), ls.Layer.from_changes([ls.write("/f", b"abc")])
    bare = ls.Layer.synthetic(diff_id=real.diff_id, size=7)
    kept = store.hold([bare], size_of)
    assert kept is not None
    assert kept.layer.is_synthetic
    for layer in (real, bare):
        assert store.hold([layer], size_of) is kept
        assert (len(kept.layer), kept.size, store.sizes[kept.number]) == (1, 7, 7)


def test_a_layer_goes_with_its_last_holder_and_then_its_parent() -> None:
    store = LayerStore(125)
    short, long = store.hold([A], size_of), store.hold([A, B, C], size_of)
    assert [place.layer for place in store.release(long)] == [C, B]
    assert len(store) == 1
    assert [place.layer for place in store.release(short)] == [A]
    assert store.release(None) == []


def test_numbers_are_used_again_and_sizes_follow() -> None:
    store = LayerStore(125)
    top = store.hold([synthetic(str(number), number) for number in range(100)], size_of)
    assert store.sizes.sum() == sum(range(100))
    store.release(top)
    again = store.hold([C], size_of)
    assert again is not None
    assert store.sizes[again.number] == 300
    assert len(store.sizes) == 100


def test_a_chain_may_be_125_deep_and_no_deeper() -> None:
    store = LayerStore(125)
    layers = [synthetic(str(number), 1) for number in range(126)]
    assert store.hold(layers[:125], size_of) is not None
    with pytest.raises(ChainTooDeepError, match="max depth exceeded") as caught:
        store.hold(layers, size_of)
    assert caught.value.limit == 125


def image(digit: str) -> StoredImage:
    return StoredImage("sha256:" + digit * 64, EXAMPLE, parse_config(EXAMPLE), None)


@pytest.fixture
def images() -> ImageStore:
    """Give two images, ``a...`` tagged twice, ``b...`` once."""
    store, first, second = ImageStore(), image("a"), image("b")
    store.add(first)
    store.add(second)
    store.tag(parse_reference("x:1"), first)
    store.tag(parse_reference("x:2"), first)
    store.tag(parse_reference("host:5000/y"), second)
    return store


@pytest.mark.parametrize(
    ("ref", "digit"),
    [
        ("x:1", "a"),
        ("docker.io/library/x:1", "a"),
        ("host:5000/y", "b"),
        ("host:5000/y:latest", "b"),
        ("sha256:" + "a" * 64, "a"),
        ("a" * 64, "a"),
        ("aaa", "a"),
        ("sha256:bb", "b"),
    ],
)
def test_finding(images: ImageStore, ref: str, digit: str) -> None:
    assert images.find(ref).id == "sha256:" + digit * 64


@pytest.mark.parametrize("ref", ["x", "nope", "ab", "sha256:ab", "f" * 64])
def test_nothing_answers(images: ImageStore, ref: str) -> None:
    with pytest.raises(ImageNotFoundError, match="No such image"):
        images.find(ref)


@pytest.mark.parametrize("ref", ["", "X", "a b", "sha256:"])
def test_what_is_no_reference(images: ImageStore, ref: str) -> None:
    with pytest.raises(InvalidReferenceError):
        images.find(ref)


def test_a_prefix_of_several_ids_is_ambiguous() -> None:
    store = ImageStore()
    for end in "01":
        store.add(StoredImage("sha256:" + "c" * 63 + end, EXAMPLE, parse_config(EXAMPLE), None))
    with pytest.raises(ImageNotFoundError, match="several ids"):
        store.find("cc")


def test_a_tag_is_a_pointer(images: ImageStore) -> None:
    first, second = images.find("x:1"), images.find("bb")
    assert images.tag(parse_reference("x:1"), second) is first
    assert (first.tags, second.tags) == (("x:2",), ("x:1", "host:5000/y:latest"))
    assert images.tag(parse_reference("x:1"), second) is None


def test_tags_are_in_moby_s_order_whenever_they_come(images: ImageStore) -> None:
    first = images.find("x:1")
    for text in ("x-y:1", "x/z:1", "a:1"):
        images.tag(parse_reference(text), first)
    assert list(first.tags) == ["a:1", "x-y:1", "x:1", "x:2", "x/z:1"]
    images.untag(parse_reference("x:1"))
    assert list(first.tags) == ["a:1", "x-y:1", "x:2", "x/z:1"]


def test_two_spellings_of_a_tag_are_one_tag(images: ImageStore) -> None:
    first, second = images.find("x:1"), images.find("bb")
    images.tag(parse_reference("docker.io/foo.com/x:1"), first)
    assert images.tag(parse_reference("foo.com/x:1"), second) is first
    assert (first.tags, second.tags) == (("x:1", "x:2"), ("foo.com/x:1", "host:5000/y:latest"))
    assert images.find("docker.io/foo.com/x:1") is second


def test_the_tags_of_a_repository(images: ImageStore) -> None:
    assert [str(reference) for reference, _ in images.tagged("x")] == ["x:1", "x:2"]


def test_a_parent_that_goes_leaves_its_children(images: ImageStore) -> None:
    first, second = images.find("x:1"), images.find("bb")
    images.set_parent(second, first)
    for reference in first.references:
        images.untag(reference)
    assert not first.is_listed
    images.delete(first)
    assert second.parent is None
    assert len(images) == 1
