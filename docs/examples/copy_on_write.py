"""A write never reaches a layer: the file is copied up whole, and the container pays for it."""

import os

import layersim as ls

image = [ls.Layer.from_changes([ls.mkdir("/db"), ls.write("/db/table", bytes(10_000_000)), ls.write("/db/log", b"")])]

first, second = ls.Overlay(image), ls.Overlay(image)
with first.open("/db/table", os.O_WRONLY | os.O_APPEND) as table:
    table.write(b"!")
first.unlink("/db/log")

print("one byte was written, the container holds", first.size_rw, "bytes")
for change in first.changes():
    print(change.kind, change.path)
print("the other container sees", second.stat("/db/table").st_size, "bytes and holds", second.size_rw)
print(
    "the layer is the one it was:",
    image[0]
    == ls.Layer.from_changes([ls.mkdir("/db"), ls.write("/db/table", bytes(10_000_000)), ls.write("/db/log", b"")]),
)
