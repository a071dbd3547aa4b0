"""Layers are values: named by their content, stacked base first, merged into one read-only view."""

import layersim as ls

base = ls.Layer.from_changes(
    [
        ls.mkdir("/etc"),
        ls.write("/etc/motd", b"welcome\n"),
        ls.write("/etc/hostname", b"base\n"),
    ]
)
app = ls.Layer.from_changes(
    [
        ls.mkdir("/app"),
        ls.write("/app/app.js", b"console.log('hello')\n"),
        ls.write("/etc/hostname", b"app\n"),
        ls.remove("/etc/motd"),
    ]
)
view = ls.View([base, app])

print(
    "the same changes give the same layer:",
    app
    == ls.Layer.from_changes(
        [
            ls.mkdir("/app"),
            ls.write("/app/app.js", b"console.log('hello')\n"),
            ls.write("/etc/hostname", b"app\n"),
            ls.remove("/etc/motd"),
        ]
    ),
)
print("hostname:", view.read_bytes("/etc/hostname"))
print("motd is gone from the view:", "/etc/motd" not in view)
print("and still takes its place in the base:", base.size, "bytes")
for directory, subdirectories, files in view.walk("/"):
    print(directory, sorted(subdirectories), sorted(files))
