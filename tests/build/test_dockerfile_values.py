"""Values inside instructions: ports, durations, signals, mounts, health checks."""

from __future__ import annotations

import pytest

from layersim import DockerfileError
from layersim.build.dockerfile import (
    BUILDKIT20,
    BUILDKIT29,
    DIALECTS,
    LEGACY29,
    Add,
    Copy,
    Expose,
    Healthcheck,
    Mount,
    Run,
    Volume,
    check_signal,
    expand,
    parse,
    read_mount,
    read_ports,
)
from layersim.build.dockerfile.durations import print_duration, read_duration


@pytest.mark.parametrize(
    ("word", "ports"),
    [
        ("80", ["80/tcp"]),
        ("80/", ["80/tcp"]),
        ("80/TCP", ["80/tcp"]),
        ("0080/sctp", ["80/sctp"]),
        ("80-82/udp", ["80/udp", "81/udp", "82/udp"]),
        (":80", ["80/tcp"]),
        ("8080:80", ["80/tcp"]),
        ("1.2.3.4:80:81", ["81/tcp"]),
        ("[::1]:80:80", ["80/tcp"]),
        ("1-2:3", ["3/tcp"]),
        ("1-2:3-4", ["3/tcp", "4/tcp"]),
    ],
)
def test_ports(word: str, ports: list[str]) -> None:
    for dialect in DIALECTS:
        assert read_ports([word], dialect) == ports


@pytest.mark.parametrize(
    ("word", "older", "newest"),
    [
        ("a", "Invalid containerPort: a", "invalid containerPort: a"),
        ("70000", "Invalid containerPort: 70000", "invalid containerPort: 70000"),
        ("82-80", "Invalid containerPort: 82-80", "invalid containerPort: 82-80"),
        ("80/foo", "Invalid proto: foo", 'invalid port: "80/foo": invalid proto: foo'),
        ("80:", "No port specified: 80:<empty>", 'invalid port: "80:": no port specified'),
        ("/tcp", "No port specified: /tcp<empty>", 'invalid port: "/tcp": no port specified'),
        ("x:80:80", "Invalid ip address: x", "invalid IP address: x"),
        ("a:80", "Invalid hostPort: a", "invalid hostPort: a"),
        (
            "1-2:3-5",
            "Invalid ranges specified for container and host Ports: 3-5 and 1-2",
            "invalid ranges specified for container and host Ports: 3-5 and 1-2",
        ),
    ],
)
def test_what_is_no_port(word: str, older: str, newest: str) -> None:
    for dialect in DIALECTS:
        with pytest.raises(DockerfileError) as caught:
            read_ports([word], dialect)
        assert str(caught.value) == (newest if dialect == BUILDKIT29 else older)


def test_ports_that_builders_disagree_about() -> None:
    assert read_ports(["1-2-3"], LEGACY29) == ["1/tcp", "2/tcp"]
    assert read_ports(["+80"], BUILDKIT29) == ["80/tcp"]
    for word, dialect in (("1-2-3", BUILDKIT29), ("+80", BUILDKIT20)):
        with pytest.raises(DockerfileError, match="nvalid containerPort"):
            read_ports([word], dialect)


def test_ports_are_taken_in_order() -> None:
    made = parse("FROM a\nEXPOSE 80-82/udp 1 $X").stages[0].instructions[0]
    assert isinstance(made, Expose)
    assert made.ports == ("$X", "1", "80-82/udp")


@pytest.mark.parametrize(
    ("text", "duration_ns", "printed"),
    [
        ("5s", 5_000_000_000, "5s"),
        ("1h2.5s", 3_602_500_000_000, "1h0m2.5s"),
        ("90m", 5_400_000_000_000, "1h30m0s"),
        ("1.5ms", 1_500_000, "1.5ms"),
        ("100us", 100_000, "100\u00b5s"),
        ("7\u03bcs", 7_000, "7\u00b5s"),
        ("1ns", 1, "1ns"),
        ("0", 0, "0s"),
        ("+.5h", 1_800_000_000_000, "30m0s"),
        ("-1.s", -1_000_000_000, "-1s"),
        ("2562047h47m16.854775807s", (1 << 63) - 1, "2562047h47m16.854775807s"),
    ],
)
def test_durations(text: str, duration_ns: int, printed: str) -> None:
    assert read_duration(text) == duration_ns
    assert print_duration(duration_ns) == printed


@pytest.mark.parametrize("word", ["9", "99", "-1", "KILL", "SIGKILL", "sigterm", "RTMIN+15", "SIGRTMAX-14", "RTMAX"])
def test_signals(word: str) -> None:
    for dialect in DIALECTS:
        check_signal(word, dialect)


@pytest.mark.parametrize("word", ["", "0", "-0", "FOO", "RTMIN+16", "RTMAX-15", "SIGSIGKILL", "9 "])
def test_what_is_no_signal(word: str) -> None:
    for dialect in DIALECTS:
        with pytest.raises(DockerfileError) as caught:
            check_signal(word, dialect)
        assert str(caught.value) == f"{'Invalid' if dialect.generation == 20 else 'invalid'} signal: {word}"


@pytest.mark.parametrize(
    ("text", "mount"),
    [
        ("target=/c", Mount(target="/c", is_readonly=True)),
        ("type=cache,dst=/c,id=x,sharing=LOCKED", Mount("cache", "/c", cache_id="x", sharing="locked")),
        ("type=tmpfs,target=/t,ro", Mount("tmpfs", "/t", is_readonly=True)),
        ("from=b,src=/a,destination=/c,rw", Mount("bind", "/c", "/a", "b")),
        ("target=/c,readonly=false", Mount(target="/c")),
        ("target=/c,rw=true", Mount(target="/c")),
        (
            "type=secret,id=s,required,mode=0400,uid=1,gid=2",
            Mount("secret", cache_id="s", is_readonly=True, is_required=True, mode=256, uid=1, gid=2),
        ),
        ('type=cache,"target=/a,b"', Mount("cache", "/a,b")),
    ],
)
def test_mounts(text: str, mount: Mount) -> None:
    for dialect in DIALECTS:
        assert read_mount(text, dialect) == mount


def test_mounts_have_variables() -> None:
    found = read_mount("type=$T,target=$D,size=$S", BUILDKIT29, lambda word: expand(word, {"T": "tmpfs", "S": "1.5k"}))
    assert found == Mount("tmpfs", size=1536)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("foo", "invalid field 'foo' must be a key=value pair"),
        ("required", "unexpected key 'required' for mount type 'bind'"),
        ("type=tmpfs,mode=7,target=/x", 'mode not allowed for "tmpfs" type mounts'),
        ("type=cache,uid=x", "invalid value x for uid"),
        ("type=cache,mode=8", "invalid value 8 for mode"),
        ("type=cache,gid=99999999999999999999", "invalid value 99999999999999999999 for gid"),
        ("type=cache,sharing=x", 'unsupported sharing value "x"'),
        ("ro=x", "invalid value for ro: x"),
        ("type=secret", "invalid secret mount. one of source, target required"),
        ("type=secret,from=a", "secret mount should not have a from"),
        ("type=secret,sharing=locked", "secret mount should not define sharing"),
        ("type=secret,id=a,source=b", "both source and id can't be set"),
        ("sharing=locked", "invalid cache sharing set for bind mount"),
        (
            '"a"b',
            'failed to parse csv mounts: parse error on line 1, column 3: extraneous or missing " in quoted-field',
        ),
    ],
)
def test_what_is_no_mount(text: str, message: str) -> None:
    for dialect in DIALECTS:
        with pytest.raises(DockerfileError) as caught:
            read_mount(text, dialect)
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message", "question"),
    [
        ("type=bnd", 'unsupported mount type "bnd"', " (did you mean bind?)"),
        ("tpe=x", "unexpected key 'tpe' in 'tpe=x'", " (did you mean type?)"),
    ],
)
def test_29_asks_what_was_meant(text: str, message: str, question: str) -> None:
    for dialect, said in ((BUILDKIT20, message), (BUILDKIT29, message + question)):
        with pytest.raises(DockerfileError) as caught:
            read_mount(text, dialect)
        assert str(caught.value) == said


def test_the_size_of_a_mount_came_later() -> None:
    with pytest.raises(DockerfileError, match="unexpected key 'size' in 'size=1'"):
        read_mount("type=tmpfs,size=1", BUILDKIT20)
    with pytest.raises(DockerfileError, match="invalid value for size: x"):
        read_mount("type=tmpfs,size=x", BUILDKIT29)
    with pytest.raises(DockerfileError, match="unexpected key 'size' for mount type 'bind'"):
        read_mount("size=1", BUILDKIT29)


def test_flags_have_types() -> None:
    text = """FROM a
RUN --mount=target=/a --mount=target=/b --network=host --device=x y
COPY --link --exclude=a --exclude=b --parents=false s d
ADD --keep-git-dir=TRUE --checksum=sha256:0 --unpack=false s d
ADD s d
HEALTHCHECK --interval=1s --timeout=2s --start-period=3s --start-interval=4s --retries=5 cmd x
HEALTHCHECK NONE
VOLUME ["/a b", " /c "]
"""
    run, copy, add, plain, health, none, volume = parse(text).stages[0].instructions
    assert isinstance(run, Run)
    assert (run.mounts, run.network, run.devices) == (("target=/a", "target=/b"), "host", ("x",))
    assert isinstance(copy, Copy)
    assert (copy.link, copy.excludes, copy.parents) == (True, ("a", "b"), False)
    assert isinstance(add, Add)
    assert (add.keep_git_dir, add.checksum, add.unpack, add.link) == (True, "sha256:0", False, False)
    assert isinstance(plain, Add)
    assert (plain.keep_git_dir, plain.checksum, plain.unpack) == (None, None, None)
    assert isinstance(health, Healthcheck)
    seconds = (health.interval_ns, health.timeout_ns, health.start_period_ns, health.start_interval_ns)
    assert ([each // 10**9 for each in seconds], health.retries) == ([1, 2, 3, 4], 5)
    assert health.test == ("CMD-SHELL", "x")
    assert isinstance(none, Healthcheck)
    assert none.test == ("NONE",)
    assert isinstance(volume, Volume)
    assert volume.paths == ("/a b", "/c")
