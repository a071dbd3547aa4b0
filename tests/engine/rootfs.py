"""The base file systems: a debootstrap'ed Debian, kept between runs, and a BusyBox."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from functools import cache
from pathlib import Path

from tests.oracles import lacking, require_program, require_root
from tests.tars import BORN


def cache_folder() -> Path:
    """Return the folder where costly inputs stay between runs."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    folder = Path(home) / "layersim-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@cache
def debian_tar() -> Path:
    """Return the tar of a minimal Debian root, made once a machine by debootstrap and GNU tar."""
    kept = cache_folder() / "debian-bookworm-minbase.tar"
    if kept.exists():
        return kept
    require_root()
    debootstrap = require_program("debootstrap", "debootstrap")
    with tempfile.TemporaryDirectory() as scratch:
        root, fresh = Path(scratch, "root"), Path(scratch, "rootfs.tar")
        done = subprocess.run(
            [debootstrap, "--variant=minbase", "bookworm", str(root)],
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if done.returncode != 0:
            lacking(f"a Debian archive for debootstrap: {done.stdout[-400:]}{done.stderr[-400:]}")
        members = sorted(path.name for path in root.iterdir() if path.name not in {"proc", "sys", "dev"})
        tar = [
            require_program("tar", "tar"),
            "--create",
            "--xattrs",
            "--numeric-owner",
            "--one-file-system",
            "--sort=name",
        ]
        left_out = ["--exclude=var/cache/apt/archives/*.deb", "--exclude=var/lib/apt/lists/*"]
        subprocess.run([*tar, *left_out, "--file", str(fresh), "--directory", str(root), *members], check=True)
        partial = kept.with_suffix(".partial")
        partial.write_bytes(fresh.read_bytes())
        partial.replace(kept)
    return kept


@cache
def busybox_tar() -> bytes:
    """Return the tar of a root with one static program and a link for each of its names."""
    busybox = Path(require_program("busybox", "busybox-static"))
    names = subprocess.run([str(busybox), "--list"], capture_output=True, text=True, check=True).stdout.split()
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for folder in ("bin", "etc", "tmp", "data"):
            archive.addfile(_entry(folder, tarfile.DIRTYPE, mode=0o755))
        program = _entry("bin/busybox", tarfile.REGTYPE, mode=0o755)
        program.size = busybox.stat().st_size
        with busybox.open("rb") as content:
            archive.addfile(program, content)
        for name in sorted(set(names) - {"busybox"}):
            link = _entry(f"bin/{name}", tarfile.SYMTYPE, mode=0o777)
            link.linkname = "busybox"
            archive.addfile(link)
    return body.getvalue()


def _entry(name: str, kind: bytes, *, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime = kind, mode, BORN
    return entry
