"""What other libraries make of the same marks: ensemble-boxes and crowd-kit, where they are installed."""

import importlib.util
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.regions.crowds import RegionCrowd
from benchmarks.regions.scoring import FoundMarks

# The overlap at which ensemble-boxes joins boxes unless told otherwise.
FUSION_OVERLAP = 0.55
SEGMENTATIONS = ("SegmentationMajorityVote", "SegmentationEM", "SegmentationRASA")


def is_installed(package: str) -> bool:
    """Return whether a package can be imported."""
    return importlib.util.find_spec(package) is not None


def find_peers(kind: str) -> tuple[dict[str, Callable[[RegionCrowd], FoundMarks]], list[str]]:
    """Return the peers' methods for a kind, and what is left out and why."""
    methods: dict[str, Callable[[RegionCrowd], FoundMarks]] = {}
    missing = []
    if is_installed("ensemble_boxes"):
        for name, share in (("a third", 1 / 3), ("half", 1 / 2)):
            methods[f"weighted boxes fusion, {name}"] = partial(fuse_weighted, share=share)
    else:
        missing.append("ensemble-boxes is not installed (make peers): weighted boxes fusion left out")
    if kind != "spans":
        missing.append(f"crowd-kit has no method for {kind}")
    elif is_installed("crowdkit"):
        for name in SEGMENTATIONS:
            methods[f"crowd-kit {name}"] = partial(fuse_masks, name=name)
    else:
        missing.append("crowd-kit is not installed (make peers): its methods for masks left out")
    return methods, missing


def fuse_weighted(crowd: RegionCrowd, share: float) -> FoundMarks:
    """Return weighted boxes fusion of each item, an annotator a model, of scores 1; kept from a share of them on."""
    from ensemble_boxes import weighted_boxes_fusion, weighted_boxes_fusion_1d

    sides = crowd.marks.low.shape[1]
    fuse = weighted_boxes_fusion if sides == 2 else weighted_boxes_fusion_1d
    whole = max(float(crowd.marks.high.max(initial=1.0)), 1.0)
    items, lows, highs = [], [], []
    for item in np.unique(crowd.marks.item).tolist():
        mine = crowd.marks.item == item
        edges = np.concatenate([crowd.marks.low[mine], crowd.marks.high[mine]], axis=1) / whole
        people = crowd.marks.annotator[mine]
        asked = crowd.asked.annotator[crowd.asked.item == item]
        lists = [edges[people == who].tolist() for who in asked.tolist()]
        ones = [[1.0] * len(held) for held in lists]
        found, scores, _ = fuse(lists, ones, ones, iou_thr=FUSION_OVERLAP, skip_box_thr=0.0)
        for edge in np.asarray(found)[np.asarray(scores) >= share - 1e-6]:
            items.append(item)
            lows.append(edge[:sides] * whole)
            highs.append(edge[sides:] * whole)
    return FoundMarks(np.array(items, np.int64), np.reshape(lows, (-1, sides)), np.reshape(highs, (-1, sides)))


def fuse_masks(crowd: RegionCrowd, name: str) -> FoundMarks:
    """Return the runs of characters of crowd-kit's fused masks: each answer a mask of the item's characters."""
    import pandas as pd
    from crowdkit import aggregation

    ends: Any = np.zeros(len(crowd.items), np.int64)
    np.maximum.at(ends, crowd.marks.item, crowd.marks.high[:, 0].astype(np.int64))
    rows = []
    for item, who in zip(crowd.asked.item.tolist(), crowd.asked.annotator.tolist(), strict=True):
        mask = np.zeros((1, max(int(ends[item]), 1)), bool)
        mine = (crowd.marks.item == item) & (crowd.marks.annotator == who)
        for low, high in zip(crowd.marks.low[mine, 0], crowd.marks.high[mine, 0], strict=True):
            mask[0, int(low) : int(high)] = True
        rows.append({"task": item, "worker": who, "segmentation": mask})
    fused = getattr(aggregation, name)().fit_predict(pd.DataFrame(rows))
    found = [(item, *run) for item, mask in fused.items() for run in _find_runs(np.asarray(mask).reshape(-1))]
    whole = np.array(found, np.int64).reshape(-1, 3)
    return FoundMarks(whole[:, 0], whole[:, 1:2].astype(float), whole[:, 2:].astype(float))


def _find_runs(mask: Any) -> list[tuple[int, int]]:
    """Return where runs of ones start and end.

    >>> _find_runs(np.array([0, 1, 1, 0, 1]))
    [(1, 3), (4, 5)]
    """
    steps = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(mask, np.int8), [0]])))
    return [(int(low), int(high)) for low, high in zip(steps[::2], steps[1::2], strict=True)]
