"""Many paths at once, and the layer that each one comes from."""

import numpy as np

import layersim as ls

base = ls.Layer.from_changes([ls.write(f"/data/{n}", b"x" * n) for n in range(1_000)])
patch = ls.Layer.from_changes([ls.write("/data/7", b"patched"), ls.remove("/data/9")])
view = ls.View([base, patch])

paths = [f"/data/{n}" for n in range(1_002)]
found = view.lookup(paths)

print("from the base: ", np.count_nonzero(found.layer == 0))
print("from the patch:", np.count_nonzero(found.layer == 1))
print("absent:        ", [paths[i] for i in np.flatnonzero(found.layer == -1)])
print("bytes in all:  ", found.size[found.layer >= 0].sum())
