"""What images claim and what the disk holds: the embedded example, twelve images on three bases."""

from pathlib import Path
from tempfile import TemporaryDirectory

import layersim as ls
from layersim.demo import write_archives
from layersim.plot import saving_bars, savings

now_ns = 1_714_564_800 * 10**9
engine = ls.Engine(clock=lambda: now_ns)
with TemporaryDirectory() as directory:
    images = [image for archive in write_archives(Path(directory), now_ns) for image in engine.load(archive)]

print(saving_bars(savings(images)))
print()
print(engine.df())
