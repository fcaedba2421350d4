"""Ours, and the methods that it is measured beside: mean, median and medoid of clusters, weighted fusion, majority."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.segments.clips import SimulatedAnswers
from benchmarks.segments.scoring import FoundSegments
from cupel.marks.fusion.edge_loops import take_medians
from cupel.marks.fusion.fuse import LEAST_OVERLAP, fuse_marks
from cupel.marks.fusion.ordering import group_rows

OURS = "ours"
FUSION_OVERLAP = 0.55
Method = Callable[[SimulatedAnswers], FoundSegments]


def fuse_ours(answers: SimulatedAnswers) -> FoundSegments:
    """Return the set that Cupel returns, ranked by the posterior that it is there."""
    fused = fuse_marks(answers.marks, answers.asked)
    kept = fused.is_kept
    low, high = fused.low[kept, 0], fused.high[kept, 0]
    return FoundSegments(fused.item[kept], fused.mark_class[kept], low, high, fused.existence[kept])


def keep_majority(answers: SimulatedAnswers, middle: str) -> FoundSegments:
    """Return the clusters that half of the asked marked, ranked by that share; `middle` is mean, median or medoid."""
    fused = fuse_marks(answers.marks, answers.asked, LEAST_OVERLAP)
    start, order = group_rows(fused.cluster, len(fused.item))
    value = np.concatenate([answers.marks.low, answers.marks.high], axis=1)
    center = _take_middles(start, order, value, middle)
    share = fused.support / np.bincount(answers.asked.item)[fused.item]
    kept = share >= 0.5
    return FoundSegments(fused.item[kept], fused.mark_class[kept], center[kept, 0], center[kept, 1], share[kept])


def fuse_weighted(answers: SimulatedAnswers) -> FoundSegments:
    """Return weighted boxes fusion in one dimension, an annotator a model, of scores 1; kept from half of them on."""
    from ensemble_boxes import weighted_boxes_fusion_1d

    marks = answers.marks
    whole = float(marks.high.max())
    start, order = group_rows(marks.item, int(answers.asked.item.max()) + 1)
    people = np.bincount(answers.asked.item)
    rows: list[tuple[float, ...]] = []
    for item in np.flatnonzero(np.diff(start)).tolist():
        mine = order[start[item] : start[item + 1]]
        edges = np.concatenate([marks.low[mine], marks.high[mine]], axis=1) / whole
        who = np.unique(marks.annotator[mine])
        absent = [[] for _ in range(int(people[item]) - len(who))]  # type: ignore[var-annotated]
        lists = [edges[marks.annotator[mine] == one].tolist() for one in who] + absent
        kinds = [marks.mark_class[mine][marks.annotator[mine] == one].tolist() for one in who] + absent
        scores = [[1.0] * len(held) for held in lists]
        boxes, score, label = weighted_boxes_fusion_1d(lists, scores, kinds, iou_thr=FUSION_OVERLAP, skip_box_thr=0.0)
        rows += [(item, kind, low, high, worth) for (low, high), worth, kind in zip(boxes, score, label, strict=True)]
    table = np.array(rows)
    table = table[table[:, 4] >= 0.5 - 1e-6]
    video, action = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
    return FoundSegments(video, action, table[:, 2] * whole, table[:, 3] * whole, table[:, 4])


def list_methods(is_fusion_installed: bool) -> dict[str, Method]:
    """Return the methods by name, ours first."""
    found: dict[str, Method] = {OURS: fuse_ours}
    for middle in ("mean", "median", "medoid"):
        found[f"{middle}, majority"] = partial(keep_majority, middle=middle)
    if is_fusion_installed:
        found["weighted boxes fusion 1-d"] = fuse_weighted
    return found


def _take_middles(start: NDArray[np.int64], order: NDArray[np.int64], value: Any, middle: str) -> NDArray[np.float64]:
    """Return the edges of each cluster, shape clusters and 2."""
    center = np.empty((len(start) - 1, 2))
    take_medians(start, order, value, center)
    if middle == "median":
        return center
    counts = np.diff(start)
    cluster = np.repeat(np.arange(len(counts)), counts)
    held = value[order]
    mean = np.stack([np.bincount(cluster, held[:, edge]) / counts for edge in range(2)], axis=1)
    if middle == "mean":
        return np.asarray(mean, dtype=np.float64)
    # The mark that is least far from the others of its cluster, both edges together.
    far = np.zeros(len(held))
    for step in range(1, int(counts.max(initial=1))):
        for first, second in ((slice(None, -step), slice(step, None)), (slice(step, None), slice(None, -step))):
            is_pair = cluster[first] == cluster[second]
            far[first] += is_pair * np.abs(held[first] - held[second]).sum(axis=1)
    best = np.lexsort((far, cluster))[start[:-1]]
    return np.asarray(held[best], dtype=np.float64)
