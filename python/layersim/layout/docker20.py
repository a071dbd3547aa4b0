"""What `docker save` of 20.10 writes (layers.md section 8): a directory for each layer, named by its v1 id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim._core import Member
from layersim.layout.outgoing import manifest_file, manifest_item, parents, repositories
from layersim.layout.v1 import v1_images

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layersim._core import Layer
    from layersim.image import Reference
    from layersim.image.document import Json
    from layersim.layout.outgoing import Leaving
    from layersim.layout.v1 import V1Image


class _Saved:
    """What has been put into the archive so far."""

    def __init__(self) -> None:
        self.members: dict[str, list[Member]] = {}
        self._paths: dict[str, str] = {}

    def add(self, one: Leaving) -> list[str]:
        """Put in an image; return the directories of its layers."""
        images = v1_images(one.image, is_newer=False)
        for v1, layer in zip(images, one.image.layers, strict=True):
            if v1.id not in self.members:
                self.members[v1.id] = self._directory(v1, layer, one.mtime)
        name = f"{one.image.config_digest[7:]}.json"
        self.members[name] = [Member.file(name, one.image.raw_config, mtime=one.mtime)]
        return [v1.id for v1 in images]

    def _directory(self, v1: V1Image, layer: Layer, mtime: int) -> list[Member]:
        path = f"{v1.id}/layer.tar"
        first = self._paths.setdefault(layer.diff_id, path)
        is_first = first == path
        return [
            Member.directory(v1.id, mtime=mtime),
            Member.file(f"{v1.id}/VERSION", b"1.0", mtime=mtime),
            Member.file(f"{v1.id}/json", v1.document, mtime=mtime),
            Member.layer(path, layer, mtime=mtime) if is_first else Member.symlink(path, f"../{first}", mtime=mtime),
        ]


def docker20_members(leaving: Sequence[Leaving]) -> list[Member]:
    """Return the members of the archive; equal images give equal bytes.

    Raises
    ------
    ValidationError
        An image has no layer.
    """
    saved, parent_of = _Saved(), parents(leaving)
    items: list[dict[str, Json]] = []
    tops: dict[Reference, str] = {}
    for one in leaving:
        directories = saved.add(one)
        tops |= dict.fromkeys(one.references, directories[-1])
        layers = [f"{directory}/layer.tar" for directory in directories]
        items.append(manifest_item(one, f"{one.image.config_digest[7:]}.json", layers, parent_of.get(one.image.id)))
    saved.members["manifest.json"] = [manifest_file(items)]
    saved.members["repositories"] = repositories(tops)
    return [member for name in sorted(saved.members) for member in saved.members[name]]
