"""What each engine saves: an archive that is right in every layout, and that every engine loads again."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Literal

import pytest

import layersim as ls
from layersim.profiles import PROFILE_NAMES

if TYPE_CHECKING:
    from pathlib import Path

BASE = ls.Layer.from_changes([ls.write("/base", b"base" * 1000)])


@pytest.mark.parametrize("layout", ["docker20", "docker25", "oci", None])
@pytest.mark.parametrize("profile", PROFILE_NAMES)
def test_what_is_saved_is_right_and_loads_everywhere(
    profile: str, layout: Literal["docker20", "docker25", "oci"] | None, tmp_path: Path
) -> None:
    engine = ls.Engine(profile, clock=lambda: 0)
    engine.add_image([BASE], tag="base:1")
    container = engine.run("base:1")
    container.fs.write_bytes("/own", b"own")
    committed = container.commit("child:1")
    engine.save(["base:1", "child:1"], tmp_path / "saved.tar", layout=layout)
    assert ls.check_archive(tmp_path / "saved.tar") == []
    for other in PROFILE_NAMES:
        loaded = ls.Engine(other).load(tmp_path / "saved.tar")
        assert [image.tags for image in loaded] == [("base:1",), ("child:1",)]
        assert loaded[1].raw_config == committed.raw_config
        assert loaded[1].diff_ids == committed.diff_ids


def test_an_archive_of_a_parent_without_a_tag_is_compared(tmp_path: Path) -> None:
    engine = ls.Engine(clock=lambda: 0)
    parent = engine.add_image([BASE])
    container = engine.create(parent.id)
    container.fs.write_bytes("/own", b"own")
    container.commit("child:1")
    engine.save([parent.id, "child:1"], tmp_path / "saved.tar")
    assert {row.subject for row in ls.compare_profiles(tmp_path / "saved.tar")} == {"child:1", "all images"}


def test_no_image_is_made_from_itself() -> None:
    engine = ls.Engine("containerd", clock=lambda: 0)
    first = engine.add_image([BASE], tag="p:1")
    engine.add_image([BASE], tag="q:1", history=[], parent="p:1")
    with pytest.raises(ValueError, match="cannot be its parent"):
        engine.add_image([BASE], parent="q:1")
    assert engine.get_image("p:1").id == first.id
    assert engine.get_image("p:1").parent is None


def test_a_link_is_followed_and_a_mode_kept(tmp_path: Path) -> None:
    engine = ls.Engine(clock=lambda: 0)
    engine.add_image([BASE], tag="base:1")
    real, link = tmp_path / "real", tmp_path / "link"
    for save in (partial(engine.save, "base:1", link), partial(engine.save_state, link)):
        real.write_bytes(b"old")
        real.chmod(0o600)
        link.unlink(missing_ok=True)
        link.symlink_to("real")
        save()
        assert link.is_symlink()
        assert real.stat().st_mode & 0o777 == 0o600
        assert real.stat().st_size > 4000


def test_a_pipe_takes_what_is_saved_and_stays_a_pipe(tmp_path: Path) -> None:
    engine = ls.Engine(clock=lambda: 0)
    engine.add_image([BASE], tag="base:1")
    engine.save("base:1", tmp_path / "file")
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit((tmp_path / "pipe").read_bytes)
        engine.save("base:1", tmp_path / "pipe")
        assert read.result(timeout=20) == (tmp_path / "file").read_bytes()
    assert (tmp_path / "pipe").is_fifo()
