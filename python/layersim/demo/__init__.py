"""The story that layersim tells, on an embedded example or on the user's own archives: every number is computed."""

from __future__ import annotations

from layersim.demo.passage import Passage
from layersim.demo.story import tell, tell_of, write_archives

__all__ = ["Passage", "tell", "tell_of", "write_archives"]
