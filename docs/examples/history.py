"""How an image was made: `docker history` as rows, and as Docker's own text."""

from pathlib import Path
from tempfile import TemporaryDirectory

import layersim as ls
from layersim.demo import write_archives

now_ns = 1_714_564_800 * 10**9
engine = ls.Engine(clock=lambda: now_ns)
with TemporaryDirectory() as directory:
    web_ping_tar, _ = write_archives(Path(directory), now_ns)
    engine.load(web_ping_tar)

history = engine.history("web-ping")
print(history)
print()
print("steps that made a layer:")
for row in history:
    if not row.empty_layer:
        print(f"  {row.size:>10} {row.created_by}")
