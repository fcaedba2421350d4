"""Which parts of a delivery are bounded, which have a budget, and how many of their labels must be checked for it."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from cupel.accept.budget import share
from cupel.accept.delivery import Delivery
from cupel.accept.label_rules import LabelRules
from cupel.accept.part_index import index_parts
from cupel.accept.plan import CHANCE_TO_PASS, GUESSED_ERROR_OF_BUDGET, PartBudget, Plan, PlannedPart, Settings
from cupel.certificate.acceptance_parts import PartLevels, allowed_missed, divide_budget_alpha
from cupel.certificate.acceptance_plan import Terms, smallest_first_look
from cupel.certificate.attempts import Levels
from cupel.certificate.hypergeometric import lower_count
from cupel.certificate.plan import smallest_audit
from cupel.certificate.slice_budgets import CLASS, LEAST_SLICE_ITEMS, MISSED, WRONG
from cupel.errors import AuditError

# A part of less than this share of the delivery is bounded only where it has a budget.
LEAST_BOUNDED_SHARE = 0.01
# Sizes of the sample of right labels that are tried for a budget of missed ones, each so many times the one before.
SIZE_GROWTH = 1.25
NAMED_VALUES = 12
_BUDGET = re.compile(r"^([^:]+):(.+):(wrong|missed)=(.+)$", re.DOTALL)


class AskedParts(NamedTuple):
    """What the options --by ask for: columns whose values are bounded, and budgets."""

    slices: tuple[str, ...] = ()
    budgets: tuple[PartBudget, ...] = ()


def parse_parts(texts: Sequence[str]) -> AskedParts:
    """Read the options --by.

    Args:
        texts: Each the name of a column, or COLUMN:VALUE:wrong=SHARE, class:NAME:wrong=SHARE, class:NAME:missed=SHARE.

    Raises:
        AuditError: A share is impossible, a column has a budget of missed labels, or a budget stands twice.

    >>> parse_parts(["language", "class:spam:missed=10%"]).budgets[0].option
    'class:spam:missed=10%'
    """
    slices: list[str] = []
    budgets: dict[tuple[str, str, str], PartBudget] = {}
    for text in texts:
        match = _BUDGET.match(text)
        if match is None:
            slices += [text] if text not in (CLASS, *slices) else []
            continue
        by, value, counts, allowed = match.groups()
        name = f"--by {by}:{value}:{counts}"
        if counts == MISSED and by != CLASS:
            raise AuditError(f"{name}={allowed}: only a class can be missed; of a column's value say wrong={allowed}")
        if (by, value, counts) in budgets:
            raise AuditError(f"{name}: found two budgets, {budgets[by, value, counts].option} and {text}; give one")
        budgets[by, value, counts] = PartBudget.model_validate(
            {"by": by, "value": value, "counts": counts, "share": share(allowed, name)}
        )
    return AskedParts(tuple(sorted(slices)), tuple(budgets[key] for key in sorted(budgets)))


def plan_parts(
    delivery: Delivery, rules: LabelRules, settings: Settings, attempt: int, size: int
) -> tuple[PlannedPart, ...]:
    """Return the parts that are bounded, each with how many of its labels are checked at the first look at least.

    Args:
        delivery: The delivery.
        rules: Say which classes a label names.
        settings: What the buyer decided.
        attempt: Of the first look.
        size: Labels of the whole that it draws.

    Raises:
        AuditError: A budget is for a column that is not there, or for a value that no label, or hardly any, has.
    """
    labels = len(delivery.labels)
    of = {by: [one for one in settings.budgets if one.by == by] for by in dict.fromkeys(b.by for b in settings.budgets)}
    planned = []
    for by in dict.fromkeys((CLASS, *settings.slices, *of)):
        counts = index_parts(delivery, rules, by).count_values()
        for budget in of.get(by, []):
            _check_budget(delivery, budget, counts[budget.value], sorted(counts), labels)
        asked = {budget.value for budget in of.get(by, [])}
        for value in sorted(counts):
            if value in asked or counts[value] >= LEAST_BOUNDED_SHARE * labels:
                part = PlannedPart(by=by, value=value, labels=counts[value])
                own: dict[str, float] = {one.counts: one.share for one in of.get(by, []) if one.value == value}
                planned.append(_size_part(part, own, settings, attempt, labels, size))
    return tuple(planned)


def expect_more(part: PlannedPart, labels: int, size: int) -> int:
    """Return about how many labels a part's budgets add to a sample of the whole."""
    others = max(0.0, part.drawn_others - size * (labels - part.labels) / labels)
    return round(max(0.0, part.drawn - size * part.labels / labels) + others)


class BudgetCost(NamedTuple):
    """What a budget of a part takes: of its `labels`, `drawn` are checked, and `drawn_others` of all others.

    `more` is about how many labels that adds to the sample of the whole, were it the only budget.
    """

    budget: PartBudget
    labels: int
    drawn: int
    drawn_others: int
    more: int


def count_costs(plan: Plan) -> list[BudgetCost]:
    """Return what each budget of a plan takes at the first look."""
    costs = []
    for budget in plan.settings.budgets:
        part = next(one for one in plan.parts if (one.by, one.value) == (budget.by, budget.value))
        alone = part if budget.counts == MISSED else part.model_copy(update={"drawn_others": 0})
        more = expect_more(alone, plan.labels, plan.sizes[0])
        costs.append(BudgetCost(budget, part.labels, alone.drawn, alone.drawn_others, more))
    return costs


def _check_budget(delivery: Delivery, budget: PartBudget, count: int, values: Sequence[str], labels: int) -> None:
    if not count:
        what = "label names this class" if budget.by == CLASS else "label has this value"
        shown = ", ".join(values[:NAMED_VALUES]) + (
            f" and {len(values) - NAMED_VALUES:,} more" * (len(values) > NAMED_VALUES)
        )
        raise AuditError(f"--by {budget.option}: no {what} in {delivery.path.name}; there are {shown or 'none'}")
    if count < LEAST_SLICE_ITEMS:
        raise AuditError(
            f"--by {budget.option}: {delivery.path.name} has {count} such labels; of fewer than {LEAST_SLICE_ITEMS} "
            "nothing is proven. Leave the budget out"
        )
    if budget.counts == MISSED and count == labels:
        raise AuditError(f"--by {budget.option}: all labels name this class, so none can be missed; leave it out")


def _size_part(
    part: PlannedPart, budgets: dict[str, float], settings: Settings, attempt: int, labels: int, size: int
) -> PlannedPart:
    """Return a part with the smallest samples that show its budgets kept, with the chance that the whole has."""
    can_be_contested = settings.contested == "aside"
    drawn, others = 0, 0
    if WRONG in budgets:
        terms = Terms(part.labels, budgets[WRONG], attempt, can_be_contested, bounds_slices=True)
        best = smallest_first_look(terms, budgets[WRONG] * GUESSED_ERROR_OF_BUDGET, CHANCE_TO_PASS)
        best = best or smallest_first_look(terms, 0.0, CHANCE_TO_PASS)
        drawn = best.drawn if best else part.labels
    if MISSED in budgets:
        levels = divide_budget_alpha(attempt, can_be_contested, is_missed=True)
        found = [
            (_size_others(labels - part.labels, part.labels, own, budgets[MISSED], settings.error_budget, levels), own)
            for own in _try_sizes(max(drawn, min(part.labels, LEAST_SLICE_ITEMS)), part.labels)
        ]
        plans = [part.model_copy(update={"drawn": own, "drawn_others": rest}) for rest, own in found]
        return min(plans, key=lambda plan: (expect_more(plan, labels, size), plan.drawn + plan.drawn_others))
    return part.model_copy(update={"drawn": drawn, "drawn_others": others})


def _try_sizes(first: int, most: int) -> list[int]:
    sizes, size = [], float(first)
    while size < most:
        sizes.append(int(size))
        size *= SIZE_GROWTH
    return [*sizes, most]


def _size_others(others: int, labels: int, drawn: int, budget: float, error: float, levels: PartLevels) -> int:
    """Return the smallest sample of other labels that shows a budget of missed ones kept; all, where none smaller does.

    Of the class's own labels `drawn` are checked, and as many are taken to be wrong as in a good delivery.
    """
    right = lower_count(labels, drawn, round(drawn * (1 - error * GUESSED_ERROR_OF_BUDGET)), levels.other)
    allowed = allowed_missed(budget, right)
    if allowed >= others:
        return 0
    # A half more, so that no rounding of the share takes one off.
    audit = smallest_audit(
        others, (allowed + 0.5) / others, Levels(levels.counted, 0.0),
        int(allowed * GUESSED_ERROR_OF_BUDGET) / others, CHANCE_TO_PASS,
    )  # fmt: skip
    return audit.drawn if audit else others
