"""Image configs, references and times: what is read, what is refused, what is written again."""

from __future__ import annotations

import copy
import json
import math
import pickle
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.errors import InvalidReferenceError, ValidationError
from layersim.image import instant, parse_config, parse_new_tag, parse_reference
from layersim.image.document import decode_untyped, encode
from layersim.image.runtime import of_container, written

if TYPE_CHECKING:
    from layersim.image.document import Json

EMPTY = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
# The worked example of layers.md section 1.
EXAMPLE = (
    '{"architecture":"amd64","os":"linux","created":"2023-11-14T22:13:20Z","config":{"Cmd":["x"]},'
    f'"rootfs":{{"type":"layers","diff_ids":["{EMPTY}","{EMPTY}","{EMPTY}"]}},'
    '"history":[{"created":"2023-11-14T22:13:20Z","created_by":"one"},'
    '{"created":"2023-11-14T22:13:20Z","created_by":"meta","empty_layer":true},'
    '{"created":"2023-11-14T22:13:20Z","created_by":"two"},'
    '{"created":"2023-11-14T22:13:20Z","created_by":"three"}]}'
).encode()


def test_the_worked_example_has_the_ids_of_the_engine() -> None:
    assert len(EXAMPLE) == 605
    assert ls.sha256(EXAMPLE) == "sha256:c8a2882a1fe07e439970082d39d701ef4e7f3322a6f1495db1c543bc4d5669a4"
    assert ls.chain_ids(parse_config(EXAMPLE).diff_ids) == [
        EMPTY,
        "sha256:170b376f64fb30995c140276be3d71dfb256b308d86183ca3b22aa93a79ad548",
        "sha256:7800f80a93336d416612f372faa5f69eb67b353ce6ae9535fa0848f8784c74b1",
    ]


def changed(**fields: object) -> bytes:
    """Return the example with other fields; None takes one away."""
    document = json.loads(EXAMPLE) | fields
    return json.dumps({name: value for name, value in document.items() if value is not None}).encode()


@pytest.mark.parametrize(
    ("raw", "breach"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"[]", "Expected `object`"),
        (b"\xff\xfe", "malformed"),
        (b'{"novelty":' + b"[" * 100_000, "nested too deeply"),
        (changed(rootfs=None), "no RootFS key"),
        (changed(rootfs={"type": "layers", "diff_ids": [EMPTY] * 2}), "too many non-empty layers in History section"),
        (changed(rootfs={"type": "layers", "diff_ids": ["sha256:12"] * 3}), "diff_ids[0] must be sha256:"),
        (changed(rootfs={"type": "layers", "diff_ids": [3]}), "Expected `str`, got `int` - at `$.rootfs.diff_ids[0]`"),
        (changed(created="yesterday"), "created: not a time of RFC 3339: 'yesterday'"),
        (changed(created="2023-02-30T00:00:00Z"), "created: "),
        (changed(history=[{"created": "2023"}]), "history[0].created"),
        (changed(architecture=7), "Expected `str | null`, got `int` - at `$.architecture`"),
    ],
)
def test_a_config_that_breaks_a_rule(raw: bytes, breach: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_config(raw, "member.json")
    assert "member.json" in str(caught.value)
    assert breach in str(caught.value)


def test_every_breach_is_listed() -> None:
    raw = changed(rootfs={"type": "x", "diff_ids": ["y"]}, created="z")
    with pytest.raises(ValidationError) as caught:
        parse_config(raw)
    assert len(caught.value.breaches) == 3


def test_a_config_cannot_be_changed() -> None:
    runs: Json = {"Env": ["A=1"], "Cmd": ["x"], "Volumes": {"/v": {"in": [1]}}, "Labels": {"a": "b"}}
    config = parse_config(changed(config=runs))
    own = config.run_config
    assert (own.env, own.cmd, own.entrypoint, own.exposed_ports) == (("A=1",), ("x",), None, None)
    assert (own.labels, own.volumes) == ({"a": "b"}, {"/v": {"in": (1,)}})
    assert config.rootfs is not None
    shared = [own.env, own.cmd, own.labels, own.volumes, (own.volumes or {})["/v"], config.history]
    assert not any(isinstance(value, list | dict) for value in [*shared, config.rootfs.diff_ids])
    assert repr(own.labels) == "{'a': 'b'}"
    for again in (pickle.loads(pickle.dumps(config)), copy.deepcopy(config)):
        assert again == config
        assert hash(again) == hash(config)


@pytest.mark.parametrize("kind", [None, "", "base", "layers+base"])
def test_engines_do_not_ask_for_the_type_of_a_root(kind: str | None) -> None:
    assert parse_config(changed(rootfs={"type": kind, "diff_ids": [EMPTY] * 3})).diff_ids == (EMPTY,) * 3


def test_text_that_is_no_unicode_is_read_as_go_reads_it() -> None:
    raw = changed(author="A").replace(b'"A"', b'"\xffa\xe2\x82 \\ud800 \\ud83d\\ude00 \\\\ud800"')
    assert parse_config(raw).author == "\ufffda\ufffd\ufffd \ufffd \U0001f600 \\ud800"


def test_unknown_fields_and_fewer_steps_than_layers_are_fine() -> None:
    config = parse_config(changed(history=None, novelty={"a": [1]}, variant="v8"))
    assert (config.history, config.variant) == (None, "v8")


@pytest.mark.parametrize(
    ("text", "nanoseconds", "again"),
    [
        ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"),
        ("2026-11-24T02:29:39.237558263Z", 1795487379237558263, "2026-11-24T02:29:39.237558263Z"),
        ("2026-11-24T02:29:39.500Z", 1795487379500000000, "2026-11-24T02:29:39.5Z"),
        ("1970-01-01T01:00:00+01:00", 0, "1970-01-01T01:00:00+01:00"),
        ("1970-01-01T00:00:00+00:00", 0, "1970-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00Z", -62135596800 * 10**9, "0001-01-01T00:00:00Z"),
    ],
)
def test_times(text: str, nanoseconds: int, again: str) -> None:
    assert instant.parse(text) == nanoseconds
    assert instant.normalised(text) == again
    assert instant.parse(instant.format_utc(nanoseconds)) == nanoseconds


def test_a_time_before_year_one_is_year_one() -> None:
    assert instant.to_datetime(instant.parse("0001-01-01T00:00:00+05:00")) == datetime(1, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "familiar", "repository"),
    [
        ("busybox", "busybox:latest", "busybox"),
        ("docker.io/library/busybox:1", "busybox:1", "busybox"),
        ("index.docker.io/busybox", "busybox:latest", "busybox"),
        ("docker.io/me/app", "me/app:latest", "me/app"),
        ("localhost/app:v1", "localhost/app:v1", "localhost/app"),
        ("localhost:5000/team/app", "localhost:5000/team/app:latest", "localhost:5000/team/app"),
        ("example.com/a/b/c:X_.-1", "example.com/a/b/c:X_.-1", "example.com/a/b/c"),
        ("a__b/c--d.e_f", "a__b/c--d.e_f:latest", "a__b/c--d.e_f"),
        ("library/x/y", "library/x/y:latest", "library/x/y"),
        ("docker.io/foo.com/x:1", "foo.com/x:1", "foo.com/x"),
        ("docker.io/docker.io/x:1", "x:1", "x"),
        ("docker.io/library/x.y:1", "x.y:1", "x.y"),
        ("Foo.com/x:1", "Foo.com/x:1", "Foo.com/x"),
        ("a" * 64 + ":1", "a" * 64 + ":1", "a" * 64),
        ("[fd00::1]:5000/x", "[fd00::1]:5000/x:latest", "[fd00::1]:5000/x"),
        ("Foo/bar:1", "Foo/bar:1", "Foo/bar"),
        ("a_b.com/x:1", "a_b.com/x:1", "a_b.com/x"),
        ("docker.io/a_b.com/x:1", "a_b.com/x:1", "a_b.com/x"),
        ("a/" * 126 + "a:1", "a/" * 126 + "a:1", "a/" * 126 + "a"),
    ],
)
def test_references(text: str, familiar: str, repository: str) -> None:
    reference = parse_reference(text)
    assert (str(reference), reference.repository) == (familiar, repository)
    assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize(
    "text",
    [
        *("", ":", "a:", ":a", "A", "a/B", "a//b", "-a", "a-", "a..b", "a___b", "a b", "a:b c", "a:" + "x" * 129, "/a"),
        *("a" * 256, "f" * 64, "a@sha256:" + "0" * 64, "é", "a:é", "http://x", "a:-", "x.y:z/a", "a" * 100_000, "a\n"),
        *("docker.io/Foo.com/r:2", "a/" * 127 + "aa:1", "[g::1]/x", "a@sha256:abc", "a@md5:" + "0" * 32),
    ],
)
def test_bad_references(text: str) -> None:
    with pytest.raises(InvalidReferenceError):
        parse_reference(text)


def test_references_are_in_the_order_of_their_full_texts() -> None:
    """As moby sorts them: what may follow a name (``-``, ``.``, ``/``, digits) comes before the colon."""
    tags = ["a/b:1", "a-b:1", "a.b:1", "a1:1", "a:1", "a:1-x", "a:1.x", "a_b:1", "z:0", "h.com/x:1", "h.com:5000/x:1"]
    assert [str(reference) for reference in sorted(map(parse_reference, reversed(tags)))] == tags


def test_a_name_of_one_familiar_form_is_one_reference() -> None:
    """As in moby, which keeps tags by their familiar form: the host by default cannot be seen in it."""
    assert parse_reference("docker.io/foo.com/x:1") == parse_reference("foo.com/x:1")
    assert parse_reference("docker.io/library/foo.com/x:1") != parse_reference("foo.com/x:1")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *((f"{name}:1", "ambiguous tag using digest algorithm") for name in ("sha256", "docker.io/library/sha256")),
        ("a" * 64, f"^invalid repository name \\({'a' * 64}\\), cannot specify 64-byte hexadecimal strings$"),
        ("x@sha256:" + "0" * 64, "^refusing to create a tag with a digest reference$"),
        ("a" * 64 + ":1", f"^invalid repository name \\({'a' * 64}\\), cannot specify 64-byte hexadecimal strings$"),
    ],
)
def test_what_could_be_taken_for_an_id_is_no_new_tag(text: str, why: str) -> None:
    with pytest.raises(InvalidReferenceError, match=why):
        parse_new_tag(text)


def test_other_names_of_algorithms_are_new_tags() -> None:
    assert [str(parse_new_tag(text)) for text in ("sha512:1", "foo.com/sha256:1")] == ["sha512:1", "foo.com/sha256:1"]


def test_a_capital_letter_is_named_as_the_reason() -> None:
    with pytest.raises(InvalidReferenceError, match="must be lowercase"):
        parse_reference("Bad:1")


def test_a_hostile_reference_is_refused_at_once() -> None:
    with pytest.raises(InvalidReferenceError):
        parse_reference("a" + "-a" * 120 + "!")


def test_json_is_escaped_as_go_does() -> None:
    assert encode({"a": "<&>\u2028é"}) == '{"a":"\\u003c\\u0026\\u003e\\u2028é"}'.encode()


def test_a_container_config_is_written_in_the_order_of_the_engine() -> None:
    config = written({"Shell": ["sh"], "Cmd": "x", "Labels": {"b": "1", "a": "2"}, "StopTimeout": 0, "Unknown": 1})
    assert list(config)[-3:] == ["Labels", "StopTimeout", "Shell"]
    assert (config["Cmd"], json.dumps(config["Labels"])) == (["x"], '{"a": "2", "b": "1"}')
    assert "Unknown" not in config
    assert len(written(None)) == 17


def test_a_container_inherits_what_it_does_not_say_itself() -> None:
    image: Json = {"Env": ["A=1"], "Cmd": ["a"], "Entrypoint": ["e"], "OnBuild": ["x"], "WorkingDir": "/w"}
    config = of_container(image, {"Cmd": ["own"], "Hostname": "h"})
    assert (config["Cmd"], config["Entrypoint"], config["OnBuild"], config["Labels"]) == (["own"], ["e"], None, {})
    assert of_container(image, {"Entrypoint": ["own"]})["Cmd"] is None


def test_a_number_without_end_costs_no_time_and_no_error() -> None:
    document = decode_untyped(b'{"size": 12, "novelty": ' + b"7" * 5000 + b"}", "config")
    assert document == {"size": 12, "novelty": math.inf}


def test_keys_match_in_any_case_as_in_go() -> None:
    raw = json.dumps({"OS": "linux", "ROOTFS": {"Diff_IDs": []}, "config": {"cmd": ["a"], "LABELS": {"Key": "v"}}})
    config = parse_config(raw.encode())
    assert (config.os, config.diff_ids, config.run_config.command) == ("linux", (), ("a",))
    assert config.run_config.labels == {"Key": "v"}
    assert parse_config(EXAMPLE.replace(b'"os"', b'"o\xc5\xbf"')).os == "linux"  # the long s folds, too


def test_nulls_in_lists_are_empty_values_as_in_go() -> None:
    config = parse_config(changed(history=[None], config={"Cmd": ["a", None], "Labels": {"a": None}, "Env": None}))
    assert config.history == (ls.HistoryEntry(),)
    assert config.run_config.cmd == ("a", "")
    assert config.run_config.labels == {"a": ""}
    with pytest.raises(ls.LayerSimError, match="must be sha256"):
        parse_config(changed(rootfs={"type": "layers", "diff_ids": [None]}))


def test_a_set_holds_objects_as_in_go() -> None:
    assert parse_config(changed(config={"Volumes": {"/v": None, "/w": {}}})).run_config.volumes == {"/v": {}, "/w": {}}
    for name in ("Volumes", "ExposedPorts"):
        with pytest.raises(ValidationError, match="Expected `object`, got `int`"):
            parse_config(changed(config={name: {"80/tcp": 1}}))


@pytest.mark.parametrize(
    ("text", "seconds", "again"),
    [
        ("2020-01-01T5:00:00Z", 1577854800, "2020-01-01T05:00:00Z"),
        ("0000-01-01T00:00:00Z", -62167219200, "0000-01-01T00:00:00Z"),
        ("2020-01-01T00:00:00+23:60", 1577750400, "2020-01-01T00:00:00+24:00"),
        ("2020-01-01T00:00:00-24:61", 1577926860, "2020-01-01T00:00:00-25:01"),
        ("9999-12-31T23:59:59-23:59", 253402387139, "9999-12-31T23:59:59-23:59"),
    ],
)
def test_times_that_go_reads(text: str, seconds: int, again: str) -> None:
    assert (instant.unix_seconds(text), instant.normalised(text)) == (seconds, again)


@pytest.mark.parametrize("kind", ["[", '{"a":'])
def test_ten_thousand_levels_are_read_and_no_more(kind: str) -> None:
    def nested(levels: int, *, core: str = "0", closing: str = "") -> bytes:
        ends = ("]" if kind == "[" else "}") * levels
        return changed(author="A").replace(
            b'"author"', f'"novelty":{kind * levels}{core}{closing or ends},"author"'.encode()
        )

    for levels in (10, 900, 1500, 9_999):
        assert parse_config(nested(levels)).author == "A"
        with pytest.raises(ls.LayerSimError):
            parse_config(nested(levels, core="0 0"))
    for levels in (10_000, 100_000):
        with pytest.raises(ls.LayerSimError, match="nested too deeply"):
            parse_config(nested(levels))
    with pytest.raises(ls.LayerSimError):
        parse_config(nested(1500, closing="]" * 1499))
