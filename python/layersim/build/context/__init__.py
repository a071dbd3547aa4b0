"""What is sent to a builder: a directory, a tar or files in memory, less what ``.dockerignore`` keeps out."""

from layersim.build.context.checksum import content_checksum
from layersim.build.context.dialect import Dialect
from layersim.build.context.ignore import Ignore
from layersim.build.context.remote import Download, Downloads, downloaded, is_url
from layersim.build.context.selection import Selection, Source, find, select
from layersim.build.context.sums import source_sum
from layersim.build.context.synced import Synced, place_of
from layersim.build.context.tree import Tree
from layersim.build.context.value import Context

__all__ = [
    "Context",
    "Dialect",
    "Download",
    "Downloads",
    "Ignore",
    "Selection",
    "Source",
    "Synced",
    "Tree",
    "content_checksum",
    "downloaded",
    "find",
    "is_url",
    "place_of",
    "select",
    "source_sum",
]
