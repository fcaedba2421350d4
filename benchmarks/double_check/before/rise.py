"""How the audited share rose with each error found, planned for sets of which nothing is known: frozen."""

from functools import cache

import numpy as np

from cupel.certificate.hypergeometric import Reals
from cupel.certificate.sequence import floor_share

ALPHA = 0.04
GAINS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
PATHS, SEED, PLACES, SHARE_STEPS = 60, 1662, 200, 1_000_000
TIMES_BUDGET, STEEPNESS, EVEN_SHARES = (1, 2, 4, 8), (4, 8, 16), (0.0, 0.1)


@cache
def plan_shares_before(size: int, error_budget: float) -> Reals:
    """Return the audited shares while 0, 1, 2, ... errors have been found.

    Args:
        size: Items in all.
        error_budget: Highest share of wrong labels of all items.
    """
    allowed = floor_share(error_budget, size)
    paths = np.random.default_rng(SEED).exponential(size=(PATHS, max(STEPS)))
    courses = _courses(size, allowed)
    found, costs = [], []
    for gain in GAINS:
        for steps in STEPS:
            shares = _smallest_shares(gain, steps, allowed)
            found.append(shares)
            costs.append(np.mean([np.log(_costs(shares, wrong, size, paths).mean()) for wrong in courses]))
    return found[int(np.argmin(np.round(costs, 9)))]


def _courses(size: int, allowed: int) -> list[Reals]:
    middles = (np.arange(PLACES) + 0.5) / PLACES
    courses = []
    for times in TIMES_BUDGET:
        for steepness in STEEPNESS:
            for even in EVEN_SHARES:
                shape = (1 - even) * steepness * middles ** (steepness - 1) + even
                density = np.minimum(1.0, times * max(allowed, 1) / size * shape)
                courses.append(np.concatenate([[0.0], np.cumsum(density * size / PLACES)]))
    return courses


def _costs(shares: Reals, wrong: Reals, size: int, paths: Reals) -> Reals:
    items = np.linspace(0, size, PLACES + 1)
    met = np.cumsum(paths[:, : len(shares)] / np.maximum(shares, 1e-12), axis=1)
    places = np.where(met > wrong[-1], size, np.interp(met, wrong, items, right=size))
    between = np.diff(np.concatenate([np.zeros((len(met), 1)), places], axis=1), axis=1)
    return np.asarray(((between * shares).sum(axis=1) + size - places[:, -1]) / size)


def _smallest_shares(gain: float, steps: int, allowed: int) -> Reals:
    low, high = 0, SHARE_STEPS
    while low < high:
        middle = (low + high) // 2
        is_enough = _chance_of_more(_from_first(middle, gain, steps), allowed) <= ALPHA
        low, high = (low, middle) if is_enough else (middle + 1, high)
    return _from_first(low, gain, steps)


def _from_first(millionths: int, gain: float, steps: int) -> Reals:
    powers = 1 + gain * np.arange(steps)
    return np.asarray(np.ceil((1 - (1 - millionths / SHARE_STEPS) ** powers) * SHARE_STEPS - 1e-3) / SHARE_STEPS)


def _chance_of_more(shares: Reals, allowed: int) -> float:
    step = np.diag(1 - shares) + np.diag(shares[:-1], 1)
    return float(np.linalg.matrix_power(step, allowed + len(shares))[0].sum())
