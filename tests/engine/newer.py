"""Newer engines than the machine's own: Debian's packages of a later suite, unpacked and never installed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from tests.engine.rootfs import cache_folder
from tests.engine.software import Software
from tests.oracles import lacking, require_program

SUITES = tuple(os.environ.get("LAYERSIM_ENGINES_OF", "trixie").split())
"""Debian suites whose engines to compare with: stable stays as it is; `sid` moves, so it is asked for by name."""

# Not runc: a later suite's needs a newer C library, and the machine's own serves every engine.
PACKAGES = ("docker.io", "docker-cli", "docker-buildx", "containerd")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
FETCH_TIMEOUT_S = 300


class UnobtainableError(Exception):
    """The packages cannot be had here; the message says why."""


@cache
def newer_software(suite: str) -> Software:
    """Return the engine of a Debian suite, fetched once a machine."""
    try:
        root = fetched(suite)
    except UnobtainableError as error:
        lacking(f"the Docker packages of Debian {suite}: {error}")
    return Software(
        dockerd=str(root / "usr/sbin/dockerd"),
        client=str(root / "usr/bin/docker"),
        programs=root / "usr/bin",
        plugins=root / "usr/libexec/docker/cli-plugins",
    )


def fetched(suite: str) -> Path:
    """Return the folder with a suite's packages, made by apt and dpkg unless it is there.

    Raises
    ------
    UnobtainableError
        apt or dpkg failed.
    """
    kept = cache_folder() / f"docker-of-{suite}"
    if kept.exists():
        return kept
    with tempfile.TemporaryDirectory(dir=cache_folder(), prefix=f"docker-of-{suite}-") as scratch:
        root = Path(scratch, "root")
        for package in _downloaded(suite, Path(scratch)):
            _run([_program("dpkg-deb"), "--extract", str(package), str(root)])
        root.rename(kept)
    return kept


def _downloaded(suite: str, scratch: Path) -> list[Path]:
    """Download with apt, its lists and its cache below `scratch`: the machine's own apt notices nothing."""
    (scratch / "sources.list").write_text(f"deb [signed-by={KEYRING}] {_archive()} {suite} main\n")
    (scratch / "status").touch()
    (scratch / "lists/partial").mkdir(parents=True)
    (scratch / "packages").mkdir()
    private = {
        "Dir::Etc::SourceList": scratch / "sources.list",
        "Dir::Etc::SourceParts": "-",
        "Dir::State::Lists": scratch / "lists",
        "Dir::State::Status": scratch / "status",
        "Dir::Cache": scratch / "cache",
        "APT::Sandbox::User": "root",
    }
    apt = [_program("apt-get"), "--quiet", *(f"--option={key}={value}" for key, value in private.items())]
    _run([*apt, "update"])
    _run([*apt, "download", *PACKAGES], folder=scratch / "packages")
    return sorted((scratch / "packages").iterdir())


def _archive() -> str:
    """Return the address of the Debian archive that this machine's apt is set to."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    wanted = ("Created-By: Packages", f"Codename: {release.get('VERSION_CODENAME')}", "Component: main")
    sites = _run([_program("apt-get"), "indextargets", "--format", "$(SITE)", *wanted]).split()
    if not sites:
        raise UnobtainableError("apt knows no Debian archive; is `apt-get update` due?")
    return sites[0]


def _program(name: str) -> str:
    return require_program(name, "dpkg" if name == "dpkg-deb" else "apt")


def _run(command: list[str], *, folder: Path | None = None) -> str:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=FETCH_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise UnobtainableError(str(error)) from error
    if done.returncode != 0:
        raise UnobtainableError(f"{Path(command[0]).name}: {(done.stdout + done.stderr)[-600:]}")
    return done.stdout


if __name__ == "__main__":
    for suite_wanted in SUITES:
        sys.stdout.write(f"{fetched(suite_wanted)}\n")
