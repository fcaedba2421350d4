"""Answers of several people and gold, read from the files, and some of the annotators drawn at random."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.marks.fusion.arrays import AskedPairs, MarkArrays

EDGES = {
    "boxes": (("x1", "y1"), ("x2", "y2"), "annotator"),
    "spans": (("start",), ("end",), "annotator"),
    "moments": (("start_s",), ("end_s",), "annotator_slot"),
}


class GoldMarks(NamedTuple):
    """Gold, a row a mark: `item`, `expert` (places), `low`, `high`; `answers`: item and expert, shape pairs and 2."""

    item: NDArray[np.int64]
    expert: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    answers: NDArray[np.int64]


class RegionCrowd(NamedTuple):
    """Answers on some items; `items` are their names, by place."""

    items: list[str]
    marks: MarkArrays
    asked: AskedPairs
    gold: GoldMarks | None


def find_folder(folder: Path, kind: str) -> Path:
    """Return the folder of a kind, given it or the one that holds it."""
    for place in (folder / kind, folder):
        if (place / "annotations.csv").is_file():
            return place
    raise SystemExit(f"{folder}: no {kind}/annotations.csv in it; name a folder that holds {kind}/, or {kind} itself")


def read_crowd(folder: Path, kind: str) -> RegionCrowd:
    """Return the answers of a folder, and gold where there is some.

    Args:
        folder: Folder with annotations.csv and, but for moments, gold.csv.
        kind: boxes, spans or moments.
    """
    lows, highs, who = EDGES[kind]
    rows = _read_rows(folder / "annotations.csv")
    items = sorted({row["item"] for row in rows})
    place = {name: number for number, name in enumerate(items)}
    people = {name: number for number, name in enumerate(sorted({row[who] for row in rows}))}
    item = np.array([place[row["item"]] for row in rows], np.int64)
    person = np.array([people[row[who]] for row in rows], np.int64)
    is_mark, low, high = _read_edges(rows, lows, highs)
    marks = MarkArrays(item[is_mark], person[is_mark], np.zeros(is_mark.sum(), np.int64), low, high)
    pairs = np.unique(np.stack([item, person], axis=1), axis=0)
    gold = _read_gold(folder / "gold.csv", place, lows, highs) if (folder / "gold.csv").is_file() else None
    return RegionCrowd(items, marks, AskedPairs(pairs[:, 0], pairs[:, 1]), gold)


def draw_annotators(crowd: RegionCrowd, count: int, seed: int) -> RegionCrowd:
    """Return the crowd with `count` answers an item drawn at random; items with fewer keep all."""
    rng = np.random.default_rng(seed)
    order = np.lexsort((rng.random(len(crowd.asked.item)), crowd.asked.item))
    item = crowd.asked.item[order]
    rank = np.arange(len(item)) - np.searchsorted(item, item)
    return keep_answers(crowd, order[rank < count])


def keep_answers(crowd: RegionCrowd, answers: NDArray[np.int64]) -> RegionCrowd:
    """Return the crowd with those answers alone, given as places in `asked`."""
    asked = AskedPairs(crowd.asked.item[answers], crowd.asked.annotator[answers])
    width = 1 + max(int(crowd.asked.annotator.max(initial=0)), int(crowd.marks.annotator.max(initial=0)))
    is_kept = np.isin(crowd.marks.item * width + crowd.marks.annotator, asked.item * width + asked.annotator)
    return crowd._replace(asked=asked, marks=MarkArrays._make(column[is_kept] for column in crowd.marks))


def _read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _read_edges(
    rows: Sequence[dict[str, str]], lows: Sequence[str], highs: Sequence[str]
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.float64]]:
    """Return which rows are marks with an extent, and the edges of those."""
    is_mark = np.array([all(row[name] for name in (*lows, *highs)) for row in rows], bool)
    found = [row for row, is_one in zip(rows, is_mark, strict=True) if is_one]
    low = np.array([[float(row[name]) for name in lows] for row in found]).reshape(-1, len(lows))
    high = np.array([[float(row[name]) for name in highs] for row in found]).reshape(-1, len(highs))
    is_good = (low < high).all(axis=1)
    is_mark[np.flatnonzero(is_mark)[~is_good]] = False
    return is_mark, low[is_good], high[is_good]


def _read_gold(path: Path, place: dict[str, int], lows: Sequence[str], highs: Sequence[str]) -> GoldMarks:
    rows = [row for row in _read_rows(path) if row["item"] in place]
    experts = {name: number for number, name in enumerate(sorted({row.get("expert", "") for row in rows}))}
    item = np.array([place[row["item"]] for row in rows], np.int64)
    expert = np.array([experts[row.get("expert", "")] for row in rows], np.int64)
    is_mark, low, high = _read_edges(rows, lows, highs)
    answers = np.unique(np.stack([item, expert], axis=1), axis=0)
    return GoldMarks(item[is_mark], expert[is_mark], low, high, answers)
