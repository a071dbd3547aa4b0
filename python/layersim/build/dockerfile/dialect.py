"""The dialects of the Dockerfile language: what each generation of each builder understands, as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

FlagKind = Literal["bool", "text", "texts"]
"""What a flag takes: nothing or a boolean, one text, or a text each time that it is given."""

OLD = 20
"""The older generation."""

_NO_FLAGS: Mapping[str, FlagKind] = {}
_HEALTH: dict[str, FlagKind] = {"interval": "text", "timeout": "text", "start-period": "text", "retries": "text"}
_FLAGS_20: dict[str, Mapping[str, FlagKind]] = {
    "from": {"platform": "text"},
    "add": {"chown": "text", "chmod": "text"},
    "copy": {"chown": "text", "chmod": "text", "from": "text"},
    "run": {"mount": "texts"},
    "healthcheck": _HEALTH,
}
_FLAGS_29: dict[str, Mapping[str, FlagKind]] = {
    "from": {"platform": "text"},
    "add": {
        "chown": "text",
        "chmod": "text",
        "link": "bool",
        "keep-git-dir": "bool",
        "checksum": "text",
        "unpack": "bool",
        "exclude": "texts",
    },
    "copy": {
        "chown": "text",
        "from": "text",
        "chmod": "text",
        "link": "bool",
        "exclude": "texts",
        "parents": "bool",
    },
    "run": {"mount": "texts", "network": "text", "device": "texts"},
    "healthcheck": {**_HEALTH, "start-interval": "text"},
}


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """What one generation of one builder makes of a Dockerfile.

    Attributes
    ----------
    name : str
        Short name, such as ``"buildkit29"``.
    builder : {"legacy", "buildkit"}
        Whose wording errors and histories have.
    generation : {20, 29}
        Of which engine: 20.10, or 29.
    heredocs : {"none", "parse", "ignore"}
        Whether bodies of heredocs belong to the instruction, and whether the builder looks at them.
    flags : Mapping of str to Mapping
        For each instruction in lower case the flags that it takes, and of which kind they are.
    health_text : {"quoted", "quoted_start", "plain_start", "named", "named_pointer"}
        How the builder prints a health check into the history.

    Examples
    --------
    >>> from layersim.build.dockerfile import BUILDKIT29
    >>> BUILDKIT29.name, BUILDKIT29.heredocs
    ('buildkit29', 'parse')
    """

    name: str
    builder: Literal["legacy", "buildkit"]
    generation: Literal[20, 29]
    heredocs: Literal["none", "parse", "ignore"]
    flags: Mapping[str, Mapping[str, FlagKind]]
    health_text: Literal["quoted", "quoted_start", "plain_start", "named", "named_pointer"]

    def __hash__(self) -> int:
        """Hash the name: the flags are a mapping."""
        return hash(self.name)

    @property
    def is_old(self) -> bool:
        """Whether this is 20.10's language."""
        return self.generation == OLD

    def flags_of(self, instruction: str) -> Mapping[str, FlagKind]:
        """Return the flags of an instruction, given in lower case."""
        return self.flags.get(instruction, _NO_FLAGS)


LEGACY20 = Dialect(
    name="legacy20", builder="legacy", generation=20, heredocs="none", flags=_FLAGS_20, health_text="quoted"
)
BUILDKIT20 = Dialect(
    name="buildkit20", builder="buildkit", generation=20, heredocs="none", flags=_FLAGS_20, health_text="quoted"
)
LEGACY29 = Dialect(
    name="legacy29", builder="legacy", generation=29, heredocs="ignore", flags=_FLAGS_29, health_text="named_pointer"
)
BUILDKIT29 = Dialect(
    name="buildkit29", builder="buildkit", generation=29, heredocs="parse", flags=_FLAGS_29, health_text="named"
)
DIALECTS = (LEGACY20, BUILDKIT20, LEGACY29, BUILDKIT29)
