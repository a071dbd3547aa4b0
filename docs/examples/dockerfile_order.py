"""What stands late in a Dockerfile is cheap to change: two orders of the same steps, ten releases of each."""

import layersim as ls
from layersim.changes import Edit

PACKAGES = ls.write("/app/node_modules.bin", bytes(20_000_000))


def source(release: int) -> Edit:
    """Make the source of a release: the only thing that differs between releases."""
    return ls.write("/app/app.js", b"// release %d\n" % release + bytes(50_000))


def stored(releases: list[list[Edit]]) -> int:
    """Return what a disk holds for images whose steps are given: each distinct chain of layers once."""
    held: dict[str, int] = {}
    for steps in releases:
        layers = [ls.Layer.from_changes([step]) for step in steps]
        chain = ls.chain_ids([layer.diff_id for layer in layers])
        held |= zip(chain, (layer.size for layer in layers), strict=True)
    return sum(held.values())


source_first = [[source(n), PACKAGES] for n in range(10)]
packages_first = [[PACKAGES, source(n)] for n in range(10)]
print("COPY app.js, then RUN npm ci:", stored(source_first), "bytes")
print("RUN npm ci, then COPY app.js:", stored(packages_first), "bytes")
