"""Names of images by the grammar of each generation, names with a digest, and who finds an image by what."""

from __future__ import annotations

from contextlib import suppress

import pytest

from layersim import Engine
from layersim.errors import ImageInUseError, ImageNotFoundError, InvalidReferenceError
from layersim.image import parse_name, tag_of_name
from layersim.image.grammar import OLDER
from tests.engine.archives import ImageSpec, docker_archive
from tests.odd_references import CORPUS, DIGEST, random_references
from tests.tars import layer_tar

ARCHIVE = docker_archive([ImageSpec((layer_tar([]),), ("src:1", "src:2", "foo.com/y:1"))])
GRAPH = ("docker20", "overlay2")


@pytest.mark.parametrize("text", ["Foo/bar", "[::1]:5000/x", "foo.com/" + "a" * 250])
def test_what_version_20_does_not_take_yet(text: str) -> None:
    assert parse_name(text).repository == text
    with pytest.raises(InvalidReferenceError):
        parse_name(text, OLDER)
    with pytest.raises(InvalidReferenceError):
        Engine("docker20").add_image([], text)
    archive = docker_archive([ImageSpec((layer_tar([]),), (f"{text}:1",))])
    with pytest.raises(InvalidReferenceError):
        Engine("docker20").load(archive)
    assert Engine("overlay2").load(archive)[0].tags == (f"{text}:1",)


@pytest.mark.parametrize("seed", range(3))
def test_a_reference_in_its_familiar_form_is_the_same(seed: int) -> None:
    for text in (*CORPUS, *random_references(seed, 200)):
        with suppress(InvalidReferenceError):
            name = parse_name(text)
            assert tag_of_name(parse_name(str(name))) == tag_of_name(name)
            assert parse_name(str(name)).digest == name.digest


@pytest.mark.parametrize("profile", GRAPH)
def test_a_digest_names_nothing_that_was_not_pulled(profile: str) -> None:
    engine = Engine(profile)
    (image,) = engine.load(ARCHIVE)
    for ref in (f"src@{image.id}", f"src:1@{image.id}"):
        with pytest.raises(ImageNotFoundError, match=f"^No such image: {ref}$"):
            engine.get_image(ref)
    with pytest.raises(ImageNotFoundError, match=f"^No such image: src@{DIGEST}$"):
        engine.save(f"src@{DIGEST}", "nowhere")


@pytest.mark.parametrize("ref", ["src@", "src:1@", "src:9@", "docker.io/library/src@", "foo.com/y@"])
def test_a_digest_names_an_image_with_a_tag_of_the_name(ref: str) -> None:
    engine = Engine("containerd")
    (image,) = engine.load(ARCHIVE)
    assert engine.get_image(ref + image.id) == image
    assert engine.sharing().marginal(ref + image.id) == engine.sharing().marginal(image.id)
    assert engine.tag(ref + image.id, "new:1").tags == ("new:1", "src:1", "src:2", "foo.com/y:1")
    with pytest.raises(ImageNotFoundError, match="No such image: "):
        engine.get_image(ref + DIGEST)


def test_a_digest_of_another_name() -> None:
    engine = Engine("containerd")
    (image,) = engine.load(ARCHIVE)
    for name in ("other", "foo.com/src", "y"):
        with pytest.raises(ImageNotFoundError, match=f"^No such image: {name}@{image.id}$"):
            engine.get_image(f"{name}@{image.id}")


@pytest.mark.parametrize(
    ("ref", "gone", "left"),
    [
        ("src@", "Untagged: src:1\nUntagged: src:2", ("foo.com/y:1",)),
        ("src:2@", "Untagged: src:2", ("src:1", "foo.com/y:1")),
        ("foo.com/y@", "Untagged: foo.com/y:1", ("src:1", "src:2")),
    ],
)
def test_removing_by_a_digest(ref: str, gone: str, left: tuple[str, ...]) -> None:
    engine = Engine("containerd")
    (image,) = engine.load(ARCHIVE)
    container = engine.create("src:1")
    assert str(engine.remove_image(ref + image.id)) == gone
    assert engine.get_image(image.id).tags == left
    with pytest.raises(ImageNotFoundError):
        engine.remove_image(f"src:9@{image.id}")
    rest = f"{left[0].rpartition(':')[0]}@{image.id}"
    if len({tag.rpartition(":")[0] for tag in left}) == 1:
        with pytest.raises(ImageInUseError, match=f"being used by stopped container {container.id[:12]}"):
            engine.remove_image(rest)
        assert str(engine.remove_image(rest, force=True)).endswith(f"Deleted: {image.id}")


def test_a_container_of_a_digest_is_shown_without_it() -> None:
    engine = Engine("containerd")
    (image,) = engine.load(ARCHIVE)
    engine.create(f"src:7@{image.id}", name="tagged")
    engine.create(f"src@{image.id}", name="bare")
    shown = {line.split()[-1]: line.split()[1] for line in str(engine.containers(all=True)).splitlines()[1:]}
    assert shown == {"tagged": "src:7", "bare": image.id[7:19]}
