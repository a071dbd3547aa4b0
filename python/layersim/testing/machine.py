"""A state machine that drives overlays over shared layers, to inherit from or to run as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from layersim._core import Overlay, View
from layersim.testing.guard import fingerprint
from layersim.testing.strategies import operations, stacks
from layersim.testing.trees import assert_same_tree

if TYPE_CHECKING:
    from layersim._core import Layer
    from layersim.testing.operations import Operation

_WORK = operations(max_size=3)


class OverlayMachine(RuleBasedStateMachine):
    """Containers on one stack of layers: they write, fork, and are committed.

    After each step no layer differs; at the end each overlay shows what its layers and its committed top show.
    Inherit to add rules and invariants, override `act` to watch what is done.

    Attributes
    ----------
    layers : list of Layer
        The shared ones, base first.
    overlays : list of Overlay
        All on the same layers; at least one.

    Examples
    --------
    >>> from hypothesis import settings
    >>> from hypothesis.stateful import run_state_machine_as_test
    >>> from layersim.testing import OverlayMachine
    >>> run_state_machine_as_test(OverlayMachine, settings=settings(max_examples=5, stateful_step_count=10))
    """

    layers: list[Layer]
    overlays: list[Overlay]

    @initialize(layers=stacks())
    def start(self, layers: list[Layer]) -> None:
        """Draw the layers, and put the first overlay on them."""
        self.layers = layers
        self.overlays = [Overlay(View(layers), clock=lambda: 10**18)]
        self._before = [fingerprint(layer) for layer in layers]

    @rule(at=st.integers(0, 3), work=_WORK)
    def work(self, at: int, work: list[Operation]) -> None:
        """Do a few things in one of the overlays."""
        for operation in work:
            self.act(self.overlays[at % len(self.overlays)], operation)

    @rule(at=st.integers(0, 3))
    def fork(self, at: int) -> None:
        """Copy one of them."""
        self.overlays.append(self.overlays[at % len(self.overlays)].fork())

    @rule(at=st.integers(0, 3))
    def commit(self, at: int) -> None:
        """Put one more container on what one of them holds, in its place."""
        fs = self.overlays[at % len(self.overlays)]
        self.overlays[at % len(self.overlays)] = Overlay(View([*fs.lower.layers, fs.to_layer()]), clock=lambda: 10**18)

    @invariant()
    def layers_stay(self) -> None:
        """No layer differs from what it was at the start."""
        if [fingerprint(layer) for layer in self.layers] != self._before:
            raise AssertionError("a layer was written to")

    def act(self, fs: Overlay, operation: Operation) -> None:
        """Do one thing; what the kernel would refuse is refused."""
        operation.perform(fs)

    def teardown(self) -> None:
        """Hold every overlay to what it commits, attributes aside: a commit keeps capabilities alone."""
        for fs in getattr(self, "overlays", []):
            assert_same_tree(fs, View([*fs.lower.layers, fs.to_layer()]), with_xattrs=False)
