"""Anchoring: how much more often people give a label that they were shown, and what that does to their error."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.consensus.coding import Integers, Reals
from cupel.contract.columns import TEXT
from cupel.contract.table import from_rows
from cupel.contract.tables.crew import ANCHORING

Flags = NDArray[np.bool_]

MEASURES = {
    "following": "The answer is the pre-label; blind: the one that would have been shown.",
    "error": "The answer is wrong, on items whose label is known.",
    "error_of_followed": "The answer is wrong, among answers that are the pre-label.",
    "misled": "The answer is the pre-label, on items where that is wrong.",
}
ALL = "all"
# Fewer items on either side prove nothing.
FEWEST_ITEMS = 20
# Strata with fewer items on either side are one together.
FEWEST_IN_STRATUM = 5
# A difference whose whole interval is within this, either way, is as good as none.
NEGLIGIBLE = 0.05
# Two-sided 95% of a normal.
WIDTH = 1.959963984540054


class ShareDifference(NamedTuple):
    """Shares on both sides as they fell, and the difference on equal terms with its 95% interval, NaN where unknown."""

    shown: int
    shown_count: int
    blind: int
    blind_count: int
    difference: float
    low: float
    high: float
    problem: str | None


def measure_anchoring(answers: pa.Table) -> pa.Table:
    """Return how far people follow labels that they are shown, all together and one by one.

    Answers given after a label was shown are held against blind ones on items of which the label that would have been
    shown is known. Which tasks show one must have been drawn at random: nothing here can tell people who follow from
    labels that were shown where they are right anyway.

    Args:
        answers: SHOWN_ANSWERS of one batch.

    Returns:
        ANCHORING; of annotators those who gave enough answers of both sorts.
    """
    # What was shown and is no class can be neither followed nor withheld.
    usable = answers.filter(pc.is_valid(answers["pre_label"]))
    names = usable["annotator"].cast(TEXT)
    shown = set(names.filter(usable["is_shown"]).to_pylist())
    both = sorted((shown & set(names.filter(pc.invert(usable["is_shown"])).to_pylist())) - {None})
    rows = [*_rows(ALL, usable)]
    for name in both:
        own = _rows(f"annotator {name}", usable.filter(pc.equal(names, name)))
        rows += [row for row in own if row["difference"] is not None]
    return from_rows(rows, ANCHORING)


def compare_shares(value: Flags, is_shown: Flags, item: Integers, stratum: Integers) -> ShareDifference:
    """Compare how often something holds of answers beside a label and of blind ones, on equal terms.

    The difference is taken within strata and weighed by the answers beside a label. Its interval joins Wilson's
    intervals of both shares (Newcombe), with as many answers as they are worth: several on one item are worth less.

    Args:
        value: Whether it holds, one entry an answer.
        is_shown: Whether the answer was given beside the label.
        item: The item of each answer, any number.
        stratum: What makes answers comparable, such as the class of the label; likewise.

    Source: Newcombe (1998), Interval estimation for the difference between independent proportions, method 10,
    Statistics in Medicine 17; the worth of clustered answers by linearisation, Kish (1965), Survey Sampling.
    """
    counts = int(is_shown.sum()), int(value[is_shown].sum()), int((~is_shown).sum()), int(value[~is_shown].sum())
    if problem := _explain_problem(counts, is_shown, item):
        return ShareDifference(*counts, np.nan, np.nan, np.nan, problem)
    place = _pool_small(stratum, is_shown, item)
    weight = np.bincount(place[is_shown]) / is_shown.sum()
    (one, one_low, one_high), (two, two_low, two_high) = (
        _standardised(value[side], item[side], place[side], weight) for side in (is_shown, ~is_shown)
    )
    low = one - two - float(np.hypot(one - one_low, two_high - two))
    high = one - two + float(np.hypot(one_high - one, two - two_low))
    return ShareDifference(*counts, one - two, max(-1.0, low), min(1.0, high), None)


def _explain_problem(counts: tuple[int, int, int, int], is_shown: Flags, item: Integers) -> str | None:
    shown, _, blind, _ = counts
    if not shown:
        return "no answers beside a label"
    if not blind:
        return "no blind answers"
    fewest = min(len(np.unique(item[is_shown])), len(np.unique(item[~is_shown])))
    return f"fewer than {FEWEST_ITEMS} comparable items on either side" if fewest < FEWEST_ITEMS else None


def _pool_small(stratum: Integers, is_shown: Flags, item: Integers) -> Integers:
    """Return strata as numbers from 0 on, those with few items on either side pooled as one."""
    _, place = np.unique(stratum, return_inverse=True)
    strata = place.max() + 1
    fewest = [
        np.bincount(np.unique(np.stack([place[side], item[side]]), axis=1)[0], minlength=strata)
        for side in (is_shown, ~is_shown)
    ]
    is_small = np.minimum(*fewest) < FEWEST_IN_STRATUM
    if is_small.any() and np.min([one[is_small].sum() for one in fewest]) < FEWEST_IN_STRATUM:
        is_small[np.argmin(np.where(is_small, np.inf, np.minimum(*fewest)))] = True
    _, pooled = np.unique(np.where(is_small, -1, np.arange(strata))[place], return_inverse=True)
    return np.asarray(pooled, np.int64)


def _standardised(value: Flags, item: Integers, place: Integers, weight: Reals) -> tuple[float, float, float]:
    """Return a share over strata of given weights, and its interval."""
    size = np.bincount(place, minlength=len(weight))
    mean = np.bincount(place, value, len(weight)) / size
    share = float((weight * mean).sum())
    part = weight[place] * (value - mean[place]) / size[place]
    (stratum, _), cluster = np.unique(np.stack([place, item]), axis=1, return_inverse=True)
    items = np.bincount(stratum)
    squares = np.bincount(stratum, np.bincount(cluster.ravel(), part) ** 2)
    variance = float((squares * items / np.maximum(1, items - 1)).sum())
    worth = share * (1 - share) / variance if variance > 0 else float(items.sum())
    # Where strata are of unequal weight, no answer is worth more than in a sample drawn alike.
    worth = min(worth, float(1 / (weight**2 / size).sum()), float(len(value)))
    centre = (share + WIDTH**2 / (2 * worth)) / (1 + WIDTH**2 / worth)
    half = WIDTH * np.sqrt(share * (1 - share) / worth + WIDTH**2 / (4 * worth**2)) / (1 + WIDTH**2 / worth)
    return share, float(max(0.0, centre - half)), float(min(1.0, centre + half))


def _rows(group: str, answers: pa.Table) -> Iterator[dict[str, Any]]:
    label, pre, known = (answers[name].combine_chunks() for name in ("label", "pre_label", "known_label"))
    item, stratum = (
        answers[name].combine_chunks().dictionary_encode().indices.to_numpy() for name in ("item_id", "pre_label")
    )
    is_shown, follows = _flags(answers["is_shown"]), _flags(pc.equal(label, pre))
    is_known = _flags(pc.is_valid(known))
    is_wrong, is_pre_wrong = (_flags(pc.fill_null(pc.not_equal(one, known), False)) for one in (label, pre))
    none = np.zeros(len(item), np.int64)
    for measure, value, kept, strata in (
        ("following", follows, np.ones(len(item), np.bool_), stratum),
        ("error", is_wrong, is_known, stratum),
        ("error_of_followed", is_wrong, is_known & follows, stratum),
        # Items whose label is wrong are few: classes would leave too little of them.
        ("misled", follows, is_known & is_pre_wrong, none),
    ):
        found = compare_shares(value[kept], is_shown[kept], item[kept], strata[kept])
        yield _row(group, measure, found)


def _row(group: str, measure: str, found: ShareDifference) -> dict[str, Any]:
    verdict, reason = judge(found)
    return {
        "group": group,
        "measure": measure,
        "shown_answers": found.shown,
        "shown_count": found.shown_count,
        "shown_share": found.shown_count / found.shown if found.shown else None,
        "blind_answers": found.blind,
        "blind_count": found.blind_count,
        "blind_share": found.blind_count / found.blind if found.blind else None,
        "difference": _none(found.difference),
        "difference_low": _none(found.low),
        "difference_high": _none(found.high),
        "verdict": verdict,
        "reason": reason,
    }


def judge(found: ShareDifference) -> tuple[str, str | None]:
    """Return what a comparison shows (more, less, alike or unproven), and why it is unproven.

    >>> judge(ShareDifference(90, 80, 90, 50, 0.33, 0.2, 0.45, None))
    ('more', None)
    >>> judge(ShareDifference(9, 8, 0, 0, float("nan"), float("nan"), float("nan"), "no blind answers"))
    ('unproven', 'no blind answers')
    """
    if found.problem is not None:
        return "unproven", found.problem
    if found.low > 0:
        return "more", None
    if found.high < 0:
        return "less", None
    if found.low >= -NEGLIGIBLE and found.high <= NEGLIGIBLE:
        return "alike", None
    return "unproven", "the interval holds 0, and more than a negligible difference"


def summarise_anchoring(rows: Sequence[dict[str, Any]]) -> str:
    """Return in words how far people follow what they are shown, of ANCHORING as dictionaries.

    >>> summarise_anchoring([])
    'no answers beside a label'
    """
    row = next((one for one in rows if (one["group"], one["measure"]) == (ALL, "following")), None)
    if row is None or not row["shown_answers"]:
        return "no answers beside a label"
    said = f"{row['shown_share']:.1%} of {row['shown_answers']:,} answers follow the label shown"
    if row["difference"] is None:
        return f"{said}; anchoring is unproven: {row['reason']}"
    apart = f"{row['difference']:+.1%} ({row['difference_low']:+.1%} to {row['difference_high']:+.1%})"
    said = f"{said}, {apart} against blind answers"
    return said if row["reason"] is None else f"{said}; anchoring is unproven: {row['reason']}"


def _flags(values: pa.Array | pa.ChunkedArray) -> Flags:
    found = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _none(value: float) -> float | None:
    return None if np.isnan(value) else value
