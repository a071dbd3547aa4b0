"""Volumes of the legacy builder's containers, while a sandbox runs the command. Measured on 20.10.24 and 28.5.2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.errors import BuildError
from tests.build.test_stages import GENERATIONS
from tests.engine.rootfs import busybox_tar
from tests.oracles import require_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layersim.build import Build

pytestmark = pytest.mark.kernel
TREE = [
    ls.mkdir("/srv"),
    ls.mkdir("/srv/web", mode=0o750, uid=33, gid=44),
    ls.write("/srv/web/index", b"index"),
    ls.symlink("/link", "srv/web"),
    ls.write("/etc/passwd", b"web:x:33:44::/:\n"),
    ls.write("/file", b"file"),
]


@pytest.fixture
def box() -> Iterator[ls.Sandbox]:
    require_root()
    with ls.sandbox(timeout=60) as made:
        yield made


def build(box: ls.Sandbox, profile: str, text: str) -> Build:
    engine = ls.Engine(profile, clock=lambda: 1_700_000_000 * 10**9)
    engine.add_image([ls.Layer.from_tar(busybox_tar()), ls.Layer.from_changes(TREE)], "base:1")
    return engine.build({"Dockerfile": f"FROM base:1\n{text}\n"}, builder="legacy", run=box)


WRITES = {
    "VOLUME /srv/web\nRUN echo x > /srv/web/x; rm /srv/web/index": [],
    "VOLUME /srv/web/\nRUN echo x > /srv/web/x": [],
    "VOLUME /link\nRUN echo x > /link/x; echo y > /srv/web/y": [],
    "VOLUME /srv\nRUN mv /srv/web/index /moved; touch /srv/web": ["moved"],
    "VOLUME /srv/web\nRUN echo x > /srv/web/x; echo y > /srv/y": ["srv", "srv/y"],
    "VOLUME /srv/new/deep\nRUN echo x > /srv/new/deep/x": ["srv", "srv/new", "srv/new/deep"],
    "VOLUME /v/in /v\nRUN ls /v > /o; echo x > /v/in/y": ["o", "v"],
}
"""Commands, and what is in their layer."""


@GENERATIONS
@pytest.mark.parametrize("text", WRITES)
def test_what_is_written_to_a_volume_is_in_no_layer(box: ls.Sandbox, profile: str, text: str) -> None:
    layer = build(box, profile, text).steps[-1].layer
    assert ([] if layer is None else [one.path for one in layer]) == WRITES[text]


@GENERATIONS
def test_a_volume_starts_as_the_image_has_it_and_is_gone_after_the_command(box: ls.Sandbox, profile: str) -> None:
    looks = "stat -c '%u %g %a' /srv/web > /o; ls /srv/web >> /o"
    text = f"VOLUME /srv/web\nUSER web\nRUN touch /srv/web/new\nUSER 0\nRUN {looks}"
    made = build(box, profile, text)
    assert ls.View(made.layers).read_bytes("/o") == b"33 44 750\nindex\n"


@GENERATIONS
def test_a_volume_in_a_volume_has_its_directory_there(box: ls.Sandbox, profile: str) -> None:
    made = build(box, profile, "VOLUME /srv /srv/web/in\nRUN ls /srv/web > /o")
    assert ls.View(made.layers).read_bytes("/o") == b"in\nindex\n"


@GENERATIONS
def test_a_file_is_where_a_volume_has_to_be(box: ls.Sandbox, profile: str) -> None:
    with pytest.raises(BuildError, match=r"^cannot mount volume over existing file, file exists /file$"):
        build(box, profile, "VOLUME /file\nRUN true")
