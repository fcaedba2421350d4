"""Methods: every way to turn a batch's answers into a belief about each item, by name."""

from collections.abc import Callable
from typing import Protocol

from cupel.consensus.coding import Coded, Reals
from cupel.consensus.dawid_skene import dawid_skene
from cupel.consensus.ibcc import ibcc


class Fitted(Protocol):
    """What every method returns, among other things: `posterior`, shape items x classes."""

    @property
    def posterior(self) -> Reals:
        """Probability of each class; rows of items without answers hold the class prior."""


METHODS: dict[str, Callable[[Coded], Fitted]] = {"dawid_skene": dawid_skene, "ibcc": ibcc}
