"""The hash that tells which texts are the same, case and white space aside."""

import hashlib
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cupel.cleaning.folding import column, fold, folded, lower_cases
from cupel.cleaning.scan.decoding import Bytes, Codes, decode, encode
from cupel.loops import numba as nb


def text_sha256(text: str) -> str:
    """Return the hash of the folded text: equal for texts that differ in case and white space only."""
    return hashlib.sha256(folded(text).encode()).hexdigest()


def text_hashes(texts: pa.Array) -> pa.Array:
    """Return what `text_sha256` says of every text of a column.

    Args:
        texts: Strings, none null.
    """
    there = column(texts)
    lengths = np.diff(there.offsets)
    # No letter's lower case has more than one and a half times its bytes.
    written = np.empty(int(lengths.sum()) * 3 // 2 + 4, np.uint8)
    longest = int(lengths.max(initial=0)) + 1
    ends = np.zeros(len(lengths) + 1, np.int64)
    _fold(
        there.data,
        there.offsets,
        lower_cases(),
        np.empty(longest, np.int32),
        np.empty(longest, np.int32),
        written,
        ends,
    )
    content, places = written.data, ends.tolist()
    digests = [hashlib.sha256(content[start:end]).hexdigest() for start, end in pairwise(places)]
    return pa.array(digests, pa.string())


@nb.njit(nogil=True, cache=True)
def _fold(
    data: Bytes, offsets: NDArray[np.int64], lower: Codes, codes: Codes, folded_codes: Codes, written: Bytes,
    ends: NDArray[np.int64],
) -> None:  # fmt: skip
    """Write the folded texts in UTF-8, one after the other, and where each ends."""
    for text in range(len(ends) - 1):
        count = fold(codes, decode(data, offsets[text], offsets[text + 1], codes), lower, folded_codes)
        ends[text + 1] = encode(folded_codes, count, written, ends[text])
