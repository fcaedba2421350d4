"""Sketches of shingle sets: a few bits a set, which show of nearly all pairs that are not similar that they are not."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.cleaning.jaccard import Positions

WORDS = 16
_WORD_SHIFT, _BIT_SHIFT = np.uint64(60), np.uint64(54)
_BITS_IN_WORD = np.uint64(63)
PAIRS_AT_ONCE = 1 << 18


class Sketches:
    """Of each set its size, and a bit for every 1,024th of the hashes that it has one in.

    Args:
        count: Sets that there will be.
    """

    def __init__(self, count: int) -> None:
        self.sizes = np.zeros(count, np.int64)
        self._bits = np.zeros((count, WORDS), np.uint64)

    def add(self, places: Positions, lists: pa.ChunkedArray) -> None:
        """Add sets of hashes, ascending and none empty, at these places."""
        sizes = pc.list_value_length(lists).to_numpy().astype(np.int64)
        hashes: NDArray[np.uint64] = pc.list_flatten(lists).to_numpy()
        self.sizes[places] = sizes
        words = np.repeat(places * WORDS, sizes) + (hashes >> _WORD_SHIFT).astype(np.int64)
        starts = np.flatnonzero(np.append(True, words[1:] != words[:-1])[: len(words)])
        bits = np.left_shift(np.uint64(1), (hashes >> _BIT_SHIFT) & _BITS_IN_WORD)
        if len(starts):
            self._bits.reshape(-1)[words[starts]] = np.bitwise_or.reduceat(bits, starts)

    def may_be_similar(self, left: Positions, right: Positions, least: float) -> NDArray[np.bool_]:
        """Tell which pairs of sets may have a Jaccard similarity of at least `least`; no other pair has.

        A bit that one set has and the other has not stands for at least one hash that they do not share.

        >>> sketches = Sketches(2)
        >>> sketches.add(np.array([0, 1]), pa.chunked_array([[[1, 2**63], [2**62]]], pa.list_(pa.uint64())))
        >>> sketches.may_be_similar(np.array([0]), np.array([1]), 0.5).tolist()
        [False]
        """
        found = np.zeros(len(left), np.bool_)
        sizes, other_sizes = self.sizes[left], self.sizes[right]
        # Sets whose sizes differ by more than the similarity allows cannot be similar: their bits need no look.
        possible = np.flatnonzero(np.minimum(sizes, other_sizes) >= least * np.maximum(sizes, other_sizes))
        for first in range(0, len(possible), PAIRS_AT_ONCE):
            some = possible[first : first + PAIRS_AT_ONCE]
            one, other = self._bits[left[some]], self._bits[right[some]]
            common = np.minimum(sizes[some] - _bits(one & ~other), other_sizes[some] - _bits(other & ~one))
            found[some] = common / (sizes[some] + other_sizes[some] - common) >= least
        return found


def _bits(words: NDArray[np.uint64]) -> Positions:
    counts: Positions = np.bitwise_count(words).sum(axis=1, dtype=np.int64)
    return counts
