"""What `load` refuses has a breach, and what `check_archive` calls in order can be loaded: on mutated archives."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING, Any

import pytest

import layersim as ls
from layersim.errors import LayerSimError
from layersim.profiles import PROFILE_NAMES
from tests.engine.archives import ImageSpec
from tests.hostile.test_checked_archives import APP, BASE, WHOLE, breaches
from tests.layouts import INDEX_TYPE, MANIFEST_TYPE, Members, as_tar, blob, docker_archive, oci_layout
from tests.tars import sha256

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = Any
IMAGE = ImageSpec(layers=(BASE, APP))
# What an archive holds is in order and for another machine, which is no breach.
_ELSEWHERE = re.compile(r"no image for \S+; there is (?!none)|cannot load \S+ image on ")
_DOCUMENTS = ("manifest.json", "index.json", "oci-layout", "repositories")
_ODD: list[Json] = [
    None,
    0,
    -1,
    1 << 70,
    1.5,
    True,
    "",
    "x",
    "\x00",
    "sha256:" + "0" * 64,
    "md5:1",
    "../../etc/passwd",
    "web:1",
    "UPPER:1",
    [],
    {},
    [None],
    {"a": {}},
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.unknown.thing",
]


def refusals(data: bytes) -> set[str]:
    """Return why engines do not load an archive, other than for its being for another machine."""
    found = set()
    for profile in PROFILE_NAMES:
        try:
            ls.Engine(profile, clock=lambda: 0).load(data)
        except LayerSimError as error:
            if not _ELSEWHERE.search(str(error)):
                found.add(f"{type(error).__name__}: {error}")
    return found


def places(value: Json) -> Iterator[tuple[Json, Any]]:
    """Yield every place in a document, as a container and a key."""
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from places(value[key])


def mutate(document: Json, rng: random.Random) -> Json:
    """Change a document in some places: other values, values of elsewhere, twice, gone."""
    for _ in range(rng.randrange(1, 3)):
        found = list(places(document))
        if not found:
            return rng.choice(_ODD)
        holder, key = rng.choice(found)
        match rng.randrange(4):
            case 0:
                holder[key] = rng.choice(_ODD)
            case 1:
                del holder[key]
            case 2 if isinstance(holder, list):
                holder.insert(key, json.loads(json.dumps(holder[key])))
            case _:
                other, at = rng.choice(found)
                if at in other if isinstance(other, dict) else at < len(other):
                    holder[key] = json.loads(json.dumps(other[at]))
    return document


def renamed(members: Members, old: str, data: bytes, depth: int = 8) -> Members:
    """Return the members with a blob changed, and every digest and size that names it, and those that name these."""
    before, after = old.rpartition("/")[2].removesuffix(".json"), sha256(data)[7:]
    if before == after or not depth or not re.fullmatch("[0-9a-f]{64}", before):
        return {**members, old: data}
    changed = {name: other for name, other in members.items() if name != old}
    size = len(members[old])
    changed[old.replace(before, after)] = data
    for name, other in list(changed.items()):
        if before.encode() in other and other[:1] in b"{[" and name in changed:
            text = other.replace(before.encode(), after.encode())
            text = text.replace(f'"size": {size}'.encode(), f'"size": {len(data)}'.encode())
            changed = renamed(changed, name, text, depth - 1)
    return changed


def mutated(members: Members, rng: random.Random) -> Members:
    """Return an archive with one document changed, mostly so that all digests are right again."""
    documents = [name for name, data in members.items() if data[:1] in b"{["]
    name = rng.choice(documents)
    data = json.dumps(mutate(json.loads(members[name]), rng)).encode()
    if rng.random() < 0.2:
        return {**members, name: data}
    return renamed(members, name, data)


def many_images() -> Members:
    """Return a docker-archive of an image and what was committed from it."""
    members = docker_archive(IMAGE)
    child = json.loads(IMAGE.config_bytes())
    child["history"] = [*(child.get("history") or []), {"created_by": "x", "empty_layer": True}]
    raw = json.dumps(child).encode()
    members[f"{sha256(raw)[7:]}.json"] = raw
    items = json.loads(members["manifest.json"])
    items.append({**items[0], "Config": f"{sha256(raw)[7:]}.json", "RepoTags": ["b:1"], "Parent": IMAGE.image_id})
    members["manifest.json"] = json.dumps(items).encode()
    return members


def deep(depth: int, *, is_bent: bool = False) -> Members:
    """Return a layout with so many indexes below `index.json`; bent, the last is named by the first, too."""
    members = oci_layout(IMAGE)
    top = json.loads(members["index.json"])["manifests"][0]
    bottom: dict[str, Any] = {}
    for number in range(depth):
        entries = [top] + ([bottom] if bottom and is_bent and number == depth - 1 else [])
        top = blob(members, json.dumps({"manifests": entries}).encode(), INDEX_TYPE)
        bottom = bottom or top
    members["index.json"] = json.dumps({"manifests": [top]}).encode()
    return members


CORPUS: dict[str, Members] = {
    **WHOLE,
    "nested": deep(2),
    "two names": oci_layout(IMAGE, "docker.io/library/web:1"),
    "committed": many_images(),
}


@pytest.mark.parametrize("form", CORPUS)
@pytest.mark.parametrize("seed", range(10))
def test_check_and_load_agree(form: str, seed: int) -> None:
    rng = random.Random(f"{form} {seed}")
    for _ in range(60):
        members = mutated(CORPUS[form], rng)
        refused = refusals(as_tar(members))
        if refused:
            assert breaches(members), (refused, {name: data for name, data in members.items() if len(data) < 2000})


@pytest.mark.parametrize("way", ["straight", "with a shorter one"])
@pytest.mark.parametrize("depth", range(1, 12))
def test_indexes_are_as_deep_as_loading_goes(depth: int, way: str) -> None:
    members = deep(depth, is_bent=way != "straight")
    refused, found = refusals(as_tar(members)), breaches(members)
    assert bool(refused) == bool(found) == (depth > 7)
    assert all("more than 8 deep" in text for text in (*refused, *found))


UNKNOWN = "application/vnd.unknown.thing"


@pytest.mark.parametrize(
    ("types", "outcome"),
    [
        ([UNKNOWN], "refused"),
        ([UNKNOWN, UNKNOWN], "refused"),
        ([UNKNOWN, MANIFEST_TYPE], "loaded"),
        ([MANIFEST_TYPE, UNKNOWN], "loaded"),
        ([MANIFEST_TYPE], "loaded"),
    ],
)
def test_what_one_name_offers_must_hold_an_image(types: list[str], outcome: str) -> None:
    members = oci_layout(IMAGE)
    (top,) = json.loads(members["index.json"])["manifests"]
    entries = [{**top, "mediaType": kind} for kind in types]
    members["index.json"] = json.dumps({"manifests": entries}).encode()
    assert any("expected an image manifest" in text for text in refusals(as_tar(members))) == (outcome == "refused")
    assert any("neither an index nor a manifest" in breach for breach in breaches(members)) == (outcome == "refused")


def test_one_image_may_have_a_tag_twice_and_two_may_not() -> None:
    members = many_images()
    items = json.loads(members["manifest.json"])
    twice = [*items, items[0], {**items[0], "RepoTags": ["web:1", "web:1"]}]
    assert breaches({**members, "manifest.json": json.dumps(twice).encode()}) == []
    copied = {**members, "copy": members[items[0]["Config"]]}
    same = [*items, {**items[0], "Config": "copy"}]
    assert breaches({**copied, "manifest.json": json.dumps(same).encode()}) == []
    items[1]["RepoTags"] = items[0]["RepoTags"]
    found = breaches({**members, "manifest.json": json.dumps(items).encode()})
    assert found == ["manifest.json: [1]: RepoTags: web:1 is the tag of another image, too"]
