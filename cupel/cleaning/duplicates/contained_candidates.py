"""Keys of runs to candidate pairs: texts of which one may hold nearly all of the other."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from cupel.cleaning.duplicates.candidates import (
    COMPARED_AT_EACH_END,
    COMPARED_OF_EACH_KIND,
    ITEMS_AT_ONCE,
    CandidatePairs,
    Flags,
    Places,
    Positions,
    choose_candidates,
    count_each,
    gather_candidates,
    sort_by_key,
)
from cupel.cleaning.duplicates.fingerprints import (
    SKETCH_WORDS,
    Fingerprints,
    KeyRuns,
    Shingles,
    Sketches,
    may_be_contained,
)
from cupel.cleaning.duplicates.similarity import LEAST_CONTAINED_SHINGLES
from cupel.compiled_loops import numba as nb

# The widest run and the window share a key of any 31 characters: of every text that is long enough to be looked for.
_NARROWEST, _WIDEST = 8, 16
# An edited word of some six letters changes about ten shingles of five characters.
_CHANGED_BY_AN_EDIT = 10


# A key in eight shingles: beside the first, one in eight of the keys must be shared. Where .9 is held three in four
# are, and where .5 is, with the narrowest runs, one in three.
_SHINGLES_A_KEY = 64


class KeyedItems(NamedTuple):
    """Items and the keys of their runs: `keys` one item after the other, `counts` of each; a row each of the others.

    `positions` ascend.
    """

    positions: Positions
    keys: Shingles
    counts: Positions
    sketches: Sketches
    sizes: Positions

    @classmethod
    def of_none(cls) -> "KeyedItems":
        """Return no items."""
        nothing = np.empty(0, np.int64)
        return cls(nothing, np.empty(0, np.uint32), nothing, np.empty((0, SKETCH_WORDS), np.uint64), nothing)

    @classmethod
    def join(cls, pieces: Iterable["KeyedItems"]) -> "KeyedItems":
        """Return the items of pieces, one after the other."""
        parts = list(pieces)
        return cls(*(np.concatenate([part[kind] for part in parts]) for kind in range(len(cls._fields))))

    def sort(self) -> "KeyedItems":
        """Return the items in the order of their positions."""
        order = np.argsort(self.positions)
        lists = np.argsort(np.repeat(np.argsort(order), self.counts), kind="stable")
        counts, sizes = self.counts[order], self.sizes[order]
        return KeyedItems(self.positions[order], self.keys[lists], counts, self.sketches[order], sizes)

    def choose_sharing(self, others: Shingles) -> "KeyedItems":
        """Return the items that have one of the other keys, which ascend, and only these keys of them.

        `counts` stay what they were: how many keys the whole text has.
        """
        places = np.minimum(np.searchsorted(others, self.keys), max(len(others) - 1, 0))
        is_shared = others[places] == self.keys if len(others) else np.zeros(len(self.keys), np.bool_)
        row_of = np.repeat(np.arange(len(self.counts)), self.counts)[is_shared]
        rows, shared = np.unique(row_of, return_counts=True)
        return KeyedItems(self.positions[rows], self.keys[is_shared], shared, self.sketches[rows], self.sizes[rows])


def key_items(signed: Fingerprints, takes_part: Flags, first: int) -> KeyedItems:
    """Return the texts that take part with their keys; the first text of all has this position."""
    is_kept = np.repeat(takes_part, signed.key_counts)
    return KeyedItems(
        first + np.flatnonzero(takes_part), signed.keys[is_kept], signed.key_counts[takes_part],
        signed.sketches[takes_part], signed.sizes[takes_part],
    )  # fmt: skip


def choose_key_runs(containment: float | None) -> KeyRuns:
    """Return which runs are keys, so that texts of just this containment share some; none where it is not asked for.

    Of a text of n shingles, n (1 - c) may be missing: one edited word for each ten of them. What is left between edits
    is 10 c / (1 - c) characters long on average; runs are half of it, 8 to 16 characters.

    >>> choose_key_runs(0.9).width, choose_key_runs(0.7).width, choose_key_runs(None).width
    (16, 12, 0)
    """
    if containment is None:
        return KeyRuns()
    between = _CHANGED_BY_AN_EDIT * containment / max(1 - containment, 0.01)
    return KeyRuns(int(min(_WIDEST, max(_NARROWEST, round(between / 2)))))


def find_contained_pairs(
    own: KeyedItems, earlier: KeyedItems, firsts: Positions, least: float, within: bool = True,
    threads: int | None = None,
) -> CandidatePairs:  # fmt: skip
    """Propose pairs of which one text may hold the other; each costs a bounded number of comparisons.

    Both ways are looked for: the later text may be the longer or the shorter. Texts below 30 shingles are left out.

    Args:
        own: Items that are looked up; they stand behind all earlier ones.
        earlier: Items before them, only those that share a key with one of them, see `choose_sharing`.
        firsts: For each position, the first one with the same text: equal texts are not compared.
        least: The least containment that is of interest.
        within: Compare own items with each other too.
        threads: How many threads; None for one a core.
    """
    items = KeyedItems.join([earlier, own])
    first_own = len(earlier.counts)
    item_of = np.repeat(np.arange(len(items.counts), dtype=np.int32), items.counts)
    ordered, entries = sort_by_key(items.keys, np.arange(len(items.keys), dtype=np.int32))
    members = item_of[entries]
    starts, ranks = _start_groups(ordered, entries)
    bounds, first_equal = np.append(0, np.cumsum(items.counts)), firsts[items.positions]
    ends, most, count = COMPARED_AT_EACH_END, COMPARED_OF_EACH_KIND, len(own.counts)

    def work(first: int) -> tuple[Places, Places, int, int]:
        end = min(first + ITEMS_AT_ONCE, count)
        room = (end - first) * 2 * most
        later, before = np.empty(room, np.int32), np.empty(room, np.int32)
        most_keys = int(own.counts[first:end].max(initial=0))
        written, compared, left_out = _propose(
            first_own + first, first_own + end, first_own, ranks, bounds, members, starts, ends, most, within, least,
            first_equal, items.sketches, items.sizes, most_keys, later, before,
        )  # fmt: skip
        return later[:written].copy(), before[:written].copy(), compared, left_out

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        parts = list(pool.map(work, range(0, count, ITEMS_AT_ONCE)))
    later, before = (
        items.positions[np.concatenate([np.empty(0, np.int32), *(part[kind] for part in parts)])] for kind in (0, 1)
    )
    every_pair = count * first_own + (count * (count - 1) // 2 if within else 0)
    return CandidatePairs(
        later, before, sum(part[2] for part in parts), min(sum(part[3] for part in parts), every_pair)
    )


@nb.njit(nogil=True, cache=True)
def _start_groups(ordered: Shingles, entries: Places) -> tuple[Places, Places]:
    """Return where the group of each ordered key begins, and the place that each entry has in that order."""
    starts, ranks = np.empty(len(ordered), np.int32), np.empty(len(ordered), np.int32)
    for place in range(len(ordered)):
        starts[place] = starts[place - 1] if place and ordered[place] == ordered[place - 1] else place
        ranks[entries[place]] = place
    return starts, ranks


@nb.njit(nogil=True, cache=True)
def _count_crowded(places: Places, starts: Places, ends: int) -> int:
    """Return how many keys so many items have that not all of them are looked at."""
    crowded = 0
    for place in places:
        crowded += place - starts[place] > 2 * ends
    return crowded


@nb.njit(nogil=True, cache=True)
def _drop_by_chance(found: Places, keys: Places, count: int, crowded: int, sizes: Positions, size: int) -> int:
    """Leave the items that share enough keys; a crowded one may be shared with any. Returns how many are left."""
    kept = 0
    for place in range(count):
        if keys[place] + crowded >= 1 + min(sizes[found[place]], size) // _SHINGLES_A_KEY:
            found[kept], keys[kept] = found[place], keys[place]
            kept += 1
    return kept


@nb.njit(nogil=True, cache=True)
def _propose(
    first: int, end: int, first_own: int, ranks: Places, bounds: Positions, members: Places, starts: Places, ends: int,
    most: int, within: bool, least: float, firsts: Positions, sketches: Sketches, sizes: Positions, most_keys: int,
    later: Places, before: Places,
) -> tuple[int, int, int]:  # fmt: skip
    """Write the pairs of items [first, end) that may be contained; returns how many, compared and left out."""
    room = most_keys * 2 * ends
    found, keys, chosen = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.bool_)
    bases = np.zeros(most_keys, np.int64)
    written, compared, left_out = 0, 0, 0
    for item in range(first, end):
        if sizes[item] < LEAST_CONTAINED_SHINGLES:
            continue
        places = ranks[bounds[item] : bounds[item + 1]]
        count, more = gather_candidates(places, members, starts, bases, ends, first_own, within, found)
        distinct = count_each(found, count, keys)
        crowded = _count_crowded(places, starts, ends)
        distinct = _drop_by_chance(found, keys, distinct, crowded, sizes, sizes[item])
        left_out += more + choose_candidates(found, keys, distinct, most, chosen)
        for place in range(distinct):
            other = found[place]
            if not chosen[place] or firsts[other] == firsts[item] or sizes[other] < LEAST_CONTAINED_SHINGLES:
                continue
            compared += 1
            if may_be_contained(sketches[item], sizes[item], sketches[other], sizes[other], least):
                later[written], before[written] = item, other
                written += 1
    return written, compared, left_out
