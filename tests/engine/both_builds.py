"""One Dockerfile built by a real builder and by ours, and where what they made differs."""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
import time
from typing import TYPE_CHECKING, Literal, NamedTuple

import layersim as ls
from layersim.errors import LayerSimError
from tests.engine.copying import rows
from tests.engine.daemon import API
from tests.engine.dockerfiles import images_tar
from tests.engine.generations import profile_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engine.copying import Row
    from tests.engine.daemon import Daemon, Json
    from tests.engine.dockerfiles import Case

Builder = Literal["legacy", "buildkit"]
BUILDERS: tuple[Builder, ...] = ("legacy", "buildkit")
GZIP = b"\x1f\x8b"
OF_THIS_BUILD = {"created", "container", "rootfs"}
"""What differs between two builds by the same builder."""
OLDEST, NEWEST_FROM, NEW_WORDS_FROM = 20, 28, 29
"""Versions: between the first two BuildKit is like neither; before the third a health check is told in old words."""
CHECK = re.compile(rb"(?<=HEALTHCHECK )(?:&|\\u0026)?\{.*?[^\]]\}(?=\"[,\]])")


WALKED = re.compile(r"failed to walk \S+/buildkit-mount\d+(/\S+): lstat \S+: no such file or directory")
"""What BuildKit says of a file in a directory that was not sent: it looks in a folder of its own."""


def is_same_refusal(ours: str, theirs: str) -> bool:
    """Tell whether both sides say the same, the folders of the engine aside."""
    walked = WALKED.search(theirs)
    if ours in theirs or walked is None:
        return ours in theirs
    return ours.startswith("failed to compute cache key: ") and f'"{walked[1]}/' in ours and "not found" in ours


class Made(NamedTuple):
    """What one side made: a config, its layers, and sizes as history tells them, newest first."""

    config: Json
    layers: list[Row]
    sizes: list[int]
    error: str = ""


class Bench:
    """A real engine and ours, with the same images and the same context.

    Parameters
    ----------
    daemon : Daemon
        Empty.
    builder : {"legacy", "buildkit"}
    context : Path
        A directory with the files; the Dockerfile comes and goes.
    box : Sandbox
        What runs commands on our side.
    """

    def __init__(self, daemon: Daemon, builder: Builder, context: Path, box: ls.Sandbox) -> None:
        self.daemon, self.builder, self.context, self.box = daemon, builder, context, box
        self.downloads: dict[str, ls.Download] = {}
        self.begun = int(time.time())
        archive = images_tar()
        daemon.docker("load", stdin=archive)
        self.engine = ls.Engine(profile=profile_of(daemon))
        self.engine.load(io.BytesIO(archive))

    @property
    def is_between(self) -> bool:
        """Whether the engine is of a version between those that we know."""
        return OLDEST < self.daemon.major() < NEWEST_FROM

    def differences(self, name: str, case: Case) -> Iterator[str]:
        """Build a case on both sides and tell where the results differ."""
        (self.context / "Dockerfile").write_bytes(case.text.encode())
        # A directory of a context that is there already has the time of the last change, not its own.
        self.daemon.call("POST", "/build/prune", all="1")
        theirs, ours = self._theirs(case), self._ours(case)
        yield from unlike(f"{name}: times", [*_times(ours)], [*_times(theirs)])
        if theirs.error or ours.error:
            if bool(theirs.error) != bool(ours.error) or not is_same_refusal(ours.error, theirs.error):
                yield f"{name}: ours   {ours.error or 'made'}\n  theirs {theirs.error or 'made'}"
            return
        yield from unlike(f"{name}: config", ours.config, theirs.config)
        yield from unlike(f"{name}: sizes", ours.sizes, theirs.sizes)
        if len(ours.layers) != len(theirs.layers):
            yield f"{name}: ours {len(ours.layers)} layers, theirs {len(theirs.layers)}"
            return
        for number, (mine_rows, their_rows) in enumerate(zip(ours.layers, theirs.layers, strict=True)):
            place = f"{name}: layer {number}"
            for path in sorted(mine_rows.keys() | their_rows.keys()):
                yield from unlike(f"{place} {path}", mine_rows.get(path), their_rows.get(path))
            yield from unlike(f"{place}: order", list(mine_rows), list(their_rows))

    def cached(
        self, build_args: dict[str, str], secrets: dict[str, str] | None = None
    ) -> tuple[dict[str, bool], dict[str, bool]]:
        """Build the Dockerfile that stands in the context; return for both sides which steps were cached."""
        words = [f"--build-arg={name}={value}" for name, value in build_args.items()]
        is_kit = self.builder == "buildkit"
        words += self._secrets(secrets or {})
        arguments = ["build", "--network=none", *words, str(self.context)]
        done = self.daemon.run(*arguments, DOCKER_BUILDKIT=str(int(is_kit)), BUILDKIT_PROGRESS="plain")
        assert done.returncode == 0, done.stderr.decode()
        ours = self.engine.build(
            self.context,
            build_args=build_args,
            secrets=secrets or {},
            builder=self.builder,
            run=self.box,
            downloads=self.downloads,
        )
        read = cached_by_buildkit if is_kit else cached_by_legacy
        return read(str(ours)), read((done.stderr if is_kit else done.stdout).decode())

    def _theirs(self, case: Case) -> Made:
        words = [
            "build",
            "--network=none",
            "--tag=made:1",
            *case.words(),
            *self._secrets(case.secrets),
            str(self.context),
        ]
        is_kit = self.builder == "buildkit"
        done = self.daemon.run(*words, DOCKER_BUILDKIT=str(int(is_kit)), BUILDKIT_PROGRESS="plain")
        if done.returncode != 0:
            return Made({}, [], [], re.sub(" of ref [^ ]+:", ":", done.stderr.decode(errors="replace")))
        config, layers = self._saved() if self.daemon.keeps_snapshots else (self._stored_config(), self._saved_layers())
        sizes = [step["Size"] for step in self.daemon.api(f"/{API}/images/made:1/history") or ()]
        return Made(self._comparable(config), layers, sizes)

    def _stored_config(self) -> bytes:
        image = self.daemon.api(f"/{API}/images/made:1/json")["Id"].removeprefix("sha256:")
        path: Path = self.daemon.graph / "image/overlay2/imagedb/content/sha256" / image
        return path.read_bytes()

    def _saved(self) -> tuple[bytes, list[Row]]:
        """Return the config and the layers of an engine that keeps both as they are saved; it packs what it makes."""
        with tarfile.open(fileobj=io.BytesIO(self.daemon.call("GET", "/images/made:1/get"))) as archive:
            manifest = json.loads(_member(archive, "manifest.json"))[0]
            stored = (_member(archive, name) for name in manifest["Layers"] or ())
            layers = [gzip.decompress(data) if data.startswith(GZIP) else data for data in stored]
            return _member(archive, manifest["Config"]), [rows(layer, self.begun) for layer in layers]

    def _secrets(self, secrets: dict[str, str]) -> list[str]:
        """Write the secrets beside the context; return the options of the command line that name them."""
        for name, text in secrets.items():
            (self.context.parent / f"secret-{name}").write_text(text)
        return [f"--secret=id={name},src={self.context.parent / f'secret-{name}'}" for name in secrets]

    def _saved_layers(self) -> list[Row]:
        if not self.daemon.api(f"/{API}/images/made:1/json")["RootFS"].get("Layers"):
            return []
        with tarfile.open(fileobj=io.BytesIO(self.daemon.call("GET", "/images/made:1/get"))) as archive:
            manifest = json.loads(_member(archive, "manifest.json"))[0]
            return [rows(_member(archive, name), self.begun) for name in manifest["Layers"]]

    def _ours(self, case: Case) -> Made:
        try:
            image = self.engine.build(
                self.context,
                tag="made:1",
                target=case.target,
                build_args=case.build_args,
                labels=case.labels,
                secrets=case.secrets,
                builder=self.builder,
                run=self.box,
                downloads=self.downloads,
            )
        except LayerSimError as error:
            return Made({}, [], [], str(error))
        sizes = [row.size for row in self.engine.history("made:1")]
        layers = [rows(layer.tar_bytes(), self.begun) for layer in image.layers]
        return Made(self._comparable(image.raw_config), layers, sizes)

    def _comparable(self, raw: bytes) -> Json:
        return comparable(CHECK.sub(b"", raw) if OLDEST < self.daemon.major() < NEW_WORDS_FROM else raw)


def _times(made: Made) -> Iterator[tuple[str, object]]:
    """Yield the times of files that are older than the build."""
    for layer in made.layers:
        yield from ((path, row[-1]) for path, row in layer.items() if row[0] == tarfile.REGTYPE and row[-1] != "now")


def comparable(raw: bytes) -> Json:
    """Return a config without what differs between two builds by the same builder."""
    config = {name: value for name, value in json.loads(raw).items() if name not in OF_THIS_BUILD}
    for part in (config.get("config"), config.get("container_config")):
        for name in ("Hostname", "Image"):
            if isinstance(part, dict):
                part.pop(name, None)
    for step in config.get("history") or []:
        step.pop("created", None)
    return config


def cached_by_legacy(printed: str) -> dict[str, bool]:
    """Read which steps were cached from what the legacy builder prints."""
    parts = [part.partition("\n") for part in f"\n{printed}".split("\nStep ")[1:]]
    return {step: " ---> Using cache" in rest for step, _, rest in parts if " : FROM" not in step}


def cached_by_buildkit(printed: str) -> dict[str, bool]:
    """Read which steps were cached from what BuildKit prints."""
    steps = dict(re.findall(r"^#(\d+) (\[(?!internal).*\] (?!(?i:FROM)).*)$", printed, re.MULTILINE))
    cached = set(re.findall(r"^#(\d+) CACHED$", printed, re.MULTILINE))
    return {step: number in cached for number, step in steps.items()}


def unlike(place: str, ours: Json, theirs: Json) -> Iterator[str]:
    """Tell where two documents differ, the order of their fields included."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and list(ours) == list(theirs):
        for name, value in ours.items():
            yield from unlike(f"{place}.{name}", value, theirs[name])
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (mine, their) in enumerate(zip(ours, theirs, strict=True)):
            yield from unlike(f"{place}[{number}]", mine, their)
    elif repr(ours) != repr(theirs):
        yield f"{place}:\n  ours   {ours}\n  theirs {theirs}"


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    found = archive.extractfile(name)
    assert found is not None
    return found.read()
