"""Budgets and bounds of a delivery by class and slice: each is a test of its own items by a sample of them.

Each has samples of its own, one a look, drawn of what its earlier samples left. Given all that happened before, such a
sample is a simple random one of the items that were left, whatever it was that made somebody take this look.
"""

from fractions import Fraction
from math import floor
from typing import NamedTuple

from cupel.certificate.attempts import ALPHA_CONTESTED_SHARE, attempt_alpha, attempt_levels
from cupel.certificate.hypergeometric import tail
from cupel.certificate.sampled_rest import SampledRest
from cupel.certificate.slice_budgets import LEAST_SLICE_ITEMS


class PartLook(NamedTuple):
    """What a look adds on some items: its attempt, how many it drew, how many of those count, and are contested."""

    attempt: int
    drawn: int
    counted: int
    contested: int = 0


class PartItems(NamedTuple):
    """Some items of a delivery, `size` of them, and what each look so far says of them.

    `known` and `known_contested` are counts of all that were checked, for whatever sample: they are facts. Of right
    items, the latter counts those that were found not to be.
    """

    size: int
    looks: tuple[PartLook, ...]
    known: int = 0
    known_contested: int = 0

    @property
    def drawn(self) -> int:
        """How many were drawn so far."""
        return sum(look.drawn for look in self.looks)

    @property
    def counted(self) -> int:
        """How many of those drawn count."""
        return sum(look.counted for look in self.looks)

    @property
    def contested(self) -> int:
        """How many of those drawn are contested."""
        return sum(look.contested for look in self.looks)

    def sampled_at(self, place: int) -> SampledRest:
        """Return what the look in that place, from 0 on, had left, and drew."""
        before = self._replace(looks=self.looks[:place])
        drawn = self.looks[place].drawn if place < len(self.looks) else 0
        return SampledRest(self.size, self.size - before.drawn, drawn, before.counted, before.contested)


class PartShare(NamedTuple):
    """A share that is bounded, and what is known of it.

    Of `items`, contested ones aside, those that count are wrong; where `right` is given, those that count are missed,
    and the share is of them and the right ones, which count in `right`.
    """

    items: PartItems
    right: PartItems | None = None

    @property
    def is_small(self) -> bool:
        """Tell whether there are so few items that nothing is said of them."""
        return (self.items if self.right is None else self.right).size < LEAST_SLICE_ITEMS


class PartLevels(NamedTuple):
    """Alpha of what counts, and of the other bound: of contested items, or of the right ones."""

    counted: float
    other: float


class PartState(NamedTuple):
    """Where a budget stands: kept or over by any look so far, and the lowest upper bound of the share."""

    is_kept: bool
    is_over: bool
    upper: float


def divide_budget_alpha(attempt: int, can_be_contested: bool, is_missed: bool) -> PartLevels:
    """Return the levels that a budget is tested by: those of the whole, as all budgets are needed for an acceptance."""
    levels = attempt_levels(attempt, can_be_contested, bounds_slices=True)
    if not is_missed:
        return PartLevels(levels.wrong, levels.contested)
    # Contested items are of no class, so what bounds them has nothing to bound; the right ones have as much.
    return PartLevels(levels.wrong + levels.contested - levels.slices, levels.slices)


def divide_bound_alpha(attempt: int, can_be_contested: bool, is_missed: bool, bounds: int) -> PartLevels:
    """Return the levels of one of so many bounds that are shown, all of them together by their part of the alpha."""
    level = attempt_levels(attempt, can_be_contested, bounds_slices=True).slices / bounds
    other = level * ALPHA_CONTESTED_SHARE if can_be_contested or is_missed else 0.0
    return PartLevels(level - other, other)


def bound_share(share: PartShare, can_be_contested: bool, bounds: int) -> float | None:
    """Return the upper bound of a share that is shown, one of so many; None where nothing is shown.

    Args:
        share: What is known.
        can_be_contested: Items may be contested.
        bounds: How many are shown.
    """
    if share.is_small or not share.items.drawn:
        return None
    upper = 1.0
    for place, look in enumerate(share.items.looks):
        levels = divide_bound_alpha(look.attempt, can_be_contested, share.right is not None, bounds)
        bound = _upper_of_right_at if levels.other else _upper_at
        upper = min(upper, bound(share, place, levels))
    return upper if upper < 1 else None


def judge_budget(share: PartShare, budget: float, can_be_contested: bool, budgets: int) -> PartState:
    """Tell whether any look shows that a budget is kept, or that it is not.

    Args:
        share: What is known.
        budget: The highest share allowed.
        can_be_contested: Items may be contested.
        budgets: How many there are beside that of the whole; that any is exceeded is said falsely by the alpha at most.
    """
    is_kept, is_over, upper = False, _is_known_over(share, budget), 1.0
    for place, look in enumerate(share.items.looks):
        levels = divide_budget_alpha(look.attempt, can_be_contested, share.right is not None)
        upper = min(upper, _upper_at(share, place, levels))
        counted = share.items.sampled_at(place).bound_upper(look.counted, levels.counted)
        is_kept |= counted <= _allowed_at(share, budget, place, levels)
        slices = attempt_levels(look.attempt, can_be_contested, bounds_slices=True).slices
        is_over |= _lower_at(share, place, (attempt_alpha(look.attempt) - slices) / (1 + budgets)) > budget
    return PartState(is_kept and not is_over, is_over, upper)


def expect_budget(share: PartShare, budget: float, can_be_contested: bool, drawn: int, drawn_right: int) -> float:
    """Return the chance that a further look shows that a budget is kept, if the rest is like the sample.

    Args:
        share: What is known.
        budget: The highest share allowed.
        can_be_contested: Items may be contested.
        drawn: Further items that the look draws.
        drawn_right: Further items that it draws of those labelled so, where the share is of what is missed.
    """
    items, place = share.items, len(share.items.looks)
    attempt = (items.looks[-1].attempt if items.looks else 0) + 1
    levels = divide_budget_alpha(attempt, can_be_contested, share.right is not None)
    following = share._replace(
        items=_add_look(items, attempt, drawn),
        right=None if share.right is None else _add_look(share.right, attempt, drawn_right),
    )
    rest, look = following.items.sampled_at(place), following.items.looks[-1]
    allowed = _allowed_at(following, budget, place, levels)
    most = rest.find_most(allowed, look.drawn - look.contested, levels.counted)
    if most is None:
        return 0.0
    return float(tail(most - rest.known, rest.rest, round(_share_of(items.counted, items) * rest.rest), look.drawn))


def allowed_missed(budget: float, right: int) -> int:
    """Return how many items of a class may be missed, so that their share of them and the right ones is in the budget.

    >>> allowed_missed(0.1, 900)
    100
    """
    share = Fraction(repr(float(budget)))
    return floor(share / (1 - share) * right)


def _add_look(items: PartItems, attempt: int, drawn: int) -> PartItems:
    """Return items with a further look at so many, which are like those drawn before."""
    size = min(drawn, items.size - items.drawn)
    found = (round(_share_of(count, items) * size) for count in (items.counted, items.contested))
    return items._replace(looks=(*items.looks, PartLook(attempt, size, *found)))


def _share_of(count: int, items: PartItems) -> float:
    return count / items.drawn if items.drawn else 0.0


def _upper_at(share: PartShare, place: int, levels: PartLevels) -> float:
    look, rest = share.items.looks[place], share.items.sampled_at(place)
    counted = rest.bound_upper(look.counted, levels.counted)
    if share.right is not None:
        total = counted + _least_right(share.right, place, levels.other)
    else:
        total = rest.size - rest.bound_contested(look.contested, levels.other)
    return min(1.0, counted / total) if total else 1.0


def _upper_of_right_at(share: PartShare, place: int, levels: PartLevels) -> float:
    """Bound what counts by what counts at most and what is right at least: a bound also where half of it counts.

    What is contested is neither, so of wrong ones this is the share of the settled, as in `_upper_at`.
    """
    look, rest = share.items.looks[place], share.items.sampled_at(place)
    counted = rest.bound_upper(look.counted, levels.counted)
    if share.right is not None:
        right = _least_right(share.right, place, levels.other)
    else:
        known = rest.size - rest.rest - rest.known - rest.known_contested
        found = look.drawn - look.counted - look.contested
        right = rest._replace(known=known).bound_lower(found, levels.other)
    return counted / (counted + right) if counted + right else 1.0


def _allowed_at(share: PartShare, budget: float, place: int, levels: PartLevels) -> int:
    if share.right is not None:
        return allowed_missed(budget, _least_right(share.right, place, levels.other))
    look = share.items.looks[place]
    return share.items.sampled_at(place).count_allowed(budget, look.contested, levels.other)


def _least_right(right: PartItems, place: int, alpha: float) -> int:
    return right.sampled_at(place).bound_lower(right.looks[place].counted, alpha)


def _lower_at(share: PartShare, place: int, alpha: float) -> float:
    look, rest = share.items.looks[place], share.items.sampled_at(place)
    if share.right is None:
        settled = rest.size - rest.known_contested - look.contested
        return rest.bound_lower(look.counted, alpha) / settled if settled else 0.0
    missed = rest.bound_lower(look.counted, alpha / 2)
    right = share.right.sampled_at(place).bound_upper(share.right.looks[place].counted, alpha / 2)
    return missed / (missed + right) if missed else 0.0


def _is_known_over(share: PartShare, budget: float) -> bool:
    """Tell whether what was seen exceeds a budget by itself, were all the rest as it should be."""
    items, right = share.items, share.right
    total = items.size - items.known_contested if right is None else items.known + right.size - right.known_contested
    return bool(total) and items.known / total > budget
