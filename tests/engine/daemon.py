"""A private Docker engine: its own folders, its own socket, no network, stopped by process id."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.parse
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from tests.engine.software import Software, own_software
from tests.oracles import lacking, require_program, require_root

if TYPE_CHECKING:
    from collections.abc import Sequence

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
API = "v1.41"

Json: TypeAlias = Any
"""What the engine answers: checked by the comparison that follows, not by a type."""


class RefusalError(Exception):
    """The engine answered with an error; its text is the message."""


class SocketConnection(http.client.HTTPConnection):
    """HTTP over the engine's Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(self._path)


def clients() -> list[str]:
    """Return every docker CLI of this machine, the daemon's own first."""
    found = [Path("/usr/bin/docker"), Path(shutil.which("docker") or "/usr/bin/docker")]
    return sorted({str(path) for path in found if path.exists()})


@dataclass
class Daemon:
    """One running `dockerd`, and the client that speaks to it.

    In memory it answers several times faster: nothing it does waits for a disk.
    """

    folder: Path
    software: Software = field(default_factory=own_software)
    keeps_snapshots: bool = False
    in_memory: bool = False
    _process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.client = self.software.client

    @property
    def socket(self) -> Path:
        return self.folder / "docker.sock"

    @property
    def log(self) -> Path:
        return self.folder / "dockerd.log"

    @property
    def graph(self) -> Path:
        return self.folder / "graph"

    def start(self) -> Self:
        """Start the engine and wait until it answers."""
        require_root()
        require_program("runc", "runc")
        if self.in_memory:
            self.graph.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "layersim-tests", str(self.graph)], check=True)
        settings, environment = self._settings(), {**os.environ, "PATH": self.software.path}
        arguments = [self.software.dockerd, "--bridge=none", "--iptables=false", "--ip6tables=false"]
        arguments += ["--data-root", str(self.graph), "--exec-root", str(self.folder / "exec")]
        arguments += ["-H", f"unix://{self.socket}", "--pidfile", str(self.folder / "pid")]
        arguments += ["--config-file", str(settings)]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = self.log.read_text(errors="replace")[-800:]
                self.stop()
                lacking(f"a dockerd that starts here; the end of its log:\n{tail}")
            time.sleep(0.05)
        return self

    def _settings(self) -> Path:
        """Write what the engine reads in place of the machine's settings, and where the client finds its plugins."""
        features = {"features": {"containerd-snapshotter": self.keeps_snapshots}}
        driver = {} if self.keeps_snapshots else {"storage-driver": "overlay2"}
        settings = self.folder / "daemon.json"
        settings.write_text(json.dumps(features | driver))
        if self.software.plugins is not None:
            (self.folder / ".docker").mkdir(exist_ok=True)
            plugins = {"cliPluginsExtraDirs": [str(self.software.plugins)]}
            (self.folder / ".docker/config.json").write_text(json.dumps(plugins))
        return settings

    def _answers(self) -> bool:
        if not self.socket.exists():
            return False
        try:
            return bool(self.api("/_ping", decode=False) == "OK")
        except (ConnectionError, http.client.HTTPException):
            return False

    def stop(self) -> None:
        """End the process and wait for it; the folder stays."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        if self.in_memory:
            subprocess.run(["umount", "--lazy", str(self.graph)], check=True)

    def api(self, path: str, *, decode: bool = True) -> Json:
        """GET from the engine's own interface, where sizes are exact integers."""
        status, body = self._request("GET", path)
        if status != http.HTTPStatus.OK:
            raise http.client.HTTPException(f"GET {path}: {status} {body[:200]!r}")
        return json.loads(body) if decode else body.decode()

    def call(
        self, method: str, path: str, content: bytes | dict[str, Json] = b"", /, **query: str | list[str]
    ) -> bytes:
        """Speak to the engine's own interface, many times faster than through its command line.

        Raises
        ------
        RefusalError
            With the engine's message.
        """
        asked = f"/{API}{path}?{urllib.parse.urlencode(query, doseq=True)}"
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        kind = "application/x-tar" if body and body is content else "application/json"
        status, answer = self._request(method, asked, body, kind)
        if status >= http.HTTPStatus.BAD_REQUEST:
            raise RefusalError(json.loads(answer)["message"])
        return answer

    def _request(self, method: str, path: str, body: bytes = b"", kind: str = "") -> tuple[int, bytes]:
        connection = SocketConnection(self.socket)
        try:
            connection.request(method, path, body or None, {"Content-Type": kind} if kind else {})
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def run(self, *arguments: str, stdin: bytes | None = None, **variables: str) -> subprocess.CompletedProcess[bytes]:
        """Run `docker ARGUMENTS`, successful or not, with more variables in its environment."""
        environment = self._environment | variables
        return subprocess.run(
            self._command(arguments), input=stdin, capture_output=True, env=environment, check=False, timeout=100
        )

    def run_together(self, *commands: Sequence[str]) -> list[str]:
        """Run several `docker` commands at once; return what each printed."""
        started = [
            subprocess.Popen(
                self._command(words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self._environment
            )
            for words in commands
        ]
        printed = [process.communicate(timeout=100)[0].decode() for process in started]
        assert not any(process.returncode for process in started), printed
        return printed

    @property
    def _environment(self) -> dict[str, str]:
        return {"PATH": self.software.path, "HOME": str(self.folder), "TZ": "UTC", "LC_ALL": "C.UTF-8"}

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return [self.client, "--host", f"unix://{self.socket}", *arguments]

    def docker(self, *arguments: str, stdin: bytes | None = None, **variables: str) -> str:
        """Run `docker ARGUMENTS` and return what it printed."""
        done = self.run(*arguments, stdin=stdin, **variables)
        if done.returncode != 0:
            raise AssertionError(f"docker {' '.join(arguments)}: {done.stderr.decode(errors='replace')}")
        return done.stdout.decode()

    def version(self) -> str:
        """Return the version of the engine, such as `20.10.24+dfsg1`."""
        return str(self.api("/version")["Version"])

    def major(self) -> int:
        return int(self.version().partition(".")[0])

    def client_major(self) -> int:
        """Return the first number of the version of the command line."""
        return int(self.docker("version", "--format", "{{.Client.Version}}").partition(".")[0])

    def lines(self, *arguments: str) -> list[str]:
        return self.docker(*arguments).splitlines()

    def inspect(self, reference: str, kind: str = "image") -> dict[str, Json]:
        """Return what the engine knows of one image or container."""
        found: list[dict[str, Json]] = json.loads(self.docker("inspect", "--size", "--type", kind, reference))
        return found[0]

    def empty(self) -> None:
        """Remove every container, image, volume and record of a build."""
        for container in self.api(f"/{API}/containers/json?all=1"):
            self.call("DELETE", f"/containers/{container['Id']}", force="1", v="1")
        images = self._images()
        while images:  # a parent can go only after its children
            for image in images:
                with suppress(RefusalError):
                    self.call("DELETE", f"/images/{image}", force="1")
            before, images = images, self._images()
            assert len(images) < len(before), f"the engine keeps images: {images}"
        self.call("POST", "/build/prune", all="1")
        self.call("POST", "/volumes/prune")

    def _images(self) -> list[str]:
        return [image["Id"] for image in self.api(f"/{API}/images/json?all=1")]
