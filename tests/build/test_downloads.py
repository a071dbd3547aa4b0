"""ADD of a URL: the bytes are given, the builders do the rest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

import layersim as ls
from layersim.errors import BuildError
from tests.build.building import BUILDERS

if TYPE_CHECKING:
    from tests.build.building import Builder

URL = "https://example.org/v1/tool"
MADE = datetime(2015, 10, 21, 7, 28, tzinfo=UTC)
GIVEN: tuple[Any, ...] = (
    {URL: b"binary"},
    {URL: "binary"},
    {URL: ls.Download(b"binary")},
    lambda url: b"binary" if url == URL else b"",
)


def built(line: str, downloads: object, builder: Builder = "buildkit", profile: str = "overlay2") -> ls.Build:
    engine = ls.Engine(profile=profile, clock=lambda: 1_700_000_000 * 10**9)
    given: Any = downloads
    return engine.build({"Dockerfile": f"FROM scratch\n{line}\n"}, builder=builder, downloads=given)


@pytest.mark.parametrize("builder", BUILDERS)
@pytest.mark.parametrize("downloads", GIVEN)
def test_a_file_of_root_alone_without_a_time(builder: Builder, downloads: object) -> None:
    view = ls.View(built(f"ADD {URL} /bin/", downloads, builder).layers)
    status = view.lstat("/bin/tool")
    assert (view.read_bytes("/bin/tool"), status.st_mode & 0o7777, status.st_mtime_ns) == (b"binary", 0o600, 0)


@pytest.mark.parametrize("builder", BUILDERS)
def test_its_time_is_that_of_the_server(builder: Builder) -> None:
    download = ls.Download(b"x", MADE.replace(microsecond=5))
    view = ls.View(built(f"ADD {URL} /x", {URL: download}, builder).layers)
    assert view.lstat("/x").st_mtime_ns == int(MADE.timestamp()) * 10**9


def test_the_histories_of_the_builders() -> None:
    told = {
        (builder, profile): (built(f"ADD {URL} /x", {URL: b""}, builder, profile).config.history or ())[-1].created_by
        for builder in BUILDERS
        for profile in ("docker20", "overlay2")
    }
    assert told["buildkit", "docker20"] == told["buildkit", "overlay2"] == f"ADD {URL} /x # buildkit"
    digits = {text.split()[-3] for (builder, _), text in told.items() if text is not None and builder == "legacy"}
    assert {len(text) for text in digits} == {64}
    assert len(digits) == 2


def test_names_of_urls_that_end_with_a_slash() -> None:
    named = {"https://h/d/": ls.Download(b"x", filename="named.bin")}
    assert "/x/d" in ls.View(built("ADD https://h/d/ /x/", named).layers)
    assert "/x/named.bin" in ls.View(built("ADD https://h/d/ /x/", named, "legacy").layers)
    bare = {"https://h/": b"x"}
    assert "/x/__unnamed__" in ls.View(built("ADD https://h/ /x/", bare).layers)
    with pytest.raises(BuildError, match="ADD failed: cannot determine filename for source https://h/"):
        built("ADD https://h/ /x/", bare, "legacy")


@pytest.mark.parametrize("builder", BUILDERS)
def test_only_the_content_and_the_name_count_for_the_cache(builder: Builder) -> None:
    engine = ls.Engine(clock=lambda: 1_700_000_000 * 10**9)

    def is_cached(url: str, download: ls.Download) -> bool:
        dockerfile = f"FROM scratch\nADD {url} /x\n"
        return engine.build({"Dockerfile": dockerfile}, builder=builder, downloads={url: download}).steps[-1].is_cached

    assert not is_cached("https://h/a", ls.Download(b"one"))
    assert is_cached("https://h/a", ls.Download(b"one", MADE))
    assert is_cached("https://other/dir/a", ls.Download(b"one"))
    assert not is_cached("https://h/b", ls.Download(b"one"))
    assert not is_cached("https://h/a", ls.Download(b"two"))


def test_what_a_checksum_demands() -> None:
    digest = ls.sha256(b"x")
    built(f"ADD --checksum={digest} {URL} /x", {URL: b"x"})
    with pytest.raises(BuildError, match=rf"^digest mismatch {ls.sha256(b'y')}: {digest}$"):
        built(f"ADD --checksum={digest} {URL} /x", {URL: b"y"})


def test_what_is_downloaded_is_no_part_of_the_context() -> None:
    engine = ls.Engine(profile="docker20", clock=lambda: 1_700_000_000 * 10**9)
    engine.build({"Dockerfile": f"FROM scratch\nADD {URL} /x\n", "f": "file"}, downloads={URL: b"12345"})
    sizes = [(record.description, record.size) for record in engine.build_cache]
    assert (f"http url {URL}", 5) in sizes
    # The one there is was sent for its .dockerignore.
    assert [size for description, size in sizes if description == "local source for context"] == [0]


@pytest.mark.parametrize("builder", BUILDERS)
def test_without_a_download_the_error_names_the_step_and_the_way(builder: Builder) -> None:
    with pytest.raises(BuildError, match="needs a network, and a build here has none: downloads=") as caught:
        built(f"ADD {URL} /x", {}, builder)
    assert (caught.value.line, caught.value.text) == (2, f"ADD {URL} /x")


def test_a_callable_that_fails() -> None:
    def fail(url: str) -> bytes:
        raise ConnectionRefusedError(111, "connection refused", url)

    with pytest.raises(BuildError, match=r"^ADD failed: https://example\.org/v1/tool: .*connection refused"):
        built(f"ADD {URL} /x", fail, "legacy")
    with pytest.raises(BuildError, match=r"^failed to load cache key: https://example\.org/v1/tool: .*refused"):
        built(f"ADD {URL} /x", fail)


def test_what_is_no_download() -> None:
    wrong: Any = 5
    with pytest.raises(TypeError, match="expected bytes or text as the content of a download, got 5"):
        built(f"ADD {URL} /x", {URL: wrong})
    with pytest.raises(TypeError, match="downloads: expected contents by URL, or a callable, got 5"):
        built(f"ADD {URL} /x", wrong)
    with pytest.raises(TypeError, match="expected an aware datetime as the time of a download"):
        ls.Download(b"x", MADE.replace(tzinfo=None))


def test_a_replay_refuses_it() -> None:
    with pytest.raises(BuildError, match="what is found at a URL is not known here"):
        ls.replay({"a": f"FROM scratch\nADD {URL} /x\n"}, [["f"]], run=ls.runs({}), context={"f": 1})
