"""Sketches of shingle sets: a few bits a set, which show of nearly all pairs that are not similar that they are not."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cupel.cleaning.shingles import Hashes, Shingles
from cupel.loops import numba as nb

WORDS = 16
_WORD_SHIFT, _BIT_SHIFT = np.uint32(28), np.uint32(22)
_BITS_IN_WORD = np.uint32(63)

Sketches = NDArray[np.uint64]


@nb.extending.intrinsic
def _set_bits(context: Any, word: Any) -> Any:
    """Return how many bits of a 64-bit word are set: one instruction."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return nb.types.uint64(nb.types.uint64), code


@nb.njit(nogil=True, cache=True)
def write_sketch(shingles: Shingles, count: int, sketch: Hashes) -> None:
    """Write a bit for every 1,024th of the hashes: set where the set has a hash in it."""
    sketch[:] = np.uint64(0)
    for place in range(count):
        value = shingles[place]
        sketch[value >> _WORD_SHIFT] |= np.uint64(1) << np.uint64((value >> _BIT_SHIFT) & _BITS_IN_WORD)


@nb.njit(nogil=True, cache=True)
def may_be_similar(one: Hashes, size: int, other: Hashes, other_size: int, least: float) -> bool:
    """Tell whether two sets may have a Jaccard similarity of at least `least`; if not, they have not.

    A bit that one set has and the other has not stands for at least one hash that they do not share.
    """
    if min(size, other_size) < least * max(size, other_size):
        return False
    alone, other_alone = np.uint64(0), np.uint64(0)
    for word in range(WORDS):
        alone += _set_bits(one[word] & ~other[word])
        other_alone += _set_bits(other[word] & ~one[word])
    common = min(size - np.int64(alone), other_size - np.int64(other_alone))
    return bool(common / (size + other_size - common) >= least)
