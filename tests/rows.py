"""Rows of every type that a table may have, and an engine with tables of every kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import layersim as ls

if TYPE_CHECKING:
    from layersim import Table

NOW = 1_714_564_800 * 10**9


@dataclass(frozen=True)
class Everything:
    """One field of each type that a row may have."""

    whole: int
    share: Fraction
    ratio: float
    flag: bool
    name: str
    created: datetime
    words: tuple[str, ...]
    perhaps: str | None
    perhaps_whole: int | None
    perhaps_created: datetime | None


@dataclass(frozen=True)
class Size:
    """A size alone."""

    size: int


FIRST = Everything(
    whole=-3,
    share=Fraction(1, 3),
    ratio=0.25,
    flag=True,
    name="é\x00\udcff",
    created=datetime(1, 1, 1, tzinfo=UTC),
    words=("a", "b c"),
    perhaps=None,
    perhaps_whole=7,
    perhaps_created=None,
)
SECOND = Everything(
    whole=2**63 - 1,
    share=Fraction(0),
    ratio=1.5,
    flag=False,
    name="",
    created=datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    words=(),
    perhaps="x",
    perhaps_whole=None,
    perhaps_created=datetime(2024, 5, 1, 14, tzinfo=timezone(timedelta(hours=2))),
)


def small_engine() -> ls.Engine:
    """Return an engine with images on one base, a container, a volume and records of a build cache."""
    engine = ls.Engine(clock=lambda: NOW)
    base, own = ls.Layer.from_changes([ls.write("/b", bytes(1000))]), ls.Layer.from_changes([ls.write("/o", bytes(20))])
    engine.add_image([base], "base:1", history=[ls.HistoryEntry(created_by="ADD / /")])
    engine.add_image([base, own], "app:1")
    engine.tag("app:1", "app:latest")
    engine.run("app:1", name="one", command=["sh", "-c", "echo hi"]).fs.write_bytes("/f", b"12345")
    engine.create_volume("data")
    engine.add_cache_record(500, description="a step")
    engine.add_cache_record(0, type="source.local", in_use=True)
    return engine


def tables(engine: ls.Engine) -> dict[str, Table[Any]]:
    """Return a table of every kind."""
    usage = engine.df(verbose=True)
    return {
        "images": engine.images(),
        "history": engine.history("base:1"),
        "containers": engine.containers(all=True, size=True),
        "summary": usage.summary,
        "image usage": usage.images,
        "container usage": usage.containers,
        "volumes": usage.volumes,
        "build cache": usage.build_cache,
    }
