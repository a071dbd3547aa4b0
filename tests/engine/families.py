"""The family of accounting.md section 3: a is imported, b and c are built from it, d from b, by the legacy builder."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.engine.saving import saved_with_parents
from tests.tars import Entry, layer_tar

if TYPE_CHECKING:
    import layersim as ls
    from tests.engine.daemon import Daemon

FAMILY = {"a:1": 1_000_000, "b:1": 1_500_000, "c:1": 1_300_000, "d:1": 1_600_000}
"""Names, and bytes of the files."""


def noise(size: int, seed: int = 0) -> bytes:
    """Return bytes that nothing packs."""
    return random.Random(seed).randbytes(size)


def build_family(daemon: Daemon) -> None:
    daemon.docker("import", "-", "a:1", stdin=layer_tar([Entry("r", content=noise(FAMILY["a:1"]))]))
    for child, parent in (("b:1", "a:1"), ("c:1", "a:1"), ("d:1", "b:1")):
        build_child(daemon, child, parent, noise(FAMILY[child] - FAMILY[parent], ord(child[0])))


def build_child(daemon: Daemon, child: str, parent: str, content: bytes) -> None:
    """Build an image of one file and one label on another, an intermediate image between them."""
    with tempfile.TemporaryDirectory(prefix="layersim-context-") as context:
        Path(context, "file").write_bytes(content)
        Path(context, "Dockerfile").write_text(f"FROM {parent}\nCOPY file /{child[0]}\nLABEL of={child}\n")
        daemon.docker("build", "--network=none", "--tag", child, context, DOCKER_BUILDKIT="0")


def take_over_everything(daemon: Daemon, engine: ls.Engine) -> None:
    """Save all images of the daemon, those without a name included, and load them into ours."""
    images = sorted(set(daemon.lines("images", "--all", "--quiet", "--no-trunc")))
    engine.load(saved_with_parents(daemon, (tag for image in images for tag in tags_or_id(daemon, image))))


def tags_or_id(daemon: Daemon, image: str) -> list[str]:
    return daemon.inspect(image)["RepoTags"] or [image]
