"""The layers of RUN steps in a sandbox against those that the real engine's two builders make of the same commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

import layersim as ls
from layersim.build.running import buildkit_words, legacy_words
from layersim.build.running.surroundings import legacy
from layersim.errors import RunError
from tests.engine.archives import ImageSpec, docker_archive
from tests.engine.both_builds import BUILDERS, Bench
from tests.engine.dockerfiles import corpus, write_context
from tests.engine.rootfs import busybox_tar
from tests.tars import Entry, directory, hardlink, layer_tar, symlink
from tests.trees import snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.both_builds import Builder
    from tests.engine.daemon import Daemon

PASSWD = b"root:x:0:0:root:/root:/bin/sh\nweb:x:33:44::/srv/web:/bin/sh\n"
GROUP = b"root:x:0:\nweb:x:44:\nextra:x:55:other,web\nstaff:x:50:\n"
TREE = layer_tar(
    [
        directory("etc"),
        Entry("etc/passwd", content=PASSWD),
        Entry("etc/group", content=GROUP),
        directory("srv"),
        Entry("srv/web/index", content=b"index", uid=33, gid=44),
        directory("srv/open", mode=0o1777),
        directory("d"),
        Entry("d/a", content=b"a" * 5000),
        Entry("d/b", content=b"b", mode=0o4755),
        hardlink("d/again", "d/a"),
        symlink("d/link", "a"),
        directory("d/deep/er"),
        Entry("d/deep/er/f", content=b"f"),
        directory("gone"),
        Entry("gone/x", content=b"x"),
        directory("moved"),
        Entry("moved/m", content=b"m"),
        Entry("odd name\u00e9", content=b"odd", xattrs=(("user.note", b"kept"),)),
    ]
)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Step(NamedTuple):
    """A command, and what stands before it in the Dockerfile."""

    command: str
    user: str = ""
    cwd: str = "/"
    env: tuple[str, str] = ("K", "v")


STEPS = (
    Step("echo new > /d/new"),
    Step("rm /d/b"),
    Step("echo >> /d/a"),
    Step("chmod 700 /d/deep && chmod 4711 /bin/busybox"),
    Step("chown 33:44 /d/deep/er/f && chown -h web:staff /d/link && chown 7 /d"),
    Step("ln /d/new /d/new2 && ln /odd* /srv/hard && ln -s /nowhere /srv/dangling"),
    Step("mkdir -p /p/q/r && rmdir /p/q/r && mkdir -m 2750 /p/s"),
    Step("rm -rf /gone && mkdir /gone && echo y > /gone/y"),
    Step("mv /moved /elsewhere"),
    Step("mv /d/deep/er/f /d/deep/er/g && mv /elsewhere/m /p/m"),
    Step("touch /d/a && touch -d 2001-02-03 /srv"),
    Step(
        "dd if=/dev/zero of=/sparse bs=1 count=1 seek=9999999 && dd if=/dev/urandom of=/sparse bs=1 count=0 seek=5000"
    ),
    Step("mkfifo -m 600 /pipe && mknod /null c 1 3 && mknod -m 640 /disk b 8 1"),
    Step("cp /bin/busybox /su && chmod 4755 /su && chown web /su"),
    Step("rm -rf /d"),
    Step("echo d > /d"),
    Step("rm /d && mkdir /d && mkdir /d/x && rmdir /d/x"),
    Step("id > /srv/open/id; echo $HOME $K $PATH > /srv/open/env; umask > /srv/open/umask", user="web"),
    Step("id > /srv/open/id2; echo $HOME > /srv/open/home2", user="33:staff"),
    Step("id > /srv/open/id3; echo $HOME > /srv/open/home3", user="1234"),
    Step("pwd > here; echo relative > ../up", cwd="/srv/web"),
    Step('echo "two  words" $K > /env; echo "$@" >> /env', env=("K", "a b")),
    Step("echo x > /etc/hosts; echo x > /dev/full || echo x > /proc/version || echo full > /tmp/full"),
    Step("rm -f /etc/hosts; rm -rf /etc/group; ls /etc > /tmp/etc"),
    Step("ls -A / > /tmp/root; ls /dev/fd/ | wc -l > /tmp/fds; cat < /dev/stdin > /tmp/in"),
    Step("mkdir /w && cd /w && mkdir a && mv a /w/b && ln -s b c && rm c"),
    Step("chmod 701 / ; chown 33 /tmp && chmod 1777 /tmp"),
    Step("rm /srv/web/index && mkdir /srv/web/index && rmdir /srv/web/index"),
    Step("mkdir /tmp/k && mkdir /tmp/k/l && mv /tmp/k/l /tmp/l && mv /tmp/l /srv/l"),
    Step("touch /tmp/t && rm /tmp/t"),
    Step("true"),
)


def dockerfile() -> str:
    lines = ["FROM m:1"]
    for step in STEPS:
        lines += [f"USER {step.user or '0'}", f"WORKDIR {step.cwd}", f'ENV {step.env[0]}="{step.env[1]}"']
        lines.append(f"RUN {step.command}")
    return "\n".join(lines) + "\n"


def entries(layer: ls.Layer) -> list[tuple[object, ...]]:
    return [(one.path, one.kind, oct(one.mode), one.uid, one.gid, one.size, one.target, one.is_opaque) for one in layer]


@pytest.fixture
def loaded(quick_daemon: Daemon) -> Daemon:
    """An engine with the base image."""
    archive = docker_archive([ImageSpec((busybox_tar(), TREE), ("m:1",), config={"Env": [f"PATH={PATH}"]})])
    quick_daemon.docker("load", stdin=archive)
    return quick_daemon


def built(daemon: Daemon, folder: Path, text: str) -> ls.Image:
    """Build with the legacy builder and read what it made."""
    (folder / "Dockerfile").write_text(text)
    daemon.docker("build", "--network=none", "--tag", "made:1", str(folder), DOCKER_BUILDKIT="0")
    daemon.docker("save", "--output", str(folder / "made.tar"), "made:1")
    return ls.Engine().load(folder / "made.tar")[0]


def run_step(step: Step, number: int) -> ls.RunStep:
    command = ("/bin/sh", "-c", step.command)
    around = legacy("0" * 64)
    return ls.RunStep(
        command=command, text=step.command, user=step.user, cwd=step.cwd, number=number, surroundings=around
    )


@pytest.mark.slow
def test_layers_are_those_of_the_legacy_builder(loaded: Daemon, tmp_path: Path, box: ls.Sandbox) -> None:
    image = built(loaded, tmp_path, dockerfile())
    wanted = list(image.layers)[2:]
    below = list(image.layers)[:2]
    for number, step in enumerate(STEPS, 1):
        fs = ls.Overlay(below)
        box(run_step(step, number), fs, {"PATH": PATH, step.env[0]: step.env[1]})
        ours = fs.to_layer(dialect="docker20")
        if len(ours) == 0:
            assert step.command == "true"
            continue
        theirs = wanted.pop(0)
        assert entries(ours) == entries(theirs), step.command
        assert snapshot(ls.View([*below, ours])) == snapshot(ls.View([*below, theirs])), step.command
        below.append(theirs)
    assert wanted == []


FAILING = {
    "a code": ("RUN exit 3", ("/bin/sh", "-c", "exit 3"), 3),
    "no command": ("RUN nosuch", ("/bin/sh", "-c", "nosuch"), 127),
    "no permission": ("RUN /etc/passwd", ("/bin/sh", "-c", "/etc/passwd"), 126),
    "a signal": ("RUN sh -c 'kill -9 $$'; exit $?", ("/bin/sh", "-c", "sh -c 'kill -9 $$'; exit $?"), 137),
    "exec form": ('RUN ["false"]', ("false",), 1),
}


@pytest.mark.parametrize("case", FAILING)
@pytest.mark.parametrize("buildkit", [False, True])
def test_a_failure_is_that_of_the_builder(
    loaded: Daemon, tmp_path: Path, box: ls.Sandbox, case: str, *, buildkit: bool
) -> None:
    line, command, code = FAILING[case]
    (tmp_path / "Dockerfile").write_text(f"FROM m:1\n{line}\n")
    done = loaded.run("build", "--network=none", str(tmp_path), DOCKER_BUILDKIT=str(int(buildkit)))
    fs = ls.Overlay([ls.Layer.from_tar(busybox_tar()), ls.Layer.from_tar(TREE)])
    with pytest.raises(RunError) as caught:
        box(ls.RunStep(command=command), fs, {"PATH": PATH})
    assert (caught.value.exit_code, caught.value.command) == (code, command)
    assert fs.changes() == []
    said = done.stderr.decode() + done.stdout.decode()
    assert str(caught.value) == buildkit_words(command, code)
    wanted = f"exit code: {code}" if buildkit else legacy_words(command, code)
    assert done.returncode != 0
    assert wanted in said


def compare_containers(bench: Bench) -> None:
    """Build what tells of a container on both sides: groups, names, files, devices, and how commands end."""
    write_context(bench.context)
    found = [told for name, case in corpus("containers").items() for told in bench.differences(name, case)]
    assert not found, "\n".join(found)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """The directory that is built from."""
    folder = tmp_path / "context"
    folder.mkdir()
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("builder", BUILDERS)
def test_a_container_is_that_of_20(quick_daemon: Daemon, context: Path, box: ls.Sandbox, builder: Builder) -> None:
    compare_containers(Bench(quick_daemon, builder, context, box))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("builder", BUILDERS)
def test_a_container_is_that_of_29(graph_daemon: Daemon, context: Path, box: ls.Sandbox, builder: Builder) -> None:
    compare_containers(Bench(graph_daemon, builder, context, box))
