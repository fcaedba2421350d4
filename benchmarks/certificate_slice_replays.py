"""Audits of whole sets and budgets by slice, replayed many at once; a test holds them against the chain's own."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from benchmarks.certificate_slice_sets import CLASSES, RARE, SEED, SlicedSet
from cupel.certificate import rising
from cupel.certificate.design import FixedSequence, Rising
from cupel.certificate.hypergeometric import Integers, Reals, binomial_upper_count, tail, upper_count
from cupel.certificate.result import Terms
from cupel.certificate.rising import Rise, rising_shares
from cupel.certificate.sequence import Flags, cut_positions, floor_share
from cupel.certificate.slice_bounds import PARTS
from cupel.certificate.slice_budgets import CLASS, MISSED, SliceBudget, budget_levels, most_allowed

# Replays at once: the marks of so many are held in memory.
BLOCK = 1_000


class Replays(NamedTuple):
    """What replayed audits of a set came to: arrays of shape replays.

    `is_false` tells where the whole, or a budget, is over its share in what is released; `is_under` where a bound shown
    is below the truth; `seen_share` is what experts saw of the items.
    """

    is_false: Flags
    is_under: Flags
    seen_share: Reals


class _Test(NamedTuple):
    """One test of each replay: the sample or first wave, all that was audited, and how many items stand."""

    first: Flags
    audited: Flags
    accepted: Integers


class _Question(NamedTuple):
    """What is tested: places of the items in the set, which of them count, and of each replay how many may."""

    places: Integers
    is_counted: Flags
    level: float


def replay(one: SlicedSet, terms: Terms, replays: int, has_bounds: bool = True) -> Replays:
    """Replay the audits of a set, the same draws whatever the set.

    Args:
        one: The set.
        terms: What was declared, nothing planted and no adjudicator audited.
        replays: How many.
        has_bounds: Whether bounds are looked at, too.
    """
    blocks = [replay_marks(one, terms, marks, has_bounds) for marks in draw_marks(len(one.labels), replays)]
    return Replays(*(np.concatenate(arrays) for arrays in zip(*blocks, strict=True)))


def draw_marks(size: int, replays: int) -> Iterator[Reals]:
    """Yield the marks of so many draws, `BLOCK` at a time."""
    for start in range(0, replays, BLOCK):
        yield np.random.default_rng([SEED, start]).random((min(BLOCK, replays - start), size))


def replay_marks(one: SlicedSet, terms: Terms, marks: Reals, has_bounds: bool = True) -> Replays:
    """Replay the audits of a set with these marks, of shape replays x items."""
    whole = _test_whole(one, terms, marks)
    seen = whole.audited | (np.arange(marks.shape[1]) >= whole.accepted[:, None])
    for budget in terms.budgets:
        seen |= _see_for(budget, one, terms, marks)
    is_under = _find_bounds_under(one, terms, whole, seen) if has_bounds else np.zeros(len(marks), np.bool_)
    return Replays(_find_false(one, terms, seen), is_under, seen.mean(axis=1))


def find_passed(many: Sequence[SlicedSet], terms: Terms, marks: Reals) -> Flags:
    """Tell of sets and replays whether a cut over its budget passes, of the whole or a budget, before repairs.

    What experts repair beside a test's own sample is not counted, nor that a cut before it may fail: so many at least
    are certified falsely.

    Args:
        many: Sets with the same labels, none contested.
        terms: Of all of them, by a fixed sequence.
        marks: Of shape replays x items.

    Returns:
        Flags of shape sets x replays.
    """
    size, levels, own = marks.shape[1], terms.levels, _sample(terms.design, marks)
    allowed = floor_share(terms.error_budget, size - upper_count(size, int(own[0].sum()), 0, levels.contested))
    most, everywhere = floor_share(terms.error_budget, size), np.full(len(marks), allowed)
    flags = np.stack([_passes_first_over(own, one.is_wrong, everywhere, most, levels.wrong) for one in many])
    for budget in terms.budgets:
        inside = np.flatnonzero(many[0].find(budget)[0])
        own = _sample(budget.design, marks[:, inside])
        for place, one in enumerate(many):
            _, counted, base, unfit = one.find(budget)
            found = _allowed_by(budget, terms, marks, base, unfit)
            most = most_allowed(budget, int(base.sum()), int(unfit.sum()))
            flags[place] |= _passes_first_over(own, counted[inside], found, most, budget_levels(terms).wrong)
    return flags


def _passes_first_over(own: Flags, is_counted: Flags, allowed: Integers, most: int, level: float) -> Flags:
    """Tell whether the first cut passes before which more count than are allowed in truth; no where there is none."""
    positions = cut_positions(own.shape[1])
    over = np.cumsum(is_counted)[positions - 1] > most
    if not over.any():
        return np.zeros(len(own), np.bool_)
    cut = int(positions[over][0])
    drawn, found = own[:, :cut].sum(axis=1), own[:, np.flatnonzero(is_counted[:cut])].sum(axis=1)
    chances = tail(found, np.full(len(own), cut), allowed + 1, drawn)
    return np.asarray((chances <= level) & (allowed >= 0), np.bool_)


def _test_whole(one: SlicedSet, terms: Terms, marks: Reals) -> _Test:
    size, levels = marks.shape[1], terms.levels
    first = _first_wave(terms, marks)
    contested = first[:, one.is_contested].sum(axis=1)
    upper = _uppers(terms, size, first.sum(axis=1), contested, levels.contested)
    allowed = np.array([floor_share(terms.error_budget, size - int(count)) for count in upper])
    return _test(terms.design, _Question(np.arange(size), one.is_wrong, levels.wrong), allowed, marks, first)


def _see_for(budget: SliceBudget, one: SlicedSet, terms: Terms, marks: Reals) -> Flags:
    """Return the items that experts see for a budget, of shape replays x items."""
    items, counted, base, unfit = one.find(budget)
    inside, level = np.flatnonzero(items), budget_levels(terms).wrong
    seen = np.zeros(marks.shape, np.bool_)
    seen[:, base] |= _wave_of(budget, terms, marks[:, base], base)
    first = _wave_of(budget, terms, marks[:, inside], base)
    seen[:, inside] |= first
    allowed = _allowed_by(budget, terms, marks, base, unfit)
    asked = _Question(inside, counted[inside], level)
    own = _test(budget.design, asked, np.maximum(allowed, 0), marks[:, inside], first)
    accepted = np.where(allowed < 0, 0, own.accepted)
    seen[:, inside] |= own.audited | (np.arange(len(inside)) >= accepted[:, None])
    return seen


def _allowed_by(budget: SliceBudget, terms: Terms, marks: Reals, base: Flags, unfit: Flags) -> Integers:
    """Return how many may count against a budget, of each replay."""
    size, levels = int(base.sum()), budget_levels(terms)
    wave = _wave_of(budget, terms, marks[:, base], base)
    found, drawn = wave[:, unfit[base]].sum(axis=1), wave.sum(axis=1)
    if not isinstance(budget.design, Rising):
        uppers = [_upper_count(size, int(n), int(k), levels.unfit) for n, k in zip(drawn, found, strict=True)]
    else:
        share = _first_share(budget.design, most_allowed(budget, size), levels.wrong)
        uppers = [
            min(_binomial_upper(size, share, int(k), levels.unfit), size - int(n - k))
            for n, k in zip(drawn, found, strict=True)
        ]
    return np.array([most_allowed(budget, size, upper) for upper in uppers])


def _test(design: object, asked: _Question, allowed: Integers, marks: Reals, first: Flags) -> _Test:
    if isinstance(design, Rising):
        return _walk(Rise(design.gain, design.steps), asked, allowed, marks, first)
    positions = cut_positions(marks.shape[1])
    drawn = np.cumsum(first, axis=1, dtype=np.int32)[:, positions - 1]
    found = np.cumsum(first & asked.is_counted, axis=1, dtype=np.int32)[:, positions - 1]
    passes = np.zeros(drawn.shape, np.bool_)
    for most in np.unique(allowed):
        rows = allowed == most
        code = (np.arange(len(positions)) * 10_000 + drawn[rows]) * 1_000 + found[rows]
        codes, place = np.unique(code, return_inverse=True)
        chance = tail(codes % 1_000, positions[codes // 10_000_000], most + 1, codes // 1_000 % 10_000)
        passes[rows] = (chance <= asked.level)[place.reshape(code.shape)]
    passed = np.logical_and.accumulate(passes, axis=1).sum(axis=1)
    return _Test(first, first, np.concatenate([[0], positions])[passed])


def _walk(rise: Rise, asked: _Question, allowed: Integers, marks: Reals, first: Flags) -> _Test:
    """Walk along the risk order; only items that count raise the share."""
    shares = np.stack([rising_shares(rise, int(most), asked.level) for most in allowed])
    shares = np.concatenate([shares, np.zeros((len(marks), 1))], axis=1)
    rows, finds = np.arange(len(marks)), np.zeros(len(marks), np.int64)
    number = np.zeros(marks.shape, np.int8)
    accepted = np.full(len(marks), marks.shape[1])
    for place in np.flatnonzero(asked.is_counted):
        is_found = marks[:, place] < shares[rows, finds]
        finds += is_found
        number[:, place] = is_found
        accepted[is_found & (finds == rise.steps)] = place
    before = np.cumsum(number, axis=1, dtype=np.int8) - number
    return _Test(first, (marks < np.take_along_axis(shares, before.astype(np.int64), axis=1)) | first, accepted)


def _find_false(one: SlicedSet, terms: Terms, seen: Flags) -> Flags:
    """Tell where the whole, or a budget, is over its share in what is released."""
    size = len(one.labels) - int(one.is_contested.sum())
    is_false = (~seen[:, one.is_wrong]).sum(axis=1) > floor_share(terms.error_budget, size)
    for budget in terms.budgets:
        _, counted, base, _ = one.find(budget)
        left = (~seen[:, counted]).sum(axis=1)
        if budget.by != CLASS:
            rest = int((base & ~one.is_contested).sum())
            is_false |= left / max(rest, 1) > budget.share + 1e-12
            continue
        right = (base & (one.verdicts == RARE)).sum()
        moved = ~base & (one.verdicts == RARE)
        rest = right + (moved.sum() if budget.counts == MISSED else seen[:, moved].sum(axis=1) + left)
        is_false |= left / np.maximum(rest, 1) > budget.share + 1e-12
    return np.asarray(is_false, np.bool_)


def shown_counts(one: SlicedSet) -> list[tuple[Flags, Flags]]:
    """Return what is bounded and shown of a set: of classes wrong and missed ones, of sources wrong ones."""
    found = []
    for label in range(CLASSES):
        base, is_said = one.labels == label, one.verdicts == label
        found.append((base, base & ~is_said & ~one.is_contested))
        found.append((~base, ~base & is_said))
    sources = [one.sources == source for source in np.unique(one.sources)]
    return [*found, *((inside, inside & one.is_wrong) for inside in sources)]


def _find_bounds_under(one: SlicedSet, terms: Terms, whole: _Test, seen: Flags) -> Flags:
    """Tell where any bound that is shown is below the truth: of the frozen items, or of what is left."""
    size, shown = len(one.labels), shown_counts(one)
    alpha = terms.levels.slices / len(shown) / len(PARTS)
    ends = np.unique(np.ceil(np.array(PARTS) * size).astype(np.int64))
    drawn, is_under = whole.first.sum(axis=1), np.zeros(len(seen), np.bool_)
    for items, counted in shown:
        bound = (~seen[:, items]).sum(axis=1)
        for end in ends:
            places = np.flatnonzero(counted[:end])
            upper = _uppers(terms, size, drawn, whole.first[:, places].sum(axis=1), alpha)
            if end == size:
                is_under |= np.minimum(upper, items.sum()) < counted.sum()
            left = upper - seen[:, places].sum(axis=1)
            bound = np.where(end >= whole.accepted, np.minimum(bound, left), bound)
        is_under |= np.maximum(bound, 0) < (~seen[:, counted]).sum(axis=1)
    return is_under


def _uppers(terms: Terms, size: int, drawn: Integers, found: Integers, alpha: float) -> Integers:
    """Return the exact upper bounds of a count among all items, of each replay."""
    if isinstance(terms.design, Rising):
        share = _first_share(terms.design, floor_share(terms.error_budget, size), terms.levels.wrong)
        tops = np.array([_binomial_upper(size, share, count, alpha) for count in range(int(found.max()) + 1)])
        return np.asarray(np.minimum(tops[found], size - (drawn - found)))
    number = int(drawn[0])
    return np.array([_upper_count(size, number, count, alpha) for count in range(int(found.max()) + 1)])[found]


def _first_wave(terms: Terms, marks: Reals) -> Flags:
    if isinstance(terms.design, Rising):
        allowed = floor_share(terms.error_budget, marks.shape[1])
        return np.asarray(marks < _first_share(terms.design, allowed, terms.levels.wrong), np.bool_)
    return _sample(terms.design, marks)


def _wave_of(budget: SliceBudget, terms: Terms, marks: Reals, base: Flags) -> Flags:
    if isinstance(budget.design, Rising):
        most = most_allowed(budget, int(base.sum()))
        return np.asarray(marks < _first_share(budget.design, most, budget_levels(terms).wrong), np.bool_)
    return _sample(budget.design, marks)


def _sample(design: object, marks: Reals) -> Flags:
    if not isinstance(design, FixedSequence):
        raise TypeError(f"design: found {design}; expected a fixed sequence")
    size = marks.shape[1]
    if design.size >= size:
        return np.ones(marks.shape, np.bool_)
    return np.asarray(marks <= np.partition(marks, design.size - 1, axis=1)[:, [design.size - 1]], np.bool_)


def _first_share(design: Rising, allowed: int, level: float) -> float:
    return float(rising.rising_shares(Rise(design.gain, design.steps), max(allowed, 0), level)[0])


@cache
def _upper_count(size: int, drawn: int, found: int, alpha: float) -> int:
    return upper_count(size, drawn, found, alpha)


@cache
def _binomial_upper(size: int, share: float, found: int, alpha: float) -> int:
    return binomial_upper_count(size, share, found, alpha)
