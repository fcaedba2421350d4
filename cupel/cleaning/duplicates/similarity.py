"""Candidate pairs to exact similarity: the Jaccard similarity of their shingle sets; and which texts are equal."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from cupel.cleaning.duplicates.candidates import Positions
from cupel.cleaning.duplicates.fingerprints import Hashes, Shingles
from cupel.compiled_loops import numba as nb
from cupel.modalities.text.scan.decoding import mix

Shares = NDArray[np.float64]

# Hashes that are held at once, 4 bytes each.
HASHES_AT_ONCE = 1 << 26
# A thread takes so many pairs at a time.
_PAIRS = 1 << 12


class HashSets:
    """Sets of hashes, ready to be compared.

    Args:
        hashes: The distinct hashes of each set, ascending, one set after the other.
        sizes: How many each has.
    """

    def __init__(self, hashes: Shingles, sizes: Positions) -> None:
        self.sizes = sizes
        self.hashes = hashes
        self._ends = np.cumsum(sizes)

    def similarities(self, left: Positions, right: Positions, least: float, threads: int | None = None) -> Shares:
        """Return the Jaccard similarity of pairs of sets.

        Args:
            left: One set of each pair.
            right: The other one.
            least: Similarities below it are of no interest.
            threads: How many threads; None for one a core.

        Returns:
            A share a pair, exact where it is at least `least`, otherwise 0. Empty sets are similar to none.

        >>> sets = HashSets(np.array([1, 2, 3, 2, 3, 4, 9], np.uint32), np.array([3, 3, 1]))
        >>> sets.similarities(np.array([1, 2]), np.array([0, 0]), 0.5).tolist()
        [0.5, 0.0]
        """
        found = np.zeros(len(left))

        def work(first: int) -> None:
            part = slice(first, first + _PAIRS)
            _similarities(self.hashes, self._ends, self.sizes, left[part], right[part], least, found[part])

        with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
            list(pool.map(work, range(0, len(left), _PAIRS)))
        return found


def verify_pairs(
    later: Positions, earlier: Positions, sizes: Positions, sets: Callable[[Positions], HashSets], least: float,
    threads: int | None = None,
) -> Shares:  # fmt: skip
    """Return the similarity of each pair, 0 where it is below the least; of the sets only so many are held at once.

    Args:
        later: One item of each pair; pairs come ordered by it.
        earlier: The other one.
        sizes: How many hashes the set of each item has, by position.
        sets: Reads the sets at these positions, which ascend.
        least: Similarities below it are of no interest.
        threads: How many threads; None for one a core.
    """
    used, inverse = np.unique(np.concatenate([later, earlier]), return_inverse=True)
    half = int(np.searchsorted(later, later[len(later) // 2])) if len(later) else 0
    if half and sizes[used].sum() > HASHES_AT_ONCE:
        parts = (slice(None, half), slice(half, None))
        return np.concatenate([verify_pairs(later[part], earlier[part], sizes, sets, least, threads) for part in parts])
    if not len(used):
        return np.empty(0)
    return sets(used).similarities(inverse[: len(later)], inverse[len(later) :], least, threads)


@nb.njit(nogil=True, cache=True)
def _similarities(
    hashes: Shingles, ends: Positions, sizes: Positions, left: Positions, right: Positions, least: float, found: Shares
) -> None:
    for pair in range(len(left)):
        one, other = left[pair], right[pair]
        size, other_size = sizes[one], sizes[other]
        common = _count_common(hashes, ends[one] - size, ends[one], ends[other] - other_size, ends[other], least)
        similarity = common / max(1, size + other_size - common)
        if similarity >= least:
            found[pair] = similarity


@nb.njit(nogil=True, cache=True)
def _count_common(hashes: Shingles, one: int, one_end: int, other: int, other_end: int, least: float) -> int:
    """Return how many hashes two sets share, or 0 as soon as too few can be for the least similarity."""
    total = one_end - one + other_end - other
    common = 0
    while one < one_end and other < other_end:
        # Looked at now and then only: a step takes less time than the question.
        possible = common + min(one_end - one, other_end - other)
        if possible < least * (total - possible):
            return 0
        for _ in range(min(16, one_end - one, other_end - other)):
            mine, theirs = hashes[one], hashes[other]
            one += mine <= theirs
            other += theirs <= mine
            common += mine == theirs
    return common


@nb.njit(nogil=True, cache=True)
def find_first_equal(texts: Hashes) -> Positions:
    """Return, for each row, the first row that equals it.

    >>> find_first_equal(np.array([[1, 2], [1, 3], [1, 2]], np.uint64)).tolist()
    [0, 1, 0]
    """
    room = 16
    while room < 2 * len(texts):
        room *= 2
    table = np.full(room, -1, np.int64)
    firsts = np.empty(len(texts), np.int64)
    for row in range(len(texts)):
        slot = np.int64(mix(texts[row, 0] ^ texts[row, 1])) & (room - 1)
        while table[slot] >= 0:
            other = table[slot]
            if texts[other, 0] == texts[row, 0] and texts[other, 1] == texts[row, 1]:
                break
            slot = (slot + 1) & (room - 1)
        if table[slot] < 0:
            table[slot] = row
        firsts[row] = table[slot]
    return firsts
