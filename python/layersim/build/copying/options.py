"""The flags of COPY and ADD."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CopyOptions:
    """What the flags of one COPY or ADD say, after substitution.

    Attributes
    ----------
    instruction : str
        ``COPY``, or ``ADD``, which extracts archives.
    owner : str or None
        Of ``--chown``.
    mode : str or None
        Of ``--chmod``.
    link : bool
        Of ``--link``: the result is the same, for it is the engine's way of making the layer.
    exclude : tuple of str
        Of each ``--exclude``.
    parents : bool
        Of ``--parents``.
    unpack : bool or None
        Of ``--unpack``; without it archives are told by their content.
    """

    instruction: str = "COPY"
    owner: str | None = None
    mode: str | None = None
    link: bool = False
    exclude: tuple[str, ...] = ()
    parents: bool = False
    unpack: bool | None = None
