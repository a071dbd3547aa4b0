"""Reading what `docker save` writes: `manifest.json`, configs and layers at the paths that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layersim.errors import InvalidReferenceError, ValidationError
from layersim.image import has_tag, parse_config, parse_reference
from layersim.image.document import decode
from layersim.image.manifest import ArchivedManifest
from layersim.layout.archived import Found
from layersim.layout.source import DOCUMENT_LIMIT, require

if TYPE_CHECKING:
    from layersim._core import Archive
    from layersim.image import Reference

MANIFEST = "manifest.json"


def read_manifest(source: Archive) -> list[Found]:
    """Return the images that `manifest.json` names, documents checked, layers not yet loaded.

    Returns
    -------
    list of Found
        In the order of the document.

    Raises
    ------
    ValidationError, ArchiveError, InvalidReferenceError
        A document breaks its rules, a member is missing, a tag is none.
    """
    raw = source.read(MANIFEST, limit=DOCUMENT_LIMIT)
    if raw.strip() == b"null":
        breach = "invalid manifest, manifest cannot be null (but can be [])"
        raise ValidationError(f"{MANIFEST}: {breach}", [breach])
    items = decode(raw, list[ArchivedManifest], MANIFEST)
    return [_find(source, item) for item in items]


def _find(source: Archive, item: ArchivedManifest) -> Found:
    require(source, item.config)
    raw = source.read(item.config, limit=DOCUMENT_LIMIT)
    config = parse_config(raw, item.config)
    members = tuple(item.layers or ())
    if len(members) != len(config.diff_ids):
        breach = f"invalid manifest, layers length mismatch: expected {len(members)}, got {len(config.diff_ids)}"
        raise ValidationError(f"{MANIFEST}: {breach}", [breach])
    references = tuple(tag_of(tag) for tag in item.repo_tags or ())
    return Found(config, raw, members, (None,) * len(members), references, item.parent)


def tag_of(text: str) -> Reference:
    """Return what a tag means; ``latest`` must be written here."""
    name, digest, _ = text.partition("@")
    reference = parse_reference(name)
    if digest or not has_tag(name):
        raise InvalidReferenceError(f'invalid tag "{text}"')
    return reference
