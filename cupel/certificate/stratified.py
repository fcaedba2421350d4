"""The stratified audit: parts of the risk order with samples of their own, tested at the worst spread of errors."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cupel.certificate.hypergeometric import Integers, Reals, tail, upper_count
from cupel.certificate.sequence import Flags
from cupel.errors import AuditError

# A wrong label of the stratum sampled least weighs so much; those of others less, in proportion.
WEIGHT_SCALE = 6


class Stratum(NamedTuple):
    """A stratum, or the part of one before a cut: its items, how many were drawn, and what a find weighs."""

    items: int
    drawn: int
    weight: int = 1


def strata_ends(population: int, shares: Sequence[float]) -> Integers:
    """Return where strata end in the risk order.

    Args:
        population: Items in all, at least as many as strata.
        shares: Share of the items in each stratum, the safest first; they add up to 1.

    Returns:
        Numbers of items, ascending; the last is `population`.

    >>> strata_ends(1000, [0.5, 0.3, 0.2]).tolist()
    [500, 800, 1000]
    """
    if not shares or abs(sum(shares) - 1) > 1e-9 or min(shares) <= 0:
        raise AuditError(f"strata: found shares {list(shares)}; expected shares above 0 that add up to 1")
    ends = np.round(np.cumsum(shares) * population).astype(np.int64)
    ends[-1] = population
    if not np.all(np.diff(ends, prepend=0) > 0):
        raise AuditError(f"strata: found shares {list(shares)} of {population} items; expected no empty stratum")
    return ends


def weights(items: Sequence[int], drawn: Sequence[int]) -> list[int]:
    """Return what a find weighs in each stratum: about as much as the items that one audited item stands for.

    >>> weights([800, 200], [80, 100])
    [6, 1]
    """
    each = np.asarray(items, dtype=np.float64) / np.maximum(np.asarray(drawn, dtype=np.float64), 1e-9)
    return [max(1, round(WEIGHT_SCALE * float(one))) for one in each / each.max()]


def worst_p_value(strata: Sequence[Stratum], found: int, wrong: int) -> float:
    """Return the chance of so few finds, at the spread of the wrong labels over strata that makes it largest.

    Args:
        strata: The strata; samples are simple random and independent of each other.
        found: Sum of the weights of the wrong labels found.
        wrong: Wrong labels in all strata together, by hypothesis.

    Returns:
        The largest P(sum of weights <= found) over all spreads of `wrong`; 0 where there is no room for them.
        More wrong labels only make it smaller.

    Source: exact inference for a stratified finite population by the worst spread: Wendell and Schmee (1996),
    Journal of the American Statistical Association 91. Spreads are searched by dynamic programming over
    strata: for each number of wrong labels in the first strata, and each sum of weights, the largest chance of
    at most that sum. What follows is a mixture of these, so the result is never below the worst spread's
    chance; it is that chance where one spread of the first strata is the worst at every sum, as it is in the
    settings of a release (the tests compare with full enumeration). The cost is the square of `wrong`, times
    `found`, times the finds, times the strata.

    >>> round(worst_p_value([Stratum(100, 10)], 0, 3), 12) == round(float(tail(0, 100, 3, 10)), 12)
    True
    """
    if found < 0 or wrong > sum(stratum.items for stratum in strata):
        return 0.0
    return _p_value(strata, found, wrong, {})


def stratified_p_values(
    positions: Integers, ends: Integers, is_audited: Flags, is_wrong: Flags, wrong: int, alpha: float
) -> Reals:
    """Return the p-values of cuts of the risk order, up to the first above alpha; those behind it are 1.

    Args:
        positions: Cuts, ascending.
        ends: Where strata end; see `strata_ends`.
        is_audited: Whether each item was drawn, of shape items, in risk order.
        is_wrong: Audited and wrong.
        wrong: Wrong labels before the cut, by hypothesis.
        alpha: Where to stop.

    Returns:
        Chances, of shape cuts.
    """
    starts = np.concatenate([[0], ends[:-1]])
    drawn, bad = (np.concatenate([[0], np.cumsum(flags)]) for flags in (is_audited, is_wrong))
    weight = weights((ends - starts).tolist(), (drawn[ends] - drawn[starts]).tolist())
    chances = np.ones(len(positions))
    known: dict[tuple[int, int], Reals] = {}
    for place, cut in enumerate(positions.tolist()):
        last = int(np.searchsorted(ends, cut))
        upto = np.minimum(ends[: last + 1], cut)
        parts = [
            Stratum(int(end - start), int(drawn[end] - drawn[start]), one)
            for start, end, one in zip(starts, upto, weight, strict=False)
        ]
        sums = [int(bad[end] - bad[start]) * one for start, end, one in zip(starts, upto, weight, strict=False)]
        chances[place] = _p_value(parts, sum(sums), wrong, known)
        if chances[place] > alpha:
            break
    return chances


def stratified_upper(ends: Integers, is_audited: Flags, is_counted: Flags, alpha: float) -> int:
    """Return an upper bound of how many items of all strata are counted, each stratum having its part of alpha.

    Args:
        ends: Where strata end.
        is_audited: Whether each item was drawn, of shape items, in risk order.
        is_counted: Audited, and of the kind that is counted.
        alpha: Chance that the bound is below the truth.
    """
    starts = np.concatenate([[0], ends[:-1]])
    return sum(
        upper_count(
            int(end - start), int(is_audited[start:end].sum()), int(is_counted[start:end].sum()), alpha / len(ends)
        )
        for start, end in zip(starts, ends, strict=True)
    )


def _p_value(parts: Sequence[Stratum], found: int, wrong: int, known: dict[tuple[int, int], Reals]) -> float:
    """Return `worst_p_value`; the whole strata before the last are added up once for each sum of finds."""
    if wrong > sum(part.items for part in parts):
        return 0.0
    key = (len(parts), found)
    if key not in known:
        known[key] = _start(found, wrong)
        for stratum in parts[:-1]:
            known[key] = _add(known[key], stratum)
    return min(1.0, _end(known[key], parts[-1]))


def _start(found: int, wrong: int) -> Reals:
    best = np.zeros((wrong + 1, found + 1))
    best[0] = 1.0
    return best


def _chances(best: Reals, stratum: Stratum) -> Reals:
    """Return P(so many finds | so many wrong labels here), shape (wrong labels, finds there is room for)."""
    finds = np.arange((best.shape[1] - 1) // stratum.weight + 1)
    here = np.arange(min(best.shape[0] - 1, stratum.items) + 1)
    chances = np.diff(tail(finds[None, :], stratum.items, here[:, None], stratum.drawn), prepend=0.0, axis=1)
    result: Reals = np.maximum(chances, 0.0)
    return result


def _end(best: Reals, stratum: Stratum) -> float:
    """Return what `_add` would in its last row and column: the last stratum needs no more."""
    chances = _chances(best, stratum)
    most, found = best.shape[0] - 1, best.shape[1] - 1
    before = best[most - np.arange(len(chances))][:, found - stratum.weight * np.arange(chances.shape[1])]
    return float((chances * before).sum(axis=1).max())


def _add(best: Reals, stratum: Stratum) -> Reals:
    """Return the largest P(sum of weights <= x | wrong labels in all), shape (wrong, x), with one stratum more."""
    most, found = best.shape[0] - 1, best.shape[1] - 1
    added = np.zeros_like(best)
    for wrong, row in enumerate(_chances(best, stratum)):
        before = best[: most + 1 - wrong]
        total = row[0] * before
        for count in range(1, min(wrong, len(row) - 1) + 1):
            shift = stratum.weight * count
            total[:, shift:] += row[count] * before[:, : found + 1 - shift]
        np.maximum(added[wrong:], total, out=added[wrong:])
    return added
