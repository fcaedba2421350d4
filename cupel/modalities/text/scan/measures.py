"""The scan of a column of texts: all measures of every document, on several threads, no Python object a document."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cupel.compiled_loops import numba as nb
from cupel.contract.tables.scan_columns import SCAN_MEASURES
from cupel.modalities.text.scan.classes import BREAK, LETTER, SPACE, SYMBOL, classes, sentence_ends
from cupel.modalities.text.scan.decoding import MULTIPLIER, Bytes, Codes, decode, hash_run, hash_word, powers
from cupel.modalities.text.scan.lines import COUNTS, count_lines, phrases
from cupel.modalities.text.scan.repetition import (
    Hashes,
    narrow,
    repeated_gram_characters,
    repeated_pieces,
    table_size,
    top_gram,
)
from cupel.modalities.text.scan.tokens import DIVIDED, Places, words

Reals = NDArray[np.float64]

# Longer documents are not measured: no project keeps them, and their tables would fill the memory.
LONGEST_BYTES = 1 << 24
# A thread takes so many documents at a time.
PIECE = 256
MOST_STOP_WORDS = 40
_HASH, _ELLIPSIS, _DOT = ord("#"), 0x2026, ord(".")


def measures(
    texts: pa.Array | pa.ChunkedArray,
    stop_words: Sequence[str] | Sequence[Sequence[str]] = (),
    threads: int | None = None,
    which: NDArray[np.int32] | None = None,
) -> pa.Table:
    """Measure every document of a column.

    Args:
        texts: Strings or bytes, valid UTF-8 or not; null is measured as nothing.
        stop_words: Words of which distinct ones are counted, as they stand; with `which`, several lists of them.
        threads: How many threads; None for one a core.
        which: The list that counts for each document.

    Returns:
        A row a document, in order; columns `SCAN_MEASURES`, whole numbers. All are null for a document that is null, or
        longer than 16 MiB.
    """
    column = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    column = column.cast(pa.large_binary())
    offsets = np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column) + 1]
    content = column.buffers()[2]
    data = np.frombuffer(content, np.uint8) if content is not None and content.size else np.zeros(1, np.uint8)
    result = np.zeros((len(column), len(SCAN_MEASURES)))
    if which is None:
        lists, which = [stop_words], np.zeros(len(column), np.int32)
    else:
        lists = list(stop_words)
    known = np.stack([_stop_table(tuple(words)) for words in lists])
    starts = range(0, len(column), PIECE)

    def work(start: int) -> None:
        scratch = _Scratch.of(offsets[start : start + PIECE + 1])
        machine = phrases()
        _piece(
            data, offsets, start, min(start + PIECE, len(column)), classes(), sentence_ends(), machine.step,
            machine.found, known, which, powers(), *scratch.parts, result,
        )  # fmt: skip

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        list(pool.map(work, starts))
    is_long = np.diff(offsets) > LONGEST_BYTES
    mask = is_long | ~np.asarray(column.is_valid().to_numpy(zero_copy_only=False), np.bool_)
    columns = {name: pa.array(result[:, place].astype(np.int64), mask=mask) for place, name in enumerate(SCAN_MEASURES)}
    return pa.table(columns)


class _Scratch:
    """What a thread writes to while it measures; as large as its longest document needs."""

    def __init__(self, longest: int) -> None:
        size = longest + 2
        self.parts: tuple[Any, ...] = (
            np.empty(size, np.int32),  # code points
            np.empty(size, np.uint64),  # their sums, of which hashes are made
            np.empty(size, np.int32),  # where lines break
            np.empty(size, np.int32),  # where runs between white space start
            np.empty(size, np.int32),  # where they end
            np.empty(size, np.uint8),  # what they hold
            np.empty(size, np.int32),  # where words start
            np.empty(size, np.int32),  # where they end
            np.empty(size, np.uint8),  # what they hold
            np.empty(size, np.uint64),  # rolling hashes
            np.empty(size, np.int32),  # characters before each
            np.empty(table_size(size), np.uint64),
            np.empty(table_size(size), np.int32),
            np.empty(size, np.int32),  # places in that table
            np.empty(size, np.int32),  # where runs are repeated
            np.empty(COUNTS, np.int32),
        )

    @classmethod
    def of(cls, offsets: NDArray[np.int64]) -> "_Scratch":
        lengths = np.diff(offsets)
        return cls(int(lengths[lengths <= LONGEST_BYTES].max(initial=0)))


@cache
def _stop_table(stop_words: tuple[str, ...]) -> Hashes:
    """Return a hash table of the stop words, of 64 places.

    Raises:
        ValueError: There are more than 40: the table would be too full to be fast.
    """
    if len(set(stop_words)) > MOST_STOP_WORDS:
        raise ValueError(f"{len(set(stop_words))} stop words; at most {MOST_STOP_WORDS}")
    table = np.zeros(64, np.uint64)
    for word in sorted(set(stop_words)):
        value = hash_word(word)
        place = value % 64
        while table[place]:
            place = (place + 1) % 64
        table[place] = value
    return table


@nb.njit(nogil=True, cache=True)
def _piece(
    data: Bytes, offsets: NDArray[np.int64], first: int, behind: int, flags: Bytes, ends_sentence: Bytes,
    step: NDArray[np.int16], found: Bytes, known: Hashes, which: Places, powers: Hashes, codes: Codes,
    code_sums: Hashes, breaks: Places, run_starts: Places, run_ends: Places, run_kinds: Bytes, starts: Places,
    ends: Places, kinds: Bytes, sums: Hashes, lengths: Places, table: Hashes, times: Places, slots: Places,
    repeated: Places, counts: Places, result: Reals,
) -> None:  # fmt: skip
    """Measure documents [first, behind)."""
    for document in range(first, behind):
        start, end = offsets[document], offsets[document + 1]
        if end - start > LONGEST_BYTES:
            continue
        row = result[document]
        count = decode(data, start, end, codes)
        broken, runs = _characters(codes, count, flags, code_sums, breaks, run_starts, run_ends, run_kinds, row)
        total = words(codes, code_sums, powers, run_starts, run_ends, run_kinds, runs, flags, starts, ends, kinds)
        _words(codes, code_sums, powers, starts, ends, kinds, total, flags, known[which[document]], sums, lengths, row)
        count_lines(
            codes, count, breaks, broken, run_starts, run_ends, runs, flags, ends_sentence, starts, ends, total, step,
            found, counts,
        )  # fmt: skip
        for place in range(COUNTS):
            row[place] = counts[place]
        _pieces(codes, code_sums, powers, count, breaks, broken, flags, table, row)
        _runs_of_words(sums, lengths, total, table, times, slots, repeated, row)


@nb.njit(nogil=True, cache=True)
def _characters(
    codes: Codes, count: int, flags: Bytes, sums: Hashes, breaks: Places, run_starts: Places, run_ends: Places,
    run_kinds: Bytes, row: Reals,
) -> tuple[int, int]:  # fmt: skip
    """Count characters, those that are seen, letters with their marks, hash signs and ellipses.

    Also writes the sums of which hashes are made, where lines break, the end of the text last, and where runs between
    white space start and end, with all flags of what they hold. Returns how many breaks and runs there are. Written so
    that the processor need not guess: at the end of each word it would guess wrong.
    """
    spaces, letters, signs, ellipses, dots, found, started, ended = 0, 0, 0, 0, 0, 0, 0, 0
    was_letter, was_space, held = 0, 1, 0
    sums[0] = total = np.uint64(0)
    for place in range(count):
        code = codes[place]
        flag = np.int64(flags[code])
        total = total * MULTIPLIER + np.uint64(code + 1)
        sums[place + 1] = total
        space = (flag >> 1) & 1
        was_letter = (flag & 1) | (was_letter & (flag >> 6))
        letters += was_letter
        spaces += space
        run_starts[started], run_ends[ended], run_kinds[ended] = place, place, held
        started += was_space & (1 - space)
        ended += space & (1 - was_space)
        held = (held | flag) & (space - 1)
        was_space = space
        if flag & (BREAK | SYMBOL):
            if flag & BREAK:
                breaks[found] = place
                found += 1
            signs += code == _HASH
            ellipses += code == _ELLIPSIS
            is_third = code == _DOT and dots == 2
            ellipses += is_third
            dots = 0 if is_third or code != _DOT else dots + 1
        else:
            dots = 0
    if not was_space:
        run_ends[ended], run_kinds[ended] = count, held
        ended += 1
    visible = count - spaces
    row[11], row[12], row[13], row[19], row[20] = count, visible, letters, signs, ellipses
    breaks[found] = count
    return found + 1, ended


@nb.njit(nogil=True, cache=True)
def _words(
    codes: Codes, code_sums: Hashes, powers: Hashes, starts: Places, ends: Places, kinds: Bytes, total: int,
    flags: Bytes, known: Hashes, sums: Hashes, lengths: Places, row: Reals,
) -> None:  # fmt: skip
    """Count words, those that are more than symbols and their characters, those with a letter, and stop words.

    Also writes the rolling hash of all words before each, which makes the hash of a run of words a subtraction, and
    the characters of all words before each.
    """
    plain, characters, lettered = 0, 0, 0
    seen = np.uint64(0)
    mask = np.int64(len(known) - 1)
    sums[0], lengths[0] = np.uint64(0), 0
    for word in range(total):
        start, end = starts[word], ends[word]
        # What is no symbol, turned to the flag of one; mostly the first sign tells both that are asked for.
        held = kinds[word] ^ SYMBOL
        if kinds[word] & DIVIDED:
            held, place = flags[codes[start]] ^ SYMBOL, start + 1
            while place < end and held & (SYMBOL | LETTER) != SYMBOL | LETTER:
                held |= flags[codes[place]] ^ SYMBOL
                place += 1
        value = hash_run(code_sums, start, end, powers)
        sums[word + 1] = sums[word] * MULTIPLIER + value
        lengths[word + 1] = lengths[word] + end - start
        is_plain = (held & SYMBOL) > 0
        plain += is_plain
        characters += (end - start) * is_plain
        lettered += (held & LETTER) > 0
        place = np.int64(value) & mask
        # One test, which the processor guesses right, where two would ask whether each word is in the table.
        while (known[place] != np.uint64(0)) & (known[place] != value):
            place = (place + 1) & mask
        seen |= np.uint64(known[place] == value) << np.uint64(place & 63)
    stops = 0
    for bit in range(64):
        stops += (seen >> np.uint64(bit)) & np.uint64(1)
    row[14], row[15], row[16], row[17], row[18] = total, plain, characters, lettered, stops


@nb.njit(nogil=True, cache=True)
def _pieces(
    codes: Codes, sums: Hashes, powers: Hashes, count: int, breaks: Places, broken: int, flags: Bytes, table: Hashes,
    row: Reals,
) -> None:  # fmt: skip
    """Measure repeated lines and paragraphs."""
    # Of literals the loop would be compiled once more.
    start, end, feeds = np.int64(0), np.int64(count), np.int64(1)
    pieces, repeated, characters, visible = repeated_pieces(
        codes, sums, powers, start, end, feeds, breaks, broken, table, flags, SPACE
    )
    row[22], row[23], row[24], row[25] = pieces, repeated, characters, visible
    while start < end and flags[codes[start]] & SPACE:
        start += 1
    while end > start and flags[codes[end - 1]] & SPACE:
        end -= 1
    pieces, repeated, characters, _ = repeated_pieces(
        codes, sums, powers, start, end, feeds + 1, breaks, broken, table, flags, SPACE
    )
    row[26], row[27], row[28] = pieces, repeated, characters


@nb.njit(nogil=True, cache=True)
def _runs_of_words(
    sums: Hashes, lengths: Places, total: int, table: Hashes, times: Places, slots: Places, repeated: Places, row: Reals
) -> None:
    """Measure the commonest words and runs of words, and the runs that are repeated."""
    for place in range(total):
        repeated[place] = place
    _, row[21], count = top_gram(sums, lengths, total, np.int64(1), repeated, total, table, times, slots)
    for size in range(2, 5):
        count = narrow(repeated, count, size, total)
        longest, often, count = top_gram(sums, lengths, total, size, repeated, count, table, times, slots)
        row[27 + size] = longest * often
    for size in range(5, 11):
        count = narrow(repeated, count, size, total)
        row[27 + size] = repeated_gram_characters(sums, lengths, size, repeated, count, table)
