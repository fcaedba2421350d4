"""Ours, and the plain methods that it must beat: single annotators, and clusters kept at a quorum."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.regions.crowds import RegionCrowd
from benchmarks.regions.scoring import FoundMarks, match_marks
from cupel.marks.fusion.fuse import LEAST_OVERLAP, fuse_marks

OURS = "ours"
# Draws that a random single annotator's figures are the mean of.
DRAWS = 20
QUORUMS: dict[str, Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]] = {
    "a third": lambda support, asked: 3 * support >= asked,
    "more than a third": lambda support, asked: 3 * support > asked,
    "half": lambda support, asked: 2 * support >= asked,
}


def fuse_ours(crowd: RegionCrowd) -> FoundMarks:
    """Return the set that Cupel returns."""
    fused = fuse_marks(crowd.marks, crowd.asked)
    return FoundMarks(fused.item[fused.is_kept], fused.low[fused.is_kept], fused.high[fused.is_kept])


def link_clusters(crowd: RegionCrowd, least: float = LEAST_OVERLAP) -> list[NDArray[np.int64]]:
    """Return the rows of each cluster: greedy linkage from the best pair down, one mark an annotator, as ours."""
    cluster = fuse_marks(crowd.marks, crowd.asked, least).cluster
    order = np.argsort(cluster, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(cluster[order])) + 1) if len(order) else []


def keep_clusters(crowd: RegionCrowd, quorum: str, middle: Callable[..., NDArray[np.float64]]) -> FoundMarks:
    """Return the clusters that enough of the asked marked, each with the mean or median of its edges."""
    clusters = link_clusters(crowd)
    items = np.array([crowd.marks.item[rows[0]] for rows in clusters], np.int64)
    support = np.array([len(rows) for rows in clusters], np.int64)
    asked = np.bincount(crowd.asked.item, minlength=len(crowd.items))[items]
    kept = np.flatnonzero(QUORUMS[quorum](support, asked))
    sides = crowd.marks.low.shape[1]
    low = [middle(crowd.marks.low[clusters[place]], axis=0) for place in kept]
    high = [middle(crowd.marks.high[clusters[place]], axis=0) for place in kept]
    return FoundMarks(items[kept], np.reshape(low, (-1, sides)), np.reshape(high, (-1, sides)))


def pick_random(crowd: RegionCrowd, seed: int) -> FoundMarks:
    """Return the marks of one annotator an item, drawn at random."""
    rng = np.random.default_rng(seed)
    order = np.lexsort((rng.random(len(crowd.asked.item)), crowd.asked.item))
    first = order[np.unique(crowd.asked.item[order], return_index=True)[1]]
    return _marks_of(
        crowd, dict(zip(crowd.asked.item[first].tolist(), crowd.asked.annotator[first].tolist(), strict=True))
    )


def pick_most_agreeing(crowd: RegionCrowd) -> FoundMarks:
    """Return the marks of the annotator an item who agrees best with the others (mean F1 at IoU .5)."""
    chosen: dict[int, int] = {}
    for item in np.unique(crowd.asked.item).tolist():
        people = crowd.asked.annotator[crowd.asked.item == item].tolist()
        rows = {who: np.flatnonzero((crowd.marks.item == item) & (crowd.marks.annotator == who)) for who in people}
        scores = {
            who: np.mean([_agree(crowd, rows[who], rows[other]) for other in people if other != who] or [0.0])
            for who in people
        }
        chosen[item] = max(people, key=lambda who: scores[who])
    return _marks_of(crowd, chosen)


def _agree(crowd: RegionCrowd, mine: NDArray[np.int64], theirs: NDArray[np.int64]) -> float:
    if not len(mine) + len(theirs):
        return 1.0
    low, high = crowd.marks.low, crowd.marks.high
    return 2 * match_marks(low[mine], high[mine], low[theirs], high[theirs], 0.5) / (len(mine) + len(theirs))


def _marks_of(crowd: RegionCrowd, chosen: dict[int, int]) -> FoundMarks:
    is_chosen = np.array(
        [
            chosen.get(item) == who
            for item, who in zip(crowd.marks.item.tolist(), crowd.marks.annotator.tolist(), strict=True)
        ],
        bool,
    )
    return FoundMarks(crowd.marks.item[is_chosen], crowd.marks.low[is_chosen], crowd.marks.high[is_chosen])
