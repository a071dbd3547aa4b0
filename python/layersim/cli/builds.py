"""The commands about Dockerfiles: `build` and `suggest`."""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from layersim.analysis import suggest as find_suggestions
from layersim.build import dialect_of
from layersim.build.context import Context
from layersim.build.copying.archives import opened_archive
from layersim.build.running import sandbox
from layersim.cli.effects import read_effects
from layersim.cli.failure import InputError
from layersim.cli.formats import records_of
from layersim.cli.host import Host, progress_bar
from layersim.errors import BuildError, DockerfileError, LayerSimError
from layersim.layout import layout_for
from layersim.profiles import find_profile
from layersim.state import is_state
from layersim.table import Rows
from layersim.units import harmless

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator, Sequence

    from layersim.analysis import Suggestion
    from layersim.build import Build, Step
    from layersim.build.running import Runner
    from layersim.cli.output import Output
    from layersim.engine import Engine

Builder: TypeAlias = Literal["buildkit", "legacy"]


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of a build as data: what `Step` tells, the reason as its kind and as a sentence."""

    number: int
    label: str
    stage: str
    instruction: str
    line: int
    reason: str
    explanation: str
    layer: str | None
    size: int
    seconds: float
    image: str | None


@dataclass(frozen=True, slots=True)
class SuggestionRow:
    """One suggestion as data."""

    rule: str
    saved_seconds: float
    saved_bytes: int
    size_saved: int
    evidence: str
    diff: str


def build(arguments: Namespace, out: Output, clock: Callable[[], int] | None) -> None:
    """Build an image, keep it where the words say, and show its steps.

    A build that fails leaves a saved engine as it was.
    """
    host = _host(arguments, clock)
    with host.engine as engine, ExitStack() as closing:
        with _failing(arguments.context, arguments.dockerfile):
            built = _built(engine, arguments, _runner(arguments, closing))
        kept = _kept(engine, built, arguments)
    _show(built, kept, arguments, out)
    for warning in built.warnings:
        _remark(f"warning: {warning}")
    if not kept:
        _remark("the image was not kept; -o FILE saves it, --state SAVED keeps the engine that has it")


def suggest(arguments: Namespace, out: Output, clock: Callable[[], int] | None) -> None:
    """Show better Dockerfiles; nothing is written."""
    host = Host(arguments.profile, clock, arguments.archives)
    changes = _changes(arguments.changes or arguments.context)
    bar = progress_bar("trying", counts_bytes=False)
    with _failing(arguments.context, arguments.dockerfile), bar as progress:
        found = find_suggestions(
            _dockerfile_text(arguments, host.engine),
            None if isinstance(changes, str) else arguments.context,
            changes,
            run=read_effects(arguments.effects),
            bases=host.engine if arguments.archives else _pairs(arguments.bases),
            builder=arguments.builder,
            profile=host.engine.profile.name,
            build_args=_build_args(arguments.build_args),
            limit=arguments.limit,
            progress=progress,
        )
        best = [found.best] if arguments.best and found.best is not None else []
    chosen = best if arguments.best else list(found)
    if out.as_data:
        out.rows(Rows([_suggestion_row(one) for one in chosen], SuggestionRow))
    else:
        out.lines([_told(one, with_diff=arguments.diff) for one in chosen] or ["nothing found that costs less"])


def _host(arguments: Namespace, clock: Callable[[], int] | None) -> Host:
    """Return the engine to build in: the saved one that will be saved again, or a new one."""
    state = arguments.state
    is_there = state is not None and Path(state).exists()
    if is_there and not is_state(Path(state)):
        raise InputError(state, "is there, and is no saved engine")
    host = Host(arguments.profile, clock, [state] if is_there else [], writes=True)
    try:
        for archive in arguments.archives:
            host.load(archive)
    except BaseException:
        host.engine.close()
        raise
    return host


def _runner(arguments: Namespace, closing: ExitStack) -> Runner:
    if arguments.sandbox:
        return closing.enter_context(sandbox(progress=lambda line: sys.stderr.write(f"{harmless(line)}\n")))
    return read_effects(arguments.effects, or_sandbox=True)


def _sent(arguments: Namespace) -> tuple[str | bytes | dict[str, bytes], str | bytes]:
    """Return the context and the Dockerfile; what comes in by standard input is a tar, or a Dockerfile alone."""
    if arguments.context != "-":
        return arguments.context, _dockerfile(arguments.dockerfile)
    data = sys.stdin.buffer.read()
    is_tar = opened_archive(data, dialect_of(arguments.builder, find_profile("overlay2"))) is not None
    return (data, _dockerfile(arguments.dockerfile)) if is_tar else ({}, data)


def _download(words: Sequence[tuple[str, str]], url: str) -> bytes:
    """Return what is found at a URL: the bytes of the file that the words name."""
    path = dict(words).get(url)
    if path is None:
        raise BuildError(f"ADD of {url} needs a network, and a build here has none: --download {url}=FILE gives a file")
    return Path(path).read_bytes()


def _built(engine: Engine, arguments: Namespace, run: Runner) -> Build:
    context, dockerfile = _sent(arguments)
    return engine.build(
        context,
        dockerfile,
        arguments.tags,
        arguments.target,
        _build_args(arguments.build_args),
        arguments.builder,
        run,
        labels=_pairs(arguments.labels),
        no_cache=arguments.no_cache,
        secrets=dict(map(_secret, arguments.secrets)),
        cache_from=arguments.cache_from,
        downloads=partial(_download, arguments.downloads),
    )


def _kept(engine: Engine, built: Build, arguments: Namespace) -> list[str]:
    """Save the image where the words say; return these places."""
    if arguments.output is not None:
        layout = layout_for(arguments.output, None, engine.profile.save_layout)
        with _failing(arguments.output):
            engine.save(list(built.tags) or [built.id], arguments.output, layout=layout)
    if arguments.state is not None:
        with _failing(arguments.state):
            engine.save_state(arguments.state)
    return [place for place in (arguments.output, arguments.state) if place is not None]


def _show(built: Build, kept: Sequence[str], arguments: Namespace, out: Output) -> None:
    rows = Rows([_step_row(step) for step in built.steps], StepRow)
    if out.as_json:
        head = {"id": built.id, "tags": list(built.tags), "size": built.size, "builder": built.builder}
        out.document(
            {
                **head,
                "kept": kept,
                "warnings": [str(warning) for warning in built.warnings],
                "steps": list(records_of(rows)),
            }
        )
    elif out.as_data:
        out.rows(rows)
    else:
        out.text(built.explain() if arguments.explain else str(built))


def _step_row(step: Step) -> StepRow:
    return StepRow(
        number=step.number,
        label=step.label,
        stage=step.stage,
        instruction=step.instruction,
        line=step.line,
        reason=step.reason.kind,
        explanation=str(step.reason),
        layer=step.layer.diff_id if step.layer is not None else None,
        size=step.size,
        seconds=step.seconds,
        image=step.image_id,
    )


def _suggestion_row(one: Suggestion) -> SuggestionRow:
    return SuggestionRow(one.rule, one.saved_seconds, one.saved_bytes, one.size_saved, one.evidence, one.diff)


def _told(one: Suggestion, *, with_diff: bool) -> str:
    return str(one) if with_diff else str(one).removesuffix(one.diff)


def _dockerfile(word: str | None) -> str:
    """Return where a Dockerfile is: a file from here, where one was named, or else one of the context."""
    if word is None:
        return "Dockerfile"
    return str(Path(word).resolve()) if Path(word).is_file() else word


def _dockerfile_text(arguments: Namespace, engine: Engine) -> bytes:
    dialect = dialect_of(arguments.builder, engine.profile)
    return Context.of(arguments.context, dockerfile=_dockerfile(arguments.dockerfile), dialect=dialect).dockerfile


def _changes(word: str) -> str | list[Any]:
    """Return edits: a path stands for a history."""
    if Path(word).is_dir():
        return word
    try:
        edits = json.loads(Path(word).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(word, error) from error
    if not isinstance(edits, list) or not all(isinstance(edit, list | dict) for edit in edits):
        raise InputError(word, "expected a list of edits, each a list of paths, or sizes and texts by path")
    return edits


def _pairs(words: Sequence[str]) -> dict[str, str]:
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def _build_args(words: Sequence[str]) -> dict[str, str]:
    """Return variables; one without a value has that of the environment, and is none where there is none."""
    given = {word: os.environ.get(word) if "=" not in word else word.partition("=")[2] for word in words}
    return {word.partition("=")[0]: value for word, value in given.items() if value is not None}


def _secret(word: str) -> tuple[str, bytes]:
    """Return the id and the text of a secret, from a file, a variable, or the variable of its own name."""
    fields = dict(field.partition("=")[::2] for field in word.split(","))
    name = fields.get("id", "")
    path = fields.get("src", fields.get("source"))
    if path is not None:
        with _failing(path):
            return name, Path(path).read_bytes()
    variable = fields.get("env", name)
    if not name or variable not in os.environ:
        raise InputError(f"--secret {word}", "expected id=NAME,src=FILE or id=NAME,env=VARIABLE with one that is set")
    return name, os.environb[os.fsencode(variable)]


@contextmanager
def _failing(subject: str, dockerfile: str | None = None) -> Iterator[None]:
    """Turn what fails into one line that names a line of the Dockerfile, or `subject`."""
    try:
        yield
    except (BuildError, DockerfileError) as error:
        name = dockerfile or "Dockerfile"
        raise InputError(subject if error.line is None else f"{name}:{error.line}", error) from error
    except (LayerSimError, OSError, ValueError, TypeError) as error:
        raise InputError(subject, error) from error


def _remark(text: str) -> None:
    sys.stderr.write(f"layersim: {harmless(text)}\n")
