"""The corpus of Dockerfiles, the images that they build upon, and the context of all."""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.engine.archives import ImageSpec, docker_archive, one_row_a_layer
from tests.engine.rootfs import busybox_tar
from tests.tars import BORN, Entry, directory, layer_tar, symlink

PASSWD = b"root:x:0:0:root:/root:/bin/sh\nweb:x:33:44::/srv/web:/bin/sh\n"
GROUP = b"root:x:0:\nweb:x:44:\nstaff:x:50:\n"
TREE = layer_tar(
    [
        directory("etc"),
        Entry("etc/passwd", content=PASSWD),
        Entry("etc/group", content=GROUP),
        directory("srv"),
        directory("srv/web"),
        Entry("srv/web/index", content=b"index", uid=33, gid=44),
        directory("old"),
        Entry("old/blob", content=b"b" * 3000),
        symlink("todir", "srv/web"),
    ]
)
RICH: dict[str, object] = {
    "User": "web",
    "ExposedPorts": {"53/udp": {}},
    "Env": ["PATH=/bin", "BASE=base", "LANG=C"],
    "Cmd": ["from-base"],
    "Volumes": {"/vol": {}},
    "WorkingDir": "/srv/web",
    "Labels": {"base": "1"},
    "StopSignal": "SIGINT",
    "OnBuild": ["ENV TRIGGERED=$BASE", "COPY f1 /triggered/"],
}
MADE = datetime(2020, 1, 1, tzinfo=UTC)
TEXTS = {
    "f1": "hello\n",
    "f2": "world\n",
    "a.txt": "a",
    "b.txt": "bb",
    "a.log": "l",
    "app.sh": "#!/bin/sh\necho app\n",
    "blob": "B" * 5000,
    "dir/x": "in\n",
    "dir/sub/y": "y" * 700,
    "dir/sub/z.go": "z",
    "deep/a.log": "l",
    "deep/kept": "k",
    "skipped/a": "a",
    "skipped/keep": "k",
    "src/1": "1" * 1000,
    "src/2": "2" * 1000,
    "src/3": "3" * 1000,
    ".dockerignore": "# comment\nskipped/*\n!skipped/keep\n**/*.log\nDockerfile*\n",
}


@dataclass(frozen=True)
class Case:
    """One Dockerfile, and the options of the command line beside it."""

    text: str
    build_args: dict[str, str]
    labels: dict[str, str]
    target: str | None = None
    secrets: dict[str, str] = field(default_factory=dict)

    def words(self) -> list[str]:
        """Return the options as `docker build` takes them."""
        words = [f"--build-arg={name}={value}" for name, value in self.build_args.items()]
        words += [f"--label={name}={value}" for name, value in self.labels.items()]
        return [*words, *([f"--target={self.target}"] if self.target is not None else [])]


def images_tar() -> bytes:
    """Return the archive with the images that the corpus builds upon."""
    images = []
    for tag, layers, config in (("bb:1", (busybox_tar(), TREE), {}), ("rich:1", (TREE, busybox_tar()), RICH)):
        images.append(ImageSpec(layers, (tag,), MADE, one_row_a_layer(layers, MADE), config))
    return docker_archive(images)


def write_context(folder: Path) -> None:
    """Write the files that the corpus copies, all of one age."""
    for name, text in TEXTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    inner = layer_tar([directory("td"), Entry("td/a", content=b"aa", uid=11, gid=12), symlink("l", "td/a")])
    (folder / "t.tgz").write_bytes(gzip.compress(inner, mtime=0))
    (folder / "t.tar").write_bytes(inner)
    (folder / "text.gz").write_bytes(gzip.compress(b"no tar", mtime=0))
    (folder / "link").symlink_to("f1")
    (folder / "dir/up").symlink_to("../f1")
    (folder / "dir/hard").hardlink_to(folder / "dir/x")
    for name, mode in {"app.sh": 0o755, "dir/sub": 0o700, "f2": 0o600}.items():
        (folder / name).chmod(mode)
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (BORN, BORN), follow_symlinks=False)


def corpus(subject: str) -> dict[str, Case]:
    """Read the cases of a subject: `=== name` starts one, options stand in a line that starts with `#!`."""
    text = Path(__file__, "..", "corpus", f"{subject}.txt").resolve().read_text()
    parts = [part.partition("\n") for part in ("\n" + text).split("\n=== ")[1:]]
    return {name: _case(rest.rstrip("\n") + "\n") for name, _, rest in parts}


def _case(text: str) -> Case:
    options: dict[str, dict[str, str]] = {"--build-arg": {}, "--label": {}, "--target": {}, "--secret": {}}
    if text.startswith("#! "):
        first, _, text = text.partition("\n")
        words = first[3:].split()
        if words == ["crlf"]:
            return Case(text.replace("\n", "\r\n"), {}, {})
        for name, value in zip(words[::2], words[1::2], strict=True):
            key, _, rest = value.partition("=")
            options[name][key] = rest
    target = next(iter(options["--target"]), None)
    return Case(text, options["--build-arg"], options["--label"], target, options["--secret"])
