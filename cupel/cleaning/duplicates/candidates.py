"""Fingerprints to candidate pairs: items that share a band, and that their sketches do not show to be unlike."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.cleaning.duplicates.fingerprints import SKETCH_WORDS, Shingles, Sketches, may_be_similar
from cupel.compiled_loops import numba as nb

Positions = NDArray[np.int64]
Places = NDArray[np.int32]
Flags = NDArray[np.bool_]
# Bands of the batch are marked in words of 64 bits, a word for four of them: of the others one in 60 passes.
_MARKED_IN_A_WORD = 4
_MOST_BITS = 20
_DIGIT_BITS = 11
_DIGITS = 1 << _DIGIT_BITS
MOST_ITEMS = (1 << 31) - 1
# In a band, an item is compared with so many of the first texts and of the last before it: with all of them, as long
# as no more than twice as many precede it.
COMPARED_AT_EACH_END = 32
# Of its candidates an item is compared with so many that are the earliest (of a crowd of duplicates the one that is
# kept is among them), and with so many others that share most bands with it.
COMPARED_OF_EACH_KIND = 50
# A thread takes so many items at a time, so that memory is bounded whatever the texts.
ITEMS_AT_ONCE = 1_024


class EarlierCandidates(NamedTuple):
    """Earlier items that share a band with one of the batch's.

    `keys[b]` and `positions[b]` hold band b of those that share it, ascending by position. Of all of them together
    `there` holds the positions, ascending, and `sketches` and `sizes` a row each.
    """

    keys: list[Shingles]
    positions: list[Places]
    there: Positions
    sketches: Sketches
    sizes: Positions

    @classmethod
    def none(cls, bands: int) -> "EarlierCandidates":
        """Return no items, of so many bands."""
        nothing = ([np.empty(0, np.uint32)] * bands, [np.empty(0, np.int32)] * bands)
        return cls(*nothing, np.empty(0, np.int64), np.empty((0, SKETCH_WORDS), np.uint64), np.empty(0, np.int64))


class EarlierPiece(NamedTuple):
    """Some earlier items: their positions, ascending, and a row each of bands, sketches and sizes."""

    positions: Positions
    bands: Shingles
    sketches: Sketches
    sizes: Positions

    def choose(self, chosen: Flags) -> "EarlierPiece":
        """Return the chosen items."""
        if chosen.all():
            return self
        return EarlierPiece(self.positions[chosen], self.bands[chosen], self.sketches[chosen], self.sizes[chosen])


def find_earlier_candidates(
    own: Shingles, pieces: Iterable[EarlierPiece], threads: int | None = None
) -> EarlierCandidates:
    """Find the earlier items that share a band with own ones; of the others nothing is held.

    Args:
        own: Bands of the batch's items that take part, a row an item.
        pieces: Earlier items, ascending by position.
        threads: How many threads; None for one a core.
    """
    bands = own.shape[1]
    shift = np.uint32(32 - min(max(4, (len(own) // _MARKED_IN_A_WORD).bit_length()), _MOST_BITS))
    found: list[tuple[list[Shingles], list[Places], Positions, Sketches, Positions]] = []
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        ordered = list(pool.map(lambda band: _sort_keys(own[:, band]), range(bands)))
        marks = list(pool.map(lambda keys: _mark_keys(keys, shift), ordered))
        for piece in pieces:
            # Rows of one band lie together, so that its marks stay in the processor's cache.
            columns = np.ascontiguousarray(piece.bands.T)
            rows = list(pool.map(_find_hits, columns, marks, ordered, [shift] * bands))
            is_hit = np.zeros(len(piece.positions), np.bool_)
            for hits in rows:
                is_hit[hits] = True
            if is_hit.any():
                found.append((
                    [column[hits] for column, hits in zip(columns, rows, strict=True)],
                    [piece.positions[hits].astype(np.int32) for hits in rows],
                    piece.positions[is_hit], piece.sketches[is_hit], piece.sizes[is_hit],
                ))  # fmt: skip
    if not found:
        return EarlierCandidates.none(bands)
    return EarlierCandidates(
        [np.concatenate([part[0][band] for part in found]) for band in range(bands)],
        [np.concatenate([part[1][band] for part in found]) for band in range(bands)],
        *(np.concatenate([part[kind] for part in found]) for kind in (2, 3, 4)),
    )


def _sort_keys(keys: Shingles) -> Shingles:
    return sort_by_key(np.ascontiguousarray(keys), np.empty(len(keys), np.int32))[0]


@nb.njit(nogil=True, inline="always")
def _mark_of(key: np.uint32) -> np.uint64:
    """Return two bits that a key sets in its word; they and the word are chosen by different bits of the key."""
    low, high = np.uint64(key & np.uint32(63)), np.uint64((key >> np.uint32(6)) & np.uint32(63))
    return (np.uint64(1) << low) | (np.uint64(1) << high)


@nb.njit(nogil=True, cache=True)
def _mark_keys(keys: Shingles, shift: np.uint32) -> Sketches:
    """Return words in which each key has set its bits; the key's first bits are the word's number."""
    marks = np.zeros(1 << (32 - np.int64(shift)), np.uint64)
    for place in range(len(keys)):
        marks[keys[place] >> shift] |= _mark_of(keys[place])
    return marks


@nb.njit(nogil=True, cache=True)
def _find_hits(keys: Shingles, marks: Sketches, ordered: Shingles, shift: np.uint32) -> Positions:
    """Return the places of keys that are among the ordered ones."""
    found = np.empty(len(keys), np.int64)
    count = 0
    for place in range(len(keys)):
        mark = _mark_of(keys[place])
        found[count] = place
        count += (marks[keys[place] >> shift] & mark) == mark
    kept = 0
    for place in range(count):
        key = keys[found[place]]
        low, high = 0, len(ordered)
        while low < high:
            middle = (low + high) >> 1
            if ordered[middle] < key:
                low = middle + 1
            else:
                high = middle
        if low < len(ordered) and ordered[low] == key:
            found[kept] = found[place]
            kept += 1
    return found[:kept].copy()


class BandGroups(NamedTuple):
    """Items by the bands that they share.

    `members[b]` holds, hash by hash of band b, the positions that share it, ascending; `starts[b]`, at the same places,
    where those of that hash begin. `ranks` has for each own item and band its place in `members[b]`, or -1 where it
    shares the band with no item that it may be compared with.
    """

    members: list[Places]
    starts: list[Places]
    ranks: Places


def group_by_band(
    own: Shingles, takes_part: Flags, first_own: int, earlier: EarlierCandidates, within: bool = True,
    threads: int | None = None,
) -> BandGroups:  # fmt: skip
    """Bring items together that share a band.

    Args:
        own: Bands of the batch's items by position, the first at `first_own`. They are overwritten.
        takes_part: Which of them are compared.
        first_own: Position of the first; earlier items have lower ones.
        earlier: Earlier items.
        within: Compare own items with each other too, not with earlier ones only.
        threads: How many threads; None for one a core.
    """
    ranks = own.view(np.int32)
    there = np.flatnonzero(takes_part).astype(np.int32)

    def work(band: int) -> tuple[Places, Places]:
        keys = np.concatenate([earlier.keys[band], own[there, band]])
        positions = np.concatenate([earlier.positions[band], there + np.int32(first_own)])
        ordered, order = sort_by_key(keys, positions)
        ranks[:, band] = -1
        return _find_groups(ordered, order, first_own, ranks, band, within)

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        found = list(pool.map(work, range(own.shape[1])))
    return BandGroups([members for members, _ in found], [starts for _, starts in found], ranks)


@nb.njit(nogil=True, cache=True)
def sort_by_key(keys: Shingles, values: Places) -> tuple[Shingles, Places]:
    """Return keys in order, and the values that go with them; of equal keys values keep their order."""
    other_keys, other_values = np.empty_like(keys), np.empty_like(values)
    ends = np.empty(_DIGITS + 1, np.int64)
    for digit in range(3):
        shift = np.uint32(digit * _DIGIT_BITS)
        ends[:] = 0
        for place in range(len(keys)):
            ends[np.int64((keys[place] >> shift) & np.uint32(_DIGITS - 1)) + 1] += 1
        for bucket in range(_DIGITS):
            ends[bucket + 1] += ends[bucket]
        for place in range(len(keys)):
            bucket = np.int64((keys[place] >> shift) & np.uint32(_DIGITS - 1))
            other_keys[ends[bucket]] = keys[place]
            other_values[ends[bucket]] = values[place]
            ends[bucket] += 1
        keys, other_keys = other_keys, keys
        values, other_values = other_values, values
    return keys, values


@nb.njit(nogil=True, cache=True)
def _find_groups(
    keys: Shingles, positions: Places, first_own: int, ranks: Places, band: int, within: bool
) -> tuple[Places, Places]:
    """Return members and starts of the groups in which an own item has another before it, and write its ranks."""
    members, starts = np.empty(len(keys), np.int32), np.empty(len(keys), np.int32)
    written, first = 0, 0
    while first < len(keys):
        end = first + 1
        while end < len(keys) and keys[end] == keys[first]:
            end += 1
        is_wanted = positions[end - 1] >= first_own and end - first > 1
        if is_wanted and (within or positions[first] < first_own):
            start = written
            for place in range(first, end):
                if positions[place] >= first_own:
                    ranks[positions[place] - first_own, band] = written
                members[written], starts[written] = positions[place], start
                written += 1
        first = end
    return members[:written].copy(), starts[:written].copy()


class OwnItems(NamedTuple):
    """Items that are looked up, by position; `bands` are overwritten while they are."""

    bands: Shingles
    sketches: Sketches
    sizes: Positions
    takes_part: Flags


class CandidatePairs(NamedTuple):
    """Pairs that may be similar, ordered by the later and then by the earlier item, and how they were found.

    `compared` counts the pairs that were held against each other; `not_compared` those that share a band only because
    very many do, and were left out: once a band and once more as candidates, so that it is a bound.
    """

    later: Positions
    earlier: Positions
    compared: int
    not_compared: int


def join_candidates(one: CandidatePairs, other: CandidatePairs) -> CandidatePairs:
    """Return the pairs that either search proposes, each once, in order; counts are added up."""
    later, earlier = np.concatenate([one.later, other.later]), np.concatenate([one.earlier, other.earlier])
    order = np.lexsort((earlier, later))
    later, earlier = later[order], earlier[order]
    is_new = np.append(True, (np.diff(later) != 0) | (np.diff(earlier) != 0))[: len(later)]
    compared, not_compared = one.compared + other.compared, one.not_compared + other.not_compared
    return CandidatePairs(later[is_new], earlier[is_new], compared, not_compared)


def find_candidate_pairs(
    own: OwnItems, earlier: EarlierCandidates, firsts: Positions, least: float, within: bool = True,
    threads: int | None = None,
) -> CandidatePairs:  # fmt: skip
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
    found = group_by_band(own.bands, own.takes_part, first_own, earlier, within, threads)
    place_of = np.zeros(first_own, np.int32)
    place_of[earlier.there] = np.arange(len(earlier.there), dtype=np.int32)
    bases = np.cumsum([0, *(len(members) for members in found.members)])
    members, starts = np.concatenate(found.members), np.concatenate(found.starts)
    ends, most = COMPARED_AT_EACH_END, COMPARED_OF_EACH_KIND

    def work(first: int) -> tuple[Places, Places, int, int]:
        end = min(first + ITEMS_AT_ONCE, count)
        room = (end - first) * 2 * most
        later, before = np.empty(room, np.int32), np.empty(room, np.int32)
        written, compared, left_out = _compare_sketches(
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
    return CandidatePairs(
        later, before, sum(part[2] for part in parts), min(sum(part[3] for part in parts), every_pair)
    )


@nb.njit(nogil=True, cache=True)
def _compare_sketches(
    first: int, end: int, first_own: int, ranks: Places, members: Places, starts: Places, bases: Positions, ends: int,
    most: int, firsts: Positions, within: bool, least: float, sketches: Sketches, sizes: Positions,
    earlier_sketches: Sketches, earlier_sizes: Positions, place_of: Places, later: Places, before: Places,
) -> tuple[int, int, int]:  # fmt: skip
    """Write the pairs of own items [first, end) that may be similar; returns how many, compared and left out."""
    room = ranks.shape[1] * 2 * ends
    found, bands, chosen = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.bool_)
    written, compared, left_out = 0, 0, 0
    for item in range(first, end):
        count, more = gather_candidates(ranks[item], members, starts, bases, ends, first_own, within, found)
        distinct = count_each(found, count, bands)
        left_out += more + choose_candidates(found, bands, distinct, most, chosen)
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
def gather_candidates(
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
def count_each(found: Places, count: int, bands: Places) -> int:
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
def choose_candidates(found: Places, bands: Places, count: int, most: int, chosen: NDArray[np.bool_]) -> int:
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
