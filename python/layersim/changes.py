"""A tiny language for making layers: six edits, each a value, applied in order to an empty changeset.

=====================================  ===============================================================
``mkdir(path, mode=0o755)``            a directory
``write(path, data, mode=0o644)``      a regular file with these bytes
``symlink(path, target)``              a symbolic link
``hardlink(path, target)``             a second name for a file of the same changeset
``remove(path)``                       a whiteout: what lower layers hold under this path is gone
``opaque(path)``                       a directory that hides everything lower layers hold in it
=====================================  ===============================================================

The edits of one list become one :class:`~layersim.Layer`:

>>> from layersim import Layer, mkdir, remove, write
>>> layer = Layer.from_changes([mkdir("/app"), write("/app/app.js", b"1;"), remove("/etc/motd")])
>>> layer.size
2

All of them take ``uid``, ``gid``, ``mtime_ns`` and, where a file or directory is made, ``xattrs``;
what is left out is zero, so the same list always gives the same ``diff_id``.
"""

from __future__ import annotations

from layersim._core import Edit, hardlink, mkdir, opaque, remove, symlink, write

__all__ = ["Edit", "hardlink", "mkdir", "opaque", "remove", "symlink", "write"]
