"""The life of containers: run, write, look at the difference, commit, remove, prune."""

import layersim as ls
from layersim.errors import ImageInUseError

engine = ls.Engine()
rootfs = ls.Layer.from_changes([ls.mkdir("/etc"), ls.write("/etc/motd", b"welcome\n"), ls.mkdir("/var")])
engine.add_image([rootfs], tag="base")

one, two = engine.run("base", name="one"), engine.run("base", name="two")
one.fs.write_bytes("/etc/motd", b"changed in one\n")
one.fs.mkdir("/var/log")
print("one:", [(change.kind, change.path) for change in one.changes()], one.size_rw, "bytes")
print("two:", [(change.kind, change.path) for change in two.changes()], two.size_rw, "bytes")
print("two reads:", two.fs.read_bytes("/etc/motd"))

changed = one.commit(tag="changed", message="a new motd")
print("the new image's layers:", changed.layer_sizes)
print("its newest step:", engine.history("changed")[0].comment)

try:
    engine.remove_image("base")
except ImageInUseError as refusal:
    print("refused:", "container" in str(refusal))
for container in (one, two):
    container.stop()
    container.remove()
engine.remove_image("changed")
print("left:", [row.tags for row in engine.images()])
