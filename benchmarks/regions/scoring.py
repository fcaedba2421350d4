"""How well marks fit gold: counts by item, F1 over all items, wrong items, and paired intervals of differences."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.regions.crowds import GoldMarks
from cupel.marks.fusion.linkage import measure_overlap

RESAMPLES = 4_000
SEED = 1979
LEVELS = (0.5, 0.75)


class FoundMarks(NamedTuple):
    """What a method returns: a row a mark."""

    item: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


class Counts(NamedTuple):
    """Counts by item at one overlap (means over experts or draws): matched, found, gold, and whether it is wrong."""

    matched: NDArray[np.float64]
    found: NDArray[np.float64]
    gold: NDArray[np.float64]
    wrong: NDArray[np.float64]


def match_marks(low: Any, high: Any, gold_low: Any, gold_high: Any, least: float) -> int:
    """Return how many of an item's marks have a partner in gold, taken from the best pair down, one to one."""
    both_low, both_high = np.concatenate([low, gold_low]), np.concatenate([high, gold_high])
    pairs = []
    for n in range(len(low)):
        for m in range(len(low), len(both_low)):
            value = measure_overlap(both_low, both_high, n, m)
            if value >= least:
                pairs.append((-value, n, m))
    used: set[int] = set()
    for _, n, m in sorted(pairs):
        if n not in used and m not in used:
            used |= {n, m}
    return len(used) // 2


def count_matches(found: FoundMarks, gold: GoldMarks, least: float, items: int) -> Counts:
    """Return the counts of each of the items that experts answered, means over an item's experts.

    Args:
        found: What a method returns.
        gold: What the experts say.
        least: Smallest intersection over union of a match.
        items: How many items there are.
    """
    sums, answers = np.zeros((items, 4)), np.zeros(items)
    for item, expert in gold.answers.tolist():
        mine, theirs = found.item == item, (gold.item == item) & (gold.expert == expert)
        matched = match_marks(found.low[mine], found.high[mine], gold.low[theirs], gold.high[theirs], least)
        made, there = int(mine.sum()), int(theirs.sum())
        sums[item] += (matched, made, there, not matched == made == there)
        answers[item] += 1
    known = answers > 0
    return Counts(*(sums[known] / answers[known, None]).T)


def compute_f1(counts: Counts) -> float:
    """Return F1 over all items: twice the matched marks by found and gold ones."""
    return float(2 * counts.matched.sum() / max(counts.found.sum() + counts.gold.sum(), 1e-9))


def average_counts(several: list[Counts]) -> Counts:
    """Return the mean of the counts of several draws, item by item."""
    return Counts(*(np.mean(column, axis=0) for column in zip(*several, strict=True)))


def compare_paired(ours: Counts, other: Counts) -> dict[str, float]:
    """Return by how much our F1 is higher, with a 95% interval and the share of resamples in which it is.

    The same items are drawn for both (paired bootstrap).
    """
    drawn = np.random.default_rng(SEED).integers(0, len(ours.found), (RESAMPLES, len(ours.found)))
    apart = _resample(ours, drawn) - _resample(other, drawn)
    low, high = np.quantile(apart, [0.025, 0.975]).tolist()
    return {
        "difference": compute_f1(ours) - compute_f1(other), "low": low, "high": high,
        "share_better": float((apart > 0).mean()),
    }  # fmt: skip


def find_interval(counts: Counts) -> list[float]:
    """Return the 95% interval of F1 over items drawn anew."""
    drawn = np.random.default_rng(SEED).integers(0, len(counts.found), (RESAMPLES, len(counts.found)))
    return [float(value) for value in np.quantile(_resample(counts, drawn), [0.025, 0.975])]


def _resample(counts: Counts, drawn: NDArray[np.int64]) -> NDArray[np.float64]:
    total = (counts.found + counts.gold)[drawn].sum(axis=1)
    return np.asarray(2 * counts.matched[drawn].sum(axis=1) / np.maximum(total, 1e-9), dtype=np.float64)
