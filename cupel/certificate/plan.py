"""The planner: how many items to audit, how many wrong ones may turn up, and the chance to pass."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from cupel.certificate.attempts import Levels
from cupel.certificate.hypergeometric import Integers, tail, upper_counts
from cupel.certificate.sequence import floor_share
from cupel.errors import AuditError

_LIMITS_AT_ONCE = 64


class AuditPlan(NamedTuple):
    """An audit of all items, none adjudicated.

    `most_wrong` is the largest number of wrong labels with which it passes, None where even 0 is too many;
    `chances` are the chances to pass, one for each true error asked about.
    """

    drawn: int
    most_wrong: int | None
    chances: tuple[float, ...]


def most_wrong(population: int, drawn: int, error_budget: float, levels: Levels, contested: int = 0) -> int | None:
    """Return the largest number of wrong labels with which an audit shows that the budget is kept.

    Args:
        population: Items in all, at least 1.
        drawn: Items drawn, 0 <= drawn <= population.
        error_budget: Highest share of wrong labels among the settled items.
        levels: The attempt's alpha, divided; see `attempt_levels`.
        contested: Items drawn on which experts stay split.

    Returns:
        A count, or None where the audit is too small to pass even without a wrong label.

    Raises:
        AuditError: The counts are impossible.

    >>> most_wrong(10_000, 700, 0.01, Levels(0.035, 0.005))
    2
    """
    _check(population, drawn, error_budget, contested, levels)
    limit = int(_most_wrong(population, np.array([drawn]), error_budget, levels, contested)[0])
    return None if limit < 0 else limit


def plan_audits(
    population: int, error_budget: float, levels: Levels, sizes: Sequence[int], true_errors: Sequence[float]
) -> list[AuditPlan]:
    """Say for each size of an audit when it passes, and with which chance at each true error.

    Chances are exact for a set without contested items; each contested item makes them a little smaller.

    Args:
        population: Items in all, at least 1.
        error_budget: Highest share of wrong labels.
        levels: The attempt's alpha, divided.
        sizes: Numbers of items drawn.
        true_errors: Shares of wrong labels to be ready for; each is rounded up to whole items.

    Raises:
        AuditError: A size or share is impossible.

    >>> plan = plan_audits(10_000, 0.01, Levels(0.035, 0.005), [700], [0.002, 0.02])[0]
    >>> plan.most_wrong, [round(chance, 3) for chance in plan.chances]
    (2, [0.839, 0.0])
    """
    wrong = [_whole(true_error, population) for true_error in true_errors]
    plans = []
    for size in sizes:
        limit = most_wrong(population, size, error_budget, levels)
        chances = tail(-1 if limit is None else limit, population, wrong, size)
        plans.append(AuditPlan(size, limit, tuple(float(chance) for chance in chances)))
    return plans


def smallest_audit(
    population: int, error_budget: float, levels: Levels, true_error: float, chance: float = 0.8
) -> AuditPlan | None:
    """Return the smallest audit that passes with at least a given chance, if the true error is as guessed.

    For each number of wrong labels let through only the smallest audit that allows it can be the answer: a
    larger one with the same limit passes less often.

    Args:
        population: Items in all, at least 1.
        error_budget: Highest share of wrong labels.
        levels: The attempt's alpha, divided.
        true_error: Share of wrong labels that is guessed, rounded up to whole items.
        chance: Chance to pass, 0 to 1.

    Returns:
        The plan with its one chance; None where the guessed error is over the budget, so that no audit
        should pass.

    Raises:
        AuditError: A share is impossible.

    >>> smallest_audit(10_000, 0.01, Levels(0.035, 0.005), 0.0)
    AuditPlan(drawn=332, most_wrong=0, chances=(1.0,))
    """
    _check(population, population, error_budget, 0, levels)
    if not 0 <= chance <= 1:
        raise AuditError(f"chance: found {chance}; expected a share, 0 to 1")
    wrong = _whole(true_error, population)
    if wrong > floor_share(error_budget, population):
        return None
    start = 0
    while True:
        limits = np.arange(start, start + _LIMITS_AT_ONCE, dtype=np.int64)
        sizes = _smallest_sizes(population, error_budget, levels, limits)
        chances = tail(limits, population, wrong, sizes)
        enough = np.flatnonzero(chances >= chance)
        if enough.size:
            size = int(sizes[enough[0]])
            return plan_audits(population, error_budget, levels, [size], [true_error])[0]
        start += _LIMITS_AT_ONCE


def _allowed(population: int, drawn: Integers, error_budget: float, levels: Levels, contested: int) -> Integers:
    """Return B for each size of an audit: the wrong labels that the settled items may hold; -1 if none need be."""
    if not levels.contested:
        return np.full(drawn.shape, floor_share(error_budget, population), dtype=np.int64)
    settled = population - upper_counts(population, drawn, contested, levels.contested)
    return np.array([floor_share(error_budget, int(count)) if count else -1 for count in settled], dtype=np.int64)


def _most_wrong(population: int, drawn: Integers, error_budget: float, levels: Levels, contested: int) -> Integers:
    """Return the largest count that passes for each size, -1 where none does."""
    allowed = _allowed(population, drawn, error_budget, levels, contested)
    low, high = np.full(drawn.shape, -1, dtype=np.int64), np.minimum(drawn - contested, allowed)
    while np.any(low < high):
        middle = (low + high + 1) // 2
        is_passed = tail(middle, population, allowed + 1, drawn) <= levels.wrong
        low, high = np.where(is_passed, middle, low), np.where(is_passed, high, middle - 1)
    return low


def _smallest_sizes(population: int, error_budget: float, levels: Levels, limits: Integers) -> Integers:
    """Return for each limit the smallest audit that passes with that many wrong; all items where none does."""
    low, high = np.minimum(limits, population), np.full(limits.shape, population, dtype=np.int64)
    while np.any(low < high):
        middle = (low + high) // 2
        allowed = _allowed(population, middle, error_budget, levels, 0)
        is_passed = tail(limits, population, allowed + 1, middle) <= levels.wrong
        low, high = np.where(is_passed, low, middle + 1), np.where(is_passed, middle, high)
    return low


def _whole(true_error: float, population: int) -> int:
    if not 0 <= true_error <= 1:
        raise AuditError(f"true error: found {true_error}; expected a share, 0 to 1")
    return math.ceil(Fraction(repr(float(true_error))) * population)


def _check(population: int, drawn: int, error_budget: float, contested: int, levels: Levels) -> None:
    if population < 1:
        raise AuditError(f"items: found {population}; expected at least 1")
    if not 0 <= drawn <= population:
        raise AuditError(f"drawn: found {drawn}; expected 0 to {population}, the items there are")
    if not 0 <= contested <= drawn:
        raise AuditError(f"contested: found {contested}; expected 0 to {drawn}, the items drawn")
    if contested and not levels.contested:
        raise AuditError(f"contested: found {contested}, although no alpha was set aside for contested items")
    if not 0 < error_budget < 1:
        raise AuditError(f"error budget: found {error_budget}; expected a share between 0 and 1, such as 0.01")
