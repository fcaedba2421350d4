"""Budgets by class: what a budget for the rarest class costs beside that of all, and whether both are kept."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np

from benchmarks.double_check.deployed import Frozen
from benchmarks.double_check.folder import Gold
from cupel.certificate.design import Rising
from cupel.certificate.evidence import Evidence, Limits
from cupel.certificate.hypergeometric import Reals
from cupel.certificate.rising import Rise, rising_shares, walk
from cupel.certificate.rising_plan import choose_rise
from cupel.certificate.sequence import floor_share
from cupel.certificate.slice_budgets import (
    CLASS,
    MISSED,
    WRONG,
    Slice,
    SliceBudget,
    follow_budget,
    most_allowed,
    tested_level,
)
from cupel.checking.rounds import audit_shares
from cupel.consensus.coding import Flags

# What is asked beside the budget of all: nothing, the wrong labels of the class, and those that were missed as well.
ASKED: tuple[tuple[str, ...], ...] = ((), (WRONG,), (WRONG, MISSED))
BUDGET_OF_ALL = 0.02
LIMITS = Limits(error_budget=0.05, attempt=1, max_experts_seen_share=1.0, can_be_contested=False)


class ClassItems(NamedTuple):
    """Items as they go to the audit, those that experts decided before at the safe end, their labels being right.

    `is_wrong` tells which labels are, `is_labelled` which are of the class, `is_of_class` which items are of it.
    """

    asked: int
    is_wrong: Flags
    is_labelled: Flags
    is_of_class: Flags


class ClassOutcome(NamedTuple):
    """One replay: the share that experts see, and what is wrong in the end: of all, of the class's labels, missed.

    `is_false` tells of each of the three whether it is over a budget that was proven, while labels stand. `is_unproven`
    tells that a budget of the class has too few items for a proof: a project's release would be refused.
    """

    seen_share: float
    wrong_share: float
    class_wrong_share: float
    class_missed_share: float
    is_false: tuple[bool, bool, bool]
    is_unproven: bool = False


def replay_class_budgets(
    frozen: Frozen, gold: Gold, marks: Sequence[Mapping[str, float]], share: float
) -> dict[tuple[str, ...], list[ClassOutcome]]:
    """Return the replays of the budget of all at `BUDGET_OF_ALL` with each of `ASKED` for the rarest class.

    Args:
        frozen: Labels and order.
        gold: What experts know; which class is the rarest is read from it, as a project would name it.
        marks: Of each replay, a mark of every item.
        share: The class's budget.
    """
    name = find_rarest(gold)
    items = take_items(frozen, gold, name)
    order = (*frozen.asked, *frozen.item_ids)
    found = {}
    for counts in ASKED:
        budgets = plan_budgets(items, name, share, counts)
        found[counts] = [
            replay_with_class(items, np.array([mark[item] for item in order]), BUDGET_OF_ALL, budgets) for mark in marks
        ]
    return found


def find_rarest(gold: Gold) -> str:
    """Return the class that the fewest items with gold are of, which whoever asks for the budget would name."""
    counts = Counter(gold.verdicts.values())
    return min(sorted(counts), key=lambda label: counts[label])


def take_items(frozen: Frozen, gold: Gold, name: str) -> ClassItems:
    """Return the frozen items and what of them is of a class."""
    truth = [gold.verdicts[item] for item in (*frozen.asked, *frozen.item_ids)]
    labels = [*truth[: len(frozen.asked)], *frozen.labels]
    is_wrong = np.array([known != label for known, label in zip(truth, labels, strict=True)], np.bool_)
    is_labelled = np.array([label == name for label in labels], np.bool_)
    return ClassItems(len(frozen.asked), is_wrong, is_labelled, np.array([known == name for known in truth], np.bool_))


def plan_budgets(items: ClassItems, name: str, share: float, counts: Sequence[str]) -> tuple[SliceBudget, ...]:
    """Return the budgets of a class, each with the rise that the library plans for as many items.

    Args:
        items: The items; only how many are labelled so counts.
        name: The class.
        share: The highest share allowed.
        counts: What is bounded, `wrong` or `missed`.
    """
    base, budgets = int(items.is_labelled.sum()), []
    level = tested_level(replace(LIMITS, slice_budgets=len(counts)))
    for one in counts:
        plain = SliceBudget(CLASS, name, one, share, Rising(0.0, 1))
        size = int((~items.is_labelled if one == MISSED else items.is_labelled).sum())
        rise = choose_rise(max(size, 1), max(most_allowed(plain, base), 0), level)
        budgets.append(plain._replace(design=Rising(*rise)))
    return tuple(budgets)


def replay_with_class(
    items: ClassItems, marks: Reals, error_budget: float, budgets: Sequence[SliceBudget]
) -> ClassOutcome:
    """Audit all items and those of the class by the same marks, adjudicate what is behind any cut, repair, and score.

    Args:
        items: The items.
        marks: Uniform between 0 and 1, in their order.
        error_budget: Of all.
        budgets: Of the class.
    """
    limits = replace(LIMITS, slice_budgets=len(budgets))
    size, shares = len(marks), _shares_of_all(len(marks), error_budget, limits)
    is_before, is_audited = np.arange(size) < items.asked, np.zeros(size, np.bool_)
    nobody = np.zeros(size, np.bool_)
    while True:
        way = walk(marks, items.is_wrong & is_audited, shares)
        evidence = Evidence(is_audited, is_audited, items.is_wrong & is_audited, nobody, marks)
        states = [follow_budget(one, _slice(one, items, is_audited), evidence, limits) for one in budgets]
        due = np.logical_or.reduce([way.is_due, *(state.due for state in states)])
        if not (due & ~is_audited).any():
            break
        is_audited |= due
    is_seen = is_before | is_audited | (np.arange(size) >= way.accepted)
    for state in states:
        is_seen |= state.behind
    proven = [state.budget for state in states if not state.problem]
    return _score(items, is_seen, error_budget, proven)._replace(is_unproven=len(proven) < len(budgets))


def _shares_of_all(size: int, error_budget: float, limits: Limits) -> Reals:
    """Return the audited share of all items with each error found; beside budgets of a class it has less alpha."""
    if not limits.slice_budgets:
        return audit_shares(size, error_budget)
    allowed, level = floor_share(error_budget, size), limits.levels.wrong
    return rising_shares(_plan_rise(size, allowed, level), allowed, level)


@cache
def _plan_rise(size: int, allowed: int, level: float) -> Rise:
    return choose_rise(size, allowed, level)


def _slice(budget: SliceBudget, items: ClassItems, is_known: Flags) -> Slice:
    inside = ~items.is_labelled if budget.counts == MISSED else items.is_labelled
    counted = items.is_of_class if budget.counts == MISSED else items.is_wrong
    return Slice(inside, inside & counted & is_known, items.is_labelled, items.is_labelled & items.is_wrong & is_known)


def _score(items: ClassItems, is_seen: Flags, error_budget: float, budgets: Sequence[SliceBudget]) -> ClassOutcome:
    left = items.is_wrong & ~is_seen
    stands = np.where(is_seen, items.is_of_class, items.is_labelled)
    wrong, missed = int((left & items.is_labelled).sum()), int((left & items.is_of_class).sum())
    labelled, of_class = int(stands.sum()), int(items.is_of_class.sum())
    can_be_false = not bool(is_seen.all())
    over = {WRONG: _is_over(wrong, labelled, budgets, WRONG), MISSED: _is_over(missed, of_class, budgets, MISSED)}
    return ClassOutcome(
        float(is_seen.mean()),
        float(left.mean()),
        wrong / labelled if labelled else 0.0,
        missed / of_class if of_class else 0.0,
        (
            can_be_false and int(left.sum()) > floor_share(error_budget, len(left)),
            can_be_false and over[WRONG],
            can_be_false and over[MISSED],
        ),
    )


def _is_over(count: int, of: int, budgets: Sequence[SliceBudget], counts: str) -> bool:
    return any(count > floor_share(one.share, of) for one in budgets if one.counts == counts)
