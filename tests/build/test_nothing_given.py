"""Instructions that come out empty. Measured on 20.10.24 and 28.5.2."""

from __future__ import annotations

import json
from typing import Any

import pytest

from layersim.errors import BuildError
from tests.build.building import Bench, Builder
from tests.build.test_stages import EACH


def config(builder: Builder, profile: str, text: str) -> dict[str, Any]:
    bench = Bench(builder, profile)
    bench.build("FROM base:1\nCMD inherited\n", tag="cmd:1")
    found: dict[str, Any] = json.loads(bench.build(f"FROM cmd:1\n{text}\n").raw_config)["config"]
    return found


COMMANDS = {
    'CMD []\nENTRYPOINT ["e"]': (None, None),
    "CMD\nENTRYPOINT e": (None, ["/bin/sh", "-c", ""]),
    'CMD [""]\nENTRYPOINT e': ([""], [""]),
    "CMD x\nCMD []\nENTRYPOINT e": ([], None),
    'CMD ["x"]\nENTRYPOINT e': (["x"], ["x"]),
    "ENTRYPOINT e": (None, None),
    'ENTRYPOINT e\nCMD ["x"]\nENTRYPOINT f': (["x"], ["x"]),
}
"""Lines, and the command that is left with the legacy builder and with BuildKit."""


@EACH
@pytest.mark.parametrize("text", COMMANDS)
def test_the_command_that_an_entry_point_leaves(builder: Builder, profile: str, text: str) -> None:
    assert config(builder, profile, text).get("Cmd") == COMMANDS[text][builder == "buildkit"]


@EACH
def test_a_command_of_a_stage_below_is_inherited(builder: Builder, profile: str) -> None:
    made = Bench(builder, profile).build("FROM base:1 AS a\nCMD x\nFROM a\nENTRYPOINT e\n")
    assert json.loads(made.raw_config)["config"].get("Cmd") is None


@EACH
@pytest.mark.parametrize("text", ["ENV $NO=x", 'ENV ""=x', "ARG $NO=x\nRUN a"])
def test_a_variable_without_a_name(builder: Builder, profile: str, text: str) -> None:
    if builder == "legacy":
        with pytest.raises(BuildError, match=r"^invalid environment variable: =x$"):
            config(builder, profile, text)
    elif text.startswith("ENV"):
        assert config(builder, profile, text)["Env"][-1] == "=x"


@EACH
def test_a_label_without_a_name(builder: Builder, profile: str) -> None:
    assert config(builder, profile, "LABEL $NO=x a=1")["Labels"] == {"": "x", "a": "1"}


@EACH
def test_ports_of_nothing(builder: Builder, profile: str) -> None:
    assert config(builder, profile, "EXPOSE 80 $NO 90")["ExposedPorts"] == {"80/tcp": {}, "90/tcp": {}}
