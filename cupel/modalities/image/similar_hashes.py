"""Pairs of hashes that differ in few bits, without comparing all with all."""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]
BANDS, BAND_BITS = 4, 16
# Fewer are compared all with all, which then is faster.
FEW = 4_096
# So many pairs are held at a time.
PAIRS_AT_ONCE = 1 << 22


class HashPairs(NamedTuple):
    """Pairs of places, `later` > `earlier`, in that order; `distances` are the bits in which they differ."""

    later: Places
    earlier: Places
    distances: NDArray[np.uint8]


def similar_hashes(hashes: Hashes, most_bits: int) -> HashPairs:
    """Return all pairs of hashes that differ in at most so many bits.

    Hashes that differ in `most_bits` differ in at most a fourth of that in one of their four bands of 16 bits: only
    those are compared whole. Nothing is missed.

    Args:
        hashes: Shape hashes; any order, the same one several times or not.
        most_bits: 0 to 64.

    Source: Norouzi, Punjani and Fleet (2014), Fast exact search in Hamming space with multi-index hashing, TPAMI 36(6).
    """
    hashes = np.asarray(hashes, np.uint64)
    pieces = list(_all_pairs(hashes, most_bits) if len(hashes) < FEW else _banded_pairs(hashes, most_bits))
    empty = np.empty(0, np.int64)
    later = np.concatenate([empty, *(piece.later for piece in pieces)])
    earlier = np.concatenate([empty, *(piece.earlier for piece in pieces)])
    order = np.lexsort((earlier, later))
    later, earlier = later[order], earlier[order]
    # A pair may be found by several bands.
    is_new = np.ones(len(later), np.bool_)
    is_new[1:] = (later[1:] != later[:-1]) | (earlier[1:] != earlier[:-1])
    later, earlier = later[is_new], earlier[is_new]
    return HashPairs(later, earlier, np.bitwise_count(hashes[later] ^ hashes[earlier]))


def _all_pairs(hashes: Hashes, most_bits: int) -> Iterator[HashPairs]:
    rows = max(1, PAIRS_AT_ONCE // max(1, len(hashes)))
    for first in range(0, len(hashes), rows):
        block = hashes[first : first + rows]
        distances = np.bitwise_count(block[:, None] ^ hashes[None, : first + len(block)])
        later, earlier = np.nonzero(distances <= most_bits)
        later = later + first
        is_pair = later > earlier
        yield _kept(hashes, later[is_pair], earlier[is_pair], most_bits)


def _banded_pairs(hashes: Hashes, most_bits: int) -> Iterator[HashPairs]:
    for band in range(BANDS):
        keys = (hashes >> np.uint64(band * BAND_BITS)).astype(np.uint16)
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        starts = np.searchsorted(ordered, np.arange((1 << BAND_BITS) + 1))
        for mask in _masks(most_bits // BANDS):
            wanted = (keys ^ np.uint16(mask)).astype(np.int64)
            first, count = starts[wanted], starts[wanted + 1] - starts[wanted]
            yield from _expanded(hashes, order, first, count, most_bits)


def _masks(most_bits: int) -> Iterator[int]:
    """Yield every pattern of at most so many changed bits of a band."""
    for changed in range(min(most_bits, BAND_BITS) + 1):
        for places in combinations(range(BAND_BITS), changed):
            yield sum(1 << place for place in places)


def _expanded(hashes: Hashes, order: Places, first: Places, count: Places, most_bits: int) -> Iterator[HashPairs]:
    """Yield the pairs of each place with a run of `order`, some at a time."""
    ends = np.cumsum(count)
    begin = 0
    while begin < len(count):
        before = int(ends[begin - 1]) if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, before + PAIRS_AT_ONCE, side="right")))
        rows, counted = np.arange(begin, end), count[begin:end]
        one = np.repeat(rows, counted)
        inside = np.arange(len(one)) - np.repeat(np.cumsum(counted) - counted, counted)
        other = order[np.repeat(first[begin:end], counted) + inside]
        is_pair = one > other
        yield _kept(hashes, one[is_pair], other[is_pair], most_bits)
        begin = end


def _kept(hashes: Hashes, later: Places, earlier: Places, most_bits: int) -> HashPairs:
    distances = np.bitwise_count(hashes[later] ^ hashes[earlier])
    is_near = distances <= most_bits
    return HashPairs(later[is_near], earlier[is_near], distances[is_near])
