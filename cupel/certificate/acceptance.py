"""Acceptance of a delivery that nobody adjudicates: looks at growing samples, and what each look says."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from cupel.certificate.attempts import attempt_alpha, attempt_levels
from cupel.certificate.hypergeometric import lower_count, tail, upper_count
from cupel.certificate.plan import most_wrong
from cupel.certificate.result import Bounds, percent
from cupel.errors import AuditError

LOOK_GROWTH = 2
ENOUGH_CHANCE = 0.8

Outcome = Literal["ACCEPT", "REFUSE", "OPEN"]


@dataclass(frozen=True)
class Delivery:
    """What is fixed before the first label of a delivery is checked.

    `first_look` is the size of the first sample; all later sizes follow from it (`look_sizes`). `most_drawn`
    is the largest sample that the buyer would ever check, None where that may be everything.
    """

    population: int
    error_budget: float
    first_look: int
    most_drawn: int | None = None
    can_be_contested: bool = True


class Look(NamedTuple):
    """A look at the delivery: which one, the items drawn so far, and the largest count of wrong that passes."""

    number: int
    drawn: int
    most_wrong: int | None


@dataclass(frozen=True)
class Acceptance:
    """What a look says.

    `is_proven` tells a refusal because the delivery is over its budget from one because no further look is
    worth it. Bounds are shares of the settled labels, and of all with contested items counted as wrong.
    `is_accepted_with_contested` says whether the delivery would pass with them counted so. `next_look` and
    its `chance` are set when more is to be checked.
    """

    outcome: Outcome
    reason: str
    is_proven: bool
    look: Look
    wrong: int
    contested: int
    upper: Bounds
    lower: Bounds
    is_accepted_with_contested: bool
    next_look: Look | None
    more: int
    chance: float | None


def acceptance_limit(
    population: int, drawn: int, error_budget: float, attempt: int, contested: int = 0, can_be_contested: bool = True
) -> int | None:
    """Return the largest number of wrong labels with which a look accepts.

    Args:
        population: Labels delivered, at least 1.
        drawn: Labels drawn so far, all looks together.
        error_budget: Highest share of wrong labels among the settled ones.
        attempt: The look; the first is 1.
        contested: Items drawn that stay contested.
        can_be_contested: Whether an item may stay contested.

    Returns:
        A count, or None where even 0 does not do.

    Raises:
        AuditError: The counts are impossible.

    >>> acceptance_limit(5000, 400, 0.01, 1), acceptance_limit(5000, 200, 0.01, 1)
    (0, None)
    """
    return most_wrong(population, drawn, error_budget, attempt_levels(attempt, can_be_contested), contested)


def look_sizes(population: int, first_look: int, most_drawn: int | None = None) -> tuple[int, ...]:
    """Return the sizes at which a delivery may be looked at: the first, and twice as many each time.

    They are fixed by the first: a size chosen after seeing what the sample holds would make the
    accumulated count something else than hypergeometric, and the sum of the looks' alphas no bound.

    Args:
        population: Labels delivered, at least 1.
        first_look: Size of the first sample, 1 to `population`.
        most_drawn: Largest sample of interest, at least `first_look`; None where that is everything.

    Returns:
        Cumulative sizes, ascending; the last is `most_drawn`.

    >>> look_sizes(5000, 700), look_sizes(5000, 700, 2000)
    ((700, 1400, 2800, 5000), (700, 1400, 2000))
    """
    most = population if most_drawn is None else most_drawn
    if not 1 <= first_look <= most <= population:
        raise AuditError(
            f"look sizes: found a first look of {first_look} and at most {most} of {population} labels; expected "
            "1 <= first <= most <= labels"
        )
    sizes = []
    size = first_look
    while size < most:
        sizes.append(size)
        size *= LOOK_GROWTH
    return (*sizes, most)


def judge(delivery: Delivery, look: int, wrong: int, contested: int = 0) -> Acceptance:
    """Accept a delivery, refuse it, or say how many more labels to check.

    Looks may be skipped: each keeps the alpha of its number. The verdict is on the settled labels; how it
    would be with contested items counted as wrong is said beside it.

    Args:
        delivery: What was fixed beforehand.
        look: Number of the look; the first is 1.
        wrong: Wrong labels in the whole sample so far, contested items aside.
        contested: Items in the sample that stay contested.

    Returns:
        The verdict with its bounds.

    Raises:
        AuditError: There is no such look, or the counts are impossible.

    >>> delivery = Delivery(population=5000, error_budget=0.01, first_look=700)
    >>> judge(delivery, 1, 2).outcome, judge(delivery, 1, 20).outcome
    ('ACCEPT', 'REFUSE')
    >>> verdict = judge(delivery, 1, 3)
    >>> verdict.outcome, verdict.more, verdict.next_look
    ('OPEN', 2100, Look(number=3, drawn=2800, most_wrong=17))
    """
    here = _look(delivery, look, contested)
    _check(delivery, here, wrong, contested)
    upper, lower = _upper(delivery, here, wrong, contested), _lower(delivery, here, wrong, contested)
    budget = percent(delivery.error_budget)
    following, chance, is_proven = None, None, True
    if here.most_wrong is not None and wrong <= here.most_wrong:
        outcome: Outcome = "ACCEPT"
        reason = f"{wrong} wrong in {here.drawn:,} checked, at most {here.most_wrong} allowed"
    elif lower.without_contested > delivery.error_budget:
        outcome = "REFUSE"
        reason = f"{wrong} wrong in {here.drawn:,} checked: more than {budget} of the delivery are wrong"
    else:
        following, chance = _next_look(delivery, here, wrong, contested)
        is_proven = False
        outcome = "REFUSE" if following is None else "OPEN"
        reason = _unproven(delivery, here, wrong, following, chance)
    all_allowed = most_wrong(
        delivery.population, here.drawn, delivery.error_budget, attempt_levels(look, can_be_contested=False)
    )
    return Acceptance(
        outcome=outcome,
        reason=reason,
        is_proven=is_proven,
        look=here,
        wrong=wrong,
        contested=contested,
        upper=upper,
        lower=lower,
        is_accepted_with_contested=all_allowed is not None and wrong + contested <= all_allowed,
        next_look=following,
        more=following.drawn - here.drawn if following else 0,
        chance=chance,
    )


def _look(delivery: Delivery, number: int, contested: int) -> Look:
    sizes = look_sizes(delivery.population, delivery.first_look, delivery.most_drawn)
    if not 1 <= number <= len(sizes):
        raise AuditError(f"look: found {number}; expected 1 to {len(sizes)}, with {', '.join(map(str, sizes))} drawn")
    drawn = sizes[number - 1]
    limit = acceptance_limit(
        delivery.population, drawn, delivery.error_budget, number, contested, delivery.can_be_contested
    )
    return Look(number, drawn, limit)


def _upper(delivery: Delivery, look: Look, wrong: int, contested: int) -> Bounds:
    levels = attempt_levels(look.number, delivery.can_be_contested)
    size, drawn = delivery.population, look.drawn
    split = upper_count(size, drawn, contested, levels.contested) if levels.contested else 0
    worst = upper_count(size, drawn, wrong, levels.wrong)
    without = min(1.0, worst / (size - split)) if size > split else 1.0
    both = upper_count(size, drawn, wrong + contested, attempt_alpha(look.number)) / size
    return Bounds(without, max(without, both))


def _lower(delivery: Delivery, look: Look, wrong: int, contested: int) -> Bounds:
    """Bound the error from below: at least those contested items that were met are not settled."""
    size, alpha = delivery.population, attempt_alpha(look.number)
    least = lower_count(size, look.drawn, wrong, alpha)
    without = least / (size - contested) if size > contested else 0.0
    return Bounds(without, lower_count(size, look.drawn, wrong + contested, alpha) / size)


def _next_look(delivery: Delivery, here: Look, wrong: int, contested: int) -> tuple[Look | None, float | None]:
    """Return the first later look that accepts with enough chance, if the rest is as wrong as the sample."""
    size, drawn = delivery.population, here.drawn
    rest_wrong = round(wrong / drawn * (size - drawn))
    count = len(look_sizes(size, delivery.first_look, delivery.most_drawn))
    for number in range(here.number + 1, count + 1):
        plain = _look(delivery, number, 0)
        look = _look(delivery, number, round(contested / drawn * plain.drawn))
        allowed = -1 if look.most_wrong is None else look.most_wrong - wrong
        chance = float(tail(allowed, size - drawn, rest_wrong, look.drawn - drawn))
        if chance >= ENOUGH_CHANCE:
            return look, chance
    return None, None


def _unproven(delivery: Delivery, here: Look, wrong: int, following: Look | None, chance: float | None) -> str:
    budget = percent(delivery.error_budget)
    found = f"{wrong} wrong in {here.drawn:,} checked neither shows that {budget} is kept nor that it is not"
    if following is None or chance is None:
        most = "everything" if delivery.most_drawn is None else f"{delivery.most_drawn:,}"
        return (
            f"{found}; if the rest is as wrong as the sample, even checking {most} would accept with less than "
            f"{ENOUGH_CHANCE:.0%} chance"
        )
    return (
        f"{found}; check {following.drawn - here.drawn:,} more: if the rest is as wrong as the sample, they will "
        f"do with {chance:.0%} chance"
    )


def _check(delivery: Delivery, look: Look, wrong: int, contested: int) -> None:
    if wrong < 0 or contested < 0 or wrong + contested > look.drawn:
        raise AuditError(
            f"wrong and contested: found {wrong} and {contested}; expected counts that add up to at most "
            f"{look.drawn}, the items drawn"
        )
