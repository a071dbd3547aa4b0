"""One small host, every figure: what Docker prints, and the sizes that add up; with a file name, a picture too."""

import os
import sys

import layersim as ls
from layersim.plot import draw_sharing


def layer(name: str, kilobytes: int) -> ls.Layer:
    """Return a layer of one file."""
    return ls.Layer.from_changes([ls.write(f"/{name}", bytes(kilobytes * 1000))])


now = iter(range(1_714_564_800, 1_714_564_900))
engine = ls.Engine(clock=lambda: next(now) * 10**9)
base, library, twin, probe = layer("base", 600), layer("library", 300), layer("twin", 200), layer("probe", 90)
engine.add_image([base], "base:1")
engine.add_image([base, library, layer("shop", 60)], "shop:1")
engine.add_image([base, library, layer("desk", 40)], "desk:1")
engine.add_image([base, twin], "twin:1")
engine.add_image([base, twin], "twin:2", config={"User": "app"})
engine.add_image([base, probe], "probe:1")
engine.add_image([base, probe], "probe:2", config={"User": "app"})
running = engine.run("shop:1", name="running")
with running.fs.open("/library", os.O_WRONLY | os.O_APPEND) as file:
    file.write(b"!")
engine.create("probe:1", name="left-over")
engine.remove_image("probe:1", force=True)

df, sharing = engine.df(verbose=True), engine.sharing()
print(df.images)
print()
print(sharing)
print()
print("the images' UNIQUE SIZE, summed:", sum(row.unique_size for row in df.images))
print("the images' fair shares, summed:", sum(row.fair_share for row in sharing.images))
print("real bytes, and pinned of them: ", sharing.size, sharing.pinned_size)
print()
for refs in (["probe:2"], ["twin:1"], ["twin:1", "twin:2"], ["shop:1", "desk:1"]):
    print(f"{sharing.marginal(refs):>9,} B go with {', '.join(refs)}")
print(f"{sharing.marginal(row.id for row in sharing.images):>9,} B go with all images")
print(f"{running.size_rw:>9,} B go with the container that runs, {running.size_root_fs:,} is what it sees")

if sys.argv[1:]:
    draw_sharing(engine, sys.argv[1])
