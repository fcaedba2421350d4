"""Junk that an audit does not see: how little it may find before each cut, so that all cuts hold together.

Documents are ranked, the least suspicious first, and an audit is a simple random sample of them. Walk along the ranks
and look at junk alone. What the audit finds is taken out; junk that it does not find is kept. When u pieces have gone
by unseen and x were found, the next piece is audited with the chance (drawn - x) / (documents - u - x): it depends
neither on where junk lies nor on how much of it there is. So the number found before the unseen piece u + 1 has a known
distribution for each u, and all of them are places of one walk. A cut passes where fewer were found than that
distribution lets expect; the chance that any cut passes wrongly is that of the walk to cross a line, which is computed
exactly. No test of a cut depends on the outcome of another.

Source: boundary crossing of a walk with exchangeable steps: the negative hypergeometric distribution at each cut,
joined as in group sequential tests (Armitage, McPherson and Rowe 1969, Journal of the Royal Statistical Society A 132).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from cupel.certificate.hypergeometric import Reals, tail
from cupel.certificate.sequence import floor_share
from cupel.cleaning.contamination.learning import Places

# The level of a cut is sought among so many even parts of alpha: the same number on every machine.
LEVELS = 64
# Finds that are less likely than this are not followed.
NEGLIGIBLE = 1e-13


class CutBounds(NamedTuple):
    """What an audit must show; arrays of shape cuts.

    `allowed` is how much junk may lie unseen before each cut, `most_found` how much of it the audit may find there at
    most, -1 where not even none would do. `level` is what the chance of finding so little is held against: all cuts
    together err with a chance of at most alpha.
    """

    allowed: Places
    most_found: Places
    level: float


class _Step(NamedTuple):
    """What is found between two cuts: `least` or more, with `chances` of shape (found more, found before)."""

    least: int
    chances: Reals


@lru_cache(maxsize=64)
def bound_cuts(
    cuts: tuple[int, ...], documents: int, audited: int, known_good: int, budget: float, alpha: float
) -> CutBounds:
    """Return how much junk an audit may find before each cut.

    Args:
        cuts: Documents before each cut, ascending, at most `documents`.
        documents: Documents that the audit is drawn of.
        audited: How many are drawn, at most `documents`.
        known_good: Documents that are kept besides, and known to be good.
        budget: Largest share of junk among what is kept, after what the audit finds is taken out.
        alpha: Chance that any cut passes before which more than `allowed` lies unseen.
    """
    first = np.array([floor_share(budget, cut + known_good) for cut in cuts], np.int64)
    # At a chance below one half fewer are found than are found on average.
    average = (int(first.max()) + 1) * audited // max(1, documents - audited + 1)
    every = np.arange(min(audited, average + 1) + 1)
    # What is found is taken out: fewer are kept, so that less may be unseen.
    most = np.array([_count_below(_chances(every, documents, one, audited), alpha) for one in first], np.int64)
    taken = np.maximum(most, 0)
    kept = np.maximum(0, np.array(cuts, np.int64) + known_good - taken)
    allowed = np.maximum.accumulate(np.array([floor_share(budget, int(one)) for one in kept], np.int64))
    found = np.arange(int(taken.max(initial=0)) + 1)
    chances = np.stack([_chances(found, documents, one, audited) for one in allowed])
    # What no cut allows is followed no further, but for one number of finds, so that none is empty.
    least = [min(int(np.searchsorted(one, NEGLIGIBLE)), len(found) - 1) for one in chances]
    spans = [found[low : np.searchsorted(one, 1 - NEGLIGIBLE) + 1] for low, one in zip(least, chances, strict=True)]
    steps = _steps(allowed, spans, documents, audited)
    low, high = 0, LEVELS
    while low < high:
        middle = (low + high + 1) // 2
        limits = (chances <= alpha * middle / LEVELS).sum(axis=1) - 1
        low, high = (middle, high) if _cross(steps, spans, limits) <= alpha else (low, middle - 1)
    level = alpha * low / LEVELS
    return CutBounds(allowed, np.minimum((chances <= level).sum(axis=1) - 1, taken), level)


def chances_of_fewer(found: Places, bounds: CutBounds, documents: int, audited: int) -> Reals:
    """Return the chance that at most so much is found before more than is allowed has gone by unseen, shape cuts."""
    return _chances(found, documents, bounds.allowed, audited)


def _chances(found: Places, documents: int, allowed: Places | int, audited: int) -> Reals:
    """Return the distribution of what is found before the unseen piece that is one too many.

    At most x are found before unseen piece u + 1 exactly where at most x of the first u + 1 + x pieces are.
    """
    return tail(found, documents, allowed + 1 + found, audited)


def _count_below(chances: Reals, level: float) -> int:
    """Return the place of the last chance, of ascending ones, that is not above a level; -1 for none."""
    return int(np.searchsorted(chances, level, side="right")) - 1


def _steps(allowed: Places, spans: list[Places], documents: int, audited: int) -> list[_Step]:
    """Return for each cut how the walk goes on to it from the last: to the first unseen piece that is too many.

    What may have been found there is that of `spans`.
    """
    steps, unseen, there = [], 0, np.zeros(1, np.int64)
    for one, then in zip(allowed.tolist(), spans, strict=True):
        steps.append(_step(there, one + 1 - unseen, documents - unseen, audited))
        unseen, there = one + 1, then
    return steps


def _step(there: Places, ahead: int, documents: int, audited: int) -> _Step:
    """Return the chances of what is found before so many more unseen pieces, none of which lies outside `NEGLIGIBLE`.

    Args:
        there: What was found before, ascending.
        ahead: Unseen pieces that the walk goes on.
        documents: What is left, what was found before included.
        audited: Documents that are drawn in all.
    """
    left, drawn = documents - there, audited - there
    if documents - audited < ahead:
        return _Step(0, np.zeros((1, len(there))))
    # Who found more before finds less now: the last finds least, the first most.
    least, most = _quantile(NEGLIGIBLE, left[-1], ahead, drawn[-1]), _quantile(1 - NEGLIGIBLE, left[0], ahead, drawn[0])
    more = np.arange(least, most)[:, None]
    # The ratio of the chance of one more to that of as many, of the negative hypergeometric distribution.
    ratios = (ahead + more) / (more + 1) * np.maximum(0, drawn - more) / np.maximum(1, left - more - ahead)
    weights = np.cumprod(np.concatenate([np.ones((1, len(there))), ratios]), axis=0)
    return _Step(least, weights / weights.sum(axis=0))


def _quantile(chance: float, left: int, ahead: int, drawn: int) -> int:
    """Return the least number found before so many unseen pieces that has at least such a chance not to be passed."""
    most = 64
    while most < drawn and tail(most, left, ahead + most, drawn) < chance:
        most *= 2
    found = np.arange(min(most, drawn) + 1)
    return min(int(np.searchsorted(tail(found, left, ahead + found, drawn), chance)), len(found) - 1)


def _cross(steps: list[_Step], spans: list[Places], limits: Places) -> float:
    """Return the chance that at any cut at most so much was found as its limit says."""
    at, first, crossed = np.ones(1), 0, 0.0
    for step, found, limit in zip(steps, spans, limits.tolist(), strict=True):
        moved = np.zeros(len(at) + len(step.chances) - 1)
        # Added up by hand: a library's matrix product differs between machines.
        for more, chances in enumerate(step.chances):
            moved[more : more + len(at)] += at * chances
        place = found - (first + step.least)
        at = np.where((place >= 0) & (place < len(moved)), moved[np.clip(place, 0, len(moved) - 1)], 0.0)
        crossed += float(at[found <= limit].sum())
        at, first = np.where(found <= limit, 0.0, at), int(found[0])
    return crossed
