"""`Engine.check_state`: nothing is wrong with what was saved, and whatever is broken is told, all of it."""

from __future__ import annotations

import json
import os
import random
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import layersim as ls
from layersim.cli import main
from layersim.errors import StoreLockedError
from layersim.profiles import PROFILE_NAMES
from tests.states import Clock, do, random_session

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
BASE = ls.Layer.from_changes([ls.mkdir("/etc"), ls.write("/etc/motd", b"welcome\n" * 200)])
TOP = ls.Layer.from_changes([ls.write("/app", b"a" * 3000)])


@pytest.fixture
def engine() -> ls.Engine:
    made = ls.Engine("containerd", clock=Clock())
    made.add_image([BASE, TOP], tag="a:1")
    made.add_image([BASE, ls.Layer.synthetic(diff_id="sha256:" + "2" * 64, size=5)], tag="model:1")
    made.run("a:1", name="web", volumes={"/data": "data"}).fs.write_bytes("/etc/motd", b"bye")
    made.get_volume("data").fs.write_bytes("/f", b"kept")
    made.add_cache_record(7, layers=[BASE])
    return made


@pytest.fixture(params=["host.lsim", "store/"])
def path(request: pytest.FixtureRequest, engine: ls.Engine, tmp_path: Path) -> str:
    """A saved engine, in both layouts."""
    engine.save_state(f"{tmp_path}/{request.param}")
    return f"{tmp_path}/{request.param}"


def told(path: str) -> list[str]:
    return [str(breach) for breach in ls.Engine.check_state(path)]


@pytest.mark.parametrize("profile", PROFILE_NAMES)
@pytest.mark.parametrize("seed", range(2))
def test_whatever_was_saved_is_in_order(profile: str, seed: int, tmp_path: Path) -> None:
    engine = ls.Engine(profile, clock=Clock())
    for number, command in enumerate(random_session(random.Random(seed), 120)):
        do(engine, command)
        if number % 40 == 39:
            for name in ("host.lsim", "store/"):
                engine.save_state(f"{tmp_path}/{name}")
                assert told(f"{tmp_path}/{name}") == []


def test_one_in_order_has_no_breach(path: str) -> None:
    assert told(path) == []
    with ls.Engine.open(path) as opened:
        if os.path.isdir(path):
            with pytest.raises(StoreLockedError):
                told(path)
        opened.save_state(path)
    assert told(path) == []


def test_every_bit_that_flips_in_a_blob_is_told(engine: ls.Engine, path: str, tmp_path: Path) -> None:
    engine.save_state(f"{tmp_path}/other/")
    names = sorted(os.listdir(f"{tmp_path}/other/blobs/sha256"))
    assert len(names) == 6
    found: set[str] = set()
    for name in names:
        file, offset, length = place_of(path, name)
        whole = file.read_bytes()
        changed = bytearray(whole)
        changed[offset + random.Random(name).randrange(length)] ^= 1
        file.write_bytes(changed)
        (breach,) = told(path)
        assert f"sha256:{name}" in breach
        found.add(breach.partition(":")[0])
        file.write_bytes(whole)
    packed = {where for where in found if where.startswith("contents[")}
    assert len(packed) == 2
    assert found - packed == {"layers[0]", "layers[1]", "volumes[0].upper", "containers[0].upper"}


def place_of(path: str, name: str) -> tuple[Path, int, int]:
    """Return the file that holds a blob, where in it, and how long it is."""
    if os.path.isdir(path):
        file = Path(path, "blobs/sha256", name)
        return file, 0, file.stat().st_size
    with tarfile.open(path) as archive:
        member = archive.getmember(f"blobs/sha256/{name}")
        return Path(path), member.offset_data, member.size


def _first(document: Json, section: str) -> Json:
    first: Json = document[section][0]
    return first


FORGERIES: dict[str, tuple[Callable[[Json], object], str]] = {
    "a size": (lambda d: d["layers"].update(size=[1, 3000]), "layers[0]: says size 1, it is 1600"),
    "a size by the tar": (lambda d: d["layers"].update(tar_size=[1600, 1]), "layers[1]: says tar_size 1, it is 3000"),
    "a count": (lambda d: d["layers"].update(entries=[2, 9]), "layers[1]: says entries 9, it is 1"),
    "a length": (lambda d: d["layers"]["length"].reverse(), "says length"),
    "columns": (lambda d: d["contents"]["size"].pop(), "contents: columns of different lengths"),
    "a chain id": (lambda d: d["places"]["chain_id"].reverse(), "places[0]: expected the chain id"),
    "a layer of nowhere": (lambda d: d["places"].update(layer=[0, 1, 9]), "places[2]: on layer 9"),
    "a synthetic layer in no place": (lambda d: d["places"].update(layer=[0, 1, 1]), "synthetic: sha256:22"),
    "a top of nowhere": (lambda d: _first(d, "images").update(top=9), "its top is None"),
    "another top": (lambda d: _first(d, "images").update(top=0), "images[0]: its config says a stack of"),
    "a config": (lambda d: _first(d, "images").update(config="bm9uZQ=="), "images[0]: "),
    "a parent": (lambda d: _first(d, "images").update(parent=9), "images[0]: its parent is no image: 9"),
    "a tag twice": (lambda d: d["images"][1].update(tags=["a:1"]), "images: 2 with the tag a:1"),
    "sums of blobs": (lambda d: _first(d, "images").update(contents_size=1), "images[0]: says 1 bytes of blobs, which"),
    "blobs": (lambda d: _first(d, "images").update(contents=[99]), "images[0]: holds blobs of nowhere: (99,)"),
    "a document": (lambda d: d["contents"]["document"].__setitem__(0, "bm9uZQ=="), "contents[0]: expected sha256:"),
    "a packed blob": (lambda d: d["contents"]["offset"].pop(), "contents: columns of different lengths"),
    "writes": (lambda d: _first(d, "containers")["upper"].update(size_rw=1), "containers[0].upper: says size_rw 1, it"),
    "blocks": (
        lambda d: _first(d, "volumes")["upper"].update(allocated_rw=1),
        "volumes[0].upper: says allocated_rw 1, it is",
    ),
    "a volume of nowhere": (lambda d: d.update(volumes=[]), "a position or a name of nothing"),
    "a place that nothing holds": (lambda d: d.update(images=[], containers=[]), "places[1]: no image, place or cache"),
    "a number": (lambda d: d["counters"].update(next_container=1), "not in the order of their numbers"),
    "records": (lambda d: d["counters"].update(cache_records=0), "counters: says 0 cache records ever, there are 1"),
    "a profile": (lambda d: d.update(profile="podman"), "a profile that is not known here"),
    "a section": (lambda d: d.update(secrets={}), "secrets"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_wrong_document_with_a_right_seal_is_told(engine: ls.Engine, tmp_path: Path, forgery: str) -> None:
    engine.save_state(f"{tmp_path}/store/")
    forge(tmp_path / "store/state.json", FORGERIES[forgery][0])
    found = told(f"{tmp_path}/store")
    assert any(FORGERIES[forgery][1] in breach for breach in found), found


def forge(path: Path, edit: Callable[[Json], object]) -> None:
    """Change the document of a store and seal it again."""
    seal, _, body = path.read_bytes().partition(b"\n")
    document = json.loads(body)
    edit(document)
    forged = json.dumps(document).encode()
    promises = json.loads(seal) | {"sha256": ls.sha256(forged), "length": len(forged)}
    path.write_bytes(json.dumps(promises).encode() + b"\n" + forged)


def test_all_breaches_are_told_and_not_the_first(engine: ls.Engine, tmp_path: Path) -> None:
    engine.save_state(f"{tmp_path}/store/")
    blobs = tmp_path / "store/blobs/sha256"
    (blobs / BASE.diff_id[7:]).unlink()
    (blobs / TOP.diff_id[7:]).write_bytes(b"other")
    (blobs / ("5" * 64)).write_bytes(b"left by a kill, and damaged")
    (blobs / ls.sha256(b"left by a kill")[7:]).write_bytes(b"left by a kill")
    (blobs / ".half.part").write_bytes(b"left by a kill")
    forge(tmp_path / "store/state.json", lambda d: _first(d, "images").update(top=0))
    missing, changed, unheld, top, left = told(f"{tmp_path}/store")
    assert missing.startswith(f"layers[0]: {BASE.diff_id}: its blob is missing")
    assert changed.startswith("layers[1]: ")
    assert unheld == "places[1]: no image, place or cache record holds it"
    assert top.startswith("images[0]: ")
    assert left.startswith(f"blobs/sha256/{'5' * 64}: expected sha256:5")


def test_members_that_are_not_where_the_document_says_are_told(engine: ls.Engine, tmp_path: Path) -> None:
    """Nothing reads the headers of the blobs but who unpacks the file."""
    path = tmp_path / "host.lsim"
    engine.save_state(path)
    file, offset, _ = place_of(str(path), BASE.diff_id[7:])
    whole = bytearray(file.read_bytes())
    whole[offset - 512 + 20] ^= 1
    file.write_bytes(whole)
    assert told(str(path)) != []
    whole[offset - 512 + 20] ^= 1
    header = tarfile.TarInfo("elsewhere")
    header.size = BASE.tar_length
    whole[offset - 512 : offset] = header.tobuf(tarfile.USTAR_FORMAT)
    file.write_bytes(whole)
    missing, extra = told(str(path))
    assert missing.startswith(f"blobs/sha256/{BASE.diff_id[7:]}: no member of {BASE.tar_length} bytes")
    assert extra.startswith(f"elsewhere: {BASE.tar_length} bytes at 512, which")


def test_what_is_no_saved_engine_is_one_breach(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"hello")
    (tmp_path / "folder").mkdir()
    for name in ("text", "folder"):
        (breach,) = told(f"{tmp_path}/{name}")
        assert "no saved engine" in breach
    with pytest.raises(FileNotFoundError):
        told(f"{tmp_path}/nothing")


def test_the_command_line_checks_saved_engines_too(
    engine: ls.Engine, path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", path]) == 0
    assert capsys.readouterr().out == f"{path}: ok\n"
    file, offset, _ = place_of(path, BASE.diff_id[7:])
    whole = bytearray(file.read_bytes())
    whole[offset + 700] ^= 1
    file.write_bytes(whole)
    assert main(["check", path]) == 1
    assert capsys.readouterr().out.splitlines() == [f"{path}: {breach}" for breach in told(path)]
    engine.save_state(f"{tmp_path}/held/")
    with ls.Engine.open(f"{tmp_path}/held"):
        assert main(["check", f"{tmp_path}/held"]) == 1
    assert "is open in process" in capsys.readouterr().out
