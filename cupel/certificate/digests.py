"""Digests: SHA-256 of many short texts, as numbers that compare as the digests do."""

import hashlib
from collections.abc import Iterable
from itertools import islice

import numpy as np
from numpy.typing import NDArray

# A digest is four numbers of 64 bits, the weightiest first.
WORDS = 4
PIECE_TEXTS = 65_536

Digests = NDArray[np.uint64]


def digests(texts: Iterable[bytes]) -> Digests:
    """Return the SHA-256 of each text.

    Args:
        texts: Any number of texts; none of them is kept.

    Returns:
        Shape texts x 4: rows compare column by column as the digests do, and as their hexadecimal digits.

    >>> [f"{word:016x}" for word in digests([b"a"])[0].tolist()] == [
    ...     hashlib.sha256(b"a").hexdigest()[place : place + 16] for place in range(0, 64, 16)
    ... ]
    True
    """
    sha256, rest = hashlib.sha256, iter(texts)
    pieces = [np.empty((0, WORDS), np.uint64)]
    while piece := b"".join([sha256(text).digest() for text in islice(rest, PIECE_TEXTS)]):
        pieces.append(np.frombuffer(piece, dtype=">u8").astype(np.uint64).reshape(-1, WORDS))
    return np.concatenate(pieces)
