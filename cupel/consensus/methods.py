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
from cupel.consensus.skilled_dawid_skene import skilled_dawid_skene


class Fitted(Protocol):
    """What every method returns, among other things: `posterior`, items x classes, and `confusion`."""

    @property
    def posterior(self) -> Reals:
        """Probability of each class; rows of items without answers hold the class prior."""

    @property
    def confusion(self) -> Reals:
        """Chance of each answer, shape annotators x true class x answer; rows add up to 1."""


METHODS: dict[str, Callable[[Coded], Fitted]] = {
    "majority": majority,
    "dawid_skene": dawid_skene,
    "fast_dawid_skene": fast_dawid_skene,
    "skilled_dawid_skene": skilled_dawid_skene,
    "one_coin": one_coin,
    "ibcc": ibcc,
    "ebcc": ebcc,
    "glad": glad,
}
# What the chooser tries: each another model. Fast Dawid-Skene is the default's in a hurry.
CANDIDATES = ("dawid_skene", "skilled_dawid_skene", "ibcc", "one_coin", "glad", "majority", "ebcc")
