"""Owners whose names nothing knows: no such line, no such file, no files at all. Measured on 20.10.24 and 28.5.2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import layersim as ls
from layersim.errors import BuildError
from tests.build.test_stages import EACH, GENERATIONS

if TYPE_CHECKING:
    from tests.build.building import Builder

PASSWD, GROUP = ls.write("/etc/passwd", b"web:x:33:44::/:\n"), ls.write("/etc/group", b"staff:x:50:\n")
BASES = {"both:1": (PASSWD, GROUP), "passwd:1": (PASSWD,), "group:1": (GROUP,), "neither:1": (ls.mkdir("/etc"),)}
MAPPING = "unable to convert uid/gid chown string to host mapping: "
NO_PASSWD, NO_GROUP = (f"open /etc/{name}: no such file or directory" for name in ("passwd", "group"))


def owner(builder: Builder, profile: str, base: str, line: str) -> str:
    """Return whose the last entry of the last layer is, or what the builder says."""
    engine = ls.Engine(profile, clock=lambda: 0)
    for name, edits in BASES.items():
        engine.add_image([ls.Layer.from_changes(list(edits))], name)
    try:
        made = engine.build({"Dockerfile": f"FROM {base}\n{line}\n", "f": "f"}, builder=builder)
    except BuildError as error:
        return str(error)
    entry = list(made.layers[-1])[-1]
    return f"{entry.uid}:{entry.gid}"


LEGACY = [
    ("both:1", "nobody", "can't find uid for user nobody: no such user: nobody"),
    ("both:1", "web:nobody", "can't find gid for group nobody: no such group: nobody"),
    ("both:1", "web", "can't find gid for group web: no such group: web"),
    ("group:1", "web", f"can't find uid for user web: {NO_PASSWD}"),
    ("passwd:1", "web:staff", f"can't find gid for group staff: {NO_GROUP}"),
    ("passwd:1", "5:staff", f"can't find gid for group staff: {NO_GROUP}"),
    ("scratch", "web", f"can't find uid for user web: {NO_PASSWD}"),
]
BUILDKIT = [
    ("both:1", "nobody", "0:0", "0:0"),
    ("both:1", "nobody:nobody", "0:0", "0:0"),
    ("both:1", "web:nobody", "33:44", "33:44"),
    ("both:1", "5:nobody", "5:5", "5:5"),
    ("both:1", "5:staff", "5:50", "5:50"),
    ("group:1", "web", NO_PASSWD, "0:0"),
    ("group:1", "5:staff", "5:50", "5:50"),
    ("passwd:1", "web", "33:44", "33:44"),
    ("passwd:1", "web:staff", NO_GROUP, "33:44"),
    ("passwd:1", "5:staff", NO_GROUP, "5:5"),
    ("neither:1", "5:6", "5:6", "5:6"),
    ("scratch", "5:6", "5:6", "5:6"),
    ("scratch", "web", "invalid user index: -1", "invalid user index: -1"),
    ("scratch", "5:staff", "invalid user index: -1", "invalid user index: -1"),
    ("scratch\nLABEL a=1", "web", "invalid user index: -1", "invalid user index: -1"),
    ("scratch\nCOPY f /g", "web", NO_PASSWD, "0:0"),
]


@GENERATIONS
@pytest.mark.parametrize(("base", "name", "expected"), LEGACY)
def test_the_legacy_builder_refuses(profile: str, base: str, name: str, expected: str) -> None:
    assert owner("legacy", profile, base, f"COPY --chown={name} f /f") == MAPPING + expected


@pytest.mark.parametrize("form", ["COPY --chown={} f /f", "ADD --chown={} f /f", "USER {}\nWORKDIR /w"])
@pytest.mark.parametrize(("base", "name", "old", "new"), BUILDKIT)
def test_buildkit_takes_what_it_can(form: str, base: str, name: str, old: str, new: str) -> None:
    for profile, expected in (("docker20", old), ("overlay2", new)):
        assert owner("buildkit", profile, base, form.format(name)) == expected


@EACH
def test_a_mode_that_a_variable_gives(builder: Builder, profile: str) -> None:
    """20.10 replaces nothing in it: to BuildKit it is no mode then, to the legacy builder it is one."""
    engine = ls.Engine(profile, clock=lambda: 0)

    def mode(given: str) -> int:
        text = "FROM scratch\nARG M\nCOPY --chmod=$M f /f\n"
        made = engine.build({"Dockerfile": text, "f": "f"}, builder=builder, build_args={"M": given})
        return ls.View(made.layers).stat("/f").st_mode & 0o777

    if builder == "buildkit":
        assert mode("640") == (0o644 if profile == "docker20" else 0o640)
        return
    for given in ("640", "") if profile == "docker20" else ("640",):
        with pytest.raises(BuildError, match="the --chmod option requires BuildKit"):
            mode(given)
    if profile == "overlay2":
        assert mode("") == 0o644
