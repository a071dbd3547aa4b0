"""``RUN --mount`` in our builders alone: what callables and declared effects see, caches, secrets, and what is left."""

from __future__ import annotations

import io
import stat
from typing import TYPE_CHECKING, Any

import pytest

import layersim as ls
from layersim.errors import BuildError, DockerfileError, ImageNotFoundError, RunError
from tests.engine.mounted_steps import FILES as SOURCES
from tests.engine.mounted_steps import PAIRS

if TYPE_CHECKING:
    from pathlib import Path

    from layersim.build import Build
    from layersim.build.running import Runner
    from tests.engine.mounted_steps import Pair

FILES = {"f": "file", "dir/x": "x", "dir/sub/y": "yy"}
PROFILES = ("docker20", "overlay2")
BASE = [ls.mkdir(path) for path in ("/dev", "/proc", "/sys")] + [
    ls.write(path, b"") for path in ("/etc/hosts", "/etc/resolv.conf")
]


class Bench:
    """An engine with one base, and what its steps saw."""

    def __init__(self, profile: str = "overlay2") -> None:
        self.engine = ls.Engine(profile=profile, clock=lambda: 1_700_000_000 * 10**9)
        self.engine.add_image([ls.Layer.from_changes(BASE)], "base:1")
        self.env: dict[str, str] = {}

    def build(self, lines: str, run: Runner | None = None, **secrets: bytes | str) -> Build:
        context = {"Dockerfile": f"FROM base:1\n{lines}\n", **FILES}
        return self.engine.build(context, run=run or self.nothing, secrets=secrets)

    def nothing(self, _step: ls.RunStep, _fs: ls.Overlay, env: dict[str, str]) -> None:
        self.env = dict(env)


def paths(build: Build) -> list[str]:
    layer = build.steps[-1].layer
    assert layer is not None
    return [entry.path for entry in layer]


class TestSeen:
    def test_a_callable_finds_directories_and_files(self) -> None:
        seen = {}

        def run(step: ls.RunStep, fs: ls.Overlay, _env: dict[str, str]) -> None:
            seen.update({name: fs.read_bytes(name) for name in ("/m/x", "/m/sub/y", "/one", "/run/secrets/key")})
            seen["mode"] = stat.S_IMODE(fs.stat("/run/secrets/key").st_mode).to_bytes(2)
            with pytest.raises(OSError, match="Read-only file system"):
                fs.write_bytes("/m/new", b"")
            fs.write_bytes("/rw/new", b"new")
            fs.unlink("/rw/x")
            fs.write_bytes("/kept", b"kept")
            assert [(one.type, one.target) for one in step.mounts] == [
                ("bind", "/m"),
                ("bind", "/one"),
                ("secret", "/run/secrets/key"),
                ("bind", "/rw"),
            ]

        build = Bench().build(
            "RUN --mount=source=dir,target=/m --mount=source=dir,target=/rw,rw "
            "--mount=source=f,target=/one --mount=type=secret,id=key true",
            run,
            key=b"secret",
        )
        wanted = {"/m/x": b"x", "/m/sub/y": b"yy", "/one": b"file", "/run/secrets/key": b"secret", "mode": b"\x01\x00"}
        assert seen == wanted
        assert paths(build) == ["kept"]

    @pytest.mark.parametrize(
        ("profile", "left"),
        [("docker20", ["c", "c/d", "kept", "run", "run/secrets", "t"]), ("overlay2", ["kept"])],
    )
    def test_20_leaves_directories_and_later_ones_nothing(self, profile: str, left: list[str]) -> None:
        lines = "RUN --mount=type=cache,target=/c/d --mount=type=tmpfs,target=/t --mount=type=secret,id=k keep"
        effect = ls.effect(writes={"/c/d/x": b"x", "/t/x": b"x", "/kept": b"k"})
        assert paths(Bench(profile).build(lines, ls.runs({"keep": effect}), k=b"k")) == left

    @pytest.mark.parametrize(
        ("line", "left"),
        [
            ("RUN x", ["dev", "etc", "proc", "sys"]),
            ("RUN --mount=type=tmpfs,target=/dev/q/r x", ["etc", "proc", "sys"]),
            ("RUN --mount=type=secret,id=none,target=/dev/q x", ["dev", "etc", "proc", "sys"]),
            ("RUN <<EOF\n#!/bin/sh\nEOF", ["etc", "proc", "sys"]),
        ],
    )
    def test_what_is_mounted_in_dev_takes_that_away(self, line: str, left: list[str]) -> None:
        lines = "FROM scratch\nCOPY f /etc/f\n"
        assert paths(Bench().build(f"{lines}{line}", ls.runs({}, default=ls.effect()))) == left

    def test_a_file_of_the_image_is_as_it_was(self) -> None:
        bench = Bench()

        def run(_step: ls.RunStep, fs: ls.Overlay, _env: dict[str, str]) -> None:
            assert fs.read_bytes("/etc/hosts") == b"file"

        build = bench.build("RUN --mount=source=f,target=/etc/hosts true", run)
        assert ls.View(build.layers).read_bytes("/etc/hosts") == b""

    def test_effects_use_what_is_mounted(self) -> None:
        lines = "RUN --mount=source=dir,target=/m use"
        Bench().build(lines, ls.runs({"use": ls.effect(uses=["/m/x"])}))
        with pytest.raises(RunError, match="not there"):
            Bench().build(lines, ls.runs({"use": ls.effect(uses=["/m/z"])}))

    @pytest.mark.parametrize("profile", PROFILES)
    def test_what_cannot_be_mounted_fails_as_the_command(self, profile: str) -> None:
        for mount in ("source=f,target=/etc", "type=tmpfs,target=/etc/hosts", "type=tmpfs,target=/etc/hosts/below"):
            with pytest.raises(RunError, match="exit code: 1"):
                Bench(profile).build(f"RUN --mount={mount} true")
        inner = "--mount=source=dir,target=/m --mount=type=tmpfs,target=/m/none"
        with pytest.raises(RunError, match="exit code: 1"):
            Bench(profile).build(f"RUN {inner} true")


class TestSources:
    def test_a_number_is_no_stage(self) -> None:
        with pytest.raises(ImageNotFoundError):
            Bench().build("RUN true\nFROM base:1\nRUN --mount=from=0,target=/m true")

    def test_a_later_stage_and_an_image_are(self) -> None:
        def run(_step: ls.RunStep, fs: ls.Overlay, _env: dict[str, str]) -> None:
            if fs.exists("/m"):
                assert "etc" in fs.listdir("/m")
                assert fs.listdir("/i") == ["hosts", "resolv.conf"]

        lines = "RUN --mount=from=later,target=/m --mount=from=base:1,source=etc,target=/i true\nFROM base:1 AS later"
        Bench().engine.build({"Dockerfile": f"FROM base:1 AS one\n{lines}"}, run=run, target="later")
        bench = Bench()
        bench.engine.build({"Dockerfile": f"FROM base:1 AS one\n{lines}"}, run=run, target="one")

    @pytest.mark.parametrize("profile", PROFILES)
    @pytest.mark.parametrize(
        ("mount", "says"),
        [
            ("type=tmpfs", 'invalid mount target "/"'),
            ("source=none,target=/m", "not found"),
            ("type=secret,id=none,required", "not found"),
            ("type=ssh,required", "ssh|SSH"),
        ],
    )
    def test_what_is_missing_is_named(self, profile: str, mount: str, says: str) -> None:
        with pytest.raises(BuildError, match=says):
            Bench(profile).build(f"RUN --mount={mount} true")

    def test_the_legacy_builder_has_no_mounts(self) -> None:
        with pytest.raises(BuildError, match="the --mount option requires BuildKit"):
            Bench().engine.build({"Dockerfile": "FROM base:1\nRUN --mount=type=tmpfs,target=/t true"}, builder="legacy")


class TestSecrets:
    def test_a_secret_can_be_a_variable(self) -> None:
        bench = Bench()
        bench.build("RUN --mount=type=secret,id=a,env=A --mount=type=secret,id=b,env=B true", a="1")
        assert (bench.env["A"], bench.env["B"]) == ("1", "")
        with pytest.raises(DockerfileError, match="unexpected key 'env'"):
            Bench("docker20").build("RUN --mount=type=secret,id=a,env=A true")

    def test_no_secret_is_kept_or_told(self, tmp_path: Path) -> None:
        bench, secret = Bench(), "do-not-tell"
        build = bench.build("RUN --mount=type=secret,id=a --mount=type=secret,id=a,env=A true", a=secret)
        archive, state = io.BytesIO(), tmp_path / "state"
        bench.engine.save([build.id], archive)
        bench.engine.save_state(state)
        said = (str(build) + build.explain() + str(bench.engine.df(verbose=True))).encode()
        assert secret.encode() not in archive.getvalue() + state.read_bytes() + said
        again = bench.build("RUN --mount=type=secret,id=a --mount=type=secret,id=a,env=A true", a="other")
        assert again.steps[-1].is_cached

    def test_a_wrong_secret_is_not_shown(self) -> None:
        wrong: dict[str, Any] = {"a": 12345}
        with pytest.raises(TypeError, match="got int for 'a'"):
            Bench().engine.build({"Dockerfile": "FROM base:1\n"}, secrets=wrong)

    def test_an_agent_has_a_place_and_no_socket(self) -> None:
        bench = Bench()
        build = bench.build("RUN --mount=type=ssh,id=a --mount=type=ssh true")
        assert bench.env["SSH_AUTH_SOCK"] == "/run/buildkit/ssh_agent.0"
        assert paths(build) == []


class TestCaches:
    LINES = "RUN --mount=type=cache,target=/c {}"

    @staticmethod
    def count(_step: ls.RunStep, fs: ls.Overlay, _env: dict[str, str]) -> None:
        known = fs.read_bytes("/c/n") if fs.exists("/c/n") else b""
        fs.write_bytes("/c/n", known + b"x")
        fs.write_bytes("/n", known)

    def test_the_content_stays_and_is_counted(self) -> None:
        bench = Bench()
        for number in range(3):
            build = bench.build(self.LINES.format(number), self.count)
            assert ls.View(build.layers).read_bytes("/n") == b"x" * number
        (record,) = [one for one in bench.engine.build_cache if one.type == "exec.cachemount"]
        assert (record.size, record.usage_count) == (3, 3)
        assert record.description == 'cached mount /c from exec /bin/sh -c 0 with id "//c"'

    def test_a_step_that_fails_leaves_what_it_wrote(self) -> None:
        bench = Bench()

        def fail(step: ls.RunStep, fs: ls.Overlay, env: dict[str, str]) -> None:
            self.count(step, fs, env)
            raise BuildError("failed")

        with pytest.raises(BuildError, match="failed"):
            bench.build(self.LINES.format("fail"), fail)
        assert ls.View(bench.build(self.LINES.format("true"), self.count).layers).read_bytes("/n") == b"x"

    def test_a_prune_empties_it(self) -> None:
        bench = Bench()
        bench.build(self.LINES.format(1), self.count)
        record = next(one for one in bench.engine.build_cache if one.type == "exec.cachemount")
        assert record.id in bench.engine.prune("build cache").build_cache
        assert ls.View(bench.build(self.LINES.format(2), self.count).layers).read_bytes("/n") == b""

    @pytest.mark.parametrize("layout", ["file", "directory"])
    def test_it_is_saved(self, tmp_path: Path, layout: str) -> None:
        bench = Bench()
        bench.build(self.LINES.format(1), self.count)
        path = tmp_path / "state"
        if layout == "directory":
            path.mkdir()
        bench.engine.save_state(path)
        with ls.Engine.open(path, clock=lambda: 1_700_000_001 * 10**9) as engine:
            again = engine.build({"Dockerfile": f"FROM base:1\n{self.LINES.format(2)}"}, run=self.count)
            assert ls.View(again.layers).read_bytes("/n") == b"x"
            assert sum(one.type == "exec.cachemount" for one in engine.build_cache) == 1

    def test_it_starts_as_what_it_is_told(self) -> None:
        def look(_step: ls.RunStep, fs: ls.Overlay, _env: dict[str, str]) -> None:
            found = fs.stat("/c")
            assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o711, 3, 4)

        bench = Bench()
        for number in range(2):
            bench.build(f"RUN --mount=type=cache,target=/c,mode=711,uid=3,gid=4 {number}", look)


PLAIN = {name: pair for name, pair in PAIRS.items() if pair.stage == ("", "")}


class TestKeys:
    @pytest.mark.parametrize("pair", PLAIN.values(), ids=PLAIN)
    @pytest.mark.parametrize(("profile", "generation"), [("docker20", 0), ("overlay2", 1)])
    def test_a_step_is_known_by_what_was_measured(self, pair: Pair, profile: str, generation: int) -> None:
        engine = ls.Engine(profile=profile, clock=lambda: 1_700_000_000 * 10**9)
        engine.add_image([ls.Layer.from_changes(BASE)], "bb:1")
        for is_after in (False, True):
            context = {"Dockerfile": pair.text(0, is_after=is_after), **SOURCES}
            build = engine.build(context, run=Bench().nothing, secrets={"sec": "very-secret", "other": "second"})
            state = "C" if build.steps[-1].is_cached else "x"
            assert state == (pair.states[generation] if is_after else "x")

    def test_why_a_step_with_mounts_ran(self) -> None:
        bench = Bench()
        bench.build("RUN --mount=type=cache,target=/c true")
        (told,) = bench.build("RUN --mount=type=cache,target=/c,sharing=locked true").steps[-1].reason.differences
        assert (told.what, told.name) == ("option", "mount")

    def test_networks(self) -> None:
        bench = Bench()
        bench.build("RUN true")
        assert bench.build("RUN --network=default true").steps[-1].is_cached
        assert not bench.build("RUN --network=none true").steps[-1].is_cached
        with pytest.raises(BuildError, match=r"network\.host is not allowed"):
            bench.build("RUN --network=host true")
