"""The result of an audit: certified, refused or open, with its bounds and its reason."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from typing import NamedTuple

import numpy as np

from cupel.certificate.attempts import ALPHA_TOTAL, attempt_alpha, attempt_levels
from cupel.certificate.auditors import (
    ALPHA_SHOWN_SHARE,
    LEAST_SENSITIVITY,
    SecondAudit,
    adjudicated_upper,
    hidden_upper,
)
from cupel.certificate.design import Design, FixedSequence
from cupel.certificate.evidence import Evidence, Limits
from cupel.certificate.sequence import Cut, Cutting, Flags, floor_share
from cupel.certificate.slice_budgets import BudgetState, Slice, SliceBudget, follow_budget
from cupel.certificate.undecided import undecided_most, undecided_upper
from cupel.errors import AuditError


@dataclass(frozen=True)
class Terms(Limits):
    """What was declared before the audit: the design, and budgets by class and slice."""

    design: Design = field(default_factory=FixedSequence)
    budgets: tuple[SliceBudget, ...] = ()

    @property
    def tests(self) -> int:
        """See `Limits`; here the budgets themselves are counted."""
        return 1 + len(self.budgets)


@dataclass(frozen=True)
class AuditResult:
    """A row of the table `audit_result`, without the release's name; see there for each column."""

    status: str
    reason: str
    items: int
    error_budget: float
    confidence: float
    alpha: float
    attempt: int
    accepted: int
    to_adjudicate: int
    adjudicated: int
    audited: int
    audit_wrong: int
    audit_contested: int
    contested: int
    error_bound: float | None
    error_bound_with_contested: float | None
    experts_seen: int
    experts_seen_share: float
    repaired: int
    planted: int | None = None
    planted_caught: int | None = None
    sensitivity_bound: float | None = None
    undecided_bound: float | None = None


class Bounds(NamedTuple):
    """Upper bounds of the label error: contested items aside, and counted as wrong."""

    without_contested: float
    with_contested: float


class Assay(NamedTuple):
    """The result and the cuts that it rests on.

    `is_audited` tells whether the audit has come to its end; then `allowed_wrong` is what the budget allows, and
    `behind` tells which items experts are to adjudicate. `budgets` are those by class and slice, as they stand;
    `verdicts_left` bounds the adjudicators' wrong verdicts.
    """

    result: AuditResult
    cuts: list[Cut]
    is_audited: bool
    behind: Flags
    allowed_wrong: int = 0
    budgets: tuple[BudgetState, ...] = ()
    verdicts_left: int = 0


def assay(evidence: Evidence, terms: Terms, second: SecondAudit | None = None, slices: Sequence[Slice] = ()) -> Assay:
    """Judge a frozen release by its audit, and by the adjudications behind the cut as far as they are known.

    While an audited item has no verdict nothing is tested: an audit that is looked at half-way proves less
    than it says. A refusal by the audit is final for this attempt and needs no adjudication.

    Args:
        evidence: Verdicts so far.
        terms: What was declared before the audit.
        second: What another expert made of adjudicated items; the evidence holds those verdicts already. It is
            drawn once all behind the cut are settled, and only where the terms declare it.
        slices: The items of each budget by class or slice.

    Returns:
        Open with null bounds while verdicts are awaited; certified with the bounds of the release; refused
        with the bounds of the frozen labels as they are.

    Raises:
        AuditError: The verdicts contradict each other, or the terms are impossible.
    """
    _check(evidence, terms)
    due = evidence.is_audited | find_due(evidence, terms, slices)
    waiting = int((due & ~evidence.is_settled).sum())
    nobody = np.zeros(evidence.size, np.bool_)
    if waiting:
        reason = f"{waiting} of {int(due.sum())} audited items await their experts"
        return Assay(_result(evidence, terms, "open", reason, None, None), [], False, nobody)
    if evidence.plants is not None and evidence.plants.waiting:
        reason = f"{evidence.plants.waiting} of {terms.planted_errors} planted items await their experts"
        return Assay(_result(evidence, terms, "open", reason, None, None), [], False, nobody)
    states = _follow_budgets(evidence, terms, slices)
    if states:
        evidence = evidence._replace(is_required=np.logical_or.reduce([state.behind for state in states]))
    cutting = terms.design.find_cut(evidence, terms)
    status, reason = _judge(evidence, terms, cutting)
    if problem := next((f"{one.budget.name}: {one.problem}" for one in states if one.problem), ""):
        status, reason = "refused", f"a budget is unproven: {problem}; take it out of release.certificate.by"
    bounds, left = None, 0
    if status == "certified" and terms.adjudicators_audited:
        left = _wrong_verdicts_left(evidence, terms, cutting, second or SecondAudit())
        status, reason = _judge_adjudicators(evidence, terms, cutting, second or SecondAudit(), reason)
    if status == "refused":
        bounds = _bounds_as_frozen(evidence, terms, cutting)
    elif status == "certified":
        bounds = _bounds_of_release(evidence, terms, cutting, left)
    result = _result(evidence, terms, status, reason, cutting, bounds, left)
    return Assay(
        result, cutting.cuts, True, evidence.behind(cutting.accepted), cutting.allowed_wrong, states, left
    )  # fmt: skip


def find_due(evidence: Evidence, terms: Terms, slices: Sequence[Slice] = ()) -> Flags:
    """Return which items are to be audited by what is known: for the whole, and for budgets by class or slice."""
    due = terms.design.due(evidence, terms)
    for state in _follow_budgets(evidence, terms, slices):
        due = due | state.due
    return due


def _follow_budgets(evidence: Evidence, terms: Terms, slices: Sequence[Slice]) -> tuple[BudgetState, ...]:
    return tuple(follow_budget(*one, evidence, terms) for one in zip(terms.budgets, slices, strict=True))


def percent(share: float) -> str:
    """Write a share as a percentage with three significant digits, rounded up: no error or cost is understated.

    >>> percent(0.003), percent(0.01), percent(0.123456), percent(1.0), percent(0.0)
    ('0.3%', '1%', '12.4%', '100%', '0%')
    """
    rounded = Context(prec=3, rounding=ROUND_CEILING).create_decimal(repr(float(share))) * 100
    return f"{rounded.normalize():f}%"


def at_least(share: float) -> str:
    """Write a share as a percentage with three significant digits, rounded down: nobody is said to be better.

    >>> at_least(0.90349), at_least(0.0)
    ('90.3%', '0%')
    """
    rounded = Context(prec=3, rounding=ROUND_FLOOR).create_decimal(repr(float(share))) * 100
    return f"{rounded.normalize():f}%"


class _Counts(NamedTuple):
    settled: int
    wrong: int
    contested: int

    @classmethod
    def of(cls, evidence: Evidence, among: Flags) -> "_Counts":
        arrays = (evidence.is_settled, evidence.is_wrong, evidence.is_contested)
        return cls(*(int(np.count_nonzero(array & among)) for array in arrays))


def _judge(evidence: Evidence, terms: Terms, cutting: Cutting) -> tuple[str, str]:
    size, seen = evidence.size, evidence.seen(cutting.accepted)
    audited, behind = _Counts.of(evidence, evidence.is_audited), evidence.behind(cutting.accepted)
    found = f"the audit of {evidence.drawn:,} found {audited.wrong} wrong and {audited.contested} contested"
    found += _caught(evidence, terms)
    if terms.sensitivity(evidence) < LEAST_SENSITIVITY:
        return "refused", f"{found}; at least {at_least(LEAST_SENSITIVITY)} is needed of them"
    if cutting.contested_upper == size:
        return "refused", f"{found}: all items may be contested, so that no label can be called right"
    most = percent(terms.max_experts_seen_share)
    if seen > floor_share(terms.max_experts_seen_share, size):
        if not cutting.accepted:
            return "refused", (
                f"{found}: no part of the labels can be accepted within {percent(terms.error_budget)}; experts would "
                f"have to see all items, at most {most} are allowed"
            )
        return "refused", (
            f"{found}: to keep {percent(terms.error_budget)}, experts would have to see {percent(seen / size)} of the "
            f"items, at most {most} are allowed"
        )
    if too_many := _too_many_undecided(evidence, terms, cutting):
        return "refused", f"{found}: {too_many}"
    missing = int(behind.sum()) - _Counts.of(evidence, behind).settled
    if missing:
        return "open", f"{missing:,} of {int(behind.sum()):,} items that the audit did not accept await their experts"
    if cutting.accepted == 0:
        return "certified", f"{found}; no label stands without an expert, all {size:,} were seen"
    last = cutting.cuts[-1] if cutting.cuts[-1].is_passed else cutting.cuts[-2]
    repaired = ", those found repaired," if terms.design.counts_what_is_left else ""
    return "certified", (
        f"the {last.accepted:,} safest labels{repaired} hold at most {cutting.allowed_wrong} wrong ones "
        f"(the audit found {last.wrong} in {last.audited:,}{_caught(evidence, terms)}); experts decided the other "
        f"{size - last.accepted:,}{_undecided(evidence, last.accepted)}"
    )


def _too_many_undecided(evidence: Evidence, terms: Terms, cutting: Cutting, verdicts_left: int = 0) -> str:
    """Return why so many items may be contested that the set is refused; nothing where they are within the limit."""
    most = undecided_most(terms, evidence.size)
    upper = undecided_upper(evidence, cutting.accepted, cutting.contested_upper, verdicts_left)
    if most is None or terms.max_undecided_share is None or upper <= most:
        return ""
    return (
        f"experts may leave up to {upper:,} of {evidence.size:,} items undecided, {percent(upper / evidence.size)}; "
        f"release.certificate.max_undecided_share allows {percent(terms.max_undecided_share)}: "
        "sharpen the question, merge classes that experts confuse, or audit more items, in a new release"
    )


def _caught(evidence: Evidence, terms: Terms) -> str:
    """Return what the planted items show, to go on with in a sentence; nothing where there are none."""
    if evidence.plants is None or not terms.planted_errors:
        return ""
    planted, caught = evidence.plants.counts
    return (
        f", and its auditors, who gave the known label of {caught:,} of {planted:,} planted items, flag at least "
        f"{at_least(terms.sensitivity(evidence))} of wrong labels"
    )


def _undecided(evidence: Evidence, accepted: int) -> str:
    """Return how many before the cut were put to experts all the same, to go on with in a sentence."""
    among = accepted - (evidence.size - evidence.undecided)
    return f" and {among:,} that are theirs whatever the audit says" if among > 0 else ""


def _judge_adjudicators(
    evidence: Evidence, terms: Terms, cutting: Cutting, second: SecondAudit, reason: str
) -> tuple[str, str]:
    """Judge what would be certified if the adjudicators were right: are they right often enough?"""
    if second.settled < second.drawn:
        return "open", f"{second.drawn - second.settled:,} of {second.drawn:,} adjudicated items await another expert"
    behind = int(evidence.behind(cutting.accepted).sum())
    if not behind:
        return "certified", reason
    left = _wrong_verdicts_left(evidence, terms, cutting, second)
    found = (
        f"another expert judged {second.drawn:,} of the {behind:,} adjudicated items and differed on {second.wrong:,}, "
        f"so that up to {left:,} other verdicts may be wrong"
    )
    settled = evidence.size - cutting.contested_upper
    if too_many := _too_many_undecided(evidence, terms, cutting, left):
        return "refused", f"{found}: {too_many}"
    wrong, most = _wrong_left(evidence, terms, cutting) + left, floor_share(terms.error_budget, settled)
    if wrong > most:
        return "refused", (
            f"{found}; with those of the accepted part that makes {wrong:,} wrong labels, and "
            f"{percent(terms.error_budget)} allow {most:,}"
        )
    return "certified", f"{reason}; {found}"


def _wrong_verdicts_left(evidence: Evidence, terms: Terms, cutting: Cutting, second: SecondAudit) -> int:
    behind = int(evidence.behind(cutting.accepted).sum())
    sensitivity = terms.sensitivity(evidence)
    return adjudicated_upper(behind, second.drawn, second.wrong, terms.adjudicators_alpha, sensitivity)


def _wrong_left(evidence: Evidence, terms: Terms, cutting: Cutting) -> int:
    """Return how many wrong labels the accepted part may hold after those found were repaired.

    Where auditors may err, repairs get no credit: some may have been of right labels.
    """
    if terms.planted_errors:
        return min(cutting.allowed_wrong, cutting.accepted)
    before = evidence.is_audited[: cutting.accepted]
    repaired = int(np.count_nonzero(evidence.is_wrong[: cutting.accepted] & before))
    credited = 0 if terms.design.counts_what_is_left else repaired
    return min(cutting.allowed_wrong - credited, cutting.accepted - int(before.sum()))


def _bounds_as_frozen(evidence: Evidence, terms: Terms, cutting: Cutting) -> Bounds:
    """Bound the error of all frozen labels, nothing repaired and nothing held back."""
    size, other = evidence.size, terms.sensitivity_alpha
    settled = size - cutting.contested_upper
    level = attempt_levels(terms.attempt, terms.can_be_contested, terms.bounds_slices).wrong - other
    wrong = upper_of_all(evidence, terms, evidence.is_wrong, level)
    is_either = evidence.is_wrong | evidence.is_contested
    either = upper_of_all(evidence, terms, is_either, attempt_alpha(terms.attempt) - other)
    without = min(1.0, wrong / settled) if settled else 1.0
    return Bounds(without, max(without, either / size))


def upper_of_all(evidence: Evidence, terms: Terms, is_counted: Flags, alpha: float) -> int:
    """Bound how many of all items are of a kind, those that auditors overlook included; from a complete audit."""
    sensitivity = terms.sensitivity(evidence)
    if sensitivity == 1:
        return terms.design.upper(evidence, is_counted, alpha, terms)
    hidden = alpha * ALPHA_SHOWN_SHARE
    shown = terms.design.upper(evidence, is_counted, alpha - hidden, terms)
    return hidden_upper(shown, evidence.size, sensitivity, hidden)


def _bounds_of_release(evidence: Evidence, terms: Terms, cutting: Cutting, verdicts_left: int) -> Bounds:
    """Bound the error of the release: audited and adjudicated errors repaired, known contested items held back.

    Both follow without further chance from what the audit proved: from the accepted part's B wrong labels
    those repaired are taken off; from the bound of all wrong or contested items those that experts met.
    `verdicts_left` bounds the wrong verdicts behind the cut: any may have left a bad item in the release, or may
    have called a right label bad.
    """
    size, accepted = len(evidence.is_audited), cutting.accepted
    audited, behind = _Counts.of(evidence, evidence.is_audited), evidence.behind(accepted)
    adjudicated = _Counts.of(evidence, behind)
    # Where auditors may err, an audited label may be as wrong as one that nobody saw.
    unseen = accepted if terms.planted_errors else accepted - int(evidence.is_audited[:accepted].sum())
    known_contested = audited.contested + adjudicated.contested
    known_settled = audited.settled + adjudicated.settled - known_contested - verdicts_left
    settled = max(size - cutting.contested_upper, known_settled)
    wrong_left = _wrong_left(evidence, terms, cutting) + verdicts_left
    met = audited.wrong + audited.contested
    is_met = evidence.is_wrong | evidence.is_contested
    level = attempt_alpha(terms.attempt) - terms.adjudicators_alpha - terms.sensitivity_alpha
    either = upper_of_all(evidence, terms, is_met, level)
    bad_behind = max(0, adjudicated.wrong + adjudicated.contested - verdicts_left)
    either_left = min(max(0, either - met - bad_behind), unseen) + verdicts_left
    without = wrong_left / settled if settled else 1.0
    released = size - known_contested
    return Bounds(without, max(without, either_left / released if released else 1.0))


def _result(
    evidence: Evidence, terms: Terms, status: str, reason: str, cutting: Cutting | None, bounds: Bounds | None,
    verdicts_left: int = 0,
) -> AuditResult:  # fmt: skip
    size, audited = len(evidence.is_audited), _Counts.of(evidence, evidence.is_audited)
    # Before the audit is complete there is no cut, and nothing is known to lie behind it.
    behind = evidence.behind(cutting.accepted if cutting else size)
    adjudicated = _Counts.of(evidence, behind)
    seen = evidence.seen(cutting.accepted if cutting else size)
    plants = evidence.plants if terms.planted_errors else None
    is_known = plants is not None and not plants.waiting
    undecided = None
    if cutting is not None and terms.max_undecided_share is not None:
        undecided = undecided_upper(evidence, cutting.accepted, cutting.contested_upper, verdicts_left)
    return AuditResult(
        status=status,
        reason=reason,
        items=size,
        error_budget=terms.error_budget,
        confidence=1 - ALPHA_TOTAL,
        alpha=attempt_alpha(terms.attempt),
        attempt=terms.attempt,
        accepted=cutting.accepted if cutting else 0,
        to_adjudicate=int(behind.sum()),
        adjudicated=adjudicated.settled,
        audited=audited.settled,
        audit_wrong=audited.wrong,
        audit_contested=audited.contested,
        contested=audited.contested + adjudicated.contested,
        error_bound=bounds.without_contested if bounds else None,
        error_bound_with_contested=bounds.with_contested if bounds else None,
        experts_seen=seen,
        experts_seen_share=seen / size,
        repaired=0 if status == "refused" else audited.wrong + adjudicated.wrong,
        planted=plants.counts.planted if plants else None,
        planted_caught=plants.counts.flagged if plants else None,
        sensitivity_bound=terms.sensitivity(evidence) if is_known else None,
        undecided_bound=undecided / size if undecided is not None else None,
    )


def _check(evidence: Evidence, terms: Terms) -> None:
    arrays = (*evidence[:5], *(evidence.plants or ()))
    sizes = [len(array) for array in arrays if array is not None]
    if len(set(sizes)) != 1:
        raise AuditError(f"evidence: found arrays of {sizes} items; expected the same items in all")
    planted = 0 if evidence.plants is None else evidence.plants.counts.planted
    if planted != terms.planted_errors:
        raise AuditError(f"planted: found {planted} items; expected {terms.planted_errors}, as was declared")
    for name in ("is_wrong", "is_contested"):
        astray = np.flatnonzero(getattr(evidence, name) & ~evidence.is_settled)
        if astray.size:
            raise AuditError(f"{name}: set for the item at risk rank {astray[0] + 1}, which has no verdict yet")
    both = np.flatnonzero(evidence.is_wrong & evidence.is_contested)
    if both.size:
        raise AuditError(f"risk rank {both[0] + 1}: both wrong and contested; a contested item has no right label")
    if evidence.is_contested.any() and not terms.can_be_contested:
        raise AuditError(
            f"risk rank {np.flatnonzero(evidence.is_contested)[0] + 1}: contested, although it was declared that "
            "experts leave no item contested; declare that they may, in a new attempt"
        )
    if not 0 < terms.error_budget < 1:
        raise AuditError(f"error_budget: found {terms.error_budget}; expected a share between 0 and 1, such as 0.01")
    if terms.max_undecided_share is not None and not 0 <= terms.max_undecided_share <= 1:
        raise AuditError(f"max_undecided_share: found {terms.max_undecided_share}; expected a share, 0 to 1")
    if not 0 <= terms.max_experts_seen_share <= 1:
        raise AuditError(f"max_experts_seen_share: found {terms.max_experts_seen_share}; expected a share, 0 to 1")
