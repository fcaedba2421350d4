"""Acceptance of a delivery that nobody adjudicates: looks at growing samples, and what each look says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from cupel.certificate.attempts import Levels, attempt_alpha, attempt_levels
from cupel.certificate.hypergeometric import lower_count, tail, upper_count
from cupel.certificate.result import Bounds, percent
from cupel.certificate.sequence import floor_share
from cupel.errors import AuditError

LOOK_GROWTH = 2
ENOUGH_CHANCE = 0.8

Outcome = Literal["ACCEPT", "REFUSE", "OPEN"]


@dataclass(frozen=True)
class Delivery:
    """What is fixed before the first label of a delivery is checked.

    `first_look` is the size of the first sample; all later sizes follow from it (`look_sizes`). `most_drawn`
    is the largest sample that the buyer would ever check, None where that may be everything. `max_undecided` is the
    largest share of the items that may be such that nobody can decide them; None: no limit. `is_accumulated` is so
    for plans of an earlier version, whose looks are tests of all items drawn so far.
    """

    population: int
    error_budget: float
    first_look: int
    most_drawn: int | None = None
    can_be_contested: bool = True
    max_undecided: float | None = None
    is_accumulated: bool = False


class CheckedLook(NamedTuple):
    """A look whose items were checked: its number, its attempt, and the items that it added to those before.

    `wrong` and `contested` are counts among the added items, contested items not among the wrong ones.
    """

    number: int
    attempt: int
    drawn: int
    wrong: int
    contested: int = 0


class Look(NamedTuple):
    """A look at the delivery: which one, the items drawn so far, and the largest count of wrong that passes."""

    number: int
    drawn: int
    most_wrong: int | None


class Undecided(NamedTuple):
    """The share of a delivery's items that cannot be decided, bounded from both sides, and whether that is allowed.

    `is_kept` is True where there is no limit; `is_exceeded` tells that more than allowed are shown to be so.
    """

    lower: float
    upper: float
    is_kept: bool
    is_exceeded: bool


@dataclass(frozen=True)
class Acceptance:
    """What a look says.

    `is_proven` tells a refusal because the delivery is over its budget, or holds more undecided items than allowed,
    from one because no further look is worth it. Bounds are shares of the settled labels, and of all with contested
    items counted as wrong. `is_accepted_with_contested` says whether the delivery would pass with them counted so.
    `next_look` and its `chance` are set when more is to be checked.
    """

    outcome: Outcome
    reason: str
    is_proven: bool
    look: Look
    attempt: int
    wrong: int
    contested: int
    upper: Bounds
    lower: Bounds
    undecided: Undecided
    is_accepted_with_contested: bool
    next_look: Look | None
    more: int
    chance: float | None


def look_sizes(population: int, first_look: int, most_drawn: int | None = None) -> tuple[int, ...]:
    """Return the sizes at which a delivery may be looked at: the first, and twice as many each time.

    They are fixed by the first, so that a plan can say them. Plans of an earlier version need that: a size chosen
    after seeing what the sample holds would make their accumulated count something else than hypergeometric.

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


class _Sample(NamedTuple):
    """What a look tests: the items not drawn before it, and what is known of those that were.

    `rest` items were left, of which `drawn` were drawn; `known_wrong` and `known_contested` were found before.
    """

    delivery: Delivery
    attempt: int
    rest: int
    drawn: int
    known_wrong: int = 0
    known_contested: int = 0

    @property
    def levels(self) -> Levels:
        """The alpha of the attempt, divided."""
        return attempt_levels(self.attempt, self.delivery.can_be_contested)

    def bound_contested(self, contested: int) -> int:
        """Return the most contested items that the delivery may hold; `contested` of those drawn are."""
        if not self.levels.contested:
            return 0
        return self.known_contested + upper_count(self.rest, self.drawn, contested, self.levels.contested)

    def find_most_wrong(self, contested: int) -> int | None:
        """Return the largest count of wrong labels with which the look accepts, those found before included."""
        settled = self.delivery.population - self.bound_contested(contested)
        allowed = floor_share(self.delivery.error_budget, settled) if settled else -1
        limit = self._find_most(allowed - self.known_wrong, self.drawn - contested, self.levels.wrong)
        return None if limit is None else self.known_wrong + limit

    def find_most_not_right(self) -> int | None:
        """Return the largest count of wrong and contested items together with which a look at both would accept."""
        known = self.known_wrong + self.known_contested
        allowed = floor_share(self.delivery.error_budget, self.delivery.population)
        limit = self._find_most(allowed - known, self.drawn, attempt_alpha(self.attempt))
        return None if limit is None else known + limit

    def is_undecided_kept(self, contested: int) -> bool:
        """Tell whether no more items than allowed can be such that nobody decides them."""
        limit = self.delivery.max_undecided
        return limit is None or self.bound_contested(contested) <= floor_share(limit, self.delivery.population)

    def _find_most(self, allowed: int, most: int, alpha: float) -> int | None:
        """Return the largest count in the sample that shows that the rest holds no more than `allowed`."""
        if allowed < 0:
            return None
        chances = tail(np.arange(min(most, allowed) + 1), self.rest, allowed + 1, self.drawn)
        return int((chances <= alpha).sum()) - 1 if chances[0] <= alpha else None


def judge(delivery: Delivery, looks: Sequence[CheckedLook]) -> Acceptance:
    """Accept a delivery, refuse it, or say how many more labels to check.

    Each look after the first tests what is left: given all that was seen before it, its items are a simple random
    sample of those that were not drawn, and what is known of the others is counted exactly. So the chance that a look
    accepts a bad delivery is at most the alpha of its attempt, whatever was seen and done before it was drawn; looks
    may be skipped. The verdict is on the settled labels; how it would be with contested items counted as wrong is
    said beside it.

    Args:
        delivery: What was fixed beforehand.
        looks: The looks so far, one or more, in their order.

    Returns:
        The verdict of the last look with its bounds.

    Raises:
        AuditError: There is no such look, or the counts are impossible.

    >>> delivery = Delivery(population=5000, error_budget=0.01, first_look=700)
    >>> first = CheckedLook(1, 1, 700, 2)
    >>> judge(delivery, [first]).outcome, judge(delivery, [first._replace(wrong=20)]).outcome
    ('ACCEPT', 'REFUSE')
    >>> verdict = judge(delivery, [first._replace(wrong=3)])
    >>> verdict.outcome, verdict.more, verdict.next_look
    ('OPEN', 2100, Look(number=3, drawn=2800, most_wrong=16))
    """
    _check(delivery, looks)
    total = _merge(looks)
    here, last = (_sample(delivery, [], total), total) if delivery.is_accumulated else (
        _sample(delivery, looks[:-1], looks[-1]), looks[-1]
    )  # fmt: skip
    look = Look(last.number, total.drawn, here.find_most_wrong(last.contested))
    upper, lower, undecided = _upper(here, last), _lower(here, last), _undecided(here, last.contested)
    is_error_kept = look.most_wrong is not None and total.wrong <= look.most_wrong
    is_accepted = is_error_kept and undecided.is_kept
    is_over = lower.without_contested > delivery.error_budget
    is_proven = is_accepted or is_over or undecided.is_exceeded
    following, chance = (None, None) if is_proven else _find_next_look(delivery, total)
    not_right = here.find_most_not_right()
    return Acceptance(
        outcome="ACCEPT" if is_accepted else "REFUSE" if following is None else "OPEN",
        reason=(
            _proven(delivery, look, total, undecided, is_accepted, is_over)
            if is_proven
            else _unproven(delivery, look, total, is_error_kept, undecided, following, chance)
        ),
        is_proven=is_proven,
        look=look,
        attempt=last.attempt,
        wrong=total.wrong,
        contested=total.contested,
        upper=upper,
        lower=lower,
        undecided=undecided,
        is_accepted_with_contested=not_right is not None and total.wrong + total.contested <= not_right,
        next_look=following,
        more=following.drawn - look.drawn if following else 0,
        chance=chance,
    )


def accepts(delivery: Delivery, looks: Sequence[CheckedLook]) -> bool:
    """Tell whether `judge` says ACCEPT; it takes a tenth of the time."""
    _check(delivery, looks)
    before, last = ([], _merge(looks)) if delivery.is_accumulated else (looks[:-1], looks[-1])
    here = _sample(delivery, before, last)
    limit = here.find_most_wrong(last.contested)
    return limit is not None and here.known_wrong + last.wrong <= limit and here.is_undecided_kept(last.contested)


def _merge(looks: Sequence[CheckedLook]) -> CheckedLook:
    """Return all looks as one, under the number and attempt of the last."""
    drawn, wrong, contested = (sum(one[field] for one in looks) for field in (2, 3, 4))
    return CheckedLook(looks[-1].number, looks[-1].attempt, drawn, wrong, contested)


def _sample(delivery: Delivery, before: Sequence[CheckedLook], last: CheckedLook) -> _Sample:
    known = _merge(before) if before else CheckedLook(0, 0, 0, 0)
    return _Sample(
        delivery, last.attempt, delivery.population - known.drawn, last.drawn, known.wrong, known.contested
    )  # fmt: skip


def _upper(here: _Sample, last: CheckedLook) -> Bounds:
    size = here.delivery.population
    settled = size - here.bound_contested(last.contested)
    wrong = here.known_wrong + upper_count(here.rest, here.drawn, last.wrong, here.levels.wrong)
    without = min(1.0, wrong / settled) if settled else 1.0
    bad = upper_count(here.rest, here.drawn, last.wrong + last.contested, attempt_alpha(here.attempt))
    return Bounds(without, max(without, (here.known_wrong + here.known_contested + bad) / size))


def _lower(here: _Sample, last: CheckedLook) -> Bounds:
    """Bound the error from below: at least those contested items that were met are not settled."""
    size, alpha = here.delivery.population, attempt_alpha(here.attempt)
    contested = here.known_contested + last.contested
    # Where too many undecided items refuse a delivery as well, both together keep to the alpha.
    alpha_wrong = alpha if here.delivery.max_undecided is None else here.levels.wrong
    least = here.known_wrong + lower_count(here.rest, here.drawn, last.wrong, alpha_wrong)
    bad = lower_count(here.rest, here.drawn, last.wrong + last.contested, alpha)
    return Bounds(
        least / (size - contested) if size > contested else 0.0, (here.known_wrong + here.known_contested + bad) / size
    )


def _undecided(here: _Sample, contested: int) -> Undecided:
    size, limit, level = here.delivery.population, here.delivery.max_undecided, here.levels.contested
    if not level:
        return Undecided(0.0, 0.0, True, False)
    least = here.known_contested + lower_count(here.rest, here.drawn, contested, level)
    is_exceeded = limit is not None and least > floor_share(limit, size)
    return Undecided(
        least / size, here.bound_contested(contested) / size, here.is_undecided_kept(contested), is_exceeded
    )  # fmt: skip


def _find_next_look(delivery: Delivery, total: CheckedLook) -> tuple[Look | None, float | None]:
    """Return the first later look that accepts with enough chance, if the rest is as wrong as the sample.

    It is taken to be the next attempt; other audits of the same items in between would make it a later one.
    """
    left = delivery.population - total.drawn
    rest_wrong = round(total.wrong / total.drawn * left)
    for number, size in enumerate(look_sizes(delivery.population, delivery.first_look, delivery.most_drawn), 1):
        if number <= total.number:
            continue
        if delivery.is_accumulated:
            sample, drawn = _Sample(delivery, number, delivery.population, size), size
        else:
            drawn = size - total.drawn
            sample = _Sample(delivery, total.attempt + 1, left, drawn, total.wrong, total.contested)
        contested = round(total.contested / total.drawn * drawn)
        limit = sample.find_most_wrong(contested) if sample.is_undecided_kept(contested) else None
        allowed = -1 if limit is None else limit - total.wrong
        chance = float(tail(allowed, left, rest_wrong, size - total.drawn))
        if chance >= ENOUGH_CHANCE:
            return Look(number, size, limit), chance
    return None, None


def _proven(
    delivery: Delivery, look: Look, total: CheckedLook, undecided: Undecided, is_accepted: bool, is_over: bool
) -> str:
    limit = "" if delivery.max_undecided is None else percent(delivery.max_undecided)
    if is_accepted:
        words = f"{total.wrong} wrong in {look.drawn:,} checked, at most {look.most_wrong} allowed"
        if not limit:
            return words
        share = percent(undecided.upper)
        return f"{words}; {total.contested} cannot be decided, at most {share} of the delivery, {limit} allowed"
    if is_over:
        budget = percent(delivery.error_budget)
        return f"{total.wrong} wrong in {look.drawn:,} checked: more than {budget} of the delivery are wrong"
    return (
        f"{total.contested} of {look.drawn:,} checked cannot be decided: more than {limit} of the delivery are so, "
        f"and {limit} are allowed"
    )


def _unproven(
    delivery: Delivery,
    look: Look,
    total: CheckedLook,
    is_error_kept: bool,
    undecided: Undecided,
    following: Look | None,
    chance: float | None,
) -> str:
    parts = []
    if not is_error_kept:
        budget = percent(delivery.error_budget)
        parts.append(
            f"{total.wrong} wrong in {look.drawn:,} checked neither shows that {budget} is kept nor that it is not"
        )
    if not undecided.is_kept:
        parts.append(
            f"{total.contested} of {look.drawn:,} checked cannot be decided, so that up to {percent(undecided.upper)} "
            f"of the delivery may be so, and {percent(delivery.max_undecided or 0.0)} is allowed"
        )
    found = "; ".join(parts)
    if following is None or chance is None:
        most = "everything" if delivery.most_drawn is None else f"{delivery.most_drawn:,}"
        return (
            f"{found}; if the rest is like the sample, even checking {most} would accept with less than "
            f"{ENOUGH_CHANCE:.0%} chance"
        )
    return (
        f"{found}; check {following.drawn - look.drawn:,} more: if the rest is like the sample, they will "
        f"do with {chance:.0%} chance"
    )


def _check(delivery: Delivery, looks: Sequence[CheckedLook]) -> None:
    sizes = look_sizes(delivery.population, delivery.first_look, delivery.most_drawn)
    drawn, number = 0, 0
    if not looks:
        raise AuditError("looks: found none; expected one or more")
    for look in looks:
        drawn += look.drawn
        if not number < look.number <= len(sizes) or drawn != sizes[look.number - 1]:
            raise AuditError(
                f"look: found {look.number} with {drawn} drawn; expected ascending numbers, 1 to {len(sizes)}, with "
                f"{', '.join(map(str, sizes))} drawn"
            )
        if look.wrong < 0 or look.contested < 0 or look.wrong + look.contested > look.drawn:
            raise AuditError(
                f"wrong and contested: found {look.wrong} and {look.contested}; expected counts that add up to at "
                f"most {look.drawn}, the items drawn"
            )
        number = look.number
