"""Archives of images in every form: what comes in is the same image, and other programs agree."""

from __future__ import annotations

import gzip
import io
import itertools
import os
import random
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.testing import differences
from tests.engine.archives import ImageSpec
from tests.layouts import as_directory, as_tar, docker_archive, oci_layout
from tests.oracles import require_program, require_root
from tests.tars import Entry, directory, hardlink, layer_tar, symlink
from tests.trees import Disk, snapshot

if TYPE_CHECKING:
    from pathlib import Path

BASE = layer_tar(
    [directory("etc"), Entry("etc/motd", content=b"hi"), Entry("etc/old", content=b"gone"), directory("d")]
)
APP = layer_tar(
    [
        directory("app", 0o750),
        Entry("app/a", content=b"a" * 999),
        hardlink("app/b", "app/a"),
        directory("etc"),
        Entry("etc/.wh.old"),
    ]
)
# Engines extract layers side by side, umoci one onto the other: only directories that are told come out alike.
TOP = layer_tar(
    [
        directory("app", 0o750),
        symlink("app/current", "a"),
        directory("d"),
        Entry("d/.wh..wh..opq"),
        Entry("d/x", mode=0o4755),
    ]
)
IMAGE = ImageSpec(layers=(BASE, APP, TOP))
FORMS = {
    "docker-archive": docker_archive(IMAGE),
    "OCI": oci_layout(IMAGE),
    "OCI with platforms": oci_layout(IMAGE, nested=True),
}


def is_the_image(image: ls.Image) -> None:
    assert (image.id, image.tags) == (IMAGE.image_id, ("web:1",))
    assert image.diff_ids == tuple(ls.sha256(layer) for layer in IMAGE.layers)
    assert image.raw_config == IMAGE.config_bytes()


@pytest.mark.parametrize("form", FORMS)
def test_every_form_holds_the_same_image(form: str, tmp_path: Path) -> None:
    members = FORMS[form]
    tar = as_tar(members)
    path = tmp_path / "image.tar"
    path.write_bytes(tar)
    for source in (
        path,
        str(path),
        tar,
        bytearray(tar),
        io.BytesIO(tar),
        gzip.compress(tar),
        as_directory(members, tmp_path / "d"),
    ):
        (image,) = ls.Engine().load(source)
        is_the_image(image)


def test_an_archive_with_both_documents_is_read_as_docker_reads_it() -> None:
    both = {**oci_layout(IMAGE, "other:1"), **docker_archive(IMAGE)}
    (image,) = ls.Engine().load(as_tar(both))
    is_the_image(image)


def test_what_is_saved_is_the_image_again(tmp_path: Path) -> None:
    engine = ls.Engine()
    engine.load(as_tar(FORMS["OCI"]))
    engine.save("web:1", tmp_path / "saved.tar")
    (image,) = ls.Engine().load(tmp_path / "saved.tar")
    is_the_image(image)


@pytest.mark.parametrize("form", FORMS)
def test_progress_is_told_in_bytes_of_the_archive(form: str) -> None:
    members, told = FORMS[form], list[tuple[int, int]]()
    stored = [len(data) for data in members.values() if data in {*IMAGE.layers, *map(packed, IMAGE.layers)}]
    ls.Engine().load(as_tar(members), progress=lambda done, total: told.append((done, total)))
    assert {total for _, total in told} == {sum(stored)}
    assert len(told) == len(IMAGE.layers)
    # Layers are read side by side: each adds its own bytes, in whatever order they are done.
    done = [0, *sorted(done for done, _ in told)]
    assert sorted(after - before for before, after in itertools.pairwise(done)) == sorted(stored)


def packed(layer: bytes) -> bytes:
    """Return a layer as an OCI layout here holds it."""
    return gzip.compress(layer, mtime=0)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("call", range(len(IMAGE.layers)))
@pytest.mark.parametrize("raised", [RuntimeError, KeyboardInterrupt])
def test_what_progress_raises_stops_a_load_and_nothing_has_come_in(
    form: str, call: int, raised: type[BaseException]
) -> None:
    engine, told = ls.Engine(clock=lambda: 10**18), itertools.count()
    engine.import_tar(BASE, tag="before:1")
    before = str(engine.images(all=True)), str(engine.df(verbose=True))

    def stop(_done: int, _total: int) -> None:
        if next(told) == call:
            raise raised("enough")

    with pytest.raises(raised, match="enough"):
        engine.load(as_tar(FORMS[form]), progress=stop)
    assert (str(engine.images(all=True)), str(engine.df(verbose=True))) == before
    (image,) = engine.load(as_tar(FORMS[form]))
    is_the_image(image)


SAVER = """
import sys, layersim as ls
host = ls.Engine()
((old,), (new,)) = (host.load(path) for path in sys.argv[3:5])
write = {
    "save": lambda image: host.save(image.id, sys.argv[2]),
    "write_tar": lambda image: image.layers[0].write_tar(sys.argv[2]),
}[sys.argv[1]]
while True:
    write(old)
    write(new)
    print("saved", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("call", ["save", "write_tar"])
def test_a_save_that_is_killed_leaves_the_old_archive_or_the_new_one(call: str, tmp_path: Path) -> None:
    host, rng, target = ls.Engine(clock=lambda: 10**18), random.Random(20), tmp_path / "here" / "target.tar"
    target.parent.mkdir()
    archives, whole, found = [], set(), list[str]()
    for number in (3, 5):
        layer = ls.Layer.from_changes([ls.write("/f", rng.randbytes(number << 20))])
        image = host.import_tar(layer.tar_bytes(), tag=f"{number}:1")
        archives.append(tmp_path / f"{number}.tar")
        host.save(image.id, archives[-1])
        whole.add(ls.sha256(archives[-1].read_bytes()) if call == "save" else layer.diff_id)
    for _ in range(20):
        command = [sys.executable, "-c", SAVER, call, str(target), *map(str, archives)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as saver:
            assert saver.stdout is not None
            assert saver.stdout.readline() == "saved\n"
            time.sleep(rng.uniform(0, 0.1))
            saver.kill()
        found.append(ls.sha256(target.read_bytes()))
        assert found[-1] in whole
    # Kills came at different moments, or nothing was shown.
    assert set(found) == whole
    # A file in the making has no name to leave behind, but for the moment before it takes the target's: the next save
    # removes that, and nothing that is somebody else's.
    others = {
        name: target.with_name(name) for name in (".target.tar.1-x.part", ".target.tar.part", ".other.tar.1-0.part")
    }
    for path in (*others.values(), target.with_name(".target.tar.1-0.part")):
        path.write_bytes(b"left")
    host.save("3:1", target)
    assert set(os.listdir(target.parent)) == {"target.tar", *others}
    assert len(ls.Engine().load(target)) == 1


def test_skopeo_copies_between_layouts_and_the_layers_stay(tmp_path: Path) -> None:
    skopeo = require_program("skopeo", "skopeo")
    saved = tmp_path / "saved.tar"
    engine = ls.Engine()
    engine.load(as_tar(FORMS["docker-archive"]))
    engine.save("web:1", saved)
    copy = [skopeo, "copy", "--quiet", "--insecure-policy", f"docker-archive:{saved}", f"oci:{tmp_path / 'oci'}:web:1"]
    subprocess.run(copy, check=True, capture_output=True)
    (image,) = ls.Engine().load(tmp_path / "oci")
    assert image.diff_ids == tuple(ls.sha256(layer) for layer in IMAGE.layers)
    assert image.tags == ("web:1",)


@pytest.mark.parametrize("form", ["OCI"])
def test_umoci_unpacks_what_the_view_shows(form: str, tmp_path: Path) -> None:
    require_root()
    umoci = require_program("umoci", "umoci")
    layout = as_directory(oci_layout(IMAGE, "latest"), tmp_path / form)
    subprocess.run(
        [umoci, "unpack", "--image", f"{layout}:latest", tmp_path / "bundle"], check=True, capture_output=True
    )
    (image,) = ls.Engine().load(layout)
    view = ls.View(image.layers)
    assert differences(snapshot(Disk(tmp_path / "bundle" / "rootfs")), snapshot(view)) == []
    view.extract(tmp_path / "extracted")
    assert differences(snapshot(Disk(tmp_path / "extracted")), snapshot(view)) == []
