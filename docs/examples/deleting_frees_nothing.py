"""Deleting a file in a later layer makes an image larger or leaves it as it is, never smaller."""

import layersim as ls

engine = ls.Engine()
rootfs = ls.Layer.from_changes([ls.write("/installer", bytes(5_000_000))])
base = engine.add_image([rootfs], tag="base")

container = engine.create("base")
container.fs.unlink("/installer")
cleaned = container.commit(tag="cleaned")

for image in (base, cleaned):
    view = ls.View(image.layers)
    print(f"{image.tags[0]:<16} layers {image.layer_sizes!s:<13} size {image.size}, in view: {'/installer' in view}")
