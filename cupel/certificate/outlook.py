"""The outlook: what an audit will show experts, cost, and how likely it passes, if a guess of the risk is right."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from cupel.certificate.auditors import thinned_tail
from cupel.certificate.design import Design, FixedSequence, Rising
from cupel.certificate.evidence import Limits
from cupel.certificate.hypergeometric import Reals, upper_count
from cupel.certificate.rising import Rise, rising_shares
from cupel.certificate.rising_plan import MANY_PATHS, SEED, exponentials, rising_costs
from cupel.certificate.risk import Course
from cupel.certificate.sequence import count_passed, cut_positions, floor_share
from cupel.certificate.slice_budgets import SliceBudget, most_allowed, tested_level
from cupel.errors import AuditError

REPLAYS = 60
HIGH_QUANTILE = 0.8
# Audits worth a look, in multiples of the smallest that could prove the budget without a single error.
TIMES_SMALLEST = (1.0, 1.5, 2.0, 3.0)


class Prices(NamedTuple):
    """What an expert's verdict on an item takes: answers, and money and seconds for each."""

    answers: int = 1
    answer: float = 0.0
    seconds: float = 0.0


class Outlook(NamedTuple):
    """What is to be expected of a design; shares are of all items, money and hours are those of the experts.

    `audited` is the size of the audit or of its first wave; `seen_share` is what experts see on average,
    `seen_share_high` what they see at most in four of five cases; `pass_chance` is the chance that this is no
    more than the project allows. `guess` names the guess of the risk.
    """

    guess: str
    design: Design
    audited: int
    seen_share: float
    seen_share_high: float
    cost: float
    cost_high: float
    hours: float
    pass_chance: float


def outlook(guess: str, course: Course, design: Design, limits: Limits, prices: Prices) -> Outlook:
    """Return what is to be expected of a design, replayed on sets that a guess of the risk makes up.

    No label is looked at, and nothing here enters the audit: a wrong guess makes a wrong outlook, and the
    certificate is as valid. Items are taken to be settled, none contested, and adjudicators who are audited to be
    right: what is judged again is in the cost, that it may refuse the release is not in the chance. So are auditors
    taken to be right about all planted items, which are in the cost and in what is seen.

    Args:
        guess: Name of the guess.
        course: Wrong labels guessed along the risk order.
        design: A fixed sequence or a rising audit; others are not planned here.
        limits: Budget, attempt, and what experts may see.
        prices: What a verdict takes.

    Raises:
        AuditError: The design is another.

    >>> course = Course(np.array([0.0, 9000.0, 10_000.0]), np.array([0.0, 5.0, 105.0]))
    >>> plan = outlook("a guess", course, Rising(1.0, 6), Limits(0.01, 1, 0.3), Prices(1, 0.5))
    >>> round(plan.seen_share, 2), plan.pass_chance
    (0.11, 1.0)
    """
    size = course.population
    if isinstance(design, Rising):
        seen, audited = _rising(course, design, limits)
    elif isinstance(design, FixedSequence):
        seen, audited = _fixed_sequence(course, min(design.size, size), limits), min(design.size, size)
    else:
        raise AuditError("outlook: found another design; the fixed sequence and the rising audit can be planned")
    again = np.clip(seen - audited / size, 0.0, limits.adjudicators_audited / size)
    # Planted items that are audited or adjudicated anyway are counted twice: it is an outlook.
    seen = np.minimum(seen + limits.planted_errors / size, 1.0)
    mean, high = float(seen.mean()), float(np.quantile(seen, HIGH_QUANTILE))
    most = floor_share(limits.max_experts_seen_share, size) / size
    mean_judged, high_judged = float((seen + again).mean()), float(np.quantile(seen + again, HIGH_QUANTILE))
    each = size * prices.answers
    return Outlook(
        guess=guess,
        design=design,
        audited=audited,
        seen_share=mean,
        seen_share_high=high,
        cost=mean_judged * each * prices.answer,
        cost_high=high_judged * each * prices.answer,
        hours=mean_judged * each * prices.seconds / 3600,
        pass_chance=float((seen <= most + 1e-12).mean()),
    )


def outlooks(
    courses: Iterable[tuple[str, Course]], rise: Rise, sizes: Sequence[int], limits: Limits, prices: Prices
) -> list[Outlook]:
    """Return the outlook of a rising audit and of fixed sequences of several sizes, for each guess."""
    designs: list[Design] = [Rising(*rise), *(FixedSequence(size) for size in sizes)]
    return [outlook(guess, course, design, limits, prices) for guess, course in courses for design in designs]


class BudgetOutlook(NamedTuple):
    """What a budget by class or slice is expected to cost, were it the only one; shares are of all items.

    `audited` is its first wave, `seen_share` what experts see for it, items that they would see anyway included.
    """

    guess: str
    name: str
    share: float
    items: int
    audited: int
    seen_share: float
    cost: float


def budget_outlook(
    guess: str, course: Course, budget: SliceBudget, items: int, base: int, population: int, limits: Limits,
    prices: Prices,
) -> BudgetOutlook:  # fmt: skip
    """Return what is to be expected of a budget's audit, by a guess of what counts among its items.

    Args:
        guess: Name of the guess.
        course: What counts against it, along the risk order of its items.
        budget: The budget.
        items: Its items.
        base: Items that its share is of.
        population: Items of the release.
        limits: What was declared besides.
        prices: What a verdict takes.
    """
    level, allowed = tested_level(limits), max(most_allowed(budget, base), 0)
    if isinstance(budget.design, Rising):
        rise = Rise(budget.design.gain, budget.design.steps)
        shares = rising_shares(rise, allowed, level, limits.best_sensitivity)
        seen, audited = (
            rising_costs(shares, course, exponentials(MANY_PATHS, rise.steps)),
            round(float(shares[0]) * items),
        )
    elif isinstance(budget.design, FixedSequence):
        audited = min(budget.design.size, items)
        seen = _replay_sequence(course, audited, allowed, level, limits.best_sensitivity)
    else:
        raise AuditError("outlook: found another design; the fixed sequence and the rising audit can be planned")
    share = float(seen.mean()) * items / population
    cost = share * population * prices.answers * prices.answer
    return BudgetOutlook(guess, budget.name, budget.share, base, audited, share, cost)


def sensible_sizes(population: int, limits: Limits) -> list[int]:
    """Return sizes of a fixed sequence's audit worth a look, ascending.

    >>> sensible_sizes(10_000, Limits(0.01, 1, 0.3, can_be_contested=False))
    [313, 470, 626, 939]
    """
    allowed = floor_share(limits.tested_budget, population)
    smallest = smallest_proof(population, allowed, limits.levels.wrong, limits.best_sensitivity)
    return sorted({min(population, round(smallest * times)) for times in TIMES_SMALLEST})


def smallest_proof(population: int, allowed: int, level: float, sensitivity: float = 1.0) -> int:
    """Return the smallest sample that proves, without a find, that no more than the allowed labels are wrong.

    Args:
        population: Items in all.
        allowed: Wrong labels allowed.
        level: Chance that it proves so falsely.
        sensitivity: Chance that a wrong label that was drawn is found.

    >>> smallest_proof(10_000, 100, 0.05)
    291
    """
    low, high = 1, max(population, 1)
    while low < high:
        middle = (low + high) // 2
        is_enough = float(thinned_tail(0, population, allowed + 1, middle, sensitivity)) <= level
        low, high = (low, middle) if is_enough else (middle + 1, high)
    return low


def _rising(course: Course, design: Rising, limits: Limits) -> tuple[Reals, int]:
    size = course.population
    level = limits.levels.wrong
    rise, allowed = Rise(design.gain, design.steps), floor_share(limits.tested_budget, size)
    shares = rising_shares(rise, allowed, level, limits.best_sensitivity)
    return rising_costs(shares, course, exponentials(MANY_PATHS, design.steps)), round(float(shares[0]) * size)


def _fixed_sequence(course: Course, drawn: int, limits: Limits) -> Reals:
    """Return the share of items seen in replayed audits: drawn, or behind the last cut that passed."""
    size, levels = course.population, limits.levels
    contested = upper_count(size, drawn, 0, levels.contested) if levels.contested else 0
    allowed = floor_share(limits.tested_budget, size - contested)
    return _replay_sequence(course, drawn, allowed, levels.wrong, limits.best_sensitivity)


def _replay_sequence(course: Course, drawn: int, allowed: int, level: float, sensitivity: float) -> Reals:
    size, rng = course.population, np.random.default_rng(SEED)
    positions = cut_positions(size)
    items = np.diff(positions, prepend=0)
    wrong = np.diff(np.interp(positions, course.items, course.wrong), prepend=0.0)
    sample = rng.multivariate_hypergeometric(items, drawn, size=REPLAYS, method="marginals")
    found = rng.binomial(np.minimum(rng.poisson(wrong, size=sample.shape), items), sample / items)
    audited, met = np.cumsum(sample, axis=1), np.cumsum(found, axis=1)
    p_values = thinned_tail(met, positions, allowed + 1, audited, sensitivity)
    passed = count_passed(p_values, level)
    accepted = np.concatenate([[0], positions])[passed]
    before = np.concatenate([np.zeros((REPLAYS, 1), dtype=np.int64), audited], axis=1)
    seen: Reals = (before[np.arange(REPLAYS), passed] + size - accepted) / size
    return seen
