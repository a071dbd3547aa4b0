"""What an engine holds, as one archive with the parents of its images: for ours to load."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.engine.daemon import Daemon

_MANIFEST = "manifest.json"
# What speaks of one archive as a whole.
_OF_ONE_ARCHIVE = {_MANIFEST, "index.json", "oci-layout", "repositories"}


def saved_with_parents(daemon: Daemon, references: Iterable[str]) -> bytes:
    """Save images one at a time, and put them together with who is made from whom.

    One at a time, because engines since 25 keep a layer for ever once two images that hold it were saved at once.
    """
    members: dict[str, bytes] = {}
    entries: list[dict[str, Any]] = []
    ids: list[str] = []
    for reference in references:
        found = _members(daemon, reference)
        entries += json.loads(found[_MANIFEST])
        ids.append(str(daemon.inspect(reference)["Id"]))
        members |= {name: content for name, content in found.items() if name not in _OF_ONE_ARCHIVE}
    for entry, image_id in zip(entries, ids, strict=True):
        parent = daemon.inspect(image_id)["Parent"]
        if parent in ids:
            entry["Parent"] = parent
    return _tar(members | {_MANIFEST: json.dumps(entries).encode()})


def _members(daemon: Daemon, reference: str) -> dict[str, bytes]:
    saved = daemon.run("save", reference)
    assert saved.returncode == 0, saved.stderr
    with tarfile.open(fileobj=io.BytesIO(saved.stdout)) as archive:
        files = [(member.name, archive.extractfile(member)) for member in archive if member.isreg()]
        return {name: content.read() for name, content in files if content is not None}


def _tar(members: dict[str, bytes]) -> bytes:
    body = io.BytesIO()
    with tarfile.open(fileobj=body, mode="w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return body.getvalue()
