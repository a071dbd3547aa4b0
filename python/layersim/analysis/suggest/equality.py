"""Whether two Dockerfiles make the same image, told by building both: files, times aside, and config."""

from __future__ import annotations

import dataclasses
import io
import itertools
import stat
from typing import TYPE_CHECKING, Literal

from layersim._core import View, sha256
from layersim.analysis.replay import Declared
from layersim.analysis.replay.bases import usual_directories
from layersim.build.context.reading import IGNORE_FILE
from layersim.build.running import Effect
from layersim.engine import Engine
from layersim.errors import BuildError, DockerfileError
from layersim.image.document import decode_untyped

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from layersim.analysis.replay.bases import Bases
    from layersim.analysis.replay.files import File
    from layersim.analysis.suggest.script import Script
    from layersim.build.running import RunTable
    from layersim.image import Image

_FIELDS = (
    *("User", "ExposedPorts", "Entrypoint", "Cmd", "Volumes", "WorkingDir"),
    *("Labels", "StopSignal", "Healthcheck", "OnBuild", "Shell"),
)
# Synthetic files are made this small: their bytes tell them apart, and nothing else is asked of them.
_FEW_BYTES = 64
_FEW_FILES = 32


class Equality:
    """Builds scripts in an engine of its own.

    Parameters
    ----------
    run : Declared
        What commands do.
    bases : Engine or mapping
        The images.
    builder : {"buildkit", "legacy"}
    profile : str
    build_args : mapping of str to str
        As ``--build-arg``.
    """

    def __init__(
        self,
        run: Declared,
        bases: Bases,
        *,
        builder: Literal["buildkit", "legacy"],
        profile: str,
        build_args: Mapping[str, str],
    ) -> None:
        seconds = itertools.count(1)
        self._engine = Engine(profile, clock=lambda: next(seconds) * 10**9)
        self._table = _small(run.table)
        self._builder, self._build_args = builder, build_args
        _take_over(bases, self._engine)

    def result(self, script: Script, files: Mapping[str, File]) -> Hashable | None:
        """Return the image that a script makes, as a value; None if the build fails."""
        context = {path: _bytes(file) for path, file in files.items() if path != IGNORE_FILE}
        if script.ignore:
            context[IGNORE_FILE] = script.ignore.encode()
        try:
            image = self._engine.build(
                context,
                script.text.encode(),
                builder=self._builder,
                build_args=self._build_args,
                run=Declared(self._table, script.merged),
            )
        except (BuildError, DockerfileError):
            return None
        return _config(image), frozenset(_entries(View(image.layers)))


def _take_over(bases: Bases, engine: Engine) -> None:
    if isinstance(bases, Engine):
        tagged = [image.tags[0] for image in bases.images() if image.tags]
        if tagged:
            archive = io.BytesIO()
            bases.save(tagged, archive)
            engine.load(archive.getvalue())
        return
    for name in bases:
        engine.import_tar(usual_directories().tar_bytes(), name)


def _bytes(file: File) -> bytes:
    return file.data if file.data is not None else file.ident.encode()


def _small(table: RunTable) -> RunTable:
    rows = tuple((pattern, _smaller(act) if isinstance(act, Effect) else act) for pattern, act in table.rows)
    default = _smaller(table.default) if isinstance(table.default, Effect) else table.default
    return dataclasses.replace(table, rows=rows, default=default)


def _smaller(effect: Effect) -> Effect:
    writes = tuple(
        (path, content if isinstance(content, bytes) else min(content, _FEW_BYTES)) for path, content in effect.writes
    )
    files = tuple((path, min(count, _FEW_FILES), min(total, _FEW_BYTES * count)) for path, count, total in effect.files)
    return dataclasses.replace(effect, writes=writes, files=files)


def _config(image: Image) -> Hashable:
    found = decode_untyped(image.raw_config, image.id).get("config")
    config = found if isinstance(found, dict) else {}
    env = config.get("Env")
    values = sorted(map(str, env)) if isinstance(env, list) else []
    return tuple(values), tuple(repr(config.get(name) or None) for name in _FIELDS)


def _entries(view: View) -> list[Hashable]:
    found: list[Hashable] = []
    for folder, directories, files in view.walk("/"):
        for name in (*directories, *files):
            path = f"{folder.rstrip('/')}/{name}"
            status = view.lstat(path)
            content = ""
            if stat.S_ISREG(status.st_mode):
                content = sha256(view.read_bytes(path))
            elif stat.S_ISLNK(status.st_mode):
                content = view.readlink(path)
            attributes = tuple(
                (key, view.getxattr(path, key, follow_symlinks=False))
                for key in view.listxattr(path, follow_symlinks=False)
            )
            found.append((path, status.st_mode, status.st_uid, status.st_gid, content, attributes))
    return found
