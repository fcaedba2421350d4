"""Shingle sets to bands: MinHash values by one hash a shingle and round, and what groups of them have in common."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.cleaning.shingles import Hashes, Shingles
from cupel.loops import numba as nb

VALUES = 128
_VALUE_BITS = np.uint64(57)
_MASK = np.uint64((1 << 57) - 1)
_EMPTY = np.uint64(2**64 - 1)
_STEP, _FACTOR_1, _FACTOR_2 = (
    np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93), np.uint64(0xC2B2AE3D27D4EB4F),
)  # fmt: skip


class Banding(NamedTuple):
    """So many bands of so many MinHash values, no more than 128 in all.

    Two texts of Jaccard similarity s share a band with chance 1 - (1 - s^rows)^bands.
    """

    bands: int = 32
    rows: int = 4

    def chance(self, similarity: float) -> float:
        """Return the chance that a pair of this similarity is proposed.

        >>> round(Banding(32, 4).chance(0.5), 3)
        0.873
        """
        return float(1 - (1 - similarity**self.rows) ** self.bands)

    @classmethod
    def of(cls, similarity: float, missed: float = 0.02) -> "Banding":
        """Return the longest bands that miss no more than this share of the pairs of just this similarity.

        >>> Banding.of(0.7), Banding.of(0.8)
        (Banding(bands=25, rows=5), Banding(bands=18, rows=7))
        """
        for rows in range(VALUES, 0, -1):
            banding = cls(VALUES // rows, rows)
            if banding.chance(similarity) >= 1 - missed:
                return banding
        return cls(VALUES, 1)


@nb.njit(nogil=True, inline="always")
def _hash(shingle: np.uint32, turn: int) -> np.uint64:
    value = (np.uint64(shingle) + np.uint64(turn) * _STEP) * _FACTOR_1
    value ^= value >> np.uint64(32)
    return value * _FACTOR_2


@nb.njit(nogil=True, cache=True)
def minhash(shingles: Shingles, count: int, values: Hashes, turns: NDArray[np.int32]) -> int:
    """Write 128 values of a set; two sets agree in each with a chance that is their Jaccard similarity.

    Each turn throws every shingle into one of 128 places; a place keeps the least hash of the first turn that reached
    it. Turns end when no place is empty: a text of 300 characters needs three or four, not 128. After 128 turns all
    shingles go to one place after the other, so that there are never more than 256.

    Args:
        shingles: The set, its first `count` hashes; distinct ones.
        count: At least 1.
        values: Room for the 128 values.
        turns: Room for the turn that filled each.

    Returns:
        How many hashes were computed.

    Source: Dahlgaard, Knudsen and Thorup (2017), Fast similarity sketching, FOCS.
    """
    values[:VALUES] = _EMPTY
    for place in range(count):
        value = _hash(shingles[place], 0)
        bin_ = np.int64(value >> _VALUE_BITS)
        values[bin_] = min(values[bin_], value & _MASK)
    filled = 0
    for bin_ in range(VALUES):
        is_filled = values[bin_] != _EMPTY
        turns[bin_] = 0 if is_filled else -1
        filled += is_filled
    turn = 1
    while filled < VALUES:
        for place in range(count):
            value = _hash(shingles[place], turn)
            bin_ = np.int64(value >> _VALUE_BITS) if turn < VALUES else np.int64(turn - VALUES)
            if turns[bin_] == -1:
                turns[bin_] = turn
                filled += 1
                values[bin_] = value & _MASK
            elif turns[bin_] == turn:
                values[bin_] = min(values[bin_], value & _MASK)
        turn += 1
    return turn * count


@nb.njit(nogil=True, cache=True)
def write_bands(values: Hashes, rows: int, bands: Shingles) -> None:
    """Write a hash of each band of MinHash values: equal, but for chance, where all values of the band are."""
    for band in range(len(bands)):
        value = np.uint64(band + 1)
        for row in range(rows):
            value = (value ^ values[band * rows + row]) * _FACTOR_1
            value ^= value >> np.uint64(32)
        value *= _FACTOR_2
        bands[band] = value >> np.uint64(32)
