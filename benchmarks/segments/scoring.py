"""How well segments fit the true actions: F1, mean average precision, and how far edges are off."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.segments.clips import TrueActions
from cupel.marks.fusion.arrays import AskedPairs, MarkArrays, sort_marks
from cupel.marks.fusion.linkage import link_marks

LEVELS = (0.5, 0.75, 0.95)
NOBODY = AskedPairs(np.zeros(0, np.int64), np.zeros(0, np.int64))


class FoundSegments(NamedTuple):
    """What a method returns: a row a segment; `score` ranks them."""

    video: NDArray[np.int64]
    action: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    score: NDArray[np.float64]


def score_segments(found: FoundSegments, truth: TrueActions) -> dict[str, Any]:
    """Return F1 and mean average precision at .5, .75 and .95, and the edges' mean error in seconds.

    Segments are matched one to one within video and class from the best pair down. The error is over both edges of
    those that match at .5.

    Args:
        found: What a method returns.
        truth: What is there.
    """
    values: dict[str, Any] = {"segments": len(found.video)}
    for level in LEVELS:
        name = f"{100 * level:.0f}"
        mine, theirs = match_segments(found, truth, level)
        values[f"f1_{name}"] = 2 * len(mine) / (len(found.video) + len(truth.video))
        is_right = np.zeros(len(found.video), bool)
        is_right[mine] = True
        values[f"map_{name}"] = average_precision(found, is_right, truth)
        if level == LEVELS[0]:
            apart = np.abs(found.low[mine] - truth.low[theirs]) + np.abs(found.high[mine] - truth.high[theirs])
            values["error_seconds"] = float(apart.mean() / 2) if len(mine) else None
    return values


def match_segments(
    found: FoundSegments, truth: TrueActions, least: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of found and of true segments that match."""
    count = len(found.video)
    who = np.concatenate([np.zeros(count, np.int64), np.ones(len(truth.video), np.int64)])
    both = MarkArrays(
        np.concatenate([found.video, truth.video]), who, np.concatenate([found.action, truth.action]),
        np.concatenate([found.low, truth.low])[:, None], np.concatenate([found.high, truth.high])[:, None],
    )  # fmt: skip
    marks = sort_marks(both, NOBODY)
    cluster, _ = link_marks(marks.start, marks.mark_class, marks.low, marks.high, marks.annotator, least)
    order = np.lexsort((marks.row, cluster))
    is_first = np.flatnonzero(cluster[order][1:] == cluster[order][:-1])
    rows = marks.row[order]
    return rows[is_first], rows[is_first + 1] - count


def average_precision(found: FoundSegments, is_right: NDArray[np.bool_], truth: TrueActions) -> float:
    """Return the mean over classes of the area under precision by recall, precision made falling.

    Segments of one score come in an order drawn at random once: which method has ties depends on the method, so that
    F1 stands beside it.
    """
    order = np.lexsort((np.random.default_rng(0).random(len(found.video)), -found.score))
    areas = []
    for action in np.unique(truth.action):
        right = is_right[order][found.action[order] == action]
        hits = np.cumsum(right)
        precision = np.maximum.accumulate((hits / np.arange(1, len(right) + 1))[::-1])[::-1]
        areas.append(float((precision * right).sum() / (truth.action == action).sum()))
    return float(np.mean(areas))
