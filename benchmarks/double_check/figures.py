"""Figures of one folder: what experts see, how often falsely certified, and how methods differ."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.double_check.deployed import Outcome
from benchmarks.double_check.harness import PAC_DRAWS, Measured, PacKey
from benchmarks.double_check.rankers import OURS
from cupel.certificate.hypergeometric import clopper_pearson_lower, clopper_pearson_upper

Row = dict[str, Any]
# Share of false certificates up to which a number of draws may count as the best of PAC labels.
MOST_FALSE = 0.05


def summarize(measured: Sequence[Measured], method: str, budget: float) -> Row:
    """Return the figures of one method and budget over all crowds and replays."""
    outcomes = [outcome for one in measured for outcome in one.outcomes[method, budget]]
    limits = np.array([one.limits[method, budget] for one in measured])
    return {
        "budget": budget,
        "asked_before_share": float(np.mean([one.asked[method, budget] for one in measured])),
        "read_by": dict(Counter(one.read_by[budget] for one in measured)) if method == OURS else {},
        **_summarize(outcomes),
        "clopper_pearson_share": float(limits[:, 0].mean()),
        "floor_share": float(limits[:, 1].mean()),
    }


def summarize_pac(measured: Sequence[Measured], source: str, bound: str, budget: float) -> list[Row]:
    """Return the figures of PAC labels with as many draws as ours audits, and with their own best number of draws.

    The best is an oracle's, which is generous: of all numbers tried the cheapest with at most 5% of the certificates
    false, or the one with the fewest false ones where there is none.
    """
    found = {}
    for draws in PAC_DRAWS:
        key = PacKey(source, bound, budget, draws)
        if all(key in one.pac for one in measured):
            outcomes = [outcome for one in measured for outcome in one.pac[key]]
            row = {"budget": budget, "source": source, "bound": bound, "draws": draws, **_summarize(outcomes)}
            found[draws] = row | {"compared": _compare([_pairs(one, one.pac[key], budget) for one in measured])}
    if 0 not in found:
        return []
    rows = list(found.values())
    sound = [row for row in rows if row["false_certificate_share"] <= MOST_FALSE]
    best = min(
        sound or rows,
        key=lambda row: (0 if sound else row["false_certificate_share"], row["experts_seen_share"]["mean"]),
    )
    return [{"draws_by": "ours", **found[0]}, {"draws_by": "oracle", **best}]


def summarize_class(measured: Sequence[Measured], counts: tuple[str, ...]) -> Row:
    """Return what the budget of all costs with budgets for the rarest class, and how often each is not kept.

    Args:
        measured: Of each crowd.
        counts: What of the class is bounded: nothing, `wrong`, or `wrong` and `missed`.
    """
    outcomes = [outcome for one in measured for outcome in one.by_class[counts]]
    false, count = np.array([outcome.is_false for outcome in outcomes]).sum(axis=0).tolist(), len(outcomes)
    wrong = [outcome.class_wrong_share for outcome in outcomes]
    missed = [outcome.class_missed_share for outcome in outcomes]
    return {
        "bounded": list(counts),
        "experts_seen_share": float(np.mean([outcome.seen_share for outcome in outcomes])),
        "unproven_share": float(np.mean([outcome.is_unproven for outcome in outcomes])),
        "class_wrong_share": {"mean": float(np.mean(wrong)), "max": float(np.max(wrong))},
        "class_missed_share": {"mean": float(np.mean(missed)), "max": float(np.max(missed))},
        "false_certificates": dict(zip(("all", "wrong", "missed"), false, strict=True)),
        "false_certificate_intervals": {
            name: list(exact_interval(hits, count))
            for name, hits in zip(("all", "wrong", "missed"), false, strict=True)
        },
        "replays": count,
    }


def _summarize(outcomes: Sequence[Outcome]) -> Row:
    seen = np.array([outcome.seen_share for outcome in outcomes])
    final = np.array([outcome.final_error for outcome in outcomes])
    false, count = sum(outcome.is_false for outcome in outcomes), len(outcomes)
    return {
        "audited": float(np.mean([outcome.audited for outcome in outcomes])),
        "experts_seen_share": {"mean": float(seen.mean()), "p80": float(np.quantile(seen, 0.8))},
        "certified_share": sum(outcome.is_certified for outcome in outcomes) / count,
        "false_certificates": false,
        "false_certificate_share": false / count,
        "false_certificate_interval": list(exact_interval(false, count)),
        "final_error": {"mean": float(final.mean()), "p95": float(np.quantile(final, 0.95))},
        "replays": count,
    }


def exact_interval(hits: int, count: int) -> tuple[float, float]:
    """Return the exact two-sided 95% interval of a share (Clopper and Pearson)."""
    return clopper_pearson_lower(hits, count, 0.975), clopper_pearson_upper(hits, count, 0.975)


def compare(measured: Sequence[Measured], peer: str, budget: float) -> Row:
    """Return how much less experts see with our ranking than with a peer's, over the same draws.

    The interval is normal, of paired replays of the audit; with several crowds, of the crowds' means.
    """
    pairs = [_pairs(one, one.outcomes[peer, budget], budget) for one in measured]
    return {"budget": budget, "method": peer, **_compare(pairs)}


def _pairs(one: Measured, theirs: Sequence[Outcome], budget: float) -> np.ndarray:
    ours = one.outcomes[OURS, budget]
    return np.array([own.seen_share - other.seen_share for own, other in zip(ours, theirs, strict=True)])


def _compare(pairs: Sequence[np.ndarray]) -> Row:
    values = pairs[0] if len(pairs) == 1 else np.array([pair.mean() for pair in pairs])
    error = float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    middle = float(values.mean())
    return {
        "difference": middle,
        "standard_error": error,
        "low": middle - 1.96 * error,
        "high": middle + 1.96 * error,
    }
