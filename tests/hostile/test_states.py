"""States that were cut, flipped, forged or come from the future: one typed error each, or the very same engine."""

from __future__ import annotations

import io
import json
import random
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

import layersim as ls
from layersim._core import Blobs, write_blobs
from layersim.errors import ArchiveError, DigestMismatchError, StateError, StateVersionError
from tests.states import Clock, describe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = 1_700_000_000 * 10**9


def an_engine() -> ls.Engine:
    engine = ls.Engine(clock=lambda: NOW)
    base = ls.Layer.from_changes([ls.mkdir("/etc"), ls.write("/etc/motd", b"welcome\n")])
    engine.add_image([base], tag="base:1")
    engine.add_image([base, ls.Layer.synthetic(diff_id="sha256:" + "2" * 64, size=5)], tag="model:1")
    engine.run("base:1", name="web").fs.write_bytes("/etc/motd", b"bye")
    return engine


@pytest.fixture
def file(tmp_path: Path) -> Path:
    an_engine().save_state(tmp_path / "host.lsim")
    return tmp_path / "host.lsim"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    an_engine().save_state(f"{tmp_path}/store/")
    return tmp_path / "store"


def test_cut_short_anywhere(file: Path) -> None:
    whole = file.read_bytes()
    for length in [*range(0, 3000, 37), *range(3000, len(whole), 97), len(whole) - 1]:
        file.write_bytes(whole[:length])
        with pytest.raises(StateError):
            ls.Engine.open(file)
    file.write_bytes(whole + b"\0")
    with pytest.raises(StateError, match=r"expected \d+ bytes, found"):
        ls.Engine.open(file)


def test_a_document_cut_short_anywhere(store: Path) -> None:
    document = store / "state.json"
    whole = document.read_bytes()
    for length in range(0, len(whole), 29):
        document.write_bytes(whole[:length])
        with pytest.raises(StateError):
            ls.Engine.open(store)


def test_a_bit_flipped_anywhere(file: Path) -> None:
    rng, whole = random.Random(0), file.read_bytes()
    told = describe(an_engine(), Clock())
    found = set()
    for _ in range(600):
        place = rng.randrange(len(whole) * 8)
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        file.write_bytes(flipped)
        try:
            with ls.Engine.open(file, clock=lambda: NOW, verify=True) as engine:
                assert describe(engine, Clock()) == told
        except (StateError, DigestMismatchError) as error:
            found.add(type(error))
    assert {StateError, DigestMismatchError} <= found <= {StateError, DigestMismatchError, StateVersionError}


def test_a_state_from_the_future_names_both_versions(store: Path) -> None:
    document = store / "state.json"
    document.write_bytes(document.read_bytes().replace(b'{"layersim_state":1', b'{"layersim_state":7', 1))
    with pytest.raises(StateVersionError, match=r"version 7 .* up to 1") as caught:
        ls.Engine.open(store)
    assert (caught.value.found, caught.value.known) == (7, 1)


def test_a_future_seal_may_say_what_this_one_does_not_know(store: Path) -> None:
    (store / "state.json").write_bytes(b'{"layersim_state":2,"blake3":"00"}\n{}')
    with pytest.raises(StateVersionError):
        ls.Engine.open(store)


def test_what_is_no_state_is_said_to_be_none(tmp_path: Path) -> None:
    for name, data in {"empty": b"", "text": b"hello\n" * 200, "zeros": bytes(4096)}.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(StateError, match="no saved engine"):
            ls.Engine.open(tmp_path / name)
    an_engine().save("base:1", tmp_path / "saved.tar")
    with pytest.raises(StateError, match="its first member is"):
        ls.Engine.open(tmp_path / "saved.tar")
    with pytest.raises(StateError, match=r"a directory without 'state\.json'"):
        ls.Engine.open(tmp_path)
    assert not (tmp_path / "layersim.lock").exists()
    with pytest.raises(FileNotFoundError):
        ls.Engine.open(tmp_path / "nothing")


FORGERIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a layer of nowhere": lambda document: document["places"].update(layer=[9, 9]),
    "a parent of nowhere": lambda document: document["places"].update(parent=[-1, 9]),
    "its own parent": lambda document: document["places"].update(parent=[0, 0]),
    "columns of two lengths": lambda document: document["places"].update(size=[1]),
    "a negative size": lambda document: document["places"].update(size=[-1, 1]),
    "one chain id twice": lambda document: document["places"].update(chain_id=["sha256:" + "1" * 64] * 2),
    "no digest": lambda document: document["layers"].update(diff_id=["md5:1"]),
    "beyond the file": lambda document: document["layers"].update(offset=[1 << 60]),
    "an image of no place": lambda document: _first(document, "images").update(top=7),
    "an image twice": lambda document: document.update(images=[_first(document, "images")] * 2),
    "a tag that is none": lambda document: _first(document, "images").update(tags=["UPPER"]),
    "a container of no image": lambda document: _first(document, "containers").update(image=5),
    "a state that none has": lambda document: _first(document, "containers").update(state="dead"),
    "a number to come": lambda document: _first(document, "containers").update(number=99),
    "a number twice": lambda document: document.update(containers=[_first(document, "containers")] * 2),
    "an unknown section": lambda document: document.update(secrets={}),
    "an unknown profile": lambda document: document.update(profile="podman"),
}


def _first(document: dict[str, Any], section: str) -> dict[str, object]:
    first: dict[str, object] = document[section][0]
    return first


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_document_is_refused(file: Path, forgery: str) -> None:
    """Every digest is right, and what the document says makes no sense."""
    whole = file.read_bytes()
    seal, _, rest = whole[512:].partition(b"\n")
    length, tail = json.loads(seal)["length"], json.loads(seal)["rest"]
    document = json.loads(rest[:length])
    FORGERIES[forgery](document)
    body = json.dumps(document).encode()
    forged = {"layersim_state": 1, "sha256": ls.sha256(body), "length": len(body), "rest": tail}
    data = json.dumps(forged).encode() + b"\n" + body
    info = tarfile.TarInfo("state.json")
    info.size = len(data)
    archive = io.BytesIO()
    archive.write(info.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % 512))
    file.write_bytes(archive.getvalue() + whole[len(whole) - tail :])
    with pytest.raises(StateError) as caught:
        ls.Engine.open(file)
    assert "\n" not in str(caught.value)


def test_a_saved_top_of_nonsense_is_one_typed_error_or_a_top(tmp_path: Path) -> None:
    """Its digest is right: somebody made it so."""
    view = ls.View([ls.Layer.from_changes([ls.write("/a", b"1"), ls.mkdir("/lower/in"), ls.mkdir("/lower/too")])])
    fs = ls.Overlay(view, redirect_dir=True, clock=lambda: NOW)
    fs.write_bytes("/b", b"22")
    fs.rename("/lower/in", "/moved")
    fs.rename("/lower/too", "/lower/2")
    fs.mkdir("/d")
    fs.link("/b", "/d/b")
    fs.symlink("b", "/l")
    fs.setxattr("/d", "user.a", b"1")
    fs.unlink("/a")
    fs.utime("/d", ns=(1, 2))
    whole, rng, refused = _saved_top(fs, tmp_path), random.Random(1), 0
    for number in range(1500):
        forged = bytearray(whole)
        for _ in range(rng.randrange(1, 4)):
            forged[rng.randrange(len(forged))] = rng.choice((0, 1, 2, 255, rng.randrange(256)))
        data = bytes(forged[: rng.randrange(len(forged))] if number % 5 == 0 else forged)
        digest = ls.sha256(data)
        (tmp_path / digest[7:]).write_bytes(data)
        try:
            made = Blobs.in_folder(tmp_path).upper(digest, 0, 0, len(data), 0).over(view)
        except ArchiveError:
            refused += 1
            continue
        made.changes()
        assert made.size_rw >= 0
        assert list(made.walk("/"))
        if made.size_rw < 1 << 20:
            made.write_bytes("/b", b"goes on")
    assert 300 < refused < 1500


def _saved_top(fs: ls.Overlay, folder: Path) -> bytes:
    upper = fs.upper()
    assert upper is not None
    assert write_blobs(folder, [upper]) == upper.length
    return (folder / upper.digest[7:]).read_bytes()
