"""The exact Jaccard similarity of sets of hashes, of one set with many at a time."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Positions = NDArray[np.int64]
Shares = NDArray[np.float64]

_SLOT_BITS = 17
_SHIFT = np.uint64(64 - _SLOT_BITS)


class HashSets:
    """Sets of 64-bit hashes, ready to be compared.

    Args:
        lists: A list of distinct hashes a set, ascending, none of them empty.
    """

    def __init__(self, lists: pa.ChunkedArray) -> None:
        self._hashes: NDArray[np.uint64] = pc.list_flatten(lists).to_numpy()
        self.sizes: Positions = pc.list_value_length(lists).to_numpy().astype(np.int64)
        self._ends = np.cumsum(self.sizes)
        self._starts = self._ends - self.sizes
        # A slot holds one hash of a set, one that begins with its number; an empty slot what begins otherwise.
        self._empty = ~(np.arange(1 << _SLOT_BITS, dtype=np.uint64) << _SHIFT)
        self._table = self._empty.copy()

    def similarities(self, left: Positions, right: Positions, least: float) -> Shares:
        """Return the Jaccard similarity of pairs of sets.

        Args:
            left: One set of each pair; pairs of the same set stand together.
            right: The other one.
            least: Similarities below it are of no interest.

        Returns:
            A share a pair, exact where it is at least `least`, otherwise 0.

        >>> sets = HashSets(pa.chunked_array([[[1, 2, 3], [2, 3, 4], [9]]], pa.list_(pa.uint64())))
        >>> sets.similarities(np.array([1, 2]), np.array([0, 0]), 0.5).tolist()
        [0.5, 0.0]
        """
        found = np.zeros(len(left))
        sizes = self.sizes
        # Sets whose sizes differ by more than the similarity allows cannot be similar.
        possible = np.flatnonzero(
            np.minimum(sizes[left], sizes[right]) >= least * np.maximum(sizes[left], sizes[right])
        )
        starts = np.flatnonzero(np.diff(left[possible], prepend=-1))
        ends = np.append(starts[1:], len(possible))[: len(starts)]
        for first, end in zip(starts.tolist(), ends.tolist(), strict=True):
            places = possible[first:end]
            found[places] = self._with_many(int(left[places[0]]), right[places])
        found[found < least] = 0
        return found

    def _with_many(self, one: int, others: Positions) -> Shares:
        sizes = self.sizes[others]
        slices = [slice(self._starts[other], self._ends[other]) for other in others.tolist()]
        hashes = np.concatenate([self._hashes[other] for other in slices])
        slots = _slots(hashes)
        is_common = np.zeros(len(hashes), np.bool_)
        remaining = self._hashes[self._starts[one] : self._ends[one]]
        while len(remaining):
            # Of hashes that share a slot one finds room in it; the others wait for the next turn.
            mine = _slots(remaining)
            self._table[mine] = remaining
            is_common |= self._table.take(slots) == hashes
            remaining = remaining[self._table[mine] != remaining]
            self._table[mine] = self._empty[mine]
        common = np.add.reduceat(is_common, np.cumsum(sizes) - sizes, dtype=np.int64)
        similarities: Shares = common / (self.sizes[one] + sizes - common)
        return similarities


def _slots(hashes: NDArray[np.uint64]) -> Positions:
    return (hashes >> _SHIFT).view(np.int64)
