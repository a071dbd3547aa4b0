"""layersim: a Docker storage engine that you can import.

An image is a logical stack of layers; layers are physical, shared and read-only; so the logical size
(`Engine.images`) exceeds the real one (`Engine.df`), the more so the more applications share a base; and
sharing is only safe because no write can ever reach a layer. The numbers equal those of a real engine to the
byte, the file operations those of Linux overlayfs to the errno.

============  ==========================================================================================
layers        `Layer`, its `Entry`; an `Edit` makes one: `mkdir write symlink hardlink remove opaque`
unions        `View` (read-only), `Overlay` (with a writable top); `Change`, `Upper`, `Snapshot` (of the top)
answers       `Stat`, `File`; `Paths` and what `View.lookup` has `Found` for them
images        `Image`, `ImageConfig`, `HistoryEntry`, `Reference`
one host      `Engine`, `Container`, and what it tells: `Table`, `DiskUsage`
who holds it  `Sharing`, its rows `ImageShare` and `LayerShare`
archives      `check_archive`, and each `Breach` that it finds
identifiers   `sha256`, `chain_ids`
builds        `Engine.build` makes a `Build` of `Step`s, each with its `Reason`, and what is a `Difference` in it;
              an ADD of a URL takes a `Download`
RUN steps     `runs` (a `RunTable`), each `effect` an `Effect`; `sandbox` (a `Sandbox`); `RunStep`, `StepMount`, `Ran`
comparison    `compare_profiles`: the same images under every engine
what-ifs      `replay`: edits against Dockerfiles; `suggest`: better ones that make the same image
bounds        `Limits`, on what an archive may ask for
errors        `LayerSimError` and its family in `layersim.errors`
============  ==========================================================================================

Stacks run base first, everywhere.
"""

from __future__ import annotations

from layersim._core import (
    Change,
    Edit,
    Entry,
    File,
    Found,
    Layer,
    Limits,
    Overlay,
    Paths,
    Snapshot,
    Stat,
    Upper,
    View,
    chain_ids,
    sha256,
)
from layersim.analysis import compare_profiles, replay, suggest
from layersim.build import Build, Difference, Download, Reason, Step
from layersim.build.running import Effect, Ran, RunStep, RunTable, Sandbox, StepMount, effect, runs, sandbox
from layersim.changes import hardlink, mkdir, opaque, remove, symlink, write
from layersim.container import Container
from layersim.engine import DiskUsage, Engine
from layersim.errors import DockerfileError, LayerSimError
from layersim.image import HistoryEntry, Image, ImageConfig, Reference
from layersim.layout import Breach, check_archive
from layersim.sharing import ImageShare, LayerShare, Sharing
from layersim.table import Table

__all__ = [
    "Breach",
    "Build",
    "Change",
    "Container",
    "Difference",
    "DiskUsage",
    "DockerfileError",
    "Download",
    "Edit",
    "Effect",
    "Engine",
    "Entry",
    "File",
    "Found",
    "HistoryEntry",
    "Image",
    "ImageConfig",
    "ImageShare",
    "Layer",
    "LayerShare",
    "LayerSimError",
    "Limits",
    "Overlay",
    "Paths",
    "Ran",
    "Reason",
    "Reference",
    "RunStep",
    "RunTable",
    "Sandbox",
    "Sharing",
    "Snapshot",
    "Stat",
    "Step",
    "StepMount",
    "Table",
    "Upper",
    "View",
    "chain_ids",
    "check_archive",
    "compare_profiles",
    "effect",
    "hardlink",
    "mkdir",
    "opaque",
    "remove",
    "replay",
    "runs",
    "sandbox",
    "sha256",
    "suggest",
    "symlink",
    "write",
]
