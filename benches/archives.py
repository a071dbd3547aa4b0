"""Opening: hashes, archives, tars of many entries, compressed layers, merged views."""

from __future__ import annotations

import gzip
import hashlib
import mmap
import os
import shutil
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import layersim as ls
from benches.made import layered_archive, many_entries_tar, noise, rootfs_tar, saved_archive
from benches.memory import bytes_of
from benches.row import Row, fastest, share_of_limit, speedup

if TYPE_CHECKING:
    from collections.abc import Iterator

_TARFILE_SHARE = 20


def hashing(_: Path, scale: float) -> Iterator[Row]:
    """Hash one large buffer, and two on two cores."""
    data = noise(int((1 << 30) * scale))
    ours, theirs = fastest(lambda: ls.sha256(data), lambda: hashlib.sha256(data).digest())
    yield speedup(f"SHA-256 of {len(data) >> 20} MiB", "hashlib", (ours, theirs), ">= 0.95 x")
    with ThreadPoolExecutor(2) as pool:
        ours, theirs = fastest(
            lambda: list(pool.map(ls.sha256, [data, data])), lambda: [hashlib.sha256(data).digest() for _ in range(2)]
        )
    yield speedup("two of them, two threads", "hashlib, one after the other", (ours, theirs), ">= 1.8 x")


def opening(folder: Path, scale: float) -> Iterator[Row]:
    """Open a saved archive of a real root file system, every digest verified."""
    tar = rootfs_tar(folder / "rootfs.tar", int(200e6 * scale))
    archive = saved_archive([tar], folder / "saved.tar")
    ours, limit = fastest(lambda: ls.Engine().load(archive), lambda: hashed(tar))
    yield share_of_limit(
        f"open a saved {tar.stat().st_size >> 20} MiB root", "hashlib (the limit)", (ours, limit), "<= 1.15 x"
    )
    halves = [rootfs_tar(folder / f"half{n}.tar", int(100e6 * scale) + n) for n in range(2)]
    archive = saved_archive(halves, folder / "halves.tar")
    ours, theirs = fastest(lambda: ls.Engine().load(archive), lambda: [hashed(half) for half in halves])
    yield speedup("open an archive of two layers", "hashlib, one core", (ours, theirs), ">= 1.8 x")


def hashed(path: Path) -> bytes:
    """Hash a file without copying it."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        return hashlib.sha256(mapped).digest()


def indexing(folder: Path, scale: float) -> Iterator[Row]:
    """Index a tar of very many small entries."""
    count = int(1_000_000 * scale)
    tar, name_bytes = many_entries_tar(folder / "many.tar", count)
    work = f"index {count:,} entries"
    hashed(tar)
    ours, limit = fastest(lambda: ls.Layer.from_tar(tar), lambda: hashed(tar), rounds=3)
    yield share_of_limit(work, "hashlib (the limit)", (ours, limit), "<= 1.25 x")
    (listed,) = fastest(lambda: subprocess.run(["tar", "-tf", tar], stdout=subprocess.DEVNULL, check=True), rounds=2)
    yield speedup(work, "tar -t, which hashes nothing", (ours, listed), ">= 1 x")
    (read,) = fastest(lambda: walk_tarfile(tar, count // _TARFILE_SHARE), rounds=1)
    yield speedup(
        work, f"tarfile ({_TARFILE_SHARE} times a {_TARFILE_SHARE}th)", (ours, read * _TARFILE_SHARE), ">= 25 x"
    )
    kept = bytes_of("import layersim as ls", f"layer = ls.Layer.from_tar({str(tar)!r})")
    yield Row(
        "memory of it, for each entry",
        "its name",
        (kept - name_bytes) / count,
        name_bytes / count,
        "B",
        (kept - name_bytes) / count,
        "<= 200 B",
    )
    tar.unlink()


def walk_tarfile(tar: Path, count: int) -> int:
    """Read the headers of the first entries."""
    with tarfile.open(tar) as archive:
        return sum(1 for _, _ in zip(range(count), archive, strict=False))


def compressed(folder: Path, scale: float) -> Iterator[Row]:
    """Read a layer that is compressed with gzip."""
    tar = rootfs_tar(folder / "plain.tar", int(200e6 * scale))
    packed = tar.with_suffix(".tar.gz")
    with packed.open("wb") as target:
        subprocess.run(["gzip", "-6", "-c", tar], stdout=target, check=True)
    ours, program, python = fastest(
        lambda: ls.Layer.from_tar(packed),
        lambda: subprocess.run(["gzip", "-dc", packed], stdout=subprocess.DEVNULL, check=True),
        lambda: hashlib.sha256(gzip.decompress(packed.read_bytes())).digest(),
    )
    work = f"inflate, hash and index {packed.stat().st_size >> 20} MiB"
    yield speedup(work, "gzip -dc", (ours, program), ">= 2 x")
    yield speedup(work, "gzip and hashlib", (ours, python), ">= 2 x")


def saving(folder: Path, scale: float) -> Iterator[Row]:
    """Save and load the images of an engine, beside a copy of the same bytes that is on the disk and hashed."""
    engine, parts = ls.Engine(profile="docker20"), 4
    tars = [rootfs_tar(folder / f"part{n}.tar", int((1 << 30) * scale) // parts) for n in range(parts)]
    for number, tar in enumerate(tars):
        with tarfile.open(tar, "a") as archive:
            archive.addfile(tarfile.TarInfo(f"part{number}"))  # no two layers are the same
        engine.import_tar(tar, tag=f"part{number}:1")
    refs = [f"part{number}:1" for number in range(parts)]
    saved, copy = folder / "saved.tar", folder / "copy.tar"
    work = f"{engine.save(refs, saved) >> 20} MiB of four images"
    ours, theirs = fastest(
        lambda: engine.save(refs, folder / "again.tar"), lambda: copied_and_hashed(saved, copy), rounds=3
    )
    yield speedup(f"save {work}", "cp, fsync and hashlib", (ours, theirs), ">= 0.8 x")
    ours, theirs = fastest(lambda: ls.Engine().load(saved), lambda: copied_and_hashed(saved, copy), rounds=3)
    yield speedup(f"load {work}", "cp, fsync and hashlib", (ours, theirs), ">= 0.8 x")
    packed, program = folder / "packed.tar", ["zstd", "-3", "-c"]
    ours, theirs = fastest(
        lambda: engine.save(refs[:2], packed, layout="oci", compression="zstd"),
        lambda: [subprocess.run([*program, tar], stdout=subprocess.DEVNULL, check=True) for tar in tars[:2]],
        rounds=2,
    )
    yield speedup("save two of them as OCI, zstd", "zstd -3 of their layers", (ours, theirs), "")


def copied_and_hashed(source: Path, target: Path) -> bytes:
    """Copy a file so that the disk has it, and hash it."""
    subprocess.run(["cp", "--reflink=never", source, target], check=True)
    handle = os.open(target, os.O_RDWR)
    os.fsync(handle)
    os.close(handle)
    return hashed(target)


def merging(folder: Path, scale: float) -> Iterator[Row]:
    """Merge the layers of an image of ten, from its archive."""
    files = int(20_000 * scale)
    archive = layered_archive(folder / "layered.tar", layers=10, files=files, deletions=int(900 * scale))
    work = f"merged view of 10 layers, {files:,} files"
    ours, theirs = fastest(lambda: len(ls.View(ls.Engine().load(archive)[0].layers)), lambda: merged_by_hand(archive))
    yield speedup(work, "a tarfile loop", (ours, theirs), ">= 10 x")
    if program := shutil.which("dive", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}"):
        command = [program, f"docker-archive://{archive}", "--ci", "--lowestEfficiency=0"]
        (dived,) = fastest(lambda: subprocess.run(command, capture_output=True, check=False), rounds=2)
        yield speedup(work, "dive", (ours, dived), ">= 400 x")


def merged_by_hand(archive: Path) -> int:
    """Merge an archive's layers into a dict, as a script would."""
    tree: dict[str, tarfile.TarInfo] = {}
    with tarfile.open(archive) as saved:
        layers = [name for name in saved.getnames() if name.endswith("layer.tar")]
        for name in sorted(layers, key=lambda name: saved.getmember(name).offset):
            with tarfile.open(fileobj=saved.extractfile(name)) as layer:
                for member in layer:
                    parent, _, base = member.name.rpartition("/")
                    if base.startswith(".wh."):
                        tree.pop(f"{parent}/{base[4:]}", None)
                    else:
                        tree[member.name] = member
    return len(tree)
