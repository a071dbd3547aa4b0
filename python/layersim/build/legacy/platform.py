"""What ``FROM --platform`` may say to the legacy builder, which reads it before it looks for the image."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layersim.build.dockerfile.golang import go_quote
from layersim.errors import BuildError

if TYPE_CHECKING:
    from layersim.build.dockerfile import Dialect

_PART = r"^[A-Za-z0-9_-]+$"
_SYSTEM = r"^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.%-]*)((?:\+[A-Za-z0-9_.%-]+)*)\))?$"


def check_platform(text: str, dialect: Dialect) -> None:
    """Refuse what is no platform, such as nothing: this builder knows no ``$BUILDPLATFORM``.

    Raises
    ------
    BuildError
        In the words of 20.10 or of 28.
    """
    for place, part in enumerate(text.split("/")):
        is_system = place == 0 and not dialect.is_old
        form = _SYSTEM if is_system else _PART
        if not re.fullmatch(form[1:-1], part, re.ASCII):
            kind, rule = ("OS component", "OSAndVersion") if is_system else ("component", "platform")
            told = f"{go_quote(part)} is an invalid {kind} of {go_quote(text)}: {rule} specifier component must match"
            raise BuildError(f"failed to parse platform {text}: {told} {go_quote(form)}: invalid argument")
