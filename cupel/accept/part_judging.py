"""What the samples say of each part of a delivery: the bounds that are shown, and the budgets that must be kept."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from cupel.accept.delivery import Delivery
from cupel.accept.label_rules import LabelRules
from cupel.accept.part_index import find_insides, index_classes
from cupel.accept.part_samples import LookSamples
from cupel.accept.plan import PartBudget, Plan, PlannedPart, Record
from cupel.certificate.acceptance_parts import PartItems, PartLook, PartShare, bound_share, judge_budget
from cupel.certificate.hypergeometric import Integers
from cupel.certificate.sequence import Flags
from cupel.certificate.slice_budgets import CLASS, MISSED


class BudgetVerdict(Record):
    """What is shown of a budget. `audited` labels could count and were drawn for it, and `found` of them do.

    `labels` are those of its class or slice; `upper` bounds the share that counts, null where nothing is shown.
    """

    by: str
    value: str
    counts: Literal["wrong", "missed"]
    budget: float
    status: Literal["kept", "exceeded", "unproven"]
    labels: int
    audited: int
    found: int
    contested: int
    upper: float | None


class PartBound(Record):
    """What is shown of a class or slice: at most how much of it is wrong, and of a class, at most how much is missed.

    Of its `labels`, `audited` were drawn and `wrong` found; among `others_audited` of all others `missed` were of the
    class. Bounds are null where nothing is shown, `missed` and its counts where there is no class to miss.
    """

    by: str
    value: str
    labels: int
    audited: int
    wrong: int
    wrong_upper: float | None
    others_audited: int | None = None
    missed: int | None = None
    missed_upper: float | None = None


class UnboundedParts(Record):
    """Classes, or values of a column, that are too small to be bounded, and how many labels are of them."""

    by: str
    values: int
    labels: int


class GivenAnswers(NamedTuple):
    """What was answered, row for row with a delivery's labels.

    `said` is null where nobody was asked, or nobody could decide.
    """

    is_asked: Flags
    said: tuple[str | None, ...]
    is_wrong: Flags

    @property
    def is_contested(self) -> Flags:
        """Which of those asked nobody could decide."""
        return self.is_asked & np.array([one is None for one in self.said], np.bool_)


class CheckedParts:
    """What the looks so far say of each part of a plan.

    Args:
        plan: The plan.
        delivery: The delivery.
        rules: Say which classes a label names.
        looks: Attempt and samples of each look.
        answers: What was answered.
    """

    def __init__(
        self, plan: Plan, delivery: Delivery, rules: LabelRules, looks: Sequence[tuple[int, LookSamples]],
        answers: GivenAnswers,
    ) -> None:  # fmt: skip
        self._plan, self._rules, self._looks, self._answers = plan, rules, looks, answers
        self._insides = find_insides(delivery, rules, plan.parts)
        self._counts_undecided = plan.settings.contested == "wrong"

    @cached_property
    def _said(self) -> Mapping[str, Flags]:
        index = index_classes(self._answers.said, self._rules)
        return {part.value: index.has_value(part.value) for part in self._plan.parts if part.by == CLASS}

    @cached_property
    def wrong(self) -> list[PartShare]:
        """For each part, what is known of the wrong ones among its labels."""
        answers, found = self._answers, []
        contested = answers.is_contested
        for number, (part, inside) in enumerate(zip(self._plan.parts, self._insides, strict=True)):
            is_wrong = answers.is_wrong
            if part.by == CLASS:
                is_wrong = answers.is_asked & ~contested & ~self._said[part.value]
            aside = contested
            if self._counts_undecided:
                is_wrong, aside = is_wrong | contested, np.zeros_like(contested)
            found.append(PartShare(self._count(number, 0, inside, is_wrong, aside)))
        return found

    @cached_property
    def missed(self) -> list[PartShare | None]:
        """For each class, what is known of those of it that are labelled otherwise; None for other parts."""
        found: list[PartShare | None] = []
        for number, (part, inside) in enumerate(zip(self._plan.parts, self._insides, strict=True)):
            if part.by != CLASS:
                found.append(None)
                continue
            said, asked = self._said[part.value], self._answers.is_asked
            nobody = np.zeros_like(said)
            right = self._count(number, 0, inside, said, nobody)
            right = right._replace(known_contested=int((inside & asked & ~said).sum()))
            found.append(PartShare(self._count(number, 1, ~inside, said, nobody), right))
        return found

    @cached_property
    def bounds(self) -> tuple[PartBound, ...]:
        """The bounds that are shown, all of them together by their part of the alpha; the largest classes first."""
        aside = not self._counts_undecided
        size = sum(1 if missed is None else 2 for missed in self.missed)
        found = []
        for part, wrong, missed in zip(self._plan.parts, self.wrong, self.missed, strict=True):
            more = {} if missed is None else {
                "others_audited": missed.items.drawn, "missed": missed.items.counted,
                "missed_upper": bound_share(missed, aside, size),
            }  # fmt: skip
            found.append(
                PartBound(
                    by=part.by,
                    value=part.value,
                    labels=part.labels,
                    audited=wrong.items.drawn,
                    wrong=wrong.items.counted,
                    wrong_upper=bound_share(wrong, aside, size),
                    **more,
                )
            )
        return tuple(sorted(found, key=lambda one: (one.by != CLASS, one.by, -one.labels, one.value)))

    def find_share(self, budget: PartBudget) -> PartShare:
        """Return what is known of the share that a budget is for."""
        number = find_part(self._plan, budget)
        missed = self.missed[number]
        return missed if budget.counts == MISSED and missed is not None else self.wrong[number]

    def judge(self, budget: PartBudget) -> BudgetVerdict:
        """Return what is shown of a budget."""
        share = self.find_share(budget)
        state = judge_budget(share, budget.share, not self._counts_undecided, len(self._plan.settings.budgets))
        return BudgetVerdict(
            **budget.model_dump(exclude={"share"}),
            budget=budget.share,
            status="exceeded" if state.is_over else "kept" if state.is_kept else "unproven",
            labels=self._plan.parts[find_part(self._plan, budget)].labels,
            audited=share.items.drawn,
            found=share.items.counted,
            contested=share.items.contested,
            upper=state.upper if state.upper < 1 else None,
        )

    def _count(self, number: int, side: int, inside: Flags, is_counted: Flags, is_contested: Flags) -> PartItems:
        def count(places: Integers, attempt: int) -> PartLook:
            return PartLook(attempt, len(places), int(is_counted[places].sum()), int(is_contested[places].sum()))

        looks = tuple(count(samples.parts[number][side], attempt) for attempt, samples in self._looks)
        asked = inside & self._answers.is_asked
        return PartItems(
            int(inside.sum()), looks, int((asked & is_counted).sum()), int((asked & is_contested).sum())
        )  # fmt: skip


def find_part(plan: Plan, budget: PartBudget) -> int:
    """Return where the part of a budget stands in the plan."""
    return next(n for n, part in enumerate(plan.parts) if (part.by, part.value) == (budget.by, budget.value))


def find_unbounded(counts: Mapping[str, Counter[str]], parts: Sequence[PlannedPart]) -> tuple[UnboundedParts, ...]:
    """Return what is not bounded, by class and column; a label that names several such classes counts once for each.

    Args:
        counts: Labels of each class or value.
        parts: Those that are bounded.
    """
    found = []
    for by, of in counts.items():
        small = set(of) - {part.value for part in parts if part.by == by}
        if small:
            found.append(UnboundedParts(by=by, values=len(small), labels=sum(of[value] for value in small)))
    return tuple(found)


def describe_unbounded(unbounded: UnboundedParts) -> str:
    """Return in words what is not bounded."""
    what = "classes" if unbounded.by == CLASS else f"values of {unbounded.by}"
    return f"Not bounded: {unbounded.values:,} {what} of less than 1% each, {unbounded.labels:,} labels in all."


def describe_budget(verdict: BudgetVerdict) -> str:
    """Return what is shown of a budget in words, to stand in a sentence."""
    from cupel.certificate.result import percent

    allowed, upper = percent(verdict.budget), None if verdict.upper is None else percent(verdict.upper)
    name = f"{verdict.value!r}" if verdict.by == CLASS else f"{verdict.by} {verdict.value!r}"
    if verdict.counts == MISSED:
        what = f"labels missing {name}: {verdict.found:,} in {verdict.audited:,} other labels checked"
        whose, how = f"of all {name}", "missed"
    else:
        what, whose, how = f"labels {name}: {verdict.found:,} wrong in {verdict.audited:,} checked", "of them", "wrong"
    if verdict.status == "kept":
        return f"{what}, at most {upper} {whose} are {how}, {allowed} allowed"
    if verdict.status == "exceeded":
        bound = "" if upper is None else f", up to {upper}"
        return f"{what}: more than {allowed} {whose} are {how}{bound}"
    bound = "nothing shows that" if upper is None else f"up to {upper} {whose} may be {how}, which does not show that"
    return f"{what}, {bound} {allowed} is kept"
