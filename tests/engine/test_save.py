"""`docker save`, through layersim, into the empty store of another engine: the same images there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.engine.archives import docker_archive
from tests.engine.compare import assert_same_history, assert_same_images, assert_same_usage, loaded, new_engine, utc_now
from tests.engine.random_images import random_images

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.daemon import Daemon


def identity(daemon: Daemon, reference: str) -> tuple[str, list[str], list[str]]:
    """Return what makes an image: its id, its tags and its chain."""
    found = daemon.inspect(reference)
    return found["Id"], sorted(found["RepoTags"]), found["RootFS"].get("Layers", [])


@pytest.mark.parametrize("seed", range(200, 206))
def test_there_and_back(seed: int, daemon: Daemon, other_daemon: Daemon, tmp_path: Path) -> None:
    tagged = [image for image in random_images(seed, utc_now()) if image.tags]
    daemon.docker("load", stdin=docker_archive(tagged))
    references = [tag for image in tagged for tag in image.tags]
    daemon.docker("save", "--output", str(tmp_path / "theirs.tar"), *references)
    engine = new_engine(daemon)
    engine.load(tmp_path / "theirs.tar")
    assert_same_images(daemon, engine)
    engine.save(references, tmp_path / "ours.tar")
    other_daemon.docker("load", "--input", str(tmp_path / "ours.tar"))
    for image in tagged:
        assert identity(other_daemon, image.image_id) == identity(daemon, image.image_id)
        assert_same_history(other_daemon, engine, image.tags[0])
    assert_same_usage(other_daemon, engine)


@pytest.mark.parametrize("seed", range(206, 209))
def test_our_archive_loads_again_into_ours(seed: int, daemon: Daemon, tmp_path: Path) -> None:
    tagged = [image for image in random_images(seed, utc_now()) if image.tags]
    engine = loaded(daemon, docker_archive(tagged), tmp_path)
    engine.save([tag for image in tagged for tag in image.tags], tmp_path / "ours.tar")
    again = new_engine(daemon)
    again.load(tmp_path / "ours.tar")
    assert {image.id for image in again.images(all=True)} == {image.image_id for image in tagged}
