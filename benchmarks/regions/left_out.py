"""Moments: the answer of a person left out is foretold from those of the others; there is no gold."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.regions.crowds import GoldMarks, RegionCrowd, keep_answers
from benchmarks.regions.plain import OURS, QUORUMS, link_clusters
from benchmarks.regions.scoring import FoundMarks
from cupel.marks.fusion.fuse import fuse_marks
from cupel.marks.fusion.selection import keep_one_mark


class LeftOut(NamedTuple):
    """The others' answers, and those of the person left out as if they were gold."""

    others: RegionCrowd
    answers: GoldMarks


def leave_each_out(crowd: RegionCrowd, people: int = 4) -> Iterator[LeftOut]:
    """Yield the crowd without each item's first person, then without each item's second, and so on."""
    order = np.lexsort((crowd.asked.annotator, crowd.asked.item))
    item = crowd.asked.item[order]
    rank = np.arange(len(item)) - np.searchsorted(item, item)
    for place in range(people):
        left = keep_answers(crowd, order[rank == place])
        pairs = np.stack([left.asked.item, left.asked.annotator], axis=1)
        answers = GoldMarks(left.marks.item, left.marks.annotator, left.marks.low, left.marks.high, pairs)
        yield LeftOut(keep_answers(crowd, order[rank != place]), answers)


def foretell_ours(crowd: RegionCrowd) -> FoundMarks:
    """Return one moment an item: the consensus that most people marked, where Cupel has its edges."""
    fused = fuse_marks(crowd.marks, crowd.asked)
    is_kept = keep_one_mark(fused.item, fused.support, fused.existence)
    return FoundMarks(fused.item[is_kept], fused.low[is_kept], fused.high[is_kept])


def take_largest(crowd: RegionCrowd, quorum: str | None, middle: Callable[..., NDArray[np.float64]]) -> FoundMarks:
    """Return each item's largest cluster if enough of the asked marked it, with the mean or median of its edges."""
    clusters = link_clusters(crowd)
    items = np.array([crowd.marks.item[rows[0]] for rows in clusters], np.int64)
    support = np.array([len(rows) for rows in clusters], np.int64)
    is_kept = keep_one_mark(items, support, np.zeros(len(items)))
    if quorum is not None:
        is_kept &= QUORUMS[quorum](support, np.bincount(crowd.asked.item, minlength=len(crowd.items))[items])
    kept = np.flatnonzero(is_kept)
    low = [middle(crowd.marks.low[clusters[place]], axis=0) for place in kept]
    high = [middle(crowd.marks.high[clusters[place]], axis=0) for place in kept]
    return FoundMarks(items[kept], np.reshape(low, (-1, 1)), np.reshape(high, (-1, 1)))


def take_most_frequent(crowd: RegionCrowd) -> FoundMarks:
    """Return the answer that most people of an item gave to the second; of equals the first."""
    rows = np.column_stack([crowd.marks.item, crowd.marks.low, crowd.marks.high])
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    item = distinct[:, 0].astype(np.int64)
    is_kept = keep_one_mark(item, counts.astype(np.int64), np.zeros(len(item)))
    return FoundMarks(item[is_kept], distinct[is_kept, 1:2], distinct[is_kept, 2:3])


def list_moment_methods() -> dict[str, Callable[[RegionCrowd], FoundMarks]]:
    """Return the methods that foretell one moment an item."""
    found: dict[str, Callable[[RegionCrowd], FoundMarks]] = {
        OURS: foretell_ours,
        "most frequent answer": take_most_frequent,
    }
    middles: dict[str, Any] = {"mean": np.mean, "median": np.median}
    for name, middle in middles.items():
        found[f"{name} of the largest cluster"] = partial(take_largest, quorum=None, middle=middle)
        for quorum in ("a third", "half"):
            found[f"{name} at {quorum}"] = partial(take_largest, quorum=quorum, middle=middle)
    return found
