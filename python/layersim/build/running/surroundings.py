"""What the containers of the builders are like beside the image, as measured on 20.10, 26 and 28."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from layersim.container.mountpoints import CONTAINER, MountPoints

if TYPE_CHECKING:
    from collections.abc import Mapping

_BUILDKIT_HOST = "buildkitsandbox"
_BUILDKIT_HOSTS = f"127.0.0.1\tlocalhost {_BUILDKIT_HOST}\n::1\tlocalhost ip6-localhost ip6-loopback\n"
_LEGACY_HOSTS = (
    "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n"
    "ff00::0\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a command finds of its container.

    Attributes
    ----------
    hostname : str
        Its name.
    files : mapping of str to str
        What is mounted over files of the image.
    writes_files : bool
        Whether these can be written; nothing of that is in a layer.
    has_old_groups : bool
        Whether supplementary groups are those of 20.10: none without USER, and not the group of the process itself.
    fails_to_start : bool
        Whether a command whose program is not there fails with code 1, as one that was started.
    ends_with_unknown : bool
        Whether what the engine says of such a program ends so, as 20.10 has it.
    points : MountPoints
        What is there to mount at.
    env : mapping of str to str
        Variables beside those of the image.
    """

    hostname: str = _BUILDKIT_HOST
    files: Mapping[str, str] = field(default_factory=dict)
    writes_files: bool = False
    has_old_groups: bool = False
    fails_to_start: bool = True
    ends_with_unknown: bool = False
    points: MountPoints = CONTAINER
    env: Mapping[str, str] = field(default_factory=dict)


_NOTHING: Mapping[str, str] = MappingProxyType({})
_POINTS = MountPoints(directories=("proc", "sys", "dev"), files=("etc/resolv.conf", "etc/hosts"), clears=False)
_FILES = MappingProxyType({"/etc/hosts": _BUILDKIT_HOSTS, "/etc/resolv.conf": ""})

BUILDKIT = Surroundings(files=_FILES, points=_POINTS, env=_NOTHING)
BUILDKIT20 = Surroundings(files=_FILES, points=_POINTS, env=_NOTHING, has_old_groups=True)


def legacy(container_id: str, *, is_old: bool = True) -> Surroundings:
    """Return what the legacy builder's container is like, which is one as all others.

    Parameters
    ----------
    container_id : str
        Hexadecimal digits; the first twelve are its name.
    is_old : bool
        Whether the engine is 20.10.
    """
    name = container_id[:12]
    files = {"/etc/hostname": f"{name}\n", "/etc/hosts": _LEGACY_HOSTS, "/etc/resolv.conf": ""}
    return Surroundings(
        hostname=name,
        files=files,
        writes_files=True,
        fails_to_start=False,
        ends_with_unknown=is_old,
        env={"HOSTNAME": name},
    )
