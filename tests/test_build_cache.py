"""The build cache: what its records hold, who shares them, and the sums of each generation of engines."""

from __future__ import annotations

import pytest

import layersim as ls

BASE = ls.Layer.from_changes([ls.write("/base", bytes(1_000_000))])
STEP = ls.Layer.from_changes([ls.write("/step", bytes(500_000))])


def built(profile: str) -> ls.Engine:
    """Return an engine after `import a` and a BuildKit build of `FROM a`, `COPY 500k` (accounting.md section 4)."""
    engine = ls.Engine(profile, clock=lambda: 1_700_000_000 * 10**9)
    engine.add_image([BASE], tag="a:1", way="import")
    engine.add_image([BASE, STEP], tag="b:1", way="build")
    engine.add_cache_record(500_000, type="source.local", description="local source for context")
    engine.add_cache_record(0, layers=[BASE], description="pulled from a:1")
    engine.add_cache_record(500_000, layers=[BASE, STEP], description="COPY")
    return engine


def cache_line(engine: ls.Engine) -> tuple[int, int, int, int]:
    line = engine.df().summary[3]
    return line.total, line.active, line.size, line.reclaimable


@pytest.mark.parametrize(("profile", "size"), [("docker20", 500_000), ("overlay2", 1_000_000)])
def test_shared_records_count_where_the_generation_counts_them(profile: str, size: int) -> None:
    engine = built(profile)
    assert cache_line(engine) == (3, 0, size, 500_000)
    assert {row.description: row.shared for row in engine.build_cache} == {
        "local source for context": False,
        "pulled from a:1": True,
        "COPY": True,
    }


@pytest.mark.parametrize("profile", ["docker20", "overlay2"])
def test_layers_that_only_the_cache_holds_are_no_images_but_stay(profile: str) -> None:
    engine = built(profile)
    assert engine.remove_image("b:1").freed == 0
    assert engine.remove_image("a:1").freed == 0
    images = engine.df().summary[0]
    assert (images.total, images.size) == (0, 0)
    assert cache_line(engine) == (3, 0, 1_000_000, 1_000_000)
    pruned = engine.prune("build cache")
    # The base goes too, and nobody counts it.
    assert (pruned.freed, len(pruned.build_cache)) == (1_000_000, 3)
    assert str(pruned).startswith("Deleted build cache objects:\n")
    assert "0 layers" in repr(engine)


def test_what_images_share_goes_only_with_all() -> None:
    engine = built("docker20")
    assert len(engine.prune("build cache").build_cache) == 1
    assert len(engine.prune("build cache", unused_images=True).build_cache) == 2
    assert engine.get_image("b:1").size == 1_500_000


def test_a_record_in_use_is_no_reserve_and_stays() -> None:
    engine = built("docker20")
    engine.add_cache_record(7, in_use=True)
    assert cache_line(engine) == (4, 1, 500_007, 500_000)
    engine.prune("build cache", unused_images=True)
    assert cache_line(engine) == (1, 1, 7, 0)
    assert str(engine.df(verbose=True)).splitlines()[-1].split()[0].endswith("*")


def test_the_table_is_dockers() -> None:
    text = str(built("docker20").df(verbose=True))
    assert "Build cache usage: 500kB\n\nCACHE ID       CACHE TYPE     SIZE      CREATED" in text


@pytest.mark.parametrize("size", [-1, 2**63])
def test_a_size_that_no_record_has_is_refused(size: int) -> None:
    engine = built("docker20")
    with pytest.raises(ValueError, match="expected 0 to"):
        engine.add_cache_record(size)
    assert cache_line(engine)[0] == 3
