"""For tests of your own: random layers, stacks and operations, a machine that drives an overlay, and trees to compare.

Needs `hypothesis <https://hypothesis.readthedocs.io>`_ (``pip install "layersim[testing]"``). Whatever it draws
shrinks: to fewer layers, fewer operations, shorter paths.

=============  ===========================================================================================
strategies     `paths`, `layers`, `stacks`, `operations`, `image_sets`
acting         `Operation`, one call on an overlay; `OverlayMachine`, a state machine to inherit from
comparing      `tree_of`, `differences`, `assert_same_tree`; `unchanged`, which guards layers
=============  ===========================================================================================
"""

from layersim.testing.guard import unchanged
from layersim.testing.machine import OverlayMachine
from layersim.testing.operations import Operation
from layersim.testing.strategies import image_sets, layers, operations, paths, stacks
from layersim.testing.trees import Node, assert_same_tree, differences, tree_of

__all__ = [
    "Node",
    "Operation",
    "OverlayMachine",
    "assert_same_tree",
    "differences",
    "image_sets",
    "layers",
    "operations",
    "paths",
    "stacks",
    "tree_of",
    "unchanged",
]
