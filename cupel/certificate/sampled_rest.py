"""A sample of the items that no look before has drawn: what it shows of all of them."""

from typing import NamedTuple

import numpy as np

from cupel.certificate.hypergeometric import lower_count, tail, upper_count
from cupel.certificate.sequence import floor_share


class SampledRest(NamedTuple):
    """Some items of a delivery, `size` in all: those drawn before, of which all is known, and a sample of the rest.

    `rest` items were left, of which `drawn` were drawn; among those known, `known` count (as wrong, say), and
    `known_contested` could not be decided.
    """

    size: int
    rest: int
    drawn: int
    known: int = 0
    known_contested: int = 0

    def bound_upper(self, counted: int, alpha: float) -> int:
        """Return how many of all items count at most, with a chance of alpha to be below; of the drawn, `counted`."""
        return self.known + upper_count(self.rest, self.drawn, counted, alpha)

    def bound_lower(self, counted: int, alpha: float) -> int:
        """Return how many of all items count at least, with a chance of alpha to be above; of the drawn, `counted`."""
        return self.known + lower_count(self.rest, self.drawn, counted, alpha)

    def bound_contested(self, contested: int, alpha: float) -> int:
        """Return the most contested items that there may be; `contested` of those drawn are. Without alpha none are."""
        return self.known_contested + upper_count(self.rest, self.drawn, contested, alpha) if alpha else 0

    def count_allowed(self, share: float, contested: int, alpha: float) -> int:
        """Return how many may count within a share of those that are not contested; -1 where all may be contested."""
        settled = self.size - self.bound_contested(contested, alpha)
        return floor_share(share, settled) if settled else -1

    def find_most(self, allowed: int, most: int, alpha: float) -> int | None:
        """Return the largest count that shows that no more than `allowed` of all items count; None where none does.

        Args:
            allowed: Of all items, those that are known included.
            most: Items drawn that could count.
            alpha: Chance that more are allowed through.

        Returns:
            A count of all that were seen so far, those known included.
        """
        rest_allowed = allowed - self.known
        if rest_allowed < 0:
            return None
        chances = tail(np.arange(min(most, rest_allowed) + 1), self.rest, rest_allowed + 1, self.drawn)
        return self.known + int((chances <= alpha).sum()) - 1 if chances[0] <= alpha else None
