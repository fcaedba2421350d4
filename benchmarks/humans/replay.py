"""Replay: the audit of frozen labels drawn again and again; what experts read, what it costs, and what was false."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.double_check.deployed import Frozen, Outcome, deploy
from benchmarks.double_check.experts import Experts, Scorer
from benchmarks.double_check.folder import Gold
from benchmarks.double_check.oracle import clopper_pearson_share, floor_of_any
from benchmarks.double_check.pac_labels import BOUNDS, replay_pac
from benchmarks.double_check.rankers import OURS
from benchmarks.humans.arms import Candidate
from benchmarks.humans.by_class import ReadItems, bound_classes, find_read, summarise_classes
from cupel.certificate.hypergeometric import Reals, clopper_pearson_lower, clopper_pearson_upper
from cupel.errors import AuditError

SEED = 1931
# Methods of PAC labels are called so, with the name of their bound behind it.
PAC = "pac_"
# An error budget of a part of the items, where the others have no error, stays below 1.
MOST_BUDGET = 0.999
# The interval that is drawn holds the middle 80% of the replays.
LOW, HIGH = 0.1, 0.9

Row = dict[str, Any]


def replay_candidate(
    candidate: Candidate, gold: Gold, classes: Sequence[str], replays: int, advance: Callable[[], object]
) -> list[Row]:
    """Return a row per error budget: what audits of the same labels came to.

    Args:
        candidate: The labels.
        gold: What the panel would say of each item.
        classes: The ontology.
        replays: Audits drawn; an item's mark is the same for all candidates.
        advance: Called after each error budget.
    """
    scorer = Scorer(gold)
    first = _is_wrong(candidate.first, scorer)
    rows = []
    for budget, frozen in candidate.frozen.items():
        marks = [_marks(frozen, gold, number) for number in range(replays)]
        outcomes = [deploy(frozen, one, Experts(gold), scorer, budget) for one in marks]
        row = {"arm": candidate.arm, "method": candidate.method, "budget": budget, **_summary(outcomes)}
        row |= {
            "asked_before_share": len(frozen.asked) / frozen.size,
            "clopper_pearson_share": clopper_pearson_share(first, budget),
            "floor_share": min(floor_of_any(order, budget) for order in (first, _is_wrong(frozen, scorer))),
        }
        if candidate.method == OURS:
            read = [_find_read(frozen, one, gold, budget, came) for one, came in zip(marks, outcomes, strict=True)]
            found = [bound_classes(frozen, one, gold, classes) for one in read]
            row |= {"classes": summarise_classes(found), "class_bounds_broken": sum(map(_is_broken, found))}
        rows.append(row)
        advance()
    return rows


def replay_pac_labels(
    candidate: Candidate, ours: Sequence[Row], gold: Gold, replays: int, advance: Callable[[], object]
) -> list[Row]:
    """Return a row per error budget and bound: what PAC labels come to on the first order, with as many draws.

    Items that taught a model before are read by experts here, too.

    Args:
        candidate: The labels.
        ours: Rows of `replay_candidate`; as many items are drawn as the audits of them took.
        gold: What the panel would say of each item.
        replays: Samples drawn.
        advance: Called after each error budget.
    """
    first = candidate.first
    is_wrong = np.array(Scorer(gold).are_wrong(first.item_ids, first.labels), np.bool_)
    rows = []
    for row in ours:
        draws = max(1, round(row["audited"]))
        budget = min(row["budget"] * first.size / len(is_wrong), MOST_BUDGET)
        for bound, is_within in BOUNDS.items():
            generators = [np.random.default_rng([SEED, number, draws]) for number in range(replays)]
            came = [replay_pac(is_wrong, draws, budget, is_within, one) for one in generators]
            came = [one._replace(seen_share=_of_all(one.seen_share, first)) for one in came]
            rows.append({"arm": candidate.arm, "method": PAC + bound, "budget": row["budget"], **_summary(came)})
        advance()
    return rows


def _of_all(share: float, frozen: Frozen) -> float:
    """Return the share of all items that experts read, from that of those which they had not decided before."""
    return (len(frozen.asked) + share * len(frozen.item_ids)) / frozen.size


def count_false(rows: Sequence[Row]) -> Row:
    """Return how many certificates of all replays were false, with the exact 95% interval of their share."""
    false, count = sum(row["false"] for row in rows), sum(row["replays"] for row in rows)
    return {
        "false": false,
        "replays": count,
        "share": false / count,
        "low": clopper_pearson_lower(false, count, 0.975),
        "high": clopper_pearson_upper(false, count, 0.975),
    }


def price_items(row: Row, answers_per_item: float, annotator_answer: float, expert_answer: float) -> Row:
    """Return what labels and proof cost, an item: annotators' answers, and experts' on the share that they read."""
    crew, experts = answers_per_item * annotator_answer, row["read_share"]["mean"] * expert_answer
    return {"crew": crew, "experts": experts, "total": crew + experts}


def _find_read(frozen: Frozen, marks: Reals, gold: Gold, budget: float, outcome: Outcome) -> ReadItems:
    """Return what experts read in a replay, which is as much as the deployed procedure had them read.

    Raises:
        AuditError: It is not; then bounds by class would speak of another audit.
    """
    read = find_read(frozen, marks, gold, budget)
    found, expected = len(frozen.asked) + int(read.is_read.sum()), round(outcome.seen_share * frozen.size)
    if found != expected:
        raise AuditError(
            f"by class: found {found} items that experts read, but {expected} in the deployed procedure; make "
            "benchmarks.humans.by_class.find_read walk as benchmarks.double_check.deployed.deploy does"
        )
    return read


def _summary(outcomes: Sequence[Outcome]) -> Row:
    read = np.array([outcome.seen_share for outcome in outcomes])
    return {
        "replays": len(outcomes),
        "read_share": {
            "mean": float(read.mean()),
            "low": float(np.quantile(read, LOW)),
            "high": float(np.quantile(read, HIGH)),
        },
        "audited": float(np.mean([outcome.audited for outcome in outcomes])),
        "certified": sum(outcome.is_certified for outcome in outcomes),
        "false": sum(outcome.is_false for outcome in outcomes),
        "final_error": float(np.mean([outcome.final_error for outcome in outcomes])),
    }


def _is_wrong(frozen: Frozen, scorer: Scorer) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which labels are wrong, the safest first; items that experts decided before are the last, as if wrong."""
    wrong = scorer.are_wrong(frozen.item_ids, frozen.labels)
    return np.array([*wrong, *[True] * len(frozen.asked)], dtype=np.bool_)


def _marks(frozen: Frozen, gold: Gold, number: int) -> Reals:
    items = sorted(gold.verdicts)
    drawn = np.random.default_rng([SEED, number]).random(len(items))
    mark = dict(zip(items, drawn.tolist(), strict=True))
    return np.array([mark[item] for item in frozen.item_ids])


def _is_broken(found: Sequence[Any]) -> bool:
    return any(one.is_broken for one in found)
