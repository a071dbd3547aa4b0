"""What happens in a RUN step, without a daemon: declared effects, or the command itself in a sandbox."""

from __future__ import annotations

from layersim.build.running.effect import Effect, effect
from layersim.build.running.mounts import StepMount
from layersim.build.running.sandbox import Sandbox, sandbox
from layersim.build.running.step import Ran, Runner, RunStep, buildkit20_words, buildkit_words, legacy_words
from layersim.build.running.table import RunTable, first_words, runs

__all__ = [
    "Effect",
    "Ran",
    "RunStep",
    "RunTable",
    "Runner",
    "Sandbox",
    "StepMount",
    "buildkit20_words",
    "buildkit_words",
    "effect",
    "first_words",
    "legacy_words",
    "runs",
    "sandbox",
]
