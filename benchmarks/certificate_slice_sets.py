"""Frozen sets with a rare class and a small slice that hold too many errors, placed to deceive budgets and bounds."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from cupel.certificate.design import Design, FixedSequence, Rising
from cupel.certificate.evidence import Limits
from cupel.certificate.hypergeometric import Integers
from cupel.certificate.outlook import smallest_proof
from cupel.certificate.result import Terms
from cupel.certificate.rising_plan import choose_rise
from cupel.certificate.sequence import Flags, cut_positions, floor_share
from cupel.certificate.slice_budgets import CLASS, MISSED, WRONG, SliceBudget, most_allowed, tested_level
from cupel.release.audit_design import TIMES_SMALLEST

SEED = 1853
SIZE, BUDGET, RARE_BUDGET, SMALL_BUDGET = 2_000, 0.02, 0.05, 0.05
RARE, CLASSES = 0, 3
SMALL_ITEMS, SMALL = 40, 0
# Of the set with a budget for each of some sources that share no item.
SOURCES, SOURCE_ITEMS, LOOSE_BUDGET = 5, 240, 0.1
CONTESTED = -1


class SlicedSet(NamedTuple):
    """A frozen set in risk order: the label of each item, what experts say (`CONTESTED` where they stay split), and
    which source it is of. `budgets` are those declared; their designs are chosen by `declare`.
    """

    name: str
    labels: Integers
    verdicts: Integers
    sources: Integers
    budgets: tuple[SliceBudget, ...]
    error_budget: float = BUDGET

    @property
    def is_contested(self) -> Flags:
        """Items without a right label."""
        return np.asarray(self.verdicts == CONTESTED)

    @property
    def is_wrong(self) -> Flags:
        """Settled items whose label differs."""
        return np.asarray((self.labels != self.verdicts) & ~self.is_contested)

    def find(self, budget: SliceBudget) -> tuple[Flags, Flags, Flags, Flags]:
        """Return items, those that count, base and unfit items of a budget; see `slice_budgets.Slice`."""
        if budget.by != CLASS:
            inside = self.sources == int(budget.value)
            return inside, inside & self.is_wrong, inside, inside & self.is_contested
        base, is_said = self.labels == RARE, self.verdicts == RARE
        if budget.counts == MISSED:
            return ~base, ~base & is_said, base, base & ~is_said
        return base, base & ~is_said & ~self.is_contested, base, base & ~is_said


def sets(rare_share: float, counts: str) -> Iterator[SlicedSet]:
    """Yield the sets that are replayed; in each the errors of the rare class are wrong labels, or missed items."""
    rng = np.random.default_rng([SEED, round(1000 * rare_share)])
    labels = _labels(rare_share, rng)
    sources = np.ones(SIZE, np.int64)
    sources[rng.permutation(np.flatnonzero(labels != RARE))[:SMALL_ITEMS]] = SMALL
    budgets = (SliceBudget(CLASS, "rare", counts, RARE_BUDGET, FixedSequence(1)),)
    whole = floor_share(BUDGET, SIZE) + 1
    inside = labels == RARE if counts == WRONG else labels != RARE
    own, others = np.flatnonzero(inside), np.flatnonzero(labels != RARE)
    over = errors_over(rare_share, counts)

    def make(name: str, of_class: Integers, of_others: Integers) -> SlicedSet:
        return _set(name, labels, sources, budgets, counts, of_class, of_others)

    some, rest = rng.permutation(own), rng.permutation(others)
    yield make("rarest class just over, the whole within", some[:over], rest[:0])
    yield make("rarest class just over, the whole just over", some[:over], rest[over:whole])
    yield make("rarest class three times over, the whole twice", some[: 3 * over], rest[: 2 * whole])
    yield make("both at their safe end", own[:over], others[: whole - over])
    behind = others[others > own[3 * over - 1]]
    yield make("rarest class at its safe end, others behind it", own[: 3 * over], behind[: 3 * whole])
    yield make("both at their risky end", own[-over:], others[over - whole :])
    even, evenly = rng.permutation(SIZE)[: 3 * whole], labels.copy()
    evenly[even] = (labels[even] + 1) % CLASSES
    yield make("evenly, the whole three times over", some[:0], rest[:0])._replace(verdicts=evenly)
    yield make("as risk courses have it", *_by_risk(own, others, over, whole, rng))
    small = (*budgets, _of_source(SMALL))
    in_small = np.flatnonzero(sources == SMALL)
    yield make("smallest slice just over, with a budget", some[:over], in_small[:3])._replace(budgets=small)
    yield make("smallest slice three times over, with a budget", some[:over], in_small[-9:])._replace(budgets=small)
    split = make("10% contested, all just over", some[:over], rest[over:whole])
    verdicts = split.verdicts.copy()
    verdicts[rng.permutation(np.flatnonzero(~split.is_wrong))[: SIZE // 10]] = CONTESTED
    yield split._replace(verdicts=verdicts)
    yield _disjoint(labels, counts)


def at_each_cut(rare_share: float, counts: str) -> Iterator[SlicedSet]:
    """Yield sets with all errors right before, and right behind, each cut: of the whole, and of the rare class."""
    base = next(sets(rare_share, counts))
    inside = base.labels == RARE if counts == WRONG else base.labels != RARE
    own, others = np.flatnonzero(inside), np.flatnonzero(base.labels != RARE)
    over, whole = errors_over(rare_share, counts), floor_share(BUDGET, SIZE) + 1
    steps = zip(cut_positions(SIZE).tolist(), _spread(cut_positions(len(own)), len(cut_positions(SIZE))), strict=True)
    for cut, own_cut in steps:
        for name, start, own_start in (("before", cut - whole, own_cut - over), ("behind", cut, own_cut)):
            first = min(max(int(np.searchsorted(others, start)), 0), len(others) - whole)
            place = min(max(own_start, 0), len(own) - over)
            chosen = own[place : place + over]
            free = others[first : first + whole]
            yield _set(
                f"{name} cut {cut}", base.labels, base.sources, base.budgets, counts, chosen,
                free[~np.isin(free, chosen)][: whole - over],
            )  # fmt: skip


def errors_over(rare_share: float, counts: str) -> int:
    """Return the fewest errors with which the rare class is over its budget."""
    rare = round(SIZE * rare_share)
    budget = SliceBudget(CLASS, "rare", counts, RARE_BUDGET, FixedSequence(1))
    number = 1
    while number <= most_allowed(budget, rare, number if counts == WRONG else 0):
        number += 1
    return number


def declare(one: SlicedSet, method: str, budgets: bool = True) -> Terms:
    """Return the terms of an audit of a set, all designs as the chain would choose them.

    Args:
        one: The set.
        method: fixed_sequence or rising.
        budgets: Whether its budgets are declared; else the whole alone is tested.
    """
    kept = one.budgets if budgets else ()
    limits = Limits(one.error_budget, 1, 1.0, bounds_slices=True, slice_budgets=len(kept))
    design = _choose(method, SIZE, floor_share(one.error_budget, SIZE), limits.levels.wrong)
    made = []
    for budget in kept:
        items, _, base, _ = one.find(budget)
        level = tested_level(limits)
        allowed = max(most_allowed(budget, int(base.sum())), 0)
        made.append(budget._replace(design=_choose(method, int(items.sum()), allowed, level)))
    return replace(Terms(one.error_budget, 1, 1.0, bounds_slices=True), design=design, budgets=tuple(made))


def _choose(method: str, size: int, allowed: int, level: float) -> Design:
    if method == "rising":
        return Rising(*choose_rise(size, allowed, level))
    return FixedSequence(min(size, TIMES_SMALLEST * smallest_proof(size, allowed, level)))


def _set(
    name: str, labels: Integers, sources: Integers, budgets: tuple[SliceBudget, ...], counts: str, of_class: Integers,
    of_others: Integers,
) -> SlicedSet:  # fmt: skip
    """Return a set with errors of the rare class, and errors between the other classes or wherever they are put."""
    verdicts = labels.copy()
    verdicts[of_others] = np.where(labels[of_others] == 1, 2, 1)
    verdicts[of_class] = 1 if counts == WRONG else RARE
    return SlicedSet(name, labels, verdicts, sources, budgets)


def _disjoint(labels: Integers, counts: str) -> SlicedSet:
    """Return a set of sources that share no item, each three times over its budget, and the whole within its own."""
    rng = np.random.default_rng([SEED, SOURCES])
    sources = np.full(SIZE, SOURCES)
    sources[rng.permutation(SIZE)[: SOURCES * SOURCE_ITEMS]] = np.repeat(np.arange(SOURCES), SOURCE_ITEMS)
    over = floor_share(SMALL_BUDGET, SOURCE_ITEMS) + 1
    wrong = [rng.choice(np.flatnonzero(sources == source), 3 * over, replace=False) for source in range(SOURCES)]
    budgets = tuple(_of_source(source) for source in range(SOURCES))
    name = f"{SOURCES} sources, each three times over, the whole within {LOOSE_BUDGET:.0%}"
    nobody = np.empty(0, np.int64)
    found = _set(name, labels, sources, budgets, counts, nobody, np.concatenate(wrong))
    return found._replace(error_budget=LOOSE_BUDGET)


def _of_source(source: int) -> SliceBudget:
    return SliceBudget("source", str(source), WRONG, SMALL_BUDGET, FixedSequence(1))


def _labels(rare_share: float, rng: np.random.Generator) -> Integers:
    rare = round(SIZE * rare_share)
    labels = np.repeat(np.arange(CLASSES), [rare, SIZE * 2 // 5, SIZE - rare - SIZE * 2 // 5])
    return rng.permutation(labels)


def _by_risk(
    own: Integers, others: Integers, over: int, whole: int, rng: np.random.Generator
) -> tuple[Integers, Integers]:
    """Return errors twice over each budget, ever denser towards the risky end."""

    def draw(items: Integers, number: int) -> Integers:
        weights = np.arange(1, len(items) + 1, dtype=np.float64) ** 7
        return np.sort(rng.choice(items, number, replace=False, p=weights / weights.sum()))

    return draw(own, 2 * over), draw(others, 2 * whole)


def _spread(cuts: Integers, number: int) -> list[int]:
    """Return as many cuts of a smaller slice, each as near to its place among all as may be."""
    return [int(cut) for cut in cuts[np.linspace(0, len(cuts) - 1, number).round().astype(np.int64)]]
