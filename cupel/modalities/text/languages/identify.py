"""The language and script of every text of a column; `und` where the text is too short or speaks for several."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cupel.compiled_loops import numba as nb
from cupel.modalities.text.languages.alphabets import Flags, alphabet_codes, find_writings
from cupel.modalities.text.languages.codes import NO_LANGUAGE, UNDETERMINED, macrolanguage
from cupel.modalities.text.languages.grams import MOST_LETTERS, MOST_ROWS, count_pairs, gram_rows, read_letters
from cupel.modalities.text.languages.letters import folded
from cupel.modalities.text.languages.model import Model, load
from cupel.modalities.text.scan.decoding import Bytes, Codes, decode

# Below this the answer is `und`; see docs/reference/languages.md.
LEAST_CONFIDENCE = 0.5
# With fewer letters the answer is `und`, where many languages are written in the same alphabet.
LEAST_LETTERS = 8
# The same where one language alone is.
LEAST_LETTERS_ALONE = 2
# So many bytes of a text are read.
MOST_BYTES = 1 << 13
# A language whose log odds lie so far below the first adds less than 1e-7 to the sum of all.
TOO_SMALL = np.float32(16)
# A thread takes so many texts at a time.
PIECE = 1024


class _Families(NamedTuple):
    """The macrolanguages of a model's languages.

    Attributes:
        names: Labels, macrolanguage_Script.
        of: int32: the place in `names` of each language's, -1 where it has none that it shares.
        sizes: int32: how many languages are left in each way of writing once those of a macrolanguage count as one.
    """

    names: tuple[str, ...]
    of: NDArray[np.int32]
    sizes: NDArray[np.int32]


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
        least_letters: With fewer, `und`; in alphabets that fewer languages are written in, fewer are enough:
            `LEAST_LETTERS_ALONE`, and one more for each doubling of the languages. A letter counts once with the one
            that follows it.
        model: None for the one that ships with the project.
        threads: How many; None for one a core.

    Returns:
        A row a text, in order. `language`: language_Script (ISO 639-3, ISO 15924) or `und`; of a macrolanguage where
        its varieties hold `least_confidence` only together. `confidence`: the model's probability for it, or for its
        first choice where the answer is `und`, 0 to 1; 0 where nothing was read. `variety`: the likeliest variety
        where the language is a macrolanguage, else null.
    """
    known = load() if model is None else model
    families = _families(known.languages, tuple(known.starts.tolist()))
    column = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    column = column.cast(pa.large_binary())
    offsets = np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column) + 1]
    content = column.buffers()[2]
    data = np.frombuffer(content, np.uint8) if content is not None and content.size else np.zeros(1, np.uint8)
    first, family = np.full(len(column), -1, np.int32), np.full(len(column), -1, np.int32)
    confidence = np.zeros(len(column), np.float32)
    uses, table, alphabets = known.uses, folded(), alphabet_codes()

    def work(start: int) -> None:
        _piece(
            data, offsets, start, min(start + PIECE, len(column)), table, alphabets, known.shift, known.rows,
            known.weights, known.biases, known.starts, uses, families.sizes, least_letters, families.of,
            np.float32(least_confidence), first, family, confidence,
        )  # fmt: skip

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        list(pool.map(work, range(0, len(column), PIECE)))
    told = [UNDETERMINED if name.startswith(NO_LANGUAGE) else name for name in known.languages]
    names = pa.array([*told, *families.names, UNDETERMINED])
    chosen = np.where(family >= 0, len(told) + family, first)
    chosen[confidence < least_confidence] = -1
    variety = pa.array(np.maximum(first, 0), mask=(family < 0) | (chosen < 0))
    return pa.table({
        "language": names.take(pa.array(np.where(chosen < 0, len(names) - 1, chosen))),
        "confidence": pa.array(confidence), "variety": pa.array(known.languages).take(variety),
    })  # fmt: skip


@cache
def _families(languages: tuple[str, ...], starts: tuple[int, ...]) -> _Families:
    above = [macrolanguage(name) for name in languages]
    shared = sorted({name for name in above if name and above.count(name) > 1})
    of = [shared.index(name) if name in shared else -1 for name in above]
    groups = [name if name in shared else language for name, language in zip(above, languages, strict=True)]
    sizes = [len(set(groups[begin:end])) for begin, end in pairwise(starts)]
    return _Families(tuple(str(name) for name in shared), np.array(of, np.int32), np.array(sizes, np.int32))


@nb.njit(nogil=True, cache=True)
def _piece(
    data: Bytes, offsets: NDArray[np.int64], begin: int, behind: int, table: Codes, alphabets: NDArray[np.int16],
    shift: np.uint64, rows: NDArray[np.int8], weights: NDArray[np.float32], biases: NDArray[np.float32],
    starts: NDArray[np.int32], uses: Flags, sizes: NDArray[np.int32], least_letters: int,
    family_of: NDArray[np.int32],
    least_confidence: np.float32, first: NDArray[np.int32], family: NDArray[np.int32],
    confidence: NDArray[np.float32],
) -> None:  # fmt: skip
    """Tell the languages of texts [begin, behind)."""
    dimensions, classes = weights.shape
    codes, letters = np.empty(MOST_BYTES, np.int32), np.empty(MOST_LETTERS, np.int32)
    shown, sums = np.empty(MOST_ROWS, np.int32), np.empty(dimensions, np.int32)
    odds, covered = np.empty(classes, np.float32), np.empty(len(uses), np.int32)
    together = np.zeros(family_of.max() + 1, np.float32)
    for text in range(begin, behind):
        start = offsets[text]
        count = decode(data, start, min(offsets[text + 1], start + MOST_BYTES), codes)
        size, coded = read_letters(codes, count, table, letters)
        least_covered = find_writings(letters, size, alphabets, uses, covered)
        if least_covered == 0 or coded > size:
            continue
        least = min(_least_letters(covered, least_covered, sizes), least_letters)
        if count_pairs(letters, size, least) < least:
            continue
        count = gram_rows(letters, 0, size, shift, shown)
        sums[:] = 0
        for number in range(count):
            row = rows[shown[number]]
            for axis in range(dimensions):
                sums[axis] += row[axis]
        scale = np.float32(1 / np.sqrt(count))
        for way in range(len(uses)):
            first_label, behind_label = starts[way], starts[way + 1]
            own = odds[first_label:behind_label]
            if covered[way] < least_covered:
                own[:] = -np.inf
                continue
            own[:] = biases[first_label:behind_label]
            for axis in range(dimensions):
                value = np.float32(sums[axis] * scale)
                # Slices, counted from 0: only so is the loop done eight at a time.
                own_weights = weights[axis][first_label:behind_label]
                for label in range(len(own)):
                    own[label] += value * own_weights[label]
        _choose(odds, family_of, least_confidence, text, together, first, family, confidence)


@nb.njit(nogil=True, cache=True)
def _least_letters(covered: Codes, least_covered: int, sizes: NDArray[np.int32]) -> int:
    """Return how many letters tell apart the languages in question."""
    languages = 0
    for way in range(len(covered)):
        if covered[way] >= least_covered:
            languages += sizes[way]
    return LEAST_LETTERS_ALONE + int(np.log2(languages))


@nb.njit(nogil=True, cache=True)
def _choose(
    odds: NDArray[np.float32], family_of: NDArray[np.int32], least_confidence: np.float32, text: int,
    together: NDArray[np.float32], first: NDArray[np.int32], family: NDArray[np.int32],
    confidence: NDArray[np.float32],
) -> None:  # fmt: skip
    """Write the likeliest language of a text, or the likeliest macrolanguage where that alone is likely enough."""
    best = np.argmax(odds)
    most, total = odds[best], np.float32(0)
    for label in range(len(odds)):
        if odds[label] > most - TOO_SMALL:
            odds[label] = np.exp(odds[label] - most)
            total += odds[label]
        else:
            odds[label] = 0
    first[text] = best
    confidence[text] = 1 / total
    if confidence[text] >= least_confidence:
        return
    together[:] = 0
    for label in range(len(odds)):
        if family_of[label] >= 0:
            together[family_of[label]] += odds[label] / total
    name = np.argmax(together) if len(together) else 0
    if len(together) and together[name] >= least_confidence:
        family[text], confidence[text] = name, together[name]
        first[text] = np.argmax(np.where(family_of == name, odds, np.float32(-1)))
