"""The verdict of a delivery whose parts have budgets: it is accepted where the whole and each of them is kept."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from cupel.accept.part_judging import BudgetVerdict, CheckedParts, describe_budget, find_part
from cupel.accept.part_samples import LookSizes
from cupel.accept.plan import PartBudget, Plan, Record
from cupel.certificate.acceptance import ENOUGH_CHANCE, LOOK_GROWTH, Acceptance, CheckedLook, expect_look
from cupel.certificate.acceptance_parts import PartItems, expect_budget
from cupel.certificate.result import percent
from cupel.certificate.sequence import floor_share
from cupel.certificate.slice_budgets import MISSED


class NextLook(Record):
    """What is to be checked next: the look, how many labels more, and its chance to accept.

    Where parts have budgets, `more` is the most that it may be: a label may be drawn for several. `whole` and `parts`
    are then how many are drawn of the whole, and of each part's own labels and of all others.
    """

    look: int
    more: int
    drawn: int
    chance: float
    whole: int | None = None
    parts: tuple[tuple[int, int], ...] = ()

    @property
    def look_sizes(self) -> LookSizes | None:
        """What the look draws, where parts have budgets."""
        return None if self.whole is None else LookSizes(self.whole, self.parts)


class PartOutcome(NamedTuple):
    """The verdict with its reason, whether it is proven, and what is to be checked next."""

    outcome: Literal["ACCEPT", "REFUSE", "OPEN"]
    reason: str
    is_proven: bool
    next_look: NextLook | None


class WholeState(NamedTuple):
    """What is shown of the whole: by its looks, all of them as one, and by all labels that were checked."""

    acceptance: Acceptance
    total: CheckedLook
    known_wrong: int
    known_contested: int


def decide_outcome(
    plan: Plan, whole: WholeState, parts: CheckedParts, budgets: Sequence[BudgetVerdict], look: int, checked: int
) -> PartOutcome:
    """Decide on a delivery whose parts have budgets: all must be kept, so each is tested at the level of the whole.

    A budget that a look has shown to be kept stays so: over all looks that is said falsely by the sum of their alphas.

    Args:
        plan: The plan.
        whole: What is shown of the whole.
        parts: What is known of the parts.
        budgets: What is shown of each budget, in the order of the plan's settings.
        look: The last look.
        checked: Labels checked so far.
    """
    is_over, found = _judge_whole(plan, whole)
    is_kept = whole.acceptance.outcome == "ACCEPT" and not is_over
    exceeded = [describe_budget(one) for one in budgets if one.status == "exceeded"]
    unproven = [describe_budget(one) for one in budgets if one.status == "unproven"]
    kept = [describe_budget(one) for one in budgets if one.status == "kept"]
    if exceeded or is_over:
        others = [] if is_over else [f"of the whole: {found}"]
        return PartOutcome("REFUSE", "; ".join([*([found] if is_over else []), *exceeded, *others]), True, None)
    if is_kept and not unproven:
        return PartOutcome("ACCEPT", "; ".join([found, *kept]), True, None)
    open_budgets = [
        budget
        for budget, one in zip(plan.settings.budgets, budgets, strict=True)
        if one.status == "unproven"
    ]  # fmt: skip
    said = "; ".join([*unproven, f"of the whole: {found}"])
    following = _find_next_look(plan, None if is_kept else whole.total, parts, open_budgets, look, checked)
    if following is None:
        return PartOutcome(
            "REFUSE",
            f"{said}; if the rest is like the samples, no further look that may be taken would accept with "
            f"{ENOUGH_CHANCE:.0%} chance",
            False,
            None,
        )
    return PartOutcome(
        "OPEN",
        f"{said}; check up to {following.more:,} more: if the rest is like the samples, they will do with "
        f"{following.chance:.0%} chance",
        False,
        following,
    )


def _judge_whole(plan: Plan, whole: WholeState) -> tuple[bool, str]:
    """Tell whether the whole is over its budget, by its samples or by all that was checked, and what was found."""
    acceptance, budget = whole.acceptance, plan.settings.error_budget
    if acceptance.is_proven and acceptance.outcome == "REFUSE":
        return True, acceptance.reason
    if whole.known_wrong > floor_share(budget, plan.labels - whole.known_contested):
        return True, (
            f"{whole.known_wrong:,} labels were found wrong, for whatever sample: more than {percent(budget)} of the "
            "delivery are"
        )
    return False, acceptance.found


def _find_next_look(
    plan: Plan, whole: CheckedLook | None, parts: CheckedParts, budgets: Sequence[PartBudget], look: int, checked: int
) -> NextLook | None:
    """Return the first later look that shows with enough chance all that is not shown yet.

    Args:
        plan: The plan.
        whole: The whole's looks as one; None where it is shown to keep its budget.
        parts: What is known of the parts.
        budgets: Those that are not shown to be kept.
        look: The last look.
        checked: Labels checked so far.
    """
    for number in range(look + 1, len(plan.sizes) + 1):
        chance, size = 1.0, 0
        if whole is not None:
            size = plan.sizes[number - 1] - whole.drawn
            chance = expect_look(plan.fixed, whole, number)[1]
        wanted = [[0, 0] for _ in plan.parts]
        for budget in budgets:
            place, share = find_part(plan, budget), parts.find_share(budget)
            part = plan.parts[place]
            own = share.items if share.right is None else share.right
            drawn = _size_added(plan, own, part.drawn, number, size)
            others = 0
            if share.right is not None:
                others = _size_added(plan, share.items, part.drawn_others, number, size)
            wanted[place] = [max(wanted[place][0], drawn), max(wanted[place][1], others)]
            first, second = (others, drawn) if budget.counts == MISSED else (drawn, 0)
            chance *= expect_budget(share, budget.share, plan.settings.contested == "aside", first, second)
        more = min(plan.labels - checked, size + sum(map(sum, wanted)))
        if plan.fixed.most_drawn is not None and checked + more > plan.fixed.most_drawn:
            return None
        if chance >= ENOUGH_CHANCE:
            return NextLook(
                look=number, more=more, drawn=checked + more, chance=chance, whole=size,
                parts=tuple((own, others) for own, others in wanted),
            )  # fmt: skip
    return None


def _size_added(plan: Plan, items: PartItems, planned: int, number: int, whole: int) -> int:
    """Return how many of some items a look draws: up to twice as many with each look, and all with the whole."""
    if plan.sizes[number - 1] == plan.labels:
        return items.size - items.drawn
    least = round(whole * (items.size - items.drawn) / plan.labels)
    target = int(planned * LOOK_GROWTH ** (number - 1))
    return max(least, min(items.size, target) - items.drawn, 0)
