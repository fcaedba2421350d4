"""When another round of verdicts was asked for before labels were frozen: frozen."""

from itertools import product
from typing import NamedTuple

import numpy as np

from benchmarks.double_check.before.rise import STEPS, plan_shares_before
from cupel.consensus.coding import Flags, Reals

ROUNDS = (0.005, 0.01, 0.02, 0.04, 0.08, 0.12, 0.16, 0.24, 0.32)
CHEAP_CHANCE, WORTH_CHANCE, WORTH_WRONG_SHARE, VERDICT_WEIGHT = 0.85, 0.35, 0.25, 0.5
DOUBTS = tuple(product((1.0, 2.0, 4.0), (0.5, 0.7, 1.0, 1.4, 2.0)))
LEAST_CHANCE, HIDDEN, PATHS, SEED, PLACES = 1e-6, 0.001, 200, 1662, 200


class StandingBefore(NamedTuple):
    """Items in all, those asked, log-odds of the others, and the last round's: log-odds, and which were wrong."""

    size: int
    asked: int
    log_odds: Reals
    last_log_odds: Reals
    last_is_wrong: Flags


def next_end_before(size: int, asked: int) -> int | None:
    """Return how many items experts will have decided after the next round; None after the last."""
    ends = sorted({end for share in ROUNDS if 0 < (end := round(share * size)) < size})
    return next((end for end in ends if end > asked), None)


def pays_before(standing: StandingBefore, error_budget: float) -> bool:
    """Tell whether another round was asked for: a first one, then as long as rounds were cheap or paid."""
    end = next_end_before(standing.size, standing.asked)
    if end is None or not standing.asked:
        return end is not None
    weights = _doubt_weights(standing)
    chance = _seen_chance(standing, end, weights, plan_shares_before(standing.size, error_budget))
    is_taught = bool(standing.last_is_wrong.size) and standing.last_is_wrong.mean() >= WORTH_WRONG_SHARE
    are_borne_out = weights[[times <= 1 <= power for times, power in DOUBTS]].sum() >= 0.5
    return bool(chance >= CHEAP_CHANCE or (chance >= WORTH_CHANCE and is_taught and not are_borne_out))


def _seen_chance(standing: StandingBefore, end: int, weights: Reals, shares: Reals) -> float:
    paths = np.random.default_rng(SEED).exponential(size=(PATHS, max(STEPS)))
    met = np.cumsum(paths[:, : len(shares)] / np.maximum(shares, 1e-12), axis=1)
    chances = []
    for times, power in DOUBTS:
        sums = np.concatenate([[0.0], np.cumsum(_wrong_chance(standing.log_odds, times, power))])
        places = np.unique(np.linspace(0, len(sums) - 1, min(PLACES, len(sums) - 1) + 1).astype(np.int64))
        found = (met <= np.interp(standing.size - end, places, sums[places])).sum(axis=1)
        chances.append(float(np.append(shares, 1.0)[found].mean()))
    return float(weights @ chances)


def _doubt_weights(standing: StandingBefore) -> Reals:
    fits = []
    for times, power in DOUBTS:
        chance = np.clip(_wrong_chance(standing.last_log_odds, times, power), LEAST_CHANCE, 1 - LEAST_CHANCE)
        fits.append(VERDICT_WEIGHT * np.log(np.where(standing.last_is_wrong, chance, 1 - chance)).sum())
    weights = np.exp(np.array(fits) - max(fits))
    return np.asarray(weights / weights.sum())


def _wrong_chance(log_odds: Reals, times: float, power: float) -> Reals:
    doubted = np.clip(power * log_odds - np.log(times), -700, 700)
    return np.asarray(np.minimum(1.0, 1 / (1 + np.exp(doubted)) + HIDDEN))
