"""Texts to fingerprints: the shingles of a text (hashes of its runs), a sketch of them, and their MinHash bands."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cupel.cleaning.duplicates.folded_texts import TextBytes, fold_codes, list_lower_cases, view_text_bytes
from cupel.compiled_loops import numba as nb
from cupel.modalities.text.scan.decoding import Bytes, Codes, decode, hash_codes

Shingles = NDArray[np.uint32]
Sketches = NDArray[np.uint64]
Hashes = NDArray[np.uint64]

# A thread takes so many texts at a time; what comes out does not depend on it.
TEXTS_AT_ONCE = 256
# An odd multiplier for the polynomial, and the constants of the finalizer of SplitMix64.
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_GAP, _NOUGHT, _NINE = ord(" "), ord("0"), ord("9")
# Up to so many hashes are sorted by their first bits, and the few that are not in order then by moving them.
_FEW = 2_048
DIGITS = 1 << 11

SKETCH_WORDS = 16
_WORD_SHIFT, _BIT_SHIFT = np.uint32(28), np.uint32(22)
_BITS_IN_WORD = np.uint32(63)

MINHASH_VALUES = 128
_VALUE_BITS = np.uint64(57)
_MASK = np.uint64((1 << 57) - 1)
_EMPTY = np.uint64(2**64 - 1)
_STEP, _FACTOR_1, _FACTOR_2 = (
    np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93), np.uint64(0xC2B2AE3D27D4EB4F),
)  # fmt: skip


class ShingleShape(NamedTuple):
    """What a shingle is: a run of so many characters, or of so many words; and whether letters lose their accents."""

    width: int = 5
    of_words: bool = False
    fold_accents: bool = False


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
        for rows in range(MINHASH_VALUES, 0, -1):
            banding = cls(MINHASH_VALUES // rows, rows)
            if banding.chance(similarity) >= 1 - missed:
                return banding
        return cls(MINHASH_VALUES, 1)


class Fingerprints(NamedTuple):
    """What is known of texts, a row a text.

    `bands` has a column a band; `sketches` 16 words; `sizes` is how many distinct shingles a text has, 0 for null;
    `texts` a hash of the folded text and its length: equal for texts that differ in case and white space only.
    `numberless` is a hash of the folded text with each number as the same sign: equal where texts differ in digits
    only. `shingles` holds the shingle sets one after the other, if they were asked for; otherwise nothing. `keys` holds
    the keys by which contained texts are found, one text after the other, and `key_counts` how many each has; nothing
    where none were asked for.
    """

    bands: Shingles
    sketches: Sketches
    sizes: NDArray[np.int64]
    texts: Hashes
    shingles: Shingles
    numberless: Hashes
    keys: Shingles
    key_counts: NDArray[np.int64]


class KeyRuns(NamedTuple):
    """Which runs of characters are keys: runs of this width, and of those in a row the least hash of so many.

    A width of 0 takes none. Texts that share a run of `width + window - 1` characters share a key.

    Source: Schleimer, Wilkerson and Aiken (2003), Winnowing: local algorithms for document fingerprinting, SIGMOD.
    """

    width: int = 0
    window: int = 16


def take_fingerprints(
    texts: pa.Array | pa.ChunkedArray,
    shape: ShingleShape = ShingleShape(),  # noqa: B008  (frozen)
    banding: Banding = Banding(),  # noqa: B008
    keep_shingles: bool = False,
    threads: int | None = None,
    runs: KeyRuns = KeyRuns(),  # noqa: B008
) -> Fingerprints:
    """Take the fingerprints of a column of texts, in compiled loops on several threads.

    Args:
        texts: Strings or bytes, valid UTF-8 or not: what is not counts as U+FFFD. Null has nothing.
        shape: What a shingle is.
        banding: How many bands of how many values; of none, the dear part is left out.
        keep_shingles: Return the shingle sets too, 4 bytes a distinct shingle.
        threads: How many threads; None for one a core. The result is the same with any number.
        runs: Which runs are keys of contained texts.
    """
    there = view_text_bytes(texts)
    count = len(there.is_there)
    found = Fingerprints(
        np.zeros((count, banding.bands), np.uint32),
        np.zeros((count, SKETCH_WORDS), np.uint64),
        np.zeros(count, np.int64),
        np.zeros((count, 2), np.uint64),
        np.empty(0, np.uint32),
        np.zeros(count, np.uint64),
        np.empty(0, np.uint32),
        np.zeros(count, np.int64),
    )

    def work(start: int) -> tuple[Shingles, Shingles]:
        return _take_piece(there, start, min(start + TEXTS_AT_ONCE, count), shape, banding, keep_shingles, runs, found)

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        pieces = list(pool.map(work, range(0, count, TEXTS_AT_ONCE)))
    if not pieces:
        return found
    shingles, keys = (np.concatenate([piece[kind] for piece in pieces]) for kind in (0, 1))
    return found._replace(shingles=shingles, keys=keys)


def _take_piece(
    there: TextBytes, first: int, end: int, shape: ShingleShape, banding: Banding, keep_shingles: bool, runs: KeyRuns,
    found: Fingerprints,
) -> tuple[Shingles, Shingles]:  # fmt: skip
    lengths = np.diff(there.offsets[first : end + 1])
    longest = int(lengths.max(initial=0)) + max(shape.width, runs.width)
    kept = np.empty(int(lengths.sum()) + end - first if keep_shingles else 0, np.uint32)
    keys = np.empty(int(lengths.sum()) + end - first if runs.width else 0, np.uint32)
    total, key_total = _take_each(
        there.data, there.offsets, there.is_there, first, end, list_lower_cases(shape.fold_accents), shape.width,
        shape.of_words, banding.rows, np.empty(longest, np.int32), np.empty(longest, np.int32),
        np.empty(longest // 2 + 2, np.uint64),
        np.empty(DIGITS, np.int32), np.empty(MINHASH_VALUES, np.uint64), np.empty(MINHASH_VALUES, np.int32),
        found.bands, found.sketches, found.sizes, found.texts, kept, found.numberless, runs.width, runs.window, keys,
        found.key_counts,
    )  # fmt: skip
    return kept[:total].copy(), keys[:key_total].copy()


@nb.njit(nogil=True, cache=True)
def _take_each(
    data: Bytes, offsets: NDArray[np.int64], is_there: NDArray[np.bool_], first: int, end: int, lower: Codes,
    width: int, of_words: bool, rows: int, codes: Codes, folded: Codes, words: Hashes, ends: NDArray[np.int32],
    values: Hashes, turns: NDArray[np.int32], bands: Shingles, sketches: Sketches, sizes: NDArray[np.int64],
    texts: Hashes, kept: Shingles, numberless: Hashes, key_width: int, window: int, keys: Shingles,
    key_counts: NDArray[np.int64],
) -> tuple[int, int]:  # fmt: skip
    """Take the fingerprints of texts [first, end); returns how many shingles were written to `kept`, and how many keys.

    Without room nothing is written.
    """
    total, key_total = 0, 0
    # The code points are no longer needed when there are hashes, nor the folded text when the hashes are sorted.
    hashes, distinct = codes.view(np.uint32), folded.view(np.uint32)
    for text in range(first, end):
        if not is_there[text]:
            continue
        count = fold_codes(codes, decode(data, offsets[text], offsets[text + 1], codes), lower, folded)
        texts[text, 0], texts[text, 1] = hash_codes(folded, 0, count), count
        numberless[text] = hash_numberless(folded, count)
        if key_width:
            runs = hash_character_runs(folded, count, key_width, hashes)
            chosen = choose_keys(hashes, runs, window, keys[key_total:])
            hashes[:chosen] = keys[key_total : key_total + chosen]
            chosen = sort_distinct(hashes, chosen, ends, keys[key_total:])
            key_counts[text] = chosen
            key_total += chosen
        if of_words:
            runs = hash_word_runs(folded, count, width, words, hashes)
        else:
            runs = hash_character_runs(folded, count, width, hashes)
        size = sort_distinct(hashes, runs, ends, distinct)
        sizes[text] = size
        write_sketch(distinct, size, sketches[text])
        if bands.shape[1]:
            write_minhash(distinct, size, values, turns)
            write_bands(values, rows, bands[text])
        if len(kept):
            kept[total : total + size] = distinct[:size]
            total += size
    return total, key_total


@nb.njit(nogil=True, inline="always")
def _is_digit(code: np.int32) -> bool:
    return bool(_NOUGHT <= code <= _NINE)


@nb.njit(nogil=True, inline="always")
def _divides_number(code: np.int32) -> bool:
    # Comma, dash, dot and slash are 44 to 47.
    return bool(44 <= code <= 47 or code == ord(" ") or code == ord("'") or code == ord(":"))


@nb.njit(nogil=True, cache=True)
def hash_numberless(folded: Codes, count: int) -> np.uint64:
    """Return a hash of a folded text in which every number counts as the same: digits, and single signs between them.

    Signs are those that divide numbers, dates and times: a dot, comma, colon, slash, dash, apostrophe or space.
    """
    value, place = np.uint64(count > 0), 0
    while place < count:
        code = folded[place]
        if _is_digit(code):
            code, ahead = _NOUGHT, True
            while ahead:
                place += 1
                ahead = place < count and _is_digit(folded[place])
                if not ahead and place + 1 < count and _is_digit(folded[place + 1]):
                    ahead = _divides_number(folded[place])
        else:
            place += 1
        value = (value ^ np.uint64(code)) * _MULTIPLIER
        value ^= value >> np.uint64(29)
    return _mix(value)


@nb.njit(nogil=True, cache=True)
def choose_keys(hashes: Shingles, count: int, window: int, keys: Shingles) -> int:
    """Write the least hash of every so many in a row, each place once, of equal ones the last; returns how many.

    Args:
        hashes: Hashes of runs, in the order of the text.
        count: How many.
        window: Of so many in a row one is taken, or of all where there are fewer.
        keys: Room for `count` hashes.
    """
    written, last = 0, -1
    for end in range(min(window, count), count + 1):
        first = max(0, end - window)
        if last >= first and hashes[end - 1] > hashes[last]:
            continue
        if last >= first and hashes[end - 1] <= hashes[last]:
            last = end - 1
        else:
            last = first
            for place in range(first + 1, end):
                if hashes[place] <= hashes[last]:
                    last = place
        keys[written] = hashes[last]
        written += 1
    return written


@nb.njit(nogil=True, inline="always")
def _mix(value: np.uint64) -> np.uint64:
    """Return a hash with every bit dependent on every other. Source: Steele, Lea and Flood (2014), SplitMix."""
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))


@nb.njit(nogil=True, cache=True)
def hash_character_runs(folded: Codes, count: int, width: int, hashes: Shingles) -> int:
    """Write a hash of each run of `width` characters; a shorter text is one run. Returns how many there are.

    A polynomial modulo 2^64 rolls from one run to the next, so that the cost does not grow with the width.
    """
    leading = np.uint64(1)
    for _ in range(width - 1):
        leading *= _MULTIPLIER
    value = np.uint64(0)
    for place in range(min(width, count)):
        value = value * _MULTIPLIER + np.uint64(folded[place])
    # No text holds NUL, so that padding a short text with it makes a shingle that no other text has.
    for _ in range(count, width):
        value *= _MULTIPLIER
    hashes[0] = _mix(value + leading) >> np.uint64(32)
    for place in range(count - width):
        value = (value - leading * np.uint64(folded[place])) * _MULTIPLIER + np.uint64(folded[place + width])
        hashes[place + 1] = _mix(value + leading) >> np.uint64(32)
    return max(1, count - width + 1)


@nb.njit(nogil=True, cache=True)
def hash_word_runs(folded: Codes, count: int, width: int, words: Hashes, hashes: Shingles) -> int:
    """Write a hash of each run of `width` words, which spaces divide; fewer words are one run. Returns how many."""
    total, start = 0, 0
    for place in range(count + 1):
        if place == count or folded[place] == _GAP:
            words[total] = hash_codes(folded, start, place)
            total += 1
            start = place + 1
    runs = max(1, total - width + 1)
    for run in range(runs):
        value = np.uint64(min(width, total))
        for word in range(run, min(run + width, total)):
            value = value * _MULTIPLIER + words[word]
        hashes[run] = _mix(value) >> np.uint64(32)
    return runs


@nb.njit(nogil=True, cache=True)
def sort_distinct(hashes: Shingles, count: int, ends: NDArray[np.int32], distinct: Shingles) -> int:
    """Write the distinct hashes, ascending, in time proportional to their number; returns how many there are.

    Args:
        hashes: What to sort, in any order; it is overwritten.
        count: How many.
        ends: Room for `DIGITS` numbers.
        distinct: Room for `count` hashes.
    """
    if count <= _FEW:
        # By their first 16 bits they are nearly in order.
        _by_digit(hashes, count, np.uint32(16), np.uint32(8), ends, distinct)
        _by_digit(distinct, count, np.uint32(24), np.uint32(8), ends, hashes)
        for place in range(1, count):
            value, back = hashes[place], place
            while back > 0 and hashes[back - 1] > value:
                hashes[back] = hashes[back - 1]
                back -= 1
            hashes[back] = value
    else:
        _by_digit(hashes, count, np.uint32(0), np.uint32(11), ends, distinct)
        _by_digit(distinct, count, np.uint32(11), np.uint32(11), ends, hashes)
        _by_digit(hashes, count, np.uint32(22), np.uint32(10), ends, distinct)
        hashes, distinct = distinct, hashes
    written = 1
    distinct[0] = hashes[0]
    for place in range(1, count):
        distinct[written] = hashes[place]
        written += hashes[place] != hashes[place - 1]
    if count > _FEW:
        hashes[:written] = distinct[:written]
    return written


@nb.njit(nogil=True, cache=True)
def _by_digit(
    source: Shingles, count: int, shift: np.uint32, bits: np.uint32, ends: NDArray[np.int32], target: Shingles
) -> None:
    """Write hashes in the order of one digit; those with the same digit keep their order."""
    mask = (np.uint32(1) << bits) - np.uint32(1)
    ends[: np.int64(mask) + 1] = 0
    for place in range(count):
        ends[(source[place] >> shift) & mask] += 1
    total = 0
    for digit in range(np.int64(mask) + 1):
        here = ends[digit]
        ends[digit] = total
        total += here
    for place in range(count):
        digit = (source[place] >> shift) & mask
        target[ends[digit]] = source[place]
        ends[digit] += 1


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
    for word in range(SKETCH_WORDS):
        alone += _set_bits(one[word] & ~other[word])
        other_alone += _set_bits(other[word] & ~one[word])
    common = min(size - np.int64(alone), other_size - np.int64(other_alone))
    return bool(common / (size + other_size - common) >= least)


@nb.njit(nogil=True, cache=True)
def may_be_contained(one: Hashes, size: int, other: Hashes, other_size: int, least: float) -> bool:
    """Tell whether the larger of two sets may hold at least this share of the smaller; if not, it does not."""
    alone = np.uint64(0)
    for word in range(SKETCH_WORDS):
        alone += _set_bits(one[word] & ~other[word] if size <= other_size else other[word] & ~one[word])
    smaller = min(size, other_size)
    return bool(smaller - np.int64(alone) >= least * smaller)


@nb.njit(nogil=True, inline="always")
def _hash(shingle: np.uint32, turn: int) -> np.uint64:
    value = (np.uint64(shingle) + np.uint64(turn) * _STEP) * _FACTOR_1
    value ^= value >> np.uint64(32)
    return value * _FACTOR_2


@nb.njit(nogil=True, cache=True)
def write_minhash(shingles: Shingles, count: int, values: Hashes, turns: NDArray[np.int32]) -> int:
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
    values[:MINHASH_VALUES] = _EMPTY
    for place in range(count):
        value = _hash(shingles[place], 0)
        bin_ = np.int64(value >> _VALUE_BITS)
        values[bin_] = min(values[bin_], value & _MASK)
    filled = 0
    for bin_ in range(MINHASH_VALUES):
        is_filled = values[bin_] != _EMPTY
        turns[bin_] = 0 if is_filled else -1
        filled += is_filled
    turn = 1
    while filled < MINHASH_VALUES:
        for place in range(count):
            value = _hash(shingles[place], turn)
            bin_ = np.int64(value >> _VALUE_BITS) if turn < MINHASH_VALUES else np.int64(turn - MINHASH_VALUES)
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
