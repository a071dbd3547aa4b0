"""The kernel's overlay as a peer: layers on disk, a mount, and a C program that calls `lstat` in a loop."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import layersim as ls

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
    FILE *list = fopen(words[2], "rb");
    if (count != 3 || !list || chdir(words[1])) return 1;
    fseek(list, 0, SEEK_END);
    long size = ftell(list);
    rewind(list);
    char *paths = malloc(size);
    if (fread(paths, 1, size, list) != (size_t)size) return 1;
    double best = 1e9;
    for (int round = 0; round < 5; round++) {
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
    lower: list[Path] = []
    for number, layer in enumerate(layers):
        lower.insert(0, folder / f"lower{number}")
        lower[0].mkdir(parents=True)
        ls.View([layer]).extract(lower[0])
    upper, work, merged = folder / "upper", folder / "work", folder / "merged"
    for directory in (upper, work, merged):
        directory.mkdir()
    options = f"lowerdir={':'.join(map(str, lower))},upperdir={upper},workdir={work}"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, merged], check=True, capture_output=True)
    try:
        yield merged
    finally:
        subprocess.run(["umount", merged], check=True)
        shutil.rmtree(folder)


def seconds_of_lstat_loop(folder: Path, merged: Path, paths: Sequence[str]) -> float:
    """Return how long the fastest round of a C loop took over all paths."""
    source, program, listed = folder / "loop.c", folder / "loop", folder / "paths"
    source.write_text(_LOOP)
    subprocess.run(["cc", "-O2", "-o", program, source], check=True)
    listed.write_bytes(b"".join(path.lstrip("/").encode() + b"\0" for path in paths))
    done = subprocess.run([program, merged, listed], check=True, capture_output=True, text=True)
    return float(done.stdout)
