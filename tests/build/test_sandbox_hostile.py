"""Commands that mean harm, in a sandbox: what they cannot reach, and that nothing of them is left on the host."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.errors import BuildError, RunError
from tests.build.test_sandbox import ENV, processes, step
from tests.engine.rootfs import busybox_tar
from tests.oracles import require_root
from tests.trees import Disk, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def base() -> ls.Layer:
    return ls.Layer.from_tar(busybox_tar())


@pytest.fixture
def box(tmp_path: Path) -> Iterator[ls.Sandbox]:
    require_root()
    with ls.sandbox(timeout=100, folder=tmp_path) as made:
        yield made
        assert [path.name for path in tmp_path.glob("layersim-sandbox-*/r*")] == []
    assert list(tmp_path.glob("layersim-sandbox-*")) == []
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()


def mounted(text: str, mounts: Sequence[ls.StepMount]) -> ls.RunStep:
    return ls.RunStep(command=("/bin/sh", "-c", text), text=text, mounts=tuple(mounts), number=1)


def folder(kind: str, target: str) -> ls.StepMount:
    assert kind in {"cache", "tmpfs"}
    fs = ls.Overlay([])
    if kind == "cache":
        return ls.StepMount(type="cache", target=target, fs=fs)
    return ls.StepMount(type="tmpfs", target=target, fs=fs, mode=0o1777)


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """Mount a file system with hardly more room than the base image takes."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "layersim-tests", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


class TestReach:
    def test_lower_directories_are_out_of_reach(self, base: ls.Layer, box: ls.Sandbox, tmp_path: Path) -> None:
        box(step("true"), ls.Overlay([base]), ENV)
        (place,) = tmp_path.glob("layersim-sandbox-*/l0")
        before = snapshot(Disk(place))
        text = f"""rm -rf /proc/self/root/data /proc/1/cwd/etc /bin/who; echo x > /proc/self/root/new; chmod 777 /bin
            echo x > {place}/bin/busybox; mount -o remount,rw / ; mount --bind / /tmp; umount -l /; umount -l /proc
            unshare -m sh -c 'mount -t tmpfs t /bin'; unshare -Ur sh -c 'mount -o remount,rw /'; true"""
        fs = ls.Overlay([base])
        box(step(text), fs, ENV)
        assert snapshot(Disk(place)) == before
        assert fs.read_bytes("/new") == b"x\n"
        assert not fs.exists("/data")
        box(step("test -d /data && /bin/who"), ls.Overlay([base]), ENV)

    @pytest.mark.parametrize("kind", ["cache", "tmpfs"])
    def test_a_device_made_in_a_mount_is_none(self, base: ls.Layer, box: ls.Sandbox, kind: str) -> None:
        device = Path("/sys/class/mem/null/dev").read_text().strip().replace(":", " ")
        text = f"cd /m && mknod d c {device} && (echo x > d) 2> /said; mknod b b 7 0; head -c1 b 2>> /said; true"
        fs = ls.Overlay([base])
        box(mounted(text, [folder(kind, "/m")]), fs, ENV)
        assert fs.read_bytes("/said").count(b"Permission denied") == 2

    def test_read_only_mounts_stay_so(self, base: ls.Layer, box: ls.Sandbox) -> None:
        bound = ls.Overlay([ls.Layer.from_changes([ls.write("/x", b"x")])], read_only=True)
        mounts = [
            ls.StepMount(type="bind", target="/m", fs=bound, is_readonly=True),
            ls.StepMount(type="secret", target="/s", content=b"s", is_readonly=True, mode=0o400),
        ]
        text = """rm -f /m/x; echo y > /m/y; echo y > /s; chmod 777 /s /m; mount -o remount,rw /m; umount /m; mv /s /t
            cat /m/x /s > /o"""
        fs = ls.Overlay([base])
        box(mounted(f"({text}) 2> /dev/null; true", mounts), fs, ENV)
        assert fs.read_bytes("/o") == b"xs"
        assert [entry.path for entry in fs.to_layer()] == ["o"]


class TestLeft:
    @pytest.mark.parametrize(
        "text", ["kill -9 1; exit 3", "kill -9 -1; exit 3", "kill -9 $$; exit 3", "kill -STOP -1; exit 3"]
    )
    def test_whoever_is_killed_the_step_ends(self, base: ls.Layer, box: ls.Sandbox, text: str) -> None:
        # The first process of a namespace cannot be killed from inside: the shell itself goes on.
        with pytest.raises(RunError, match="exit code: 3"):
            box(step(text), ls.Overlay([base]), ENV)

    def test_many_processes_end_with_the_first(self, base: ls.Layer, box: ls.Sandbox) -> None:
        text = """for i in $(seq 50); do (setsid sh -c 'trap "" TERM HUP INT; sleep 4330' &) ; done
            (sleep 4330 | sleep 4330) &"""
        box(step(f"({text}) > /dev/null 2>&1"), ls.Overlay([base]), ENV)
        assert processes("sleep\x004330") == []

    def test_a_full_disk_fails_the_command_and_leaves_nothing(self, base: ls.Layer, tmp_path: Path) -> None:
        require_root()
        with small_disk(tmp_path / "disk") as disk:
            with ls.sandbox(folder=disk) as box:
                fs = ls.Overlay([base])
                with pytest.raises(RunError, match="exit code: 1"):
                    box(step("cat /dev/zero > /big; exit 1"), fs, ENV)
                assert fs.changes() == []
                box(step("echo small > /small"), fs, ENV)
                assert fs.read_bytes("/small") == b"small\n"
            assert list(disk.iterdir()) == []

    def test_no_room_for_a_layer_is_an_error_that_says_so(self, base: ls.Layer, tmp_path: Path) -> None:
        require_root()
        engine = ls.Engine()
        engine.add_image([base, ls.Layer.from_changes([ls.write("/big", bytes(9_000_000))])], "base:1")
        with small_disk(tmp_path / "disk") as disk:
            with ls.sandbox(folder=disk) as box, pytest.raises(RunError, match="Errno 28"):
                engine.build({"Dockerfile": "FROM base:1\nRUN true\n"}, run=box)
            assert list(disk.iterdir()) == []

    def test_an_interrupt_and_a_timeout_leave_caches_and_files_alone(self, base: ls.Layer, tmp_path: Path) -> None:
        require_root()
        cache = folder("cache", "/c")
        with ls.sandbox(timeout=0.5, folder=tmp_path) as box:
            with pytest.raises(BuildError, match=r"took more than 0\.5 seconds"):
                box(mounted("echo x > /c/x; mkdir -m 0 /c/closed; sleep 4331", [cache]), ls.Overlay([base]), ENV)
            assert [path.name for path in tmp_path.glob("*/r*")] == []
        assert list(tmp_path.glob("layersim-sandbox-*")) == []
        assert processes("sleep\x004331") == []
        assert cache.fs is not None
        assert cache.fs.listdir("/") == []


class TestOdd:
    def test_a_tree_that_is_removed_whole(self, base: ls.Layer, box: ls.Sandbox) -> None:
        fs = ls.Overlay([base])
        box(step("rm -rf /* 2> /dev/null; true"), fs, ENV)
        left = {name for name in fs.listdir("/") if name not in {"dev", "proc", "sys", "etc"}}
        assert left == set()

    def test_a_deep_tree(self, base: ls.Layer, box: ls.Sandbox) -> None:
        text = "i=0; while [ $i -lt {} ]; do mkdir d && cd d && i=$((i+1)); done; chmod 0 ."
        fs = ls.Overlay([base])
        box(step(text.format(600)), fs, ENV)
        assert len(fs.to_layer()) == 600
        box(step("rm -rf /d && mkdir /d"), fs, ENV)
        assert fs.listdir("/d") == []
        # Deeper than a path can tell: no tar has it.
        deep = f"n={'n' * 250}; for i in $(seq 12); do mkdir $n && cd $n; done"
        long = f"mkdir /a /b; (cd /b; {deep}); cd /a; {deep}; mv /b ."
        with pytest.raises(OSError, match="File name too long"):
            box(step(long), ls.Overlay([base]), ENV)

    def test_odd_names_and_nodes(self, base: ls.Layer, box: ls.Sandbox) -> None:
        text = r"""cd /data; touch -- "$(printf '\n\377')" ' ' '-rf' '*'; mkfifo p; nc -lU s & sleep 0.2; kill $!
            ln -s "$(printf 'a%.0s' $(seq 4000))" long; mkdir -m 0 no; echo x > .wh.fake; true"""
        fs = ls.Overlay([base])
        box(step(text), fs, ENV)
        assert {"\n\udcff", " ", "-rf", "*", "p", "long", "no"} <= set(fs.listdir("/data"))

    def test_a_line_without_end(self, base: ls.Layer, tmp_path: Path) -> None:
        require_root()
        longest = 0

        def measure(line: str) -> None:
            nonlocal longest
            longest = max(longest, len(line))

        with ls.sandbox(folder=tmp_path, progress=measure) as box:
            box(step("head -c 20000000 /dev/zero"), ls.Overlay([base]), ENV)
        assert 0 < longest < 1_000_000
