"""Figures over several data sets: experts above the floor, paired differences, and tests corrected for their number."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import norm, t

from benchmarks.double_check.figures import Row, exact_interval
from benchmarks.double_check.harness import BEFORE
from benchmarks.double_check.rankers import OURS

# Budgets that are averaged.
BUDGETS = (0.01, 0.02, 0.05)
# Ours is to be within so much of the best of these, as rankers.
RIVALS, MARGIN = ("majority", "dawid_skene", "ebcc"), 0.02
ALPHA = 0.05


def summarize_sets(reports: Sequence[Row]) -> Row:
    """Return the figures over sets.

    Args:
        reports: Figures of each set; see `__main__.report`.

    Returns:
        `methods` (a row per method: share seen by budget, above the floor, ours less it, false certificates), `rivals`
        (a row per set and budget: ours less the best rival, and whether Holm's correction lets that be said) and
        `against_before`.
    """
    rows = {report["dataset"]: _rows(report) for report in reports}
    methods = list(dict.fromkeys(name for one in rows.values() for name in one))
    floors = {report["dataset"]: {budget: _lowest_floor(report, budget) for budget in BUDGETS} for report in reports}
    return {
        "sets": list(rows),
        "methods": [_summarize_method(name, rows, floors) for name in methods],
        "against_before": _compare_with_before(rows, floors),
        "rivals": compare_with_rivals(reports),
    }


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number, by Holm (1979): at level a, those up to a are rejected.

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    steps = np.asarray(p_values, np.float64)[order] * np.arange(len(order), 0, -1)
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return [float(value) for value in corrected]


def compare_with_rivals(reports: Sequence[Row]) -> list[Row]:
    """Return for each set and budget how much more experts see with ours than with the best of the rivals.

    The best is the one with which experts saw least in the same replays, which favours it a little. `is_within` and
    `is_better` say whether that ours is less than `MARGIN` worse, or better, holds at 5% for all sets and budgets at
    once (Holm, one-sided); `is_worse` likewise that it is more than `MARGIN` worse.
    """
    found = []
    for report in reports:
        for budget in BUDGETS:
            rivals = [row for row in report["compared"] if row["method"] in RIVALS and row["budget"] == budget]
            if rivals:
                worst = max(rivals, key=lambda row: row["difference"])
                found.append({"dataset": report["dataset"], "rival": worst["method"], **worst})
    claims = {"is_within": (MARGIN, 1), "is_better": (0.0, 1), "is_worse": (MARGIN, -1)}
    for claim, (margin, sign) in claims.items():
        corrected = holm([_p_below(sign * (row["difference"] - margin), row["standard_error"]) for row in found])
        for row, p in zip(found, corrected, strict=True):
            row[claim] = p <= ALPHA
    return found


def _p_below(difference: float, error: float) -> float:
    """Return the one-sided p-value against a true difference of at least 0."""
    if error == 0:
        return 0.0 if difference < 0 else 1.0
    return float(norm.cdf(difference / error))


def _rows(report: Row) -> dict[str, dict[float, Row]]:
    """Return a set's figures by method and budget; PAC labels by bound, whose labels they took, and whose draws."""
    found = {OURS: report["deployed"], **report["deployed_with_other_rankers"]}
    by_method = {name: {row["budget"]: dict(row) for row in rows} for name, rows in found.items()}
    for row in report["compared"]:
        by_method[row["method"]][row["budget"]] |= {"compared": row}
    for row in report["pac_labels"]:
        name = f"pac {row['bound']}, {row['source']}" + (", best draws" if row["draws_by"] == "oracle" else "")
        by_method.setdefault(name, {})[row["budget"]] = row
    return by_method


def _lowest_floor(report: Row, budget: float) -> float:
    rows = [*report["deployed"], *(row for rows in report["deployed_with_other_rankers"].values() for row in rows)]
    return min(float(row["floor_share"]) for row in rows if row["budget"] == budget)


def _summarize_method(
    name: str, rows: Mapping[str, dict[str, dict[float, Row]]], floors: Mapping[str, dict[float, float]]
) -> Row:
    here = [dataset for dataset, found in rows.items() if name in found]
    seen = {data: {budget: _seen(rows[data][name][budget]) for budget in BUDGETS} for data in here}
    above = [_mean(seen[data][budget] - floors[data][budget] for budget in BUDGETS) for data in here]
    less = [_mean(_seen(rows[data][OURS][budget]) - seen[data][budget] for budget in BUDGETS) for data in here]
    counted = [row for data in here for row in rows[data][name].values()]
    false, count = sum(row["false_certificates"] for row in counted), sum(row["replays"] for row in counted)
    return {
        "method": name,
        "sets": len(here),
        "experts_seen_share": {str(budget): _mean(seen[data][budget] for data in here) for budget in BUDGETS},
        "above_floor": _mean(above),
        "ours_less_this": _mean(less),
        "interval_over_sets": _interval(less),
        "interval_of_these_sets": _interval_of_replays(_mean(less), [rows[data][name] for data in here]),
        "false_certificates": false,
        "replays": count,
        "false_certificate_interval": list(exact_interval(false, count)),
    }


def _compare_with_before(
    rows: Mapping[str, dict[str, dict[float, Row]]], floors: Mapping[str, dict[float, float]]
) -> Row | None:
    """Return the mean above the floor, ours and before, and their ratio, with the floors that might be asked about."""
    here = [data for data, found in rows.items() if BEFORE in found]
    if not here:
        return None
    choices: dict[str, dict[tuple[str, float], float]] = {
        "lowest_of_all_rankers": {(data, budget): floors[data][budget] for data in here for budget in BUDGETS},
        "of_before": {(data, budget): _floor(rows[data][BEFORE][budget]) for data in here for budget in BUDGETS},
        "of_each_itself": {},
    }
    found: Row = {}
    for floor, values in choices.items():
        means = [
            _mean(
                _seen(rows[data][name][budget]) - values.get((data, budget), _floor(rows[data][name][budget]))
                for data in here
                for budget in BUDGETS
            )
            for name in (OURS, BEFORE)
        ]
        found[floor] = {"ours": means[0], "before": means[1], "ratio": means[0] / means[1] if means[1] else None}
    return found


def _seen(row: Row) -> float:
    return float(row["experts_seen_share"]["mean"])


def _floor(row: Row) -> float:
    return float(row["floor_share"])


def _mean(values: Any) -> float:
    known = list(values)
    return math.fsum(known) / len(known)


def _interval_of_replays(middle: float, by_set: Sequence[Mapping[float, Row]]) -> list[float] | None:
    """Return the 95% interval of a mean over these very sets, by the replays; None for ours itself.

    Budgets of a set share their draws, so their errors are taken to be one and the same; sets are independent.
    """
    if any("compared" not in found[budget] for found in by_set for budget in BUDGETS):
        return None
    errors = [_mean(found[budget]["compared"]["standard_error"] for budget in BUDGETS) for found in by_set]
    half = 1.96 * math.hypot(*errors) / len(errors)
    return [middle - half, middle + half]


def _interval(values: Sequence[float]) -> list[float] | None:
    """Return the 95% interval of a mean over sets (Student); None for fewer than two."""
    if len(values) < 2:
        return None
    half = float(t.ppf(0.975, len(values) - 1)) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return [_mean(values) - half, _mean(values) + half]
