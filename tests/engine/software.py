"""What an engine is made of: its programs, and where they find each other."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tests.oracles import require_program


@dataclass(frozen=True)
class Software:
    """The programs of one engine.

    Attributes
    ----------
    dockerd, client : str
        The daemon and its command line.
    programs : Path or None
        Folder whose programs (containerd and its shim) come before the machine's own.
    plugins : Path or None
        Folder with the plugins of the command line.
    """

    dockerd: str
    client: str
    programs: Path | None = None
    plugins: Path | None = None

    @property
    def path(self) -> str:
        """The PATH that daemon and command line see."""
        machine = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
        return machine if self.programs is None else f"{self.programs}:{machine}"


def own_software() -> Software:
    """Return the engine installed here, with the client that Debian ships beside it or else the first on PATH."""
    beside = Path("/usr/bin/docker")
    client = str(beside) if beside.exists() else require_program("docker", "docker.io")
    return Software(require_program("dockerd", "docker.io"), client)
