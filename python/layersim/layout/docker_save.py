"""Writing what `docker save` of 20.10 writes (layers.md section 8): the same images for any `docker load`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from layersim._core import Member, sha256, write_archive
from layersim.errors import ValidationError
from layersim.image import instant
from layersim.image.document import decode_untyped, encode, encode_sorted
from layersim.image.runtime import written

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import BinaryIO

    from layersim._core import Layer
    from layersim.image import Image, Reference
    from layersim.image.document import Json

# Go marshals these in the order of the struct, not sorted.
_V1_FIELDS = (
    "comment", "created", "container", "container_config", "docker_version", "author", "config",
    "architecture", "variant", "os",
)  # fmt: skip


@dataclass(frozen=True)
class _Saved:
    """What has been put into the archive so far."""

    members: dict[str, list[Member]] = field(default_factory=dict)
    layer_paths: dict[str, str] = field(default_factory=dict)


def write_docker_archive(target: Path | BinaryIO, images: Sequence[tuple[Image, Sequence[Reference]]]) -> int:
    """Write images with their tags; equal images give equal bytes.

    Returns
    -------
    int
        Bytes written.

    Raises
    ------
    ValidationError
        An image has no layer: Docker cannot save such an image either.
    """
    saved = _Saved()
    manifest: list[Json] = []
    repositories: dict[str, dict[str, str]] = {}
    for image, references in images:
        directories = _save_image(saved, image)
        for reference in references:
            repositories.setdefault(reference.repository, {})[reference.tag] = directories[-1]
        tags: Json = [str(reference) for reference in references] or None
        layers: Json = [f"{directory}/layer.tar" for directory in directories]
        manifest.append({"Config": f"{image.id[7:]}.json", "RepoTags": tags, "Layers": layers})
    saved.members["manifest.json"] = [Member.file("manifest.json", encode(manifest) + b"\n")]
    if repositories:
        tagged: dict[str, Json] = {name: dict(sorted(tags.items())) for name, tags in repositories.items()}
        saved.members["repositories"] = [Member.file("repositories", encode_sorted(tagged) + b"\n")]
    ordered = [member for name in sorted(saved.members) for member in saved.members[name]]
    return write_archive(target, ordered)


def _save_image(saved: _Saved, image: Image) -> list[str]:
    """Put in an image; return the directories of its layers, which are their v1 ids."""
    if not image.layers:
        raise ValidationError("empty export - not implemented", ["an image without layers cannot be saved"])
    raw = decode_untyped(image.raw_config, image.id)
    mtime = max(0, instant.unix_seconds(image.config.created))
    parent, directories = "", []
    for place, (layer, chain_id) in enumerate(zip(image.layers, image.chain_ids, strict=True)):
        is_top = place == len(image.layers) - 1
        described = _v1_image(raw) if is_top else _v1_ancestor()
        directory = _v1_id(described, chain_id, parent)
        if directory not in saved.members:
            document = _v1_document(described, directory, parent, raw)
            saved.members[directory] = _layer_directory(saved, directory, layer, document, mtime)
        directories.append(directory)
        parent = directory
    name = f"{image.id[7:]}.json"
    saved.members[name] = [Member.file(name, image.raw_config, mtime=mtime)]
    return directories


def _layer_directory(saved: _Saved, directory: str, layer: Layer, document: bytes, mtime: int) -> list[Member]:
    path = f"{directory}/layer.tar"
    first = saved.layer_paths.setdefault(layer.diff_id, path)
    content = (
        Member.layer(path, layer, mtime=mtime) if first == path else Member.symlink(path, f"../{first}", mtime=mtime)
    )
    return [
        Member.directory(directory, mtime=mtime),
        Member.file(f"{directory}/VERSION", b"1.0", mtime=mtime),
        Member.file(f"{directory}/json", document, mtime=mtime),
        content,
    ]


def _v1_ancestor() -> dict[str, Json]:
    return {"created": "1970-01-01T00:00:00Z", "container_config": dict(written(None))}


def _v1_image(raw: dict[str, Json]) -> dict[str, Json]:
    """Return the fields of the config that images had before they had ids by content."""
    described = {name: raw[name] for name in _V1_FIELDS if raw.get(name)}
    described["created"] = instant.normalised(str(raw.get("created") or instant.UNKNOWN))
    described["container_config"] = dict(written(raw.get("container_config")))
    if raw.get("config") is not None:
        described["config"] = dict(written(raw["config"]))
    return {name: described[name] for name in _V1_FIELDS if name in described}


def _v1_id(described: dict[str, Json], chain_id: str, parent: str) -> str:
    document: dict[str, Json] = described | {"layer_id": chain_id}
    if parent:
        document["parent"] = f"sha256:{parent}"
    return sha256(encode_sorted(document))[7:]


def _v1_document(described: dict[str, Json], v1_id: str, parent: str, raw: dict[str, Json]) -> bytes:
    head: dict[str, Json] = {"id": v1_id, "parent": parent} if parent else {"id": v1_id}
    tail: dict[str, Json] = {"os": raw["os"]} if raw.get("os") else {}
    return encode(head | described | tail)
