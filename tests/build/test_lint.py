"""The rules of newer BuildKit; the engine tests hold the same cases to a real one."""

from __future__ import annotations

import pytest

import layersim as ls
from layersim.errors import BuildError
from tests.build.lint_cases import CASES, REFUSED


def built(text: str, profile: str = "overlay2") -> ls.Build:
    engine = ls.Engine(profile=profile)
    engine.add_image([ls.Layer.from_changes([ls.write("/bin/sh", b"", mode=0o755)])], tag="bb:1")
    return engine.build({"Dockerfile": text, "f": "f"}, run=ls.runs({}, default=ls.effect()))


@pytest.mark.parametrize("text", CASES)
def test_remarks(text: str) -> None:
    assert tuple((one.rule, one.line) for one in built(text).warnings) == CASES[text]


@pytest.mark.parametrize("text", REFUSED)
def test_what_check_refuses(text: str) -> None:
    with pytest.raises(BuildError) as caught:
        built(text)
    assert REFUSED[text] in str(caught.value)


def test_remarks_as_they_are_printed() -> None:
    (one,) = built("FROM bb:1\nEXPOSE 127.0.0.1:80:80\n").warnings
    text = "EXPOSE instruction should not define an IP address or host-port mapping, found '127.0.0.1:80:80'"
    assert str(one) == f"ExposeInvalidFormat: {text} (line 2)"


def test_older_builders_have_no_rules() -> None:
    assert [str(one) for one in built("FROM bb:1 AS Bb\nCMD a\n", "docker20").warnings] == []
