"""Bands to candidates: which earlier items an item is held against, because they share a band."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.cleaning.bands import Earlier, Flags, Places, groups
from cupel.cleaning.jaccard import Positions
from cupel.cleaning.shingles import Shingles
from cupel.cleaning.sketches import Sketches, may_be_similar
from cupel.loops import numba as nb

# In a band, an item is compared with so many of the first texts and of the last before it: with all of them, as long
# as no more than twice as many precede it.
COMPARED_AT_EACH_END = 32
# Of its candidates an item is compared with so many that are the earliest (of a crowd of duplicates the one that is
# kept is among them), and with so many others that share most bands with it.
COMPARED_OF_EACH_KIND = 50
# A thread takes so many items at a time, so that memory is bounded whatever the texts.
ITEMS_AT_ONCE = 1_024


class Own(NamedTuple):
    """Items that are looked up, by position; `bands` are overwritten while they are."""

    bands: Shingles
    sketches: Sketches
    sizes: Positions
    takes_part: Flags


class Alike(NamedTuple):
    """Pairs that may be similar, ordered by the later and then by the earlier item, and how they were found.

    `compared` counts the pairs that were held against each other; `not_compared` those that share a band only because
    very many do, and were left out: once a band and once more as candidates, so that it is a bound.
    """

    later: Positions
    earlier: Positions
    compared: int
    not_compared: int


def alike(
    own: Own, earlier: Earlier, firsts: Positions, least: float, within: bool = True, threads: int | None = None
) -> Alike:
    """Hold the sketches of items that share a band against each other.

    Args:
        own: Items that are looked up.
        earlier: Items before them that share a band with one of them.
        firsts: For each position, the first one with the same text: equal texts are not compared.
        least: The least similarity that is of interest.
        within: Compare own items with each other too.
        threads: How many threads; None for one a core.
    """
    count = len(own.bands)
    first_own = len(firsts) - count
    found = groups(own.bands, own.takes_part, first_own, earlier, within, threads)
    place_of = np.zeros(first_own, np.int32)
    place_of[earlier.there] = np.arange(len(earlier.there), dtype=np.int32)
    bases = np.cumsum([0, *(len(members) for members in found.members)])
    members, starts = np.concatenate(found.members), np.concatenate(found.starts)
    ends, most = COMPARED_AT_EACH_END, COMPARED_OF_EACH_KIND

    def work(first: int) -> tuple[Places, Places, int, int]:
        end = min(first + ITEMS_AT_ONCE, count)
        room = (end - first) * 2 * most
        later, before = np.empty(room, np.int32), np.empty(room, np.int32)
        written, compared, left_out = _held(
            first, end, first_own, found.ranks, members, starts, bases, ends, most, firsts, within, least,
            own.sketches, own.sizes, earlier.sketches, earlier.sizes, place_of, later, before,
        )  # fmt: skip
        return later[:written].copy(), before[:written].copy(), compared, left_out

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        parts = list(pool.map(work, range(0, count, ITEMS_AT_ONCE)))
    later, before = (
        np.concatenate([np.empty(0, np.int32), *(part[kind] for part in parts)]).astype(np.int64) for kind in (0, 1)
    )
    # A pair is left out once a band; there are never more pairs than items before each of the batch's own.
    every_pair = count * first_own + (count * (count - 1) // 2 if within else 0)
    return Alike(later, before, sum(part[2] for part in parts), min(sum(part[3] for part in parts), every_pair))


@nb.njit(nogil=True, cache=True)
def _held(
    first: int, end: int, first_own: int, ranks: Places, members: Places, starts: Places, bases: Positions, ends: int,
    most: int, firsts: Positions, within: bool, least: float, sketches: Sketches, sizes: Positions,
    earlier_sketches: Sketches, earlier_sizes: Positions, place_of: Places, later: Places, before: Places,
) -> tuple[int, int, int]:  # fmt: skip
    """Write the pairs of own items [first, end) that may be similar; returns how many, compared and left out."""
    room = ranks.shape[1] * 2 * ends
    found, bands, chosen = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.bool_)
    written, compared, left_out = 0, 0, 0
    for item in range(first, end):
        count, more = _gathered(ranks[item], members, starts, bases, ends, first_own, within, found)
        distinct = _counted(found, count, bands)
        left_out += more + _choose(found, bands, distinct, most, chosen)
        position = first_own + item
        for place in range(distinct):
            other = found[place]
            if not chosen[place] or firsts[other] == firsts[position]:
                continue
            compared += 1
            if other < first_own:
                row = place_of[other]
                sketch, size = earlier_sketches[row], earlier_sizes[row]
            else:
                sketch, size = sketches[other - first_own], sizes[other - first_own]
            if may_be_similar(sketches[item], sizes[item], sketch, size, least):
                later[written], before[written] = position, other
                written += 1
    return written, compared, left_out


@nb.njit(nogil=True, cache=True)
def _gathered(
    ranks: Places, members: Places, starts: Places, bases: Positions, ends: int, first_own: int, within: bool,
    found: Places,
) -> tuple[int, int]:  # fmt: skip
    """Write the items before one in its bands, of many those at both ends; returns how many, and how many are not."""
    count, left_out = 0, 0
    for band in range(len(ranks)):
        rank = ranks[band]
        if rank < 0:
            continue
        base = bases[band]
        start, stop = base + starts[base + rank], base + rank
        if not within:
            # Own items stand behind all earlier ones.
            low = start
            while low < stop:
                middle = (low + stop) >> 1
                if members[middle] < first_own:
                    low = middle + 1
                else:
                    stop = middle
        if stop - start > 2 * ends:
            left_out += stop - start - 2 * ends
            found[count : count + ends] = members[start : start + ends]
            count += ends
            start = stop - ends
        for place in range(start, stop):
            found[count] = members[place]
            count += 1
    return count, left_out


@nb.njit(nogil=True, cache=True)
def _counted(found: Places, count: int, bands: Places) -> int:
    """Order the first `count` items and leave each once; write how often it was there. Returns how many are left."""
    if count > 32:
        part = found[:count]
        part.sort()
    else:
        for place in range(1, count):
            item, back = found[place], place
            while back > 0 and found[back - 1] > item:
                found[back] = found[back - 1]
                back -= 1
            found[back] = item
    distinct = 0
    for place in range(count):
        if distinct and found[distinct - 1] == found[place]:
            bands[distinct - 1] += 1
        else:
            found[distinct], bands[distinct] = found[place], 1
            distinct += 1
    return distinct


@nb.njit(nogil=True, cache=True)
def _choose(found: Places, bands: Places, count: int, most: int, chosen: NDArray[np.bool_]) -> int:
    """Choose the earliest items, and those that share most bands, of equally many the earliest; returns who is not."""
    if count <= most:
        chosen[:count] = True
        return 0
    chosen[:most], chosen[most:count] = True, False
    shared, left_out = 0, count - most
    for band in range(bands[:count].max(), 0, -1):
        for place in range(count):
            if bands[place] == band and shared < most:
                shared += 1
                left_out -= not chosen[place]
                chosen[place] = True
    return left_out
