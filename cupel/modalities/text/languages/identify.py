"""The language and script of every text of a column; `und` where the text is too short or speaks for several."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cupel.compiled_loops import numba as nb
from cupel.modalities.text.languages.grams import MOST_LETTERS, MOST_ROWS, gram_rows, read_letters
from cupel.modalities.text.languages.letters import SPACE, folded
from cupel.modalities.text.languages.model import Model, load
from cupel.modalities.text.scan.decoding import Bytes, Codes, decode

UNDETERMINED = "und"
# Below this the answer is `und`; see docs/reference/languages.md.
LEAST_CONFIDENCE = 0.5
# With fewer letters the answer is `und`.
LEAST_LETTERS = 8
# So many bytes of a text are read.
MOST_BYTES = 1 << 13
# A language whose log odds lie so far below the first adds less than 1e-7 to the sum of all.
TOO_SMALL = np.float32(16)
# A thread takes so many texts at a time.
PIECE = 1024


def identify(
    texts: pa.Array | pa.ChunkedArray,
    least_confidence: float = LEAST_CONFIDENCE,
    least_letters: int = LEAST_LETTERS,
    model: Model | None = None,
    threads: int | None = None,
) -> pa.Table:
    """Tell the language of every text.

    Args:
        texts: Strings or bytes, valid UTF-8 or not, best in NFC; null is read as nothing. Of each the first 8 KiB
            are read, of those the first 1,000 letters.
        least_confidence: Below it, `und`.
        least_letters: With fewer, `und`.
        model: None for the one that ships with the project.
        threads: How many; None for one a core.

    Returns:
        A row a text, in order. `language`: language_Script (ISO 639-3, ISO 15924) or `und`. `confidence`: the
        model's probability for its first choice, 0 to 1, also where the answer is `und`; 0 where nothing was read.
    """
    known = load() if model is None else model
    column = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    column = column.cast(pa.large_binary())
    offsets = np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column) + 1]
    content = column.buffers()[2]
    data = np.frombuffer(content, np.uint8) if content is not None and content.size else np.zeros(1, np.uint8)
    first, confidence = np.full(len(column), -1, np.int32), np.zeros(len(column), np.float32)

    def work(start: int) -> None:
        _piece(
            data, offsets, start, min(start + PIECE, len(column)), folded(), known.shift, known.rows, known.weights,
            known.biases, least_letters, first, confidence,
        )  # fmt: skip

    folded()
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        list(pool.map(work, range(0, len(column), PIECE)))
    first[confidence < least_confidence] = -1
    names = pa.array([*known.languages, UNDETERMINED])
    first[first < 0] = len(known.languages)
    return pa.table({"language": names.take(pa.array(first)), "confidence": pa.array(confidence)})


@nb.njit(nogil=True, cache=True)
def _piece(
    data: Bytes, offsets: NDArray[np.int64], begin: int, behind: int, table: Codes, shift: np.uint64,
    rows: NDArray[np.int8], weights: NDArray[np.float32], biases: NDArray[np.float32], least_letters: int,
    first: NDArray[np.int32], confidence: NDArray[np.float32],
) -> None:  # fmt: skip
    """Tell the languages of texts [begin, behind)."""
    dimensions, classes = weights.shape
    codes, letters = np.empty(MOST_BYTES, np.int32), np.empty(MOST_LETTERS, np.int32)
    shown, sums = np.empty(MOST_ROWS, np.int32), np.empty(dimensions, np.int32)
    odds = np.empty(classes, np.float32)
    for text in range(begin, behind):
        start = offsets[text]
        count = decode(data, start, min(offsets[text + 1], start + MOST_BYTES), codes)
        size = read_letters(codes, count, table, letters)
        filled = 0
        for place in range(size):
            filled += letters[place] != SPACE
        if filled == 0 or filled < least_letters:
            continue
        count = gram_rows(letters, 0, size, shift, shown)
        sums[:] = 0
        for number in range(count):
            row = rows[shown[number]]
            for axis in range(dimensions):
                sums[axis] += row[axis]
        odds[:] = biases
        scale = 1 / np.sqrt(count)
        for axis in range(dimensions):
            value = np.float32(sums[axis] * scale)
            for label in range(classes):
                odds[label] += value * weights[axis, label]
        best = np.argmax(odds)
        most, total = odds[best], np.float32(0)
        for label in range(classes):
            if odds[label] > most - TOO_SMALL:
                total += np.exp(odds[label] - most)
        first[text] = best
        confidence[text] = 1 / total
