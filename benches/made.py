"""What the benchmarks work on: seeded, made once into a temporary directory."""

from __future__ import annotations

import io
import os
import random
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import layersim as ls

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 512
_MTIME = 1_700_000_000


def noise(size: int) -> bytes:
    """Return bytes that do not compress, the same in every run."""
    piece = random.Random(size).randbytes(min(size, 1 << 24))
    return (piece * (size // max(1, len(piece)) + 1))[:size]


def file_paths(count: int, a_directory: int = 50) -> list[str]:
    """Return paths like those of a system: three levels of directories."""
    return [f"/usr/lib{n // 5000}/package{n // a_directory:05}/module{n:07}.py" for n in range(count)]


def base_layer(count: int, size: int = 64) -> ls.Layer:
    """Return a layer of many small files."""
    return ls.Layer.from_changes([ls.write(path, path.encode()[:size]) for path in file_paths(count)])


def small_layer(number: int, files: int = 20) -> ls.Layer:
    """Return a layer of a few files that no other number has."""
    return ls.Layer.from_changes([ls.write(f"/app/{number}/f{n}", b"%d %d" % (number, n)) for n in range(files)])


def paths_of_layer(number: int, files: int) -> list[str]:
    """Return the paths that one layer of a `merged_stack` adds."""
    return [f"/srv/app/lib/part{number:03}-{n:04}.py" for n in range(files)]


def merged_stack(depth: int, files: int) -> list[ls.Layer]:
    """Return layers that all add files to one directory."""
    return [
        ls.Layer.from_changes([ls.write(path, path.encode()) for path in paths_of_layer(number, files)])
        for number in range(depth)
    ]


def rootfs_tar(target: Path, size: int) -> Path:
    """Write a tar of real files of this machine, about `size` bytes."""
    written = 0
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as archive:
        for path in _real_files():
            archive.add(path, recursive=False)
            written += path.lstat().st_size
            if written >= size:
                break
    return target


def _real_files() -> Iterator[Path]:
    for top in ("/usr/bin", "/usr/lib", "/usr/share"):
        for directory, folders, names in os.walk(top):
            folders.sort()
            for name in sorted(names):
                path = Path(directory, name)
                if path.is_file() and not path.is_symlink():
                    yield path


def saved_archive(layers: list[Path], target: Path) -> Path:
    """Write what `docker save` writes, one image for each layer."""
    engine = ls.Engine(profile="docker20", clock=lambda: _MTIME * 10**9)
    refs = [engine.import_tar(layer, tag=f"image{n}:1").tags[0] for n, layer in enumerate(layers)]
    engine.save(refs, target)
    return target


def many_entries_tar(target: Path, count: int) -> tuple[Path, int]:
    """Write a tar of small files, 1,024 bytes each; return it and how many bytes all names have."""
    info = tarfile.TarInfo("d00000/f0000000.txt")
    info.size, info.mtime = 300, _MTIME
    header = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
    template_sum = sum(header[:19])
    checksum = int(header[148:154], 8)
    body = bytes(range(256)) + bytes(44) + bytes(BLOCK - 300)
    with target.open("wb", buffering=1 << 22) as tar:
        for number in range(count):
            name = b"d%05d/f%07d.txt" % (number // 1000, number)
            header[:19] = name
            header[148:154] = b"%06o" % (checksum - template_sum + sum(name))
            tar.write(header)
            tar.write(body)
        tar.write(bytes(2 * BLOCK))
    return target, count * len("f0000000.txt")


def layered_archive(target: Path, layers: int, files: int, deletions: int) -> Path:
    """Write an archive with one image of many layers; later ones delete files of earlier ones."""
    rng, a_layer, gone = random.Random(1), files // layers, deletions // (layers - 1)
    made: list[ls.Layer] = []
    for number in range(layers):
        paths = [f"/srv/part{number}/d{n // 40}/file{n}" for n in range(a_layer)]
        edits = [ls.write(path, rng.randbytes(rng.randrange(200))) for path in paths]
        if number:
            before = [f"/srv/part{number - 1}/d{n // 40}/file{n}" for n in rng.sample(range(a_layer), gone)]
            edits += [ls.remove(path) for path in before]
        made.append(ls.Layer.from_changes(edits))
    engine = ls.Engine(profile="docker20", clock=lambda: _MTIME * 10**9)
    engine.add_image(made, tag="many:1")
    engine.save(["many:1"], target)
    return target


def fleet(images: int, layers: int) -> ls.Engine:
    """Return an engine of images of as many own layers each, on stacks of common ones that differ in depth."""
    engine = ls.Engine(profile="docker20", clock=lambda: 0)
    each = layers // images
    parts = [ls.Layer.synthetic(diff_id=f"sha256:{n:064x}", size=n) for n in range(layers)]
    for number in range(images):
        engine.add_image(parts[: number % each] + parts[number * each : (number + 1) * each], tag=f"i{number}:1")
    return engine


def tar_of(layer: ls.Layer) -> bytes:
    """Return a layer's tar."""
    buffer = io.BytesIO()
    layer.write_tar(buffer)
    return buffer.getvalue()
