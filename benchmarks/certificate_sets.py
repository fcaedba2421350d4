"""Frozen sets that should not be certified: over their budget by one error or more, which is placed to deceive."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.certificate.attempts import Levels, attempt_levels
from cupel.certificate.plan import smallest_audit
from cupel.certificate.sequence import Flags, cut_positions, floor_share

# A share of false certificates above it is a fault.
LIMIT = 0.055
SEED = 1895


class Setting(NamedTuple):
    """A frozen set that is over its budget: where its wrong and contested items stand in the risk order."""

    name: str
    error_budget: float
    drawn: int
    is_wrong: Flags
    is_contested: Flags

    @property
    def allowed(self) -> int:
        """Wrong labels that the set may hold, its contested items being known."""
        return floor_share(self.error_budget, len(self.is_wrong) - int(self.is_contested.sum()))

    def levels(self, attempt: int) -> Levels:
        """Divide an attempt's alpha; nothing is set aside for contested items where there are none."""
        return attempt_levels(attempt, can_be_contested=bool(self.is_contested.any()))


def settings(error_budget: float, size: int) -> Iterator[Setting]:
    """Yield the sets that should not be certified: one error over their budget, placed to deceive."""
    rng = np.random.default_rng(SEED)
    plan = smallest_audit(size, error_budget, attempt_levels(1), error_budget / 3)
    if plan is None:
        raise ValueError(f"no audit can pass at a third of the budget {error_budget}")
    positions, none = cut_positions(size), np.zeros(size, dtype=bool)
    over = floor_share(error_budget, size) + 1
    shuffled = rng.permutation(size)
    behind_each = np.concatenate([positions[:-1] + step for step in range(over // (len(positions) - 1) + 1)])[:over]
    middle, last = int(positions[len(positions) // 2]), int(positions[-2])
    places = {
        "uniform": shuffled[:over],
        "uniform, twice the budget": shuffled[: 2 * over],
        "safe end": np.arange(over),
        "behind every cut": behind_each,
        "behind the middle cut": np.arange(middle, middle + over),
        "before the last cut": np.arange(last - over, last),
    }
    for name, wrong in places.items():
        yield Setting(name, error_budget, plan.drawn, _flags(size, wrong), none)
    # As many contested items as lower the number of wrong labels allowed by a whole one.
    contested = int(0.1 * size)
    while floor_share(error_budget, size - contested) == floor_share(error_budget, size - contested + 1):
        contested += 1
    over = floor_share(error_budget, size - contested) + 1
    mixed = {
        "safe end, contested uniform": (np.arange(over), over + rng.permutation(size - over)[:contested]),
        "safe end, contested behind": (np.arange(over), np.arange(over, over + contested)),
        "uniform, contested uniform": (shuffled[:over], shuffled[over : over + contested]),
    }
    for name, (wrong, split) in mixed.items():
        yield Setting(name, error_budget, plan.drawn, _flags(size, wrong), _flags(size, split))


def _flags(size: int, places: NDArray[np.int64]) -> Flags:
    flags = np.zeros(size, dtype=bool)
    flags[places] = True
    return flags
