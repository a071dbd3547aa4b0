"""How a line says that the next one continues it."""

from __future__ import annotations

import re

CONTINUED = {escape: re.compile(rf"(?<!\{escape})\{escape}[ \t]*\Z") for escape in ("\\", "`")}
"""For each escape character: it is the last of a line but for blanks, and not escaped itself."""
