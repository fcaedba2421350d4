"""The verdict on a delivery: counts against the plan, where the errors are, and what a right label costs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from pydantic import NonNegativeFloat

from cupel.accept.budget import percent
from cupel.accept.delivery import Delivery, Label
from cupel.accept.label_rules import ONE_CLASS, LabelRules
from cupel.accept.looks import Drawn, find_samples
from cupel.accept.part_index import find_insides, index_parts
from cupel.accept.part_judging import (
    BudgetVerdict,
    CheckedParts,
    GivenAnswers,
    PartBound,
    UnboundedParts,
    find_unbounded,
)
from cupel.accept.part_outcome import NextLook, PartOutcome, WholeState, decide_outcome
from cupel.accept.part_samples import LookSamples
from cupel.accept.plan import EarlierAudit, NonceSource, Plan, Record, Settings
from cupel.accept.returned import ReturnedItems
from cupel.accept.signed_sheet import SignedSheet
from cupel.certificate.acceptance import Acceptance, CheckedLook, judge, merge_looks
from cupel.certificate.attempts import ALPHA_TOTAL, attempt_alpha
from cupel.certificate.hypergeometric import lower_count, upper_count
from cupel.certificate.slice_budgets import CLASS

# Intervals beside the verdict are two-sided, 95% each for itself.
INTERVAL_ALPHA_SIDE = 0.025


class Prices(Record):
    """What labels and checks cost; None where the buyer did not say."""

    label: NonNegativeFloat | None = None
    expert_answer: NonNegativeFloat | None = None
    expert_seconds: NonNegativeFloat = 30.0
    currency: str = "USD"


class Rate(Record):
    """An error rate among settled labels, a share, with its 95% interval; null where none was audited."""

    error: float | None
    low: float
    high: float


class Part(Record):
    """Labels of one class, or by one annotator: delivered, audited, and what was found."""

    name: str
    labels: int
    audited: int
    wrong: int
    contested: int
    rate: Rate


class Cost(Record):
    """What the delivery and its audit cost; sums are null where a price is not known.

    A right label is neither wrong nor contested; `by_estimate` takes the audited share, `at_worst` the bound.
    """

    currency: str
    labels: float | None
    audit: float | None
    audit_hours: float
    right_by_estimate: int
    right_at_worst: int
    per_right_label_by_estimate: float | None
    per_right_label_at_worst: float | None


class WrongLabel(Record):
    """A label that the auditor did not confirm; the auditor's is null where the item cannot be decided."""

    item_id: str
    row: int
    delivered: str
    auditor: str | None
    text: str | None
    annotator: str | None


class Verdict(Record):
    """All that a look says; shares are 0 to 1.

    `audited`, `wrong` and `contested` are of the whole's samples, of which `rate`, `by_class` and `by_annotator` are
    made too; `audited_for_parts` labels more were checked for the budgets of parts.
    """

    verdict: Literal["ACCEPT", "REFUSE", "OPEN"]
    reason: str
    is_proven: bool
    wording: str
    delivery: str
    delivery_sha256: str
    vendor: str | None
    plan: str
    look: int
    attempt: int = 1
    alpha: float
    nonce_source: NonceSource = "system"
    earlier: EarlierAudit | None = None
    error_budget: float
    rows_in: int
    rows_rejected: int
    labels: int
    audited: int
    wrong: int
    contested: int
    most_wrong: int | None
    rate: Rate
    error_bound: float
    error_bound_with_contested: float
    is_accepted_with_contested: bool
    undecided_bound: float | None = None
    max_undecided: float | None = None
    next_look: NextLook | None
    by_class: tuple[Part, ...]
    by_annotator: tuple[Part, ...]
    cost: Cost
    send_back: tuple[WrongLabel, ...]
    undecided: tuple[WrongLabel, ...]
    signed: tuple[SignedSheet, ...] = ()
    audited_for_parts: int = 0
    budgets: tuple[BudgetVerdict, ...] = ()
    bounds: tuple[PartBound, ...] = ()
    unbounded: tuple[UnboundedParts, ...] = ()
    returned: tuple[ReturnedItems, ...] = ()


class _Checked(NamedTuple):
    delivered: Label
    auditor: str | None
    is_wrong: bool


def judge_delivery(
    plan: Plan,
    delivery: Delivery,
    looks: Sequence[Drawn],
    answers: Mapping[str, str | None],
    prices: Prices,
    vendor: str | None,
    rules: LabelRules = ONE_CLASS,
    signed: Sequence[SignedSheet] = (),
) -> Verdict:
    """Judge a delivery by all labels checked so far.

    Args:
        plan: The plan.
        delivery: The delivery.
        looks: The looks drawn so far, all answered.
        answers: Auditor's label by item id; None where the item cannot be decided.
        prices: What labels and checks cost.
        vendor: Who delivered.
        rules: Say which labels are the same, and by which classes they are counted.
        signed: Whose the sheets are, of those whose signature was checked.

    Returns:
        The verdict of the last look.
    """
    rows = {one.item_id: one for one in delivery.labels}
    asked = [rows[item] for drawn in looks for item in drawn.ids]
    said = [answers[one.item_id] for one in asked]
    flags = rules.are_wrong([one.label for one in asked], said)
    by_item = {one.item_id: _Checked(one, auditor, flag) for one, auditor, flag in zip(asked, said, flags, strict=True)}
    places = {one.item_id: place for place, one in enumerate(delivery.labels)}
    insides = find_insides(delivery, rules, plan.parts)
    samples = [find_samples(drawn, places, insides) for drawn in looks]
    of_whole = [[by_item[delivery.labels[place].item_id] for place in one.whole] for one in samples]
    checked = [one for added in of_whole for one in added]
    undecided = [one for one in checked if one.auditor is None]
    wrong = [one for one in checked if one.is_wrong]
    whole_looks = _count_looks(plan, looks, of_whole)
    result = judge(plan.fixed, whole_looks)
    parts = _check_parts(plan, delivery, rules, looks, samples, by_item)
    budgets = tuple(map(parts.judge, plan.settings.budgets))
    outcome = PartOutcome(result.outcome, result.reason, result.is_proven, _next(result))
    if budgets:
        known = merge_looks(_count_looks(plan, looks[:1], [list(by_item.values())]))
        whole = WholeState(result, merge_looks(whole_looks), known.wrong, known.contested)
        outcome = decide_outcome(plan, whole, parts, budgets, looks[-1].look, len(asked))
    population = len(delivery.labels)
    return Verdict(
        verdict=outcome.outcome,
        reason=outcome.reason,
        is_proven=outcome.is_proven,
        wording=wording(plan),
        delivery=plan.delivery,
        delivery_sha256=plan.delivery_sha256,
        vendor=vendor,
        plan=plan.key,
        look=looks[-1].look,
        attempt=looks[-1].attempt,
        alpha=attempt_alpha(looks[-1].attempt),
        nonce_source=plan.nonce_source,
        earlier=plan.earlier,
        error_budget=plan.settings.error_budget,
        rows_in=delivery.rows_in,
        rows_rejected=len(delivery.rejected),
        labels=population,
        audited=len(checked),
        wrong=len(wrong),
        contested=len(undecided),
        most_wrong=result.look.most_wrong,
        rate=rate(population, len(checked), len(wrong), len(undecided)),
        error_bound=result.upper.without_contested,
        error_bound_with_contested=result.upper.with_contested,
        is_accepted_with_contested=result.is_accepted_with_contested,
        undecided_bound=result.undecided.upper if plan.settings.contested == "aside" else None,
        max_undecided=plan.settings.max_undecided,
        next_look=outcome.next_look,
        by_class=_parts(
            [name for one in delivery.labels for name in rules.choices_of(one.label)],
            [(name, one) for one in checked for name in rules.choices_of(one.delivered.label)],
        ),
        by_annotator=_parts(
            [one.annotator for one in delivery.labels], [(one.delivered.annotator, one) for one in checked]
        ),
        cost=_cost(population, len(checked), len(wrong) + len(undecided), len(asked), result, prices),
        send_back=tuple(_wrong_label(one) for one in by_item.values() if one.is_wrong),
        undecided=tuple(_wrong_label(one) for one in by_item.values() if one.auditor is None),
        signed=tuple(signed),
        audited_for_parts=len(asked) - len(checked),
        budgets=budgets,
        bounds=parts.bounds,
        unbounded=_find_unbounded(plan, delivery, rules),
    )


def _count_looks(plan: Plan, looks: Sequence[Drawn], added: Sequence[Sequence[_Checked]]) -> list[CheckedLook]:
    """Return what each look added, of those that did; undecided items are among the wrong where the plan says so."""
    counted = []
    for look, checked in zip(looks, added, strict=True):
        wrong, undecided = sum(one.is_wrong for one in checked), sum(one.auditor is None for one in checked)
        if plan.settings.contested == "wrong":
            wrong, undecided = wrong + undecided, 0
        counted.append(CheckedLook(look.look, look.attempt, len(checked), wrong, undecided))
    return [one for one in counted if one.drawn]


def _check_parts(
    plan: Plan, delivery: Delivery, rules: LabelRules, looks: Sequence[Drawn], samples: Sequence[LookSamples],
    by_item: Mapping[str, _Checked],
) -> CheckedParts:  # fmt: skip
    found = [by_item.get(one.item_id) for one in delivery.labels]
    answers = GivenAnswers(
        np.array([one is not None for one in found], np.bool_),
        tuple(None if one is None else one.auditor for one in found),
        np.array([one is not None and one.is_wrong for one in found], np.bool_),
    )
    return CheckedParts(plan, delivery, rules, list(zip((one.attempt for one in looks), samples, strict=True)), answers)


def _overlapping(settings: Settings) -> str:
    """Return from which overlap on marks are the same; nothing where labels are none."""
    if settings.least_overlap is None:
        return ""
    return (
        ": where each mark of either has one partner of its class that overlaps it by "
        f"{settings.least_overlap:g} or more (intersection over union)"
    )


def wording(plan: Plan) -> str:
    """Return what the verdict claims, against whose judgement, and what it cannot see."""
    settings = plan.settings
    labels = (
        ""
        if settings.kind is None
        else f"Labels are of the kind {settings.kind}, which says whether two are the same{_overlapping(settings)}. "
    )
    contested = "stand aside" if settings.contested == "aside" else "count as wrong"
    limit = (
        ""
        if settings.max_undecided is None
        else f", or with more than {percent(settings.max_undecided)} items that cannot be decided,"
    )
    if plan.version == 1:
        linked = "This audit was planned by an earlier version: earlier audits of the same items do not count in it. "
    else:
        linked = (
            "That is so over all looks at its items together, in whatever delivery, as far as the record of audits "
            "holds them. "
        )
    parts = ""
    if settings.budgets:
        named = ", ".join(budget.option for budget in settings.budgets)
        parts = f"The same is so of each budget of a part: {named}. "
    if plan.parts:
        parts += (
            "All upper bounds by class and slice hold at once, and together with the verdict, 95 times in 100. Of a "
            "class, wrong is a label that the auditor did not confirm, missed is an item of it that was labelled "
            "otherwise. "
        )
    draw = ""
    if plan.nonce_source == "option" and plan.version != 1:
        draw = (
            " The draw followed from a number that was chosen beforehand (--seed): this holds only if nobody who could "
            "change a label knew it."
        )
    return (
        f"A delivery with more than {percent(settings.error_budget)} wrong labels{limit} is accepted at most "
        f"{ALPHA_TOTAL * 100:.0f} times in 100. {linked}{parts}{labels}Wrong means: against the judgement of "
        "whoever filled in the sheet; mistakes which that person shares with those who labelled cannot be seen. Items "
        f"that cannot be decided {contested}. This holds if that person did not see the delivered labels, and if the "
        f"delivery was finished before the draw.{draw}"
    )


def earlier_words(earlier: EarlierAudit, items: int, attempt: int, alpha: float) -> str:
    """Return which items were audited before, and what that costs: alpha, and a larger audit."""
    near = f" and {earlier.near_items:,} are nearly the same as such" if earlier.near_items else ""
    larger = earlier.size_needed / earlier.size_alone - 1 if earlier.size_alone else 0.0
    return (
        f"{earlier.items:,} of {items:,} items were audited before{near} (last in {earlier.delivery}, {earlier.at}): "
        f"this is attempt {attempt}, its alpha is {percent(alpha, 4)}; the audit is {percent(larger, 0)} larger for it "
        f"({earlier.size_needed:,} instead of {earlier.size_alone:,})"
    )


def _find_unbounded(plan: Plan, delivery: Delivery, rules: LabelRules) -> tuple[UnboundedParts, ...]:
    if plan.version < 3:
        return ()
    by = dict.fromkeys((CLASS, *plan.settings.slices))
    return find_unbounded({one: index_parts(delivery, rules, one).count_values() for one in by}, plan.parts)


def rate(population: int, audited: int, wrong: int, contested: int) -> Rate:
    """Return the error among settled labels with its exact 95% interval.

    Args:
        population: Labels in all.
        audited: Labels checked, a random sample of them.
        wrong: Wrong labels found.
        contested: Items found that cannot be decided.

    >>> rate(10_000, 500, 20, 0)
    Rate(error=0.04, low=0.025, high=0.0605)
    """
    settled, all_settled = audited - contested, population - contested
    if not settled:
        return Rate(error=None, low=0.0, high=1.0)
    low = lower_count(all_settled, settled, wrong, INTERVAL_ALPHA_SIDE) / all_settled
    high = upper_count(all_settled, settled, wrong, INTERVAL_ALPHA_SIDE) / all_settled
    return Rate(error=wrong / settled, low=low, high=high)


def _parts(all_names: Sequence[str | None], checked: Sequence[tuple[str | None, _Checked]]) -> tuple[Part, ...]:
    """Divide what was found by class or annotator; the part with the highest lower bound comes first.

    Given how many of a part were drawn, they are a random sample of it, so its interval is exact too.
    """
    totals = Counter(name for name in all_names if name is not None)
    audited = Counter(name for name, _ in checked)
    contested = Counter(name for name, one in checked if one.auditor is None)
    wrong = Counter(name for name, one in checked if one.is_wrong)
    parts = [
        Part(
            name=name,
            labels=totals[name],
            audited=audited[name],
            wrong=wrong[name],
            contested=contested[name],
            rate=rate(totals[name], audited[name], wrong[name], contested[name]),
        )
        for name in totals
    ]
    return tuple(sorted(parts, key=lambda part: (-part.rate.low, -part.wrong, -part.audited, part.name)))


def _cost(population: int, audited: int, not_right: int, asked: int, result: Acceptance, prices: Prices) -> Cost:
    by_estimate = round(population * (1 - not_right / audited))
    at_worst = round(population * (1 - result.upper.with_contested))
    labels = None if prices.label is None else population * prices.label
    audit = None if prices.expert_answer is None else asked * prices.expert_answer
    total = None if labels is None else labels + (audit or 0.0)
    return Cost(
        currency=prices.currency,
        labels=labels,
        audit=audit,
        audit_hours=asked * prices.expert_seconds / 3600,
        right_by_estimate=by_estimate,
        right_at_worst=at_worst,
        per_right_label_by_estimate=total / by_estimate if total is not None and by_estimate else None,
        per_right_label_at_worst=total / at_worst if total is not None and at_worst else None,
    )


def _next(result: Acceptance) -> NextLook | None:
    if result.next_look is None or result.chance is None:
        return None
    return NextLook(look=result.next_look.number, more=result.more, drawn=result.next_look.drawn, chance=result.chance)


def _wrong_label(one: _Checked) -> WrongLabel:
    label = one.delivered
    return WrongLabel(
        item_id=label.item_id,
        row=label.row,
        delivered=label.label,
        auditor=one.auditor,
        text=label.text,
        annotator=label.annotator,
    )
