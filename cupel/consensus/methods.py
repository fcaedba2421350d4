"""Methods: every way to turn a batch's answers into a belief about each item, by name."""

from collections.abc import Callable
from typing import Protocol

from cupel.consensus.coding import Coded, Reals
from cupel.consensus.dawid_skene import dawid_skene
from cupel.consensus.ebcc import ebcc
from cupel.consensus.fast_dawid_skene import fast_dawid_skene
from cupel.consensus.glad import glad
from cupel.consensus.ibcc import ibcc
from cupel.consensus.majority import majority
from cupel.consensus.one_coin import one_coin


class Fitted(Protocol):
    """What every method returns, among other things: `posterior`, shape items x classes."""

    @property
    def posterior(self) -> Reals:
        """Probability of each class; rows of items without answers hold the class prior."""


METHODS: dict[str, Callable[[Coded], Fitted]] = {
    "majority": majority,
    "dawid_skene": dawid_skene,
    "fast_dawid_skene": fast_dawid_skene,
    "one_coin": one_coin,
    "ibcc": ibcc,
    "ebcc": ebcc,
    "glad": glad,
}
