"""A private Docker engine as a peer: its own folder and socket, without a network, ended with the block."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_START_S = 30.0
_PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"


class NoEngineError(Exception):
    """There is no engine here; the text says why."""


@contextmanager
def running(folder: Path) -> Iterator[Callable[..., str]]:
    """Start `dockerd`; give what runs `docker` commands, with BuildKit, and returns what they print.

    Raises
    ------
    NoEngineError
        There is none, or it does not start here.
    """
    daemon, client = (shutil.which(name, path=_PATH) for name in ("dockerd", "docker"))
    if os.geteuid() != 0:
        raise NoEngineError("root rights are needed")
    if daemon is None or client is None:
        raise NoEngineError("no dockerd and docker")
    folder.mkdir()
    (folder / "daemon.json").write_text("{}")
    host = f"unix://{folder}/docker.sock"
    variables = {"PATH": _PATH, "HOME": str(folder), "DOCKER_BUILDKIT": "1"}

    def docker(*words: str) -> str:
        done = subprocess.run(
            [_client(client), "--host", host, *words], env=variables, capture_output=True, text=True, check=True
        )
        return done.stdout

    arguments = [daemon, "--bridge=none", "--iptables=false", "--ip6tables=false", "--storage-driver=overlay2"]
    arguments += ["--data-root", f"{folder}/graph", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid"]
    arguments += ["--host", host, "--config-file", f"{folder}/daemon.json"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(arguments, stdout=log, stderr=log, env={**os.environ, "PATH": _PATH})
    try:
        _wait(process, docker)
        yield docker
    finally:
        process.terminate()
        process.wait()


def _client(found: str) -> str:
    """Return the client that comes with the engine where there is one: it has BuildKit built in."""
    beside = "/usr/bin/docker"
    return beside if Path(beside).exists() else found


def _wait(process: subprocess.Popen[bytes], docker: Callable[..., str]) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        try:
            docker("version")
        except subprocess.CalledProcessError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise NoEngineError("dockerd does not start") from error
            time.sleep(0.1)
        else:
            return
