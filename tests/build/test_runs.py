"""Declared effects: which one a command has, what it does to an overlay, and that the same gives the same."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.errors import BuildError, RunError
from layersim.units import parse_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from layersim.build.running.table import Act

BASE = ls.Layer.from_changes(
    [
        ls.write("/app/package.json", b"{}", mtime_ns=1),
        ls.write("/var/lib/apt/lists/one", b"1"),
        ls.write("/var/lib/apt/lists/two", b"22"),
        ls.write("/cache/a/b/x.pyc", b"3"),
        ls.write("/cache/y.pyc", b"4"),
        ls.write("/bin/tool", b"5", mode=0o755),
        ls.symlink("/cur", "app"),
    ]
)


def overlay() -> ls.Overlay:
    return ls.Overlay([BASE], clock=lambda: 1_000_000_000)


def step(text: str, cwd: str = "/") -> ls.RunStep:
    return ls.RunStep(command=("/bin/sh", "-c", text), text=text, cwd=cwd, line=5, number=3)


def after(act: Act, text: str = "x", cwd: str = "/") -> ls.Overlay:
    fs = overlay()
    ls.runs({text: act})(step(text, cwd), fs, {})
    return fs


class TestPatterns:
    @pytest.mark.parametrize(
        ("pattern", "text", "is_match"),
        [
            ("npm ci", "cd app && npm ci --omit=dev", True),
            ("npm ci", "npm  ci;ls", True),
            ("npm c", "npm ci", False),
            ("npm ci", "npm install ci", False),
            ("apt-get install", "(apt-get install -y curl)", True),
            ("pip install *-x", "pip install lib-x", True),
            ("pip install *-x", "pip install lib", False),
            ("rm -rf /var/lib/apt/lists/*", "rm -rf /var/lib/apt/lists/*", True),
            (re.compile("^npm"), "npm ci", True),
            (re.compile("^ci"), "npm ci", False),
        ],
    )
    def test_words_match_next_to_each_other(self, pattern: str | re.Pattern[str], text: str, *, is_match: bool) -> None:
        table = ls.runs({pattern: ls.effect(seconds=2)}, default=ls.effect(seconds=1))
        assert table(step(text), overlay(), {}) == ls.Ran(2.0 if is_match else 1.0)

    def test_the_first_match_wins(self) -> None:
        table = ls.runs({"npm ci": ls.effect(seconds=1), "npm": ls.effect(seconds=2)})
        assert table(step("npm ci"), overlay(), {}) == ls.Ran(1)
        assert table(step("npm test"), overlay(), {}) == ls.Ran(2)

    def test_an_exec_form_is_its_words(self) -> None:
        exec_form = ls.RunStep(command=("npm", "ci"), text='["npm", "ci"]', shell=False)
        assert ls.runs({"npm ci": ls.effect()})(exec_form, overlay(), {}) == ls.Ran(0)

    def test_a_step_that_nobody_declared_says_how_to_declare_it(self) -> None:
        with pytest.raises(BuildError, match=r"RUN step 3 of stage 0, line 5 .*: make all; .*ls\.runs\(\{'make all': "):
            ls.runs({"npm": ls.effect()})(step("make all"), overlay(), {})

    def test_a_callable_acts_itself(self) -> None:
        def act(step: ls.RunStep, fs: ls.Overlay, env: dict[str, str]) -> None:
            fs.write_bytes("/out", f"{step.text} {env['K']}".encode())

        fs = overlay()
        assert ls.runs({"make": act})(step("make"), fs, {"K": "v"}) is None
        assert fs.read_bytes("/out") == b"make v"

    def test_what_is_no_pattern_or_no_effect_is_refused(self) -> None:
        runs: Callable[..., object] = ls.runs
        with pytest.raises(TypeError, match="expected an effect or a callable, got 3"):
            runs({}, default=3)
        with pytest.raises(TypeError, match="expected text or a compiled pattern, got 3"):
            runs({3: ls.effect()})
        with pytest.raises(TypeError, match="expected a sequence of paths, got the text '/a'"):
            ls.effect(removes="/a")
        with pytest.raises(ValueError, match="no word"):
            ls.runs({" ": ls.effect()})


class TestEffects:
    def test_files_have_their_bytes_their_text_or_their_size(self) -> None:
        writes: dict[str, bytes | str | int] = {
            "/a": b"40MB",
            "/b": "text\n",
            "/c": "40MB",
            "/d": 7,
            "/e": "1.5 KiB",
            "/new/dir/f": "40",
        }
        fs = after(ls.effect(writes=writes))
        assert [fs.read_bytes(path) for path in ("/a", "/b", "/new/dir/f")] == [b"40MB", b"text\n", b"40"]
        assert [fs.stat(path).st_size for path in ("/c", "/d", "/e")] == [40_000_000, 7, 1536]
        assert {fs.stat(path).st_mode for path in writes} == {0o100644}
        assert fs.stat("/c").st_mtime_ns == 1_000_000_000

    def test_synthetic_bytes_take_no_memory_and_do_not_compress(self) -> None:
        fs = after(ls.effect(writes={"/huge": 2**42, "/c": 100_000}))
        assert fs.size_rw == 2**42 + 100_000
        assert len(zlib.compress(fs.read_bytes("/c"))) > 99_000

    def test_the_same_makes_the_same(self) -> None:
        one = ls.effect(writes={"/a": 1000, "/b": 1000}, files={"/t": (200, "1MB")})
        assert after(one).to_layer() == after(one).to_layer()
        fs = after(one)
        assert fs.read_bytes("/a") != fs.read_bytes("/b")

    @pytest.mark.parametrize(
        "other",
        [
            after(ls.effect(writes={"/a": 1000}, seed=1)),
            after(ls.effect(writes={"/a": 1000}), "y"),
            after(ls.effect(writes={"/a": 1000}, uses=["/app/package.json"])),
        ],
    )
    def test_another_seed_command_or_input_makes_other_bytes(self, other: ls.Overlay) -> None:
        assert other.read_bytes("/a") != after(ls.effect(writes={"/a": 1000})).read_bytes("/a")

    def test_bytes_follow_what_the_command_uses(self) -> None:
        table = ls.runs({"npm": ls.effect(writes={"lock": 64}, uses=["*.json"])})
        found = []
        for content in (b"{}", b"{ }", b"{}"):
            fs = overlay()
            fs.write_bytes("/app/package.json", content)
            table(step("npm", "/app"), fs, {})
            found.append(fs.read_bytes("/app/lock"))
        assert found[0] == found[2] != found[1]

    def test_a_command_fails_without_what_it_uses(self) -> None:
        fs = overlay()
        with pytest.raises(RunError, match=r"uses 'yarn\.lock', which is not there"):
            ls.runs({"yarn": ls.effect(writes={"/a": 1}, uses=["yarn.lock"])})(step("yarn", "/app"), fs, {})
        assert fs.changes() == []

    @pytest.mark.parametrize(("count", "total"), [(1, 10), (3, 2), (1200, "40MB"), (65, 0)])
    def test_a_tree_has_its_files_and_bytes(self, count: int, total: int | str) -> None:
        fs = after(ls.effect(files={"node_modules": (count, total)}), cwd="/app")
        sizes = [
            fs.stat(f"{folder}/{name}").st_size for folder, _, names in fs.walk("/app/node_modules") for name in names
        ]
        assert len(sizes) == count
        assert sum(sizes) == (parse_size(total) if isinstance(total, str) else total)

    @pytest.mark.parametrize(
        ("pattern", "gone"),
        [
            ("/var/lib/apt/lists/*", {"/var/lib/apt/lists/one", "/var/lib/apt/lists/two"}),
            ("/var/lib/apt/lists/[o]*", {"/var/lib/apt/lists/one"}),
            ("/cache/**/*.pyc", {"/cache/a/b/x.pyc", "/cache/y.pyc"}),
            ("cache", {"/cache"}),
            ("/cache/**", {"/cache/a", "/cache/y.pyc"}),
            ("/none/*", set()),
            ("/bin/tool/*", set()),
            ("/cur", {"/cur"}),
            ("../bin", {"/bin"}),
        ],
    )
    def test_what_a_glob_names_is_removed(self, pattern: str, gone: set[str]) -> None:
        fs = after(ls.effect(removes=[pattern]))
        assert {change.path for change in fs.changes() if change.kind == "D"} == gone

    def test_what_was_removed_can_be_made_anew(self) -> None:
        fs = after(ls.effect(removes=["/cache"], mkdirs=["/cache/new"], symlinks={"/cur": "cache"}))
        assert fs.listdir("/cur") == ["new"]
        assert fs.readlink("/cur") == "cache"

    def test_modes_and_owners_are_set_last(self) -> None:
        writes = {"/bin/a": b"a", "/bin/tool": b"new"}
        fs = after(ls.effect(writes=writes, modes={"/bin/*": 0o4755}, owners={"/bin/a": (1, 2), "/bin/tool": 3}))
        found = [fs.stat(path) for path in writes]
        assert [(one.st_mode, one.st_uid, one.st_gid) for one in found] == [(0o104755, 1, 2), (0o104755, 3, 3)]

    def test_a_file_that_is_rewritten_keeps_its_mode(self) -> None:
        assert after(ls.effect(writes={"/bin/tool": "1kB"})).stat("/bin/tool").st_mode == 0o100755

    @pytest.mark.parametrize(
        ("wrong", "says"),
        [
            (lambda: ls.effect(writes={"/a": -1}), "expected a size"),
            (lambda: ls.effect(files={"/a": (0, 1)}), "at least one file"),
            (lambda: ls.effect(files={"/a": (1, "40")}), "expected a size"),
            (lambda: ls.effect(seconds=-1), "expected a duration"),
            (lambda: ls.effect(modes={"/a": 0o10000}), "permission bits"),
            (lambda: ls.effect(owners={"/a": -1}), "expected a uid"),
        ],
    )
    def test_what_cannot_be_is_refused(self, wrong: Callable[[], object], says: str) -> None:
        with pytest.raises(ValueError, match=says):
            wrong()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0B", 0),
        ("1kb", 1000),
        ("1KiB", 1024),
        ("2.5MB", 2_500_000),
        ("0.1GiB", 107_374_182),
        ("7 TB", 7 * 10**12),
        ("40", None),
        ("MB", None),
        ("-1MB", None),
        ("1MBs", None),
        ("1iB", None),
        ("", None),
    ],
)
def test_sizes_are_read_as_docker_prints_them(text: str, size: int | None) -> None:
    assert parse_size(text) == size
