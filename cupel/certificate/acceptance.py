"""Acceptance of a delivery that nobody adjudicates: looks at growing samples, and what each look says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from cupel.certificate.attempts import Levels, attempt_alpha, attempt_levels
from cupel.certificate.hypergeometric import tail
from cupel.certificate.result import Bounds, percent
from cupel.certificate.sampled_rest import SampledRest
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
    for plans of an earlier version, whose looks are tests of all items drawn so far. `bounds_slices` tells that bounds
    by class and slice are shown beside the verdict, by alpha of their own; `budgets` is how many budgets they have.
    """

    population: int
    error_budget: float
    first_look: int
    most_drawn: int | None = None
    can_be_contested: bool = True
    max_undecided: float | None = None
    is_accumulated: bool = False
    bounds_slices: bool = False
    budgets: int = 0


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

    `reason` is what was `found` with what follows from it. `is_proven` tells a refusal because the delivery is over its
    budget, or holds more undecided items than allowed, from one because no further look is worth it. Bounds are shares
    of the settled labels, and of all with contested items counted as wrong. `is_accepted_with_contested` says whether
    the delivery would pass with them counted so. `next_look` and its `chance` are set when more is to be checked.
    """

    outcome: Outcome
    reason: str
    found: str
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
    """What a look tests: the items not drawn before it, and what is known of those that were."""

    delivery: Delivery
    attempt: int
    items: SampledRest

    @property
    def levels(self) -> Levels:
        """The alpha of the attempt, divided."""
        return attempt_levels(self.attempt, self.delivery.can_be_contested, self.delivery.bounds_slices)

    @property
    def alpha(self) -> float:
        """What all tests of the look may spend together, without the bounds that are shown beside them."""
        return attempt_alpha(self.attempt) - self.levels.slices

    def bound_contested(self, contested: int) -> int:
        """Return the most contested items that the delivery may hold; `contested` of those drawn are."""
        return self.items.bound_contested(contested, self.levels.contested)

    def find_most_wrong(self, contested: int) -> int | None:
        """Return the largest count of wrong labels with which the look accepts, those found before included."""
        allowed = self.items.count_allowed(self.delivery.error_budget, contested, self.levels.contested)
        return self.items.find_most(allowed, self.items.drawn - contested, self.levels.wrong)

    def find_most_not_right(self) -> int | None:
        """Return the largest count of wrong and contested items together with which a look at both would accept."""
        both = self.items._replace(known=self.items.known + self.items.known_contested)
        allowed = floor_share(self.delivery.error_budget, self.delivery.population)
        return both.find_most(allowed, self.items.drawn, self.alpha)

    def is_undecided_kept(self, contested: int) -> bool:
        """Tell whether no more items than allowed can be such that nobody decides them."""
        limit = self.delivery.max_undecided
        return limit is None or self.bound_contested(contested) <= floor_share(limit, self.delivery.population)


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
    total = merge_looks(looks)
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
    found = (
        _describe_proof(delivery, look, total, undecided, is_accepted, is_over)
        if is_proven
        else _describe_doubt(delivery, look, total, is_error_kept, undecided)
    )
    return Acceptance(
        outcome="ACCEPT" if is_accepted else "REFUSE" if following is None else "OPEN",
        reason=found if is_proven else f"{found}; {_describe_next(delivery, look, following, chance)}",
        found=found,
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
    before, last = ([], merge_looks(looks)) if delivery.is_accumulated else (looks[:-1], looks[-1])
    here = _sample(delivery, before, last)
    limit = here.find_most_wrong(last.contested)
    return limit is not None and here.items.known + last.wrong <= limit and here.is_undecided_kept(last.contested)


def merge_looks(looks: Sequence[CheckedLook]) -> CheckedLook:
    """Return all looks, one or more, as one, under the number and attempt of the last."""
    drawn, wrong, contested = (sum(one[field] for one in looks) for field in (2, 3, 4))
    return CheckedLook(looks[-1].number, looks[-1].attempt, drawn, wrong, contested)


def _sample(delivery: Delivery, before: Sequence[CheckedLook], last: CheckedLook) -> _Sample:
    known = merge_looks(before) if before else CheckedLook(0, 0, 0, 0)
    size = delivery.population
    return _Sample(
        delivery, last.attempt, SampledRest(size, size - known.drawn, last.drawn, known.wrong, known.contested)
    )  # fmt: skip


def _upper(here: _Sample, last: CheckedLook) -> Bounds:
    items = here.items
    settled = items.size - here.bound_contested(last.contested)
    wrong = items.bound_upper(last.wrong, here.levels.wrong)
    without = min(1.0, wrong / settled) if settled else 1.0
    bad = items.known_contested + items.bound_upper(last.wrong + last.contested, here.alpha)
    return Bounds(without, max(without, bad / items.size))


def _lower(here: _Sample, last: CheckedLook) -> Bounds:
    """Bound the error from below: at least those contested items that were met are not settled.

    That a delivery is over any of its budgets is said of a good one with a chance of the alpha at most.
    """
    items, tests = here.items, 1 + here.delivery.budgets
    contested = items.known_contested + last.contested
    # Where too many undecided items refuse a delivery as well, both together keep to the alpha.
    alpha_wrong = here.alpha if here.delivery.max_undecided is None else here.levels.wrong
    least = items.bound_lower(last.wrong, alpha_wrong / tests)
    bad = items.known_contested + items.bound_lower(last.wrong + last.contested, here.alpha / tests)
    return Bounds(least / (items.size - contested) if items.size > contested else 0.0, bad / items.size)


def _undecided(here: _Sample, contested: int) -> Undecided:
    items, limit, level = here.items, here.delivery.max_undecided, here.levels.contested
    if not level:
        return Undecided(0.0, 0.0, True, False)
    of_contested = items._replace(known=items.known_contested)
    least = of_contested.bound_lower(contested, level / (1 + here.delivery.budgets))
    is_exceeded = limit is not None and least > floor_share(limit, items.size)
    return Undecided(
        least / items.size, here.bound_contested(contested) / items.size, here.is_undecided_kept(contested), is_exceeded
    )  # fmt: skip


def _find_next_look(delivery: Delivery, total: CheckedLook) -> tuple[Look | None, float | None]:
    """Return the first later look that accepts with enough chance, if the rest is as wrong as the sample."""
    for number in range(total.number + 1, len(look_sizes(*_schedule(delivery))) + 1):
        look, chance = expect_look(delivery, total, number)
        if chance >= ENOUGH_CHANCE:
            return look, chance
    return None, None


def expect_look(delivery: Delivery, total: CheckedLook, number: int) -> tuple[Look, float]:
    """Return a later look, and its chance to accept if the rest is as wrong as the sample.

    It is taken to be the next attempt; other audits of the same items in between would make it a later one.

    Args:
        delivery: What was fixed beforehand.
        total: All looks so far as one, under number and attempt of the last.
        number: Of the later look.
    """
    size, left = look_sizes(*_schedule(delivery))[number - 1], delivery.population - total.drawn
    rest_wrong = round(total.wrong / total.drawn * left)
    if delivery.is_accumulated:
        sample, drawn = _Sample(delivery, number, SampledRest(delivery.population, delivery.population, size)), size
    else:
        drawn = size - total.drawn
        items = SampledRest(delivery.population, left, drawn, total.wrong, total.contested)
        sample = _Sample(delivery, total.attempt + 1, items)
    contested = round(total.contested / total.drawn * drawn)
    limit = sample.find_most_wrong(contested) if sample.is_undecided_kept(contested) else None
    allowed = -1 if limit is None else limit - total.wrong
    return Look(number, size, limit), float(tail(allowed, left, rest_wrong, size - total.drawn))


def _schedule(delivery: Delivery) -> tuple[int, int, int | None]:
    return delivery.population, delivery.first_look, delivery.most_drawn


def _describe_proof(
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


def _describe_doubt(
    delivery: Delivery, look: Look, total: CheckedLook, is_error_kept: bool, undecided: Undecided
) -> str:  # fmt: skip
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
    return "; ".join(parts)


def _describe_next(delivery: Delivery, look: Look, following: Look | None, chance: float | None) -> str:
    if following is None or chance is None:
        most = "everything" if delivery.most_drawn is None else f"{delivery.most_drawn:,}"
        return (
            f"if the rest is like the sample, even checking {most} would accept with less than {ENOUGH_CHANCE:.0%} "
            "chance"
        )
    return (
        f"check {following.drawn - look.drawn:,} more: if the rest is like the sample, they will do with {chance:.0%} "
        "chance"
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
