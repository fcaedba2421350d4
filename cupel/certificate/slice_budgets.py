"""Budgets by class and slice: each is an audit of some of the items, by the marks that all items have in the draw."""

import json
from collections.abc import Sequence
from fractions import Fraction
from math import floor
from typing import Any, NamedTuple

import numpy as np

from cupel.certificate import rising
from cupel.certificate.attempts import ALPHA_SLICES_SHARE, attempt_alpha
from cupel.certificate.auditors import ALPHA_SHOWN_SHARE, hidden_upper, thinned_tail
from cupel.certificate.design import Design, FixedSequence, Rising, design_text, parse_design
from cupel.certificate.evidence import Evidence, Limits
from cupel.certificate.hypergeometric import Reals, binomial_upper_count, upper_count
from cupel.certificate.sequence import Flags, count_passed, cut_positions
from cupel.errors import AuditError

CLASS = "class"
WRONG, MISSED = "wrong", "missed"
# Of fewer items a share is a matter of one label or two, and nothing is said of it.
LEAST_SLICE_ITEMS = 30


class SliceBudget(NamedTuple):
    """A budget for some of the items, declared before the draw.

    `by` is class, language, source or the name of a column, `value` which of them. `counts` says what is bounded:
    `wrong` labels among the items of the slice, or, of a class alone, `missed` ones: items of the class that are
    labelled otherwise. `share` is the highest share allowed, `design` how its items are audited.
    """

    by: str
    value: str
    counts: str
    share: float
    design: Design

    @property
    def name(self) -> str:
        """What it bounds, in words."""
        if self.counts == MISSED:
            return f"what the label {self.value!r} misses"
        return f"labels {self.value!r}" if self.by == CLASS else f"{self.by} {self.value}"


class Slice(NamedTuple):
    """What a budget or a bound speaks of: flags of all items, in risk order.

    `items` are those that may count against it, `is_counted` those of them that experts have found to; `base` are the
    items that the share is of as they were frozen, `is_unfit` those of them that experts found not to belong there
    in the end: contested, or, of a class, of another class.
    """

    items: Flags
    is_counted: Flags
    base: Flags
    is_unfit: Flags


class BudgetState(NamedTuple):
    """Where a budget stands.

    `due` are the items to be audited for it by what is known, `behind` those that it puts to experts, empty before
    its audit is complete. Of its items the `accepted` safest keep their labels, which hold at most `allowed` that
    count; None while that cannot be said. `audited` and `found` count verdicts. `problem` says why it proves nothing.
    """

    budget: SliceBudget
    due: Flags
    behind: Flags
    items: int
    audited: int
    found: int
    accepted: int | None = None
    allowed: int | None = None
    problem: str = ""


def first_wave_of(budget: SliceBudget, part: Slice, marks: Reals, limits: Limits) -> Flags:
    """Return the items that a budget has audited whatever is found.

    Args:
        budget: The budget.
        part: Its items.
        marks: Of all items.
        limits: What was declared besides; attempt and whether items can be contested count.
    """
    first = np.zeros(len(marks), np.bool_)
    most = most_allowed(budget, int(part.base.sum()))
    for items in (part.items, part.base):
        first[items] |= _first_wave(budget.design, marks[items], most, budget_levels(limits).wrong)
    return first


def follow_budget(budget: SliceBudget, part: Slice, evidence: Evidence, limits: Limits) -> BudgetState:
    """Follow a budget by what experts have said so far: what is to be audited, and what stands.

    "More than B of its items count against it, and nobody has seen them" is tested on these items alone, by the
    design's own theorem; B is the share of as many items as are left in the end at least. Which budgets are kept in the
    end depends on the draw: each test may leave too many, whatever the others do. So the chances of all add up, and
    the tests of the whole and of all budgets divide the attempt's alpha (`Limits.levels`).

    Args:
        budget: The budget.
        part: Its items.
        evidence: Of all items, with their marks.
        limits: What was declared besides.

    Returns:
        Its state; `accepted` is None while verdicts are missing.
    """
    marks, size, base = _marks(evidence), int(part.items.sum()), int(part.base.sum())
    nobody = np.zeros(evidence.size, np.bool_)
    audited, found = (int((part.items & flags).sum()) for flags in (evidence.is_audited, part.is_counted))
    state = BudgetState(budget, nobody, nobody, base, audited, found)
    if base < LEAST_SLICE_ITEMS:
        return state._replace(problem=f"it has {base} items; of fewer than {LEAST_SLICE_ITEMS} nothing is proven")
    first = first_wave_of(budget, part, marks, limits)
    if evidence.is_waiting(first):
        return state._replace(due=first)
    unfit = _unfit_upper(budget, part, evidence, limits)
    allowed = most_allowed(budget, base, unfit)
    if allowed < 0:
        return state._replace(due=first, behind=part.items & ~first, accepted=0, allowed=0)
    is_found = (part.is_counted & evidence.is_audited)[part.items]
    due, accepted = _walk(budget.design, marks[part.items], is_found, allowed, evidence, limits)
    wave = first.copy()
    wave[part.items] |= due
    if evidence.is_waiting(wave):
        return state._replace(due=wave)
    behind = nobody.copy()
    behind[np.flatnonzero(part.items)[accepted:]] = True
    return state._replace(due=wave, behind=behind, accepted=min(accepted, size), allowed=allowed)


def budgets_sentence(budgets: Sequence[SliceBudget], status: str) -> str:
    """Return what the certificate says of budgets by class and slice, to go on with; nothing where there are none.

    Args:
        budgets: The budgets.
        status: Of the audit: certified or refused.
    """
    if not budgets:
        return ""
    named = "; ".join(_describe_budget(budget) for budget in budgets)
    if status != "certified":
        return f" Budgets by class and slice, none of which is certified: {named}."
    return (
        " With it, budgets by class and slice are certified: a set left with any of them broken, or the whole, would "
        f"be certified at most 5 times in 100. In the released set, contested items aside: {named}."
    )


def _describe_budget(budget: SliceBudget) -> str:
    share = f"{100 * budget.share:.4g}%"
    if budget.counts == MISSED:
        return f"of the items that are {budget.value!r}, at most {share} are labelled otherwise"
    where = f"labelled {budget.value!r}" if budget.by == CLASS else f"of {budget.by} {budget.value}"
    return f"of the items {where}, at most {share} are wrong"


def budgets_text(budgets: Sequence[SliceBudget]) -> list[dict[str, Any]]:
    """Return budgets as they are frozen with a release."""
    return [{**budget._asdict(), "design": json.loads(design_text(budget.design))} for budget in budgets]


def parse_budgets(found: Any) -> tuple[SliceBudget, ...]:
    """Read back what `budgets_text` wrote.

    Raises:
        AuditError: It is no list of budgets.
    """
    try:
        budgets = tuple(
            SliceBudget(
                str(row["by"]), str(row["value"]), row["counts"], float(row["share"]),
                parse_design(json.dumps(row["design"]), 0),
            )
            for row in found
        )  # fmt: skip
    except (LookupError, TypeError, ValueError):
        raise AuditError(f"budgets: found {found!r}; expected by, value, counts, share and design of each") from None
    for budget in budgets:
        is_sound = budget.counts in (WRONG, MISSED) and 0 < budget.share < 1
        if not is_sound or not isinstance(budget.design, FixedSequence | Rising):
            raise AuditError(f"budgets: found {budget.name}; expected wrong or missed, a share, and a known design")
    return budgets


def most_allowed(budget: SliceBudget, base: int, unfit: int = 0) -> int:
    """Return B: how many may count against a budget, so that it is kept whatever is repaired; -1 where none is left.

    What is labelled so in the end are the right labels of the class, and those wrong ones that nobody found: so of a
    class, B / (right + B) is within the budget.

    Args:
        budget: The budget.
        base: Items that its share is of, as they were frozen.
        unfit: Those of them that do not belong there in the end, at most.

    >>> most_allowed(SliceBudget("class", "spam", "wrong", 0.05, FixedSequence(100)), 1000, 50)
    50
    """
    if base <= unfit:
        return -1
    share = Fraction(repr(float(budget.share)))
    return floor((share / (1 - share) if budget.by == CLASS else share) * (base - unfit))


def tested_level(limits: Limits) -> float:
    """Return the level that a budget is tested at."""
    return budget_levels(limits).wrong


class BudgetLevels(NamedTuple):
    """What the alpha of a budget is spent on: its test, and the bound of items that do not belong to its slice."""

    wrong: float
    unfit: float


def budget_levels(limits: Limits) -> BudgetLevels:
    """Divide the alpha of a budget; see `Limits.levels`."""
    levels, unfit = limits.levels, attempt_alpha(limits.attempt) * ALPHA_SLICES_SHARE / limits.tests
    return BudgetLevels(levels.wrong + levels.contested - unfit, unfit)


def _first_wave(design: Design, marks: Reals, allowed: int, level: float) -> Flags:
    if isinstance(design, FixedSequence):
        flags = np.zeros(len(marks), np.bool_)
        flags[np.argsort(marks, kind="stable")[: design.size]] = True
        return flags
    return np.asarray(marks < _first_share(design, allowed, level), np.bool_)


def _first_share(design: Design, allowed: int, level: float) -> float:
    if not isinstance(design, Rising):
        raise AuditError("budgets: found another design; expected fixed_sequence or rising")
    return float(rising.rising_shares(rising.Rise(design.gain, design.steps), max(allowed, 0), level)[0])


def _unfit_upper(budget: SliceBudget, part: Slice, evidence: Evidence, limits: Limits) -> int:
    """Return the exact upper bound of the items that do not belong to the slice in the end, from its first wave.

    Where experts leave nothing contested, only of a class may some not belong.
    """
    if budget.by != CLASS and not limits.can_be_contested:
        return 0
    base, marks, levels = part.base, _marks(evidence), budget_levels(limits)
    size, most = int(base.sum()), most_allowed(budget, int(base.sum()))
    wave = _first_wave(budget.design, marks[base], most, levels.wrong)
    sensitivity = limits.sensitivity(evidence)
    # Items of another class that auditors overlook look as if they belonged here.
    hidden = levels.unfit * ALPHA_SHOWN_SHARE if sensitivity < 1 else 0.0
    found, others = int((part.is_unfit[base] & wave).sum()), int((wave & ~part.is_unfit[base]).sum())
    if isinstance(budget.design, FixedSequence):
        shown = upper_count(size, found + others, found, levels.unfit - hidden)
    else:
        share = _first_share(budget.design, most, levels.wrong)
        shown = binomial_upper_count(size - others, share, found, levels.unfit - hidden)
    return hidden_upper(shown, size, sensitivity, hidden) if hidden else shown


def _walk(
    design: Design, marks: Reals, is_found: Flags, allowed: int, evidence: Evidence, limits: Limits
) -> tuple[Flags, int]:
    """Return which of a budget's items are to be audited, and how many of the safest stand."""
    level, size, sensitivity = budget_levels(limits).wrong, len(marks), limits.sensitivity(evidence)
    if isinstance(design, FixedSequence):
        own = _first_wave(design, marks, allowed, level)
        positions = cut_positions(size)
        drawn, wrong = np.cumsum(own)[positions - 1], np.cumsum(own & is_found)[positions - 1]
        p_values = thinned_tail(wrong, positions, allowed + 1, drawn, sensitivity)
        # Where audits for something else have found more, the cut is refuted.
        is_refuted = np.cumsum(is_found)[positions - 1] > allowed
        passed = int(count_passed(np.where(is_refuted, 1.0, p_values), level))
        return own, int(positions[passed - 1]) if passed else 0
    if not isinstance(design, Rising):
        raise AuditError("budgets: found another design; expected fixed_sequence or rising")
    unseen = allowed - (0 if evidence.plants is None else evidence.plants.overlooked)
    rise = rising.Rise(design.gain, design.steps)
    shares = rising.rising_shares(rise, max(unseen, 0), level, sensitivity)
    if unseen < 0 or rising.chance_of_more(shares * sensitivity, unseen) > level:
        return np.zeros(size, np.bool_), 0
    way = rising.walk(marks, is_found, shares)
    return way.is_due, way.accepted


def _marks(evidence: Evidence) -> Reals:
    if evidence.marks is None:
        raise AuditError("marks: missing; budgets by class or slice need the items' marks in the draw")
    return evidence.marks
