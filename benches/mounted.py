"""The kernel's overlay as a peer: layers on disk, a mount, and a C program that calls `lstat` in a loop."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import layersim as ls
from benches.row import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_LOOP = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Reads NUL-separated paths, looks each one up below the directory, prints the seconds of the fastest round. */
int main(int count, char **words) {
    FILE *list = count == 4 ? fopen(words[2], "rb") : NULL;
    if (!list || chdir(words[1])) return 1;
    fseek(list, 0, SEEK_END);
    long size = ftell(list);
    rewind(list);
    char *paths = malloc(size);
    if (fread(paths, 1, size, list) != (size_t)size) return 1;
    double best = 1e9;
    for (int round = 0; round < atoi(words[3]); round++) {
        struct timespec start, end;
        struct stat found;
        clock_gettime(CLOCK_MONOTONIC, &start);
        for (char *path = paths; path < paths + size; path += strlen(path) + 1) lstat(path, &found);
        clock_gettime(CLOCK_MONOTONIC, &end);
        double took = end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9;
        if (took < best) best = took;
    }
    printf("%.9f\n", best);
    return 0;
}
"""


@contextmanager
def overlay(folder: Path, layers: Sequence[ls.Layer]) -> Iterator[Path]:
    """Extract layers and mount them with a writable top.

    Raises
    ------
    subprocess.CalledProcessError
        The kernel refused, as it does without root rights.
    """
    names: list[str] = []
    for number, layer in enumerate(layers):
        names.insert(0, f"l{number}")
        (folder / names[0]).mkdir(parents=True)
        ls.View([layer]).extract(folder / names[0])
    for name in ("upper", "work", "merged"):
        (folder / name).mkdir()
    # Names relative to the folder: all options together have to fit into a page.
    options = f"lowerdir={':'.join(names)},upperdir=upper,workdir=work"
    mount = ["mount", "-t", "overlay", "overlay", "-o", options, "merged"]
    subprocess.run(mount, check=True, capture_output=True, cwd=folder)
    try:
        yield folder / "merged"
    finally:
        subprocess.run(["umount", folder / "merged"], check=True)
        shutil.rmtree(folder)


@contextmanager
def tmpfs(folder: Path) -> Iterator[Path]:
    """Mount an empty file system that lives in memory.

    Raises
    ------
    subprocess.CalledProcessError
        The kernel refused, as it does without root rights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def seconds_of_lstat_loop(folder: Path, merged: Path, paths: Sequence[str], *, rounds: int = 5) -> float:
    """Return how long the fastest round of a C loop took over all paths."""
    source, program, listed = folder / "loop.c", folder / "loop", folder / "paths"
    if not program.exists():
        source.write_text(_LOOP)
        subprocess.run(["cc", "-O2", "-o", program, source], check=True)
    listed.write_bytes(b"".join(path.lstrip("/").encode() + b"\0" for path in paths))
    done = subprocess.run([program, merged, listed, str(rounds)], check=True, capture_output=True, text=True)
    return float(done.stdout)


def remount(merged: Path) -> None:
    """Mount an overlay again: the kernel has found nothing in it yet."""
    folder = merged.parent
    options = subprocess.run(
        ["findmnt", "--noheadings", "--output", "FS-OPTIONS", merged], check=True, capture_output=True, text=True
    ).stdout.strip()
    wanted = ",".join(part for part in options.split(",") if part.split("=")[0] in {"lowerdir", "upperdir", "workdir"})
    subprocess.run(["umount", merged], check=True)
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", wanted, merged], check=True, cwd=folder)


def refusal(refused: subprocess.CalledProcessError) -> Row:
    """Return the row that says why there is no peer."""
    said = refused.stderr if isinstance(refused.stderr, bytes) else b""
    reason = said.decode(errors="replace").strip()
    return Row("the same beside the kernel", f"no mount here: {reason}"[:60], 0, 0, "", 0, "")
