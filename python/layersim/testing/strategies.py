"""Strategies: layers over few names, so that they meet, and what may be done to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from hypothesis import strategies as st

from layersim._core import Edit, Layer
from layersim.changes import mkdir, opaque, remove, symlink, write
from layersim.testing.operations import KINDS, Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hypothesis.strategies import SearchStrategy

NAMES = ("a", "b", "c", "é", "x" * 120)
_MODES = (0o755, 0o700, 0o1777, 0o644, 0o4755)
_TARGETS = ("a", "b/c", "/a", "..", "nowhere", "../a/b")
_CREATED_NS = 1_500_000_000 * 10**9
_DEPTH = 3

# What a layer has under a name: given the path, the changes that say so.
Said: TypeAlias = "Callable[[str], list[Edit]]"


def paths(names: Sequence[str] = NAMES, *, max_depth: int = _DEPTH) -> SearchStrategy[str]:
    """Draw absolute paths over few names.

    Parameters
    ----------
    names : sequence of str
        Of which each component is one.
    max_depth : int
        The most components.
    """
    return st.lists(st.sampled_from(names), min_size=1, max_size=max_depth).map(lambda parts: "/" + "/".join(parts))


def layers(names: Sequence[str] = NAMES, *, max_leaves: int = 12) -> SearchStrategy[Layer]:
    """Draw layers with files, directories, symbolic links, whiteouts and opaque directories.

    Parameters
    ----------
    names : sequence of str
        The names in them: few, so that layers meet.
    max_leaves : int
        About how many files a layer has at most.

    Examples
    --------
    >>> from hypothesis import given
    >>> import layersim as ls
    >>> from layersim.testing import layers
    >>> @given(layers())
    ... def test_a_layer_is_its_tar(layer):
    ...     assert ls.Layer.from_tar(layer.tar_bytes()) == layer
    >>> test_a_layer_is_its_tar()
    """
    return st.builds(Layer.from_changes, _edits(names, max_leaves))


def stacks(
    names: Sequence[str] = NAMES, *, min_size: int = 1, max_size: int = 4, max_leaves: int = 12
) -> SearchStrategy[list[Layer]]:
    """Draw stacks of layers, base first; parameters as for `layers`, and the bounds of how many there are."""
    return st.lists(layers(names, max_leaves=max_leaves), min_size=min_size, max_size=max_size)


def operations(
    names: Sequence[str] = NAMES, *, kinds: Sequence[str] = KINDS, max_size: int = 15
) -> SearchStrategy[list[Operation]]:
    """Draw sequences of calls on an overlay, many of which will be refused.

    Parameters
    ----------
    names : sequence of str
        As for `layers`: take the same.
    kinds : sequence of str
        Which calls, of ``layersim.testing.operations.KINDS``.
    max_size : int
        The most calls.

    Examples
    --------
    >>> from hypothesis import given
    >>> import layersim as ls
    >>> from layersim.testing import operations, stacks, unchanged
    >>> @given(stacks(), operations())
    ... def test_no_operation_changes_a_shared_layer(layers, done):
    ...     fs = ls.Overlay(layers)
    ...     with unchanged(layers):
    ...         for operation in done:
    ...             operation.perform(fs)
    >>> test_no_operation_changes_a_shared_layer()
    """
    return st.lists(
        st.builds(
            Operation,
            kind=st.sampled_from(kinds),
            path=paths(names),
            other=paths(names),
            data=st.binary(max_size=10),
            mode=st.sampled_from(_MODES),
        ),
        max_size=max_size,
    )


def image_sets(
    names: Sequence[str] = NAMES, *, max_bases: int = 2, max_images: int = 5
) -> SearchStrategy[dict[str, list[Layer]]]:
    """Draw images that share bases: by tag, the layers of each, base first.

    Parameters
    ----------
    names : sequence of str
        As for `layers`.
    max_bases, max_images : int
        The most of each.

    Notes
    -----
    `Engine.import_tar` and `Engine.add_image` make images of them.
    """
    bases = st.lists(stacks(names, max_size=3, max_leaves=6), min_size=1, max_size=max_bases)
    apps = st.lists(
        st.tuples(st.integers(0, max_bases - 1), stacks(names, max_size=2, max_leaves=4)), max_size=max_images
    )
    return st.builds(_tagged, bases, apps)


def _tagged(bases: list[list[Layer]], apps: list[tuple[int, list[Layer]]]) -> dict[str, list[Layer]]:
    images = {f"base:{at}": base for at, base in enumerate(bases)}
    return images | {f"app:{at}": [*bases[base % len(bases)], *own] for at, (base, own) in enumerate(apps)}


@st.composite
def _edits(draw: st.DrawFn, names: Sequence[str], max_leaves: int) -> list[Edit]:
    """Draw a tree, and say it as changes, so that a failing example shows them."""
    leaves = _files() | st.sampled_from(_TARGETS).map(_link) | st.just(_gone)
    things = st.recursive(leaves, lambda below: _folders(names, below), max_leaves=max_leaves)
    return _inside("", draw(_named(names, things)))


def _files() -> SearchStrategy[Said]:
    return st.builds(_file, st.binary(max_size=40), st.sampled_from(_MODES))


def _folders(names: Sequence[str], below: SearchStrategy[Said]) -> SearchStrategy[Said]:
    return st.builds(_folder, _named(names, below), mode=st.sampled_from(_MODES), is_opaque=st.booleans())


def _named(names: Sequence[str], things: SearchStrategy[Said]) -> SearchStrategy[dict[str, Said]]:
    """Draw what a directory holds: as pairs, of which the last of a name counts, since these shrink one by one."""
    return st.lists(st.tuples(st.sampled_from(names), things), max_size=len(names)).map(dict)


def _file(data: bytes, mode: int) -> Said:
    return lambda path: [write(path, data, mode=mode, mtime_ns=_CREATED_NS)]


def _link(target: str) -> Said:
    return lambda path: [symlink(path, target, mtime_ns=_CREATED_NS)]


def _gone(path: str) -> list[Edit]:
    return [remove(path)]


def _folder(children: Mapping[str, Said], *, mode: int, is_opaque: bool) -> Said:
    def said(path: str) -> list[Edit]:
        return [mkdir(path, mode=mode), *([opaque(path)] if is_opaque else []), *_inside(path, children)]

    return said


def _inside(path: str, children: Mapping[str, Said]) -> list[Edit]:
    return [edit for name, said in children.items() for edit in said(f"{path}/{name}")]
