"""Candidate pairs to exact similarity: the Jaccard similarity of their shingle sets; and which texts are equal."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

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


# No containment is so large.
_NEVER = 2.0
# A set of fewer shingles (a text of some 35 characters) is held by too many others by chance.
LEAST_CONTAINED_SHINGLES = 30


class ComparedPairs(NamedTuple):
    """What two sets of each pair share: of all in either (Jaccard), and of the smaller; 0 where neither is enough."""

    similarity: Shares
    containment: Shares

    def choose(self, chosen: Positions) -> "ComparedPairs":
        """Return the chosen pairs."""
        return ComparedPairs(self.similarity[chosen], self.containment[chosen])


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
        return self.compare(left, right, least, None, threads).similarity

    def compare(
        self, left: Positions, right: Positions, least: float, least_contained: float | None,
        threads: int | None = None,
    ) -> ComparedPairs:  # fmt: skip
        """Return similarity and containment of pairs of sets, both exact where either is as large as asked for.

        Args:
            left: One set of each pair.
            right: The other one.
            least: Similarities below it are of no interest.
            least_contained: Nor are containments below this; None: none is.
            threads: How many threads; None for one a core.
        """
        similarity, containment = np.zeros(len(left)), np.zeros(len(left))
        asked = _NEVER if least_contained is None else least_contained

        def work(first: int) -> None:
            part = slice(first, first + _PAIRS)
            _compare(
                self.hashes, self._ends, self.sizes, left[part], right[part], least, asked, similarity[part],
                containment[part],
            )  # fmt: skip

        with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
            list(pool.map(work, range(0, len(left), _PAIRS)))
        return ComparedPairs(similarity, containment)


def verify_pairs(
    later: Positions, earlier: Positions, sizes: Positions, sets: Callable[[Positions], HashSets], least: float,
    threads: int | None = None, least_contained: float | None = None,
) -> ComparedPairs:  # fmt: skip
    """Return what each pair shares, 0 where it is below the least; of the sets only so many are held at once.

    Args:
        later: One item of each pair; pairs come ordered by it.
        earlier: The other one.
        sizes: How many hashes the set of each item has, by position.
        sets: Reads the sets at these positions, which ascend.
        least: Similarities below it are of no interest.
        threads: How many threads; None for one a core.
        least_contained: Containments below it are of no interest; None: none is.
    """
    used, inverse = np.unique(np.concatenate([later, earlier]), return_inverse=True)
    half = int(np.searchsorted(later, later[len(later) // 2])) if len(later) else 0
    if half and sizes[used].sum() > HASHES_AT_ONCE:
        parts = (slice(None, half), slice(half, None))
        found = [
            verify_pairs(later[part], earlier[part], sizes, sets, least, threads, least_contained) for part in parts
        ]
        return ComparedPairs(*(np.concatenate(shares) for shares in zip(*found, strict=True)))
    if not len(used):
        return ComparedPairs(np.empty(0), np.empty(0))
    return sets(used).compare(inverse[: len(later)], inverse[len(later) :], least, least_contained, threads)


@nb.njit(nogil=True, cache=True)
def _compare(
    hashes: Shingles, ends: Positions, sizes: Positions, left: Positions, right: Positions, least: float,
    least_contained: float, similarity: Shares, containment: Shares,
) -> None:  # fmt: skip
    for pair in range(len(left)):
        one, other = left[pair], right[pair]
        size, other_size = sizes[one], sizes[other]
        smaller = min(size, other_size)
        asked = least_contained if smaller >= LEAST_CONTAINED_SHINGLES else _NEVER
        common = _count_common(hashes, ends[one] - size, ends[one], ends[other] - other_size, ends[other], least, asked)
        similar, contained = common / max(1, size + other_size - common), common / max(1, smaller)
        if similar >= least or contained >= asked:
            similarity[pair], containment[pair] = similar, contained


@nb.njit(nogil=True, cache=True)
def _count_common(
    hashes: Shingles, one: int, one_end: int, other: int, other_end: int, least: float, least_contained: float
) -> int:
    """Return how many hashes two sets share, or 0 as soon as too few can be for what is asked for."""
    total = one_end - one + other_end - other
    smaller = min(one_end - one, other_end - other)
    common = 0
    while one < one_end and other < other_end:
        # Looked at now and then only: a step takes less time than the question.
        possible = common + min(one_end - one, other_end - other)
        if possible < least * (total - possible) and possible < least_contained * smaller:
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
