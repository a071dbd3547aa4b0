"""`check_archive` on archives that somebody broke: each breach is told, and none where there is none."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

import layersim as ls
from tests.engine.archives import ImageSpec
from tests.layouts import INDEX_TYPE, MANIFEST_TYPE, Members, as_directory, as_tar, blob, docker_archive, oci_layout
from tests.tars import Entry, layer_tar, sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BASE = layer_tar([Entry("base", content=b"b" * 2000)])
APP = layer_tar([Entry("app", content=b"a" * 3000)])
IMAGE = ImageSpec(layers=(BASE, APP))
Json = dict[str, Any]


def breaches(members: Members) -> list[str]:
    return [str(breach) for breach in ls.check_archive(as_tar(members))]


def docker25() -> Members:
    """Return the files of what `docker save` of 25 writes."""
    engine, target = ls.Engine(), io.BytesIO()
    engine.load(as_tar(docker_archive(IMAGE)))
    engine.save("web:1", target, layout="docker25")
    with tarfile.open(fileobj=io.BytesIO(target.getvalue())) as tar:
        files = ((member.name, tar.extractfile(member)) for member in tar if member.isfile())
        return {name: file.read() for name, file in files if file is not None}


WHOLE = {
    "docker-archive": docker_archive(IMAGE),
    "OCI": oci_layout(IMAGE),
    "both": docker25(),
}


@pytest.mark.parametrize("form", WHOLE)
def test_an_archive_in_order_has_no_breach(form: str, tmp_path: Path) -> None:
    assert ls.check_archive(as_tar(WHOLE[form])) == []
    assert ls.check_archive(as_directory(WHOLE[form], tmp_path)) == []
    assert ls.check_archive(gzip.compress(as_tar(WHOLE[form]))) == []


@pytest.mark.parametrize("form", WHOLE)
def test_every_member_that_is_missing_is_told(form: str) -> None:
    unneeded = {"repositories"} | {
        name for name in WHOLE[form] if name.startswith("blobs/") and is_v1(WHOLE[form][name])
    }
    for name in WHOLE[form].keys() - unneeded:
        rest = {other: data for other, data in WHOLE[form].items() if other != name}
        found = breaches(rest)
        if name == "manifest.json" and form == "both":
            assert found == []  # then it is an OCI layout
        else:
            assert any(name in breach or "neither a docker-archive" in breach for breach in found), (name, found)


def is_v1(data: bytes) -> bool:
    """Whether a blob is a document from before ids by content, which nothing refers to."""
    return data.startswith(b'{"id":')


@pytest.mark.parametrize("form", WHOLE)
def test_every_bit_that_flips_is_told(form: str) -> None:
    rng = random.Random(4)
    for name, data in WHOLE[form].items():
        if name in {"oci-layout", "manifest.json", "index.json", "repositories"} or name.endswith(".json"):
            continue  # documents without a digest of their own, or whose digest nothing names
        at = rng.randrange(len(data))
        flipped = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
        found = breaches({**WHOLE[form], name: flipped})
        # A layer is known by the place that names it.
        assert any(name in breach or "Layers[" in breach for breach in found), (name, found)


@pytest.mark.parametrize("form", WHOLE)
def test_every_blob_that_is_cut_short_is_told(form: str) -> None:
    for name, data in WHOLE[form].items():
        assert breaches({**WHOLE[form], name: data[: len(data) // 2]}), name


def edited(members: Members, name: str, edit: Callable[[Any], object]) -> Members:
    """Return the members with a JSON document changed in place."""
    document = json.loads(members[name])
    edit(document)
    return {**members, name: json.dumps(document).encode()}


def oci_with(edit: Callable[[Json], object]) -> Members:
    """Return a layout whose manifest is changed, and named as what it is then."""
    members = dict(WHOLE["OCI"])
    index = json.loads(members["index.json"])
    top = index["manifests"][0]
    manifest = json.loads(members.pop("blobs/sha256/" + top["digest"][7:]))
    edit(manifest)
    index["manifests"] = [{**top, **blob(members, json.dumps(manifest).encode(), MANIFEST_TYPE)}]
    members["index.json"] = json.dumps(index).encode()
    return members


def test_all_breaches_are_told_and_not_the_first() -> None:
    def spoil(manifest: Json) -> None:
        manifest["layers"][0]["size"] += 1
        manifest["layers"][1]["mediaType"] = "application/vnd.oci.image.layer.v1.tar+zstd"
        manifest["layers"].append({"mediaType": "x", "digest": "sha256:" + "0" * 64, "size": 1})
        manifest["layers"].append({"mediaType": "x", "digest": "md5:1", "size": 1})
        manifest["layers"].append({"mediaType": "x", "digest": 5, "size": 1})

    found = "\n".join(breaches(oci_with(spoil)))
    for part in (
        "layers[0]: its descriptor promises",
        "layers[1]: its media type 'application/vnd.oci.image.layer.v1.tar+zstd' promises zstd, the blob is gzip",
        f"layers[2]: missing in the archive: 'blobs/sha256/{'0' * 64}'",
        "layers[3]: expected sha256: and 64 hex digits, got 'md5:1'",
        "layers[4]: Expected `str`, got `int`",
        "5 layers in the manifest, 2 diff_ids in the config",
    ):
        assert part in found


def test_wrong_diff_ids_are_told_for_each_layer() -> None:
    swapped = ImageSpec(layers=(APP, BASE))
    members = {**oci_layout(IMAGE), **oci_layout(swapped)}
    wrong = blob(members, swapped.config_bytes(), "application/vnd.oci.image.config.v1+json")

    def use_wrong_config(manifest: Json) -> None:
        manifest["config"] = wrong

    found = breaches({**members, **oci_with(use_wrong_config)})
    assert sum("layers[0]" in breach and sha256(BASE) in breach for breach in found) == 1
    assert sum("layers[1]" in breach and sha256(APP) in breach for breach in found) == 1


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda items: items[0].update(Config="nowhere.json"), "Config: missing in the archive: 'nowhere.json'"),
        (lambda items: items[0]["Layers"].pop(), "layers length mismatch: expected 1, got 2"),
        (lambda items: items[0]["Layers"].reverse(), "[0]: Layers[0]"),
        (lambda items: items[0].update(RepoTags=["A:B:C"]), "RepoTags: invalid reference format"),
        (lambda items: items.append(dict(items[0])), None),
        (lambda items: items[0].update(Parent="sha256:" + "1" * 64), "its parent is no image of the archive"),
        (lambda items: items.append(5), "[1]: Expected `object`, got `int`"),
        (lambda items: items[0]["LayerSources"].popitem()[1].update(size=1), None),
        (lambda items: next(iter(items[0]["LayerSources"].values())).update(size=1), "promises 1 bytes"),
        (lambda items: next(iter(items[0]["LayerSources"].values())).update(digest="sha256:0"), "promises sha256:0, "),
        (lambda items: items[0]["LayerSources"].update({"sha256:1": {"digest": "", "size": 0}}), "is no layer"),
    ],
)
def test_what_is_wrong_in_the_manifest_is_told(edit: Callable[[Any], object], expected: str | None) -> None:
    found = breaches(edited(WHOLE["both"], "manifest.json", edit))
    assert (found == []) if expected is None else any(expected in breach for breach in found), found


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"web": {"1": "0" * 64}}, f"repositories: web:1: names a layer that is not there: '{'0' * 64}'"),
        ({"web": {"2": sha256(APP)[7:]}}, "repositories: web:2: is no tag in manifest.json"),
        ({"web": {"1": sha256(BASE)[7:]}}, "the top layer in manifest.json is blobs/sha256/"),
        ({"WEB": {"1": sha256(APP)[7:]}}, "invalid reference format"),
        ({"web": 5}, "repositories: Expected `object`, got `int`"),
        ([], "repositories: Expected `object`, got `array`"),
    ],
)
def test_what_repositories_name_is_checked(document: object, expected: str) -> None:
    found = breaches({**WHOLE["both"], "repositories": json.dumps(document).encode()})
    assert any(expected in breach for breach in found), found


def test_too_many_steps_are_told() -> None:
    config = json.loads(IMAGE.config_bytes()) | {"history": [{}] * 3}
    members = {**docker_archive(IMAGE), "c": json.dumps(config).encode()}
    found = breaches(edited(members, "manifest.json", lambda items: items[0].update(Config="c")))
    assert found == ["c: too many non-empty layers in History section"]


def test_odd_names_are_told() -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name, data in [
            *WHOLE["OCI"].items(),
            ("index.json", WHOLE["OCI"]["index.json"]),
            ("a/../b", b""),
            ("//c", b""),
        ]:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("dangling")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    assert [str(breach) for breach in ls.check_archive(target.getvalue())] == [
        "index.json: another member has the same name",
        "a/../b: the name is not canonical",
        "//c: the name is not canonical",
        "dangling: is a link to nothing in the archive",
    ]


def test_a_tar_of_a_directory_is_in_order(tmp_path: Path) -> None:
    """GNU tar puts ./ before every name."""
    as_directory(WHOLE["OCI"], tmp_path / "d")
    with tarfile.open(tmp_path / "d.tar", "w") as tar:
        tar.add(tmp_path / "d", arcname=".")
    assert ls.check_archive(tmp_path / "d.tar") == []


def test_indexes_that_name_themselves_and_each_other_come_to_an_end() -> None:
    members: Members = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
    name = "sha256:" + "a" * 64
    itself = {"mediaType": INDEX_TYPE, "digest": name, "size": 0}
    members["blobs/sha256/" + "a" * 64] = json.dumps({"manifests": [itself] * 1000}).encode()
    members["index.json"] = json.dumps({"manifests": [itself]}).encode()
    found = breaches(members)
    assert any(f"blobs/sha256/{'a' * 64}: expected {name}" in breach for breach in found)
    level = {"mediaType": INDEX_TYPE, "digest": name, "size": 0}
    for _ in range(200):
        level = blob(members, json.dumps({"manifests": [level, level]}).encode(), INDEX_TYPE)
    members["index.json"] = json.dumps({"manifests": [level]}).encode()
    assert breaches(members)


@pytest.mark.parametrize(
    "data",
    [b"", b"x" * 511, b"x" * 512, gzip.compress(b"x" * 5000)[:-9], as_tar({}), as_tar({"a": b"b"})],
)
def test_what_is_no_archive_is_one_breach(data: bytes) -> None:
    assert len(ls.check_archive(data)) == 1


def test_what_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ls.check_archive(tmp_path / "nothing.tar")


@pytest.mark.parametrize("seed", range(150))
def test_no_damage_makes_it_raise(seed: int) -> None:
    rng = random.Random(seed)
    members = dict(rng.choice(list(WHOLE.values())))
    for _ in range(rng.randrange(1, 4)):
        name = rng.choice(sorted(members))
        data = bytearray(members[name])
        for _ in range(rng.randrange(1, 6)):
            at = rng.randrange(len(data) + 1)
            data[at : at + rng.randrange(3)] = rng.choice([b"", b"null", b'"', b"[", b"{}", b"\xff", b"-1", b"1e999"])
        members[name] = bytes(data)
    if rng.random() < 0.3:
        del members[rng.choice(sorted(members))]
    for breach in ls.check_archive(as_tar(members)):
        assert breach.what
