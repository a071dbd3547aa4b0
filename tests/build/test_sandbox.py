"""Commands in a sandbox: what they see, what comes back, and that nothing is left however they end."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.errors import BuildError, RunError
from tests.engine.rootfs import busybox_tar
from tests.oracles import require_program, require_root
from tests.trees import Disk, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.kernel

ENV = {"PATH": "/bin"}
UNPRIVILEGED = """
import sys
import layersim as ls
base = ls.Layer.from_tar(sys.argv[1])
tree = ls.Layer.from_changes([
    ls.write("/d/f", b"x", uid=5, gid=6), ls.remove("/data"), ls.mkdir("/closed", mode=0), ls.write("/closed/f", b"")
])
text = "id -u; ls -d /data || echo n > /n; echo >> /d/f; rm -rf /tmp; mkdir /tmp; rm /bin/ls; ln /n /m; touch /closed/g"
with ls.sandbox(folder=sys.argv[2], progress=print) as box:
    fs = ls.Overlay([base, tree])
    box(ls.RunStep(command=("/bin/sh", "-c", text), text=text), fs, {"PATH": "/bin"})
    for one in fs.to_layer():
        print(one.path, one.kind, oct(one.mode), one.uid, one.gid, one.is_opaque)
    bound = ls.Overlay([ls.Layer.from_changes([ls.write("/x", b"x")])], read_only=True)
    mounts = (
        ls.StepMount(type="bind", target="/b", fs=bound, is_readonly=True),
        ls.StepMount(type="cache", target="/k/c", fs=ls.Overlay([])),
        ls.StepMount(type="secret", target="/s", content=b"s", is_readonly=True, mode=0o400),
        ls.StepMount(type="tmpfs", target="/t", fs=ls.Overlay([]), mode=0o1777),
    )
    words = "cat /b/x /s > /k/c/o; echo > /t/o; echo > /b/o; echo; ls /t /k/c; echo > /s; true"
    box(ls.RunStep(command=("/bin/sh", "-c", words), mounts=mounts), ls.Overlay([base]), {"PATH": "/bin"})
    print(mounts[1].fs.read_bytes("/o"), mounts[1].fs.stat("/o").st_uid)
    try:
        box(ls.RunStep(command=("/bin/true",), user="7"), fs, {})
    except ls.LayerSimError as error:
        print(error)
"""


@pytest.fixture(scope="module")
def base() -> ls.Layer:
    return ls.Layer.from_tar(busybox_tar())


@pytest.fixture
def box(tmp_path: Path) -> Iterator[ls.Sandbox]:
    require_root()
    with ls.sandbox(timeout=60, folder=tmp_path) as made:
        yield made
    assert list(tmp_path.glob("layersim-sandbox-*")) == []
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()


def step(text: str, user: str = "") -> ls.RunStep:
    return ls.RunStep(command=("/bin/sh", "-c", text), text=text, user=user, number=1)


def processes(mark: str) -> list[str]:
    """List the command lines of the host's processes that hold a text."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(path.read_bytes().decode(errors="replace"))
    return [line for line in found if mark in line and "pytest" not in line]


def printed(base: ls.Layer, folder: Path, text: str, *edits: ls.Edit) -> list[str]:
    lines: list[str] = []
    with ls.sandbox(progress=lines.append, folder=folder) as box:
        box(step(text), ls.Overlay([base, ls.Layer.from_changes(edits)]), ENV)
    return lines


class TestInside:
    def test_a_command_is_alone(self, base: ls.Layer, tmp_path: Path) -> None:
        require_root()
        text = (
            "echo $$; hostname; ip -o link | wc -l; ls /proc | grep -c '^[0-9]'; ping -c1 -w1 127.0.0.1 | grep -c loss"
        )
        lines = printed(base, tmp_path, text)
        assert lines[:3] == ["1", "buildkitsandbox", "1"]
        assert lines[4] == "1"

    def test_the_host_cannot_be_reached(self, base: ls.Layer, tmp_path: Path) -> None:
        require_root()
        (tmp_path / "secret").write_text("secret")
        text = f"""ls {tmp_path}; ls /proc/1/root{tmp_path}; echo 1 > /proc/sys/kernel/panic; mount -t tmpfs t /tmp
            mknod /disk b 254 0 && head -c1 /disk; mkdir /c && chroot /c /bin/sh; ls /proc/self/fd; true"""
        said = "\n".join(printed(base, tmp_path, text))
        assert "secret" not in said
        for refusal in ("panic: Read-only file system", "mount: permission denied", "/disk: Permission denied"):
            assert refusal in said

    def test_links_of_the_image_do_not_lead_out(self, base: ls.Layer, tmp_path: Path) -> None:
        require_root()
        outside = tmp_path / "outside"
        outside.mkdir()
        links = [ls.symlink(f"/{name}", str(outside)) for name in ("etc", "proc", "dev", "sys")]
        assert printed(base, tmp_path, "head -1 /etc/hosts; ls /dev/null", ls.remove("/etc"), *links) == [
            "127.0.0.1\tlocalhost buildkitsandbox",
            "/dev/null",
        ]
        assert list(outside.iterdir()) == []

    def test_an_unknown_user_is_refused_in_dockers_words(self, base: ls.Layer, box: ls.Sandbox) -> None:
        for user, says in (("nosuch", "unable to find user nosuch"), ("0:nosuch", "unable to find group nosuch")):
            with pytest.raises(BuildError, match=says):
                box(step("true", user), ls.Overlay([base]), ENV)


class TestTakenBack:
    def test_everything_is_as_the_command_left_it(self, base: ls.Layer, box: ls.Sandbox, tmp_path: Path) -> None:
        text = """mkdir -p /t/dir && cd /t && echo x > f && ln f hard && ln -s f soft && mkfifo p && mknod c c 1 3
            chown -h 3:4 soft f && chmod 6711 f && dd if=/dev/zero of=sparse bs=1 count=1 seek=50000000
            touch -d '2001-02-03 04:05:06' dir sparse && chown 9 dir; rm -rf /data; mkdir /data; rm /bin/who"""
        before = ls.Layer.from_changes([ls.write("/data/old", b""), ls.write("/noted", b"n", xattrs={"user.k": b"v"})])
        fs = ls.Overlay([base, before])
        box(step(text), fs, ENV)
        view = tmp_path / "view"
        ls.View([base, before, fs.to_layer()]).extract(view)
        # What came back is read from the overlay, and from its layer on a disk.
        assert snapshot(fs) == snapshot(Disk(view))
        found = fs.stat("/t/f")
        assert (found.st_mode, found.st_uid, found.st_gid, found.st_nlink) == (0o106711, 3, 4, 2)
        assert fs.stat("/t/dir").st_mtime_ns == 981_173_106 * 10**9
        assert fs.stat("/t/sparse").st_size == 50_000_001
        assert fs.allocated_rw < 100_000
        assert fs.listdir("/data") == []
        assert not fs.exists("/bin/who")

    def test_attributes_come_back(self, base: ls.Layer, box: ls.Sandbox) -> None:
        layer = ls.Layer.from_changes([ls.write("/noted", b"n", xattrs={"user.k": b"v"}), ls.mkdir("/d")])
        fs = ls.Overlay([base, layer])
        fs.setxattr("/d", "user.own", b"1")
        box(step("chmod 600 /noted; chmod 700 /d"), fs, ENV)
        assert (fs.getxattr("/noted", "user.k"), fs.getxattr("/d", "user.own")) == (b"v", b"1")
        assert fs.listxattr("/noted") == ["user.k"]

    def test_what_was_written_before_is_seen_and_stays(self, base: ls.Layer, box: ls.Sandbox) -> None:
        fs = ls.Overlay([base])
        fs.write_bytes("/data/first", b"1")
        fs.unlink("/bin/who")
        box(step("cat /data/first > /data/second; test ! -e /bin/who"), fs, ENV)
        assert [fs.read_bytes(f"/data/{name}") for name in ("first", "second")] == [b"1", b"1"]

    def test_nothing_comes_back_from_a_command_that_fails(self, base: ls.Layer, box: ls.Sandbox) -> None:
        fs = ls.Overlay([base])
        with pytest.raises(RunError, match="exit code: 3") as caught:
            box(step("echo said; echo written > /f; exit 3"), fs, ENV)
        assert (caught.value.exit_code, caught.value.output) == (3, "said")
        assert fs.changes() == []

    def test_mount_points_are_no_change(self, box: ls.Sandbox, base: ls.Layer) -> None:
        fs = ls.Overlay([base])
        box(step("ls /dev /proc /sys /etc/hosts > /dev/null"), fs, ENV)
        assert fs.changes() == []

    def test_layers_are_extracted_once(self, base: ls.Layer, box: ls.Sandbox, tmp_path: Path) -> None:
        layers = [base]
        for number in range(3):
            fs = ls.Overlay(layers)
            box(step(f"echo {number} >> /f"), fs, ENV)
            layers.append(fs.to_layer())
        assert ls.View(layers).read_bytes("/f") == b"0\n1\n2\n"
        extracted = [path.name for path in tmp_path.glob("layersim-sandbox-*/l*")]
        assert len(list(tmp_path.glob("layersim-sandbox-*/l*/bin/busybox"))) == 1
        assert len(extracted) == 4  # the base, two of the commands', and the mount points

    def test_threads_share_a_sandbox(self, base: ls.Layer, box: ls.Sandbox) -> None:
        tops = [ls.Overlay([base]) for _ in range(4)]
        threads = [
            threading.Thread(target=box, args=(step(f"echo {number} > /f"), fs, ENV)) for number, fs in enumerate(tops)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [fs.read_bytes("/f") for fs in tops] == [b"0\n", b"1\n", b"2\n", b"3\n"]


class TestEnds:
    @pytest.mark.parametrize("user", ["", "1234"])
    def test_a_command_that_takes_too_long_is_killed_with_all_it_started(
        self, base: ls.Layer, tmp_path: Path, user: str
    ) -> None:
        require_root()
        text = "sleep 4321 & (setsid sleep 4321 &) ; sleep 4321"
        with (
            ls.sandbox(timeout=0.5, folder=tmp_path) as box,
            pytest.raises(BuildError, match=r"took more than 0\.5 seconds"),
        ):
            box(step(text, user), ls.Overlay([base]), ENV)
        assert processes("sleep\x004321") == []

    def test_what_a_command_leaves_running_ends_with_it(self, base: ls.Layer, box: ls.Sandbox) -> None:
        box(step("(trap '' HUP TERM; sleep 4322) & exec 1>&- 2>&-"), ls.Overlay([base]), ENV)
        assert processes("sleep\x004322") == []

    def test_an_interrupt_ends_the_command(self, base: ls.Layer, box: ls.Sandbox) -> None:
        def interrupt(_line: str) -> None:
            raise KeyboardInterrupt

        box._progress = interrupt
        with pytest.raises(KeyboardInterrupt):
            box(step("echo started; sleep 4323"), ls.Overlay([base]), ENV)
        assert processes("sleep\x004323") == []

    def test_the_death_of_the_process_ends_the_command(self, base: ls.Layer, tmp_path: Path) -> None:
        require_root()
        (tmp_path / "base.tar").write_bytes(base.tar_bytes())
        program = f"""import layersim as ls
box = ls.sandbox(folder={str(tmp_path)!r}, progress=lambda line: print(line, flush=True))
step = ls.RunStep(command=("/bin/sh", "-c", "echo started; sleep 4324"))
box(step, ls.Overlay([ls.Layer.from_tar({str(tmp_path / "base.tar")!r})]), {{"PATH": "/bin"}})"""
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"started\n"
            process.kill()
        until = time.monotonic() + 20
        while processes("sleep\x004324") and time.monotonic() < until:
            time.sleep(0.05)
        assert processes("sleep\x004324") == []


class TestUnable:
    @pytest.mark.parametrize(
        ("program", "says"),
        [(None, "'unshare' and 'setpriv' of util-linux"), ("#!/bin/sh\necho no; exit 1\n", "here: no")],
    )
    def test_what_is_missing_is_named(
        self, base: ls.Layer, box: ls.Sandbox, monkeypatch: pytest.MonkeyPatch, program: str | None, says: str
    ) -> None:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "program").write_text(program or "")
            Path(folder, "program").chmod(0o755)
            monkeypatch.setattr("shutil.which", lambda *_names, **_options: program and f"{folder}/program")
            with pytest.raises(BuildError, match=says):
                box(step("true"), ls.Overlay([base]), ENV)

    def test_without_root_all_files_belong_to_one_user(self, base: ls.Layer, tmp_path: Path) -> None:
        unshare = require_program("unshare", "util-linux")
        (tmp_path / "base.tar").write_bytes(base.tar_bytes())
        words = [] if os.geteuid() else [unshare, "--user", "--map-user=1000", "--map-group=1000"]
        words += [sys.executable, "-c", UNPRIVILEGED, str(tmp_path / "base.tar"), str(tmp_path)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines() == [
            "0",
            "ls: /data: No such file or directory",
            "bin directory 0o755 0 0 False",
            "bin/ls whiteout 0o0 0 0 False",
            "closed directory 0o0 0 0 False",
            "closed/g file 0o644 0 0 False",
            "d directory 0o755 0 0 False",
            "d/f file 0o644 5 6 False",
            "m file 0o644 0 0 False",
            "n file 0o644 0 0 False",
            "tmp directory 0o755 0 0 True",
            "/bin/sh: can't create /b/o: Read-only file system",
            "",
            "/k/c:",
            "o",
            "",
            "/t:",
            "o",
            "/bin/sh: can't create /s: Read-only file system",
            "b'xs' 0",
            "RUN step 0 of stage 0 runs as '7', which takes root: /bin/true",
        ]
        assert list(tmp_path.glob("layersim-sandbox-*")) == []
