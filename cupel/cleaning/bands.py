"""Items that share a band, brought together: each band sorted by its hashes, on several threads."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.cleaning.jaccard import Positions
from cupel.cleaning.shingles import Shingles
from cupel.cleaning.sketches import WORDS, Sketches
from cupel.loops import numba as nb

Places = NDArray[np.int32]
Flags = NDArray[np.bool_]
# Bands of the batch are marked in words of 64 bits, a word for four of them: of the others one in 60 passes.
_MARKED_IN_A_WORD = 4
_MOST_BITS = 20
_DIGIT_BITS = 11
_DIGITS = 1 << _DIGIT_BITS
MOST_ITEMS = (1 << 31) - 1


class Earlier(NamedTuple):
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
    def none(cls, bands: int) -> "Earlier":
        """Return no items, of so many bands."""
        nothing = ([np.empty(0, np.uint32)] * bands, [np.empty(0, np.int32)] * bands)
        return cls(*nothing, np.empty(0, np.int64), np.empty((0, WORDS), np.uint64), np.empty(0, np.int64))


class Piece(NamedTuple):
    """Some earlier items: their positions, ascending, and a row each of bands, sketches and sizes."""

    positions: Positions
    bands: Shingles
    sketches: Sketches
    sizes: Positions

    def those(self, chosen: Flags) -> "Piece":
        """Return the chosen ones."""
        if chosen.all():
            return self
        return Piece(self.positions[chosen], self.bands[chosen], self.sketches[chosen], self.sizes[chosen])


def sharing(own: Shingles, pieces: Iterable[Piece], threads: int | None = None) -> Earlier:
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
        ordered = list(pool.map(lambda band: _in_order(own[:, band]), range(bands)))
        marks = list(pool.map(lambda keys: _marked(keys, shift), ordered))
        for piece in pieces:
            # Rows of one band lie together, so that its marks stay in the processor's cache.
            columns = np.ascontiguousarray(piece.bands.T)
            rows = list(pool.map(_hits, columns, marks, ordered, [shift] * bands))
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
        return Earlier.none(bands)
    return Earlier(
        [np.concatenate([part[0][band] for part in found]) for band in range(bands)],
        [np.concatenate([part[1][band] for part in found]) for band in range(bands)],
        *(np.concatenate([part[kind] for part in found]) for kind in (2, 3, 4)),
    )


def _in_order(keys: Shingles) -> Shingles:
    return _sorted(np.ascontiguousarray(keys), np.empty(len(keys), np.int32))[0]


@nb.njit(nogil=True, inline="always")
def _mark(key: np.uint32) -> np.uint64:
    """Return two bits that a key sets in its word; they and the word are chosen by different bits of the key."""
    low, high = np.uint64(key & np.uint32(63)), np.uint64((key >> np.uint32(6)) & np.uint32(63))
    return (np.uint64(1) << low) | (np.uint64(1) << high)


@nb.njit(nogil=True, cache=True)
def _marked(keys: Shingles, shift: np.uint32) -> Sketches:
    """Return words in which each key has set its bits; the key's first bits are the word's number."""
    marks = np.zeros(1 << (32 - np.int64(shift)), np.uint64)
    for place in range(len(keys)):
        marks[keys[place] >> shift] |= _mark(keys[place])
    return marks


@nb.njit(nogil=True, cache=True)
def _hits(keys: Shingles, marks: Sketches, ordered: Shingles, shift: np.uint32) -> Positions:
    """Return the places of keys that are among the ordered ones."""
    found = np.empty(len(keys), np.int64)
    count = 0
    for place in range(len(keys)):
        mark = _mark(keys[place])
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


class Groups(NamedTuple):
    """Items by the bands that they share.

    `members[b]` holds, hash by hash of band b, the positions that share it, ascending; `starts[b]`, at the same places,
    where those of that hash begin. `ranks` has for each own item and band its place in `members[b]`, or -1 where it
    shares the band with no item that it may be compared with.
    """

    members: list[Places]
    starts: list[Places]
    ranks: Places


def groups(
    own: Shingles, takes_part: Flags, first_own: int, earlier: Earlier, within: bool = True, threads: int | None = None
) -> Groups:
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
        ordered, order = _sorted(keys, positions)
        ranks[:, band] = -1
        return _grouped(ordered, order, first_own, ranks, band, within)

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        found = list(pool.map(work, range(own.shape[1])))
    return Groups([members for members, _ in found], [starts for _, starts in found], ranks)


@nb.njit(nogil=True, cache=True)
def _sorted(keys: Shingles, values: Places) -> tuple[Shingles, Places]:
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
def _grouped(
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
