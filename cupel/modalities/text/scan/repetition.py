"""How far a text repeats itself: its runs of words, its lines and its paragraphs."""

import numpy as np
from numpy.typing import NDArray

from cupel.compiled_loops import numba as nb
from cupel.modalities.text.scan.decoding import MULTIPLIER, Bytes, Codes, hash_run, mix
from cupel.modalities.text.scan.tokens import Places

Hashes = NDArray[np.uint64]

LINE_FEED = ord("\n")


@nb.njit(nogil=True, inline="always")
def _gram(sums: Hashes, first: int, size: int, power: np.uint64) -> np.uint64:
    """Return the hash of `size` words from the first on; never 0, which marks an empty place in a table."""
    value = mix(sums[first + size] - sums[first] * power)
    return value if value != np.uint64(0) else np.uint64(1)


@nb.njit(nogil=True, inline="always")
def _power(size: int) -> np.uint64:
    power = np.uint64(1)
    for _ in range(size):
        power *= MULTIPLIER
    return power


@nb.njit(nogil=True, cache=True)
def table_size(entries: int) -> int:
    """Return the places of a hash table that is at most half full: a power of two."""
    size = 16
    while size < 2 * entries:
        size *= 2
    return size


@nb.njit(nogil=True, cache=True)
def narrow(places: Places, count: int, size: int, words: int) -> int:
    """Keep of the places of repeated runs those where a run one word longer may be repeated too; return how many.

    A run of words is repeated only where both runs in it that are one word shorter are. So of each size only the
    places that are left are looked at: all for single words, few for long runs.

    Args:
        places: Places of repeated runs of `size - 1` words, ascending; gets those that are left.
        count: How many.
        size: Words of the longer runs.
        words: Words of the text.
    """
    left = 0
    for number in range(count - 1):
        place = places[number]
        is_left = (place + size <= words) & (places[number + 1] == place + 1)
        places[left] = place
        left += is_left
    return left


@nb.njit(nogil=True, cache=True)
def top_gram(
    sums: Hashes, lengths: Places, words: int, size: int, places: Places, count: int, table: Hashes, times: Places,
    slots: Places,
) -> tuple[int, int, int]:  # fmt: skip
    """Find the commonest run of `size` words, and where repeated ones stand.

    Of several that are as common, the first counts.

    Args:
        sums: Rolling hashes.
        lengths: Characters of all words before each.
        words: How many words.
        size: Words of a run.
        places: Where runs may be repeated; gets where they are.
        count: How many places.
        table: To work with: hashes of runs.
        times: To work with: how often each stands.
        slots: To work with: where in the table each place's run is.

    Returns:
        Characters of the run, spaces included; how often it stands; how many places are left. The first two are 0
        where there are fewer words.
    """
    if words < size:
        return 0, 0, 0
    room = table_size(count)
    table[:room] = np.uint64(0)
    mask, power = np.uint64(room - 1), _power(size)
    for number in range(count):
        value = _gram(sums, places[number], size, power)
        # Without a sign, so that no place needs to be told from one that is counted from the end.
        slot = value & mask
        # One test, which the processor guesses right, where two would ask whether each run is new.
        while (table[slot] != np.uint64(0)) & (table[slot] != value):
            slot = (slot + np.uint64(1)) & mask
        times[slot] = times[slot] * (table[slot] == value) + 1
        table[slot], slots[number] = value, slot
    best, often, left = 0, 1, 0
    for number in range(count):
        stands = times[slots[number]]
        if stands > often:
            best, often = places[number], stands
        places[left] = places[number]
        left += stands > 1
    return lengths[best + size] - lengths[best] + size - 1, often, left


@nb.njit(nogil=True, cache=True)
def repeated_gram_characters(
    sums: Hashes, lengths: Places, size: int, places: Places, count: int, table: Hashes
) -> int:
    """Return the characters in runs of `size` words that stood before, none counted twice.

    Args:
        sums: Rolling hashes.
        lengths: Characters of all words before each.
        size: Words of a run.
        places: Where runs may be repeated, ascending.
        count: How many places.
        table: To work with.
    """
    if count < 2:
        return 0
    room = table_size(count)
    table[:room] = np.uint64(0)
    mask, power = np.int64(room - 1), _power(size)
    behind, characters = 0, 0
    for number in range(count):
        first = places[number]
        if first >= behind and _seen(table, _gram(sums, first, size, power), mask):
            characters += lengths[first + size] - lengths[first]
            behind = first + size
    return characters


@nb.njit(nogil=True, inline="always")
def _seen(table: Hashes, value: np.uint64, mask: int) -> bool:
    """Tell whether a value is in a table, and put it there."""
    place = np.int64(value) & mask
    while (table[place] != np.uint64(0)) & (table[place] != value):
        place = (place + 1) & mask
    is_there = table[place] == value
    table[place] = value
    return is_there


@nb.njit(nogil=True, cache=True)
def repeated_pieces(
    codes: Codes, sums: Hashes, powers: Hashes, start: int, end: int, feeds: int, breaks: Places, broken: int,
    table: Hashes, flags: Bytes, space: int,
) -> tuple[int, int, int, int]:  # fmt: skip
    """Return pieces between runs of line feeds, those that stood before, and their characters.

    Args:
        codes: Code points.
        sums: Of them, as `hash_run` reads them.
        powers: `powers()`.
        start: First of the text.
        end: One past its last.
        feeds: Line feeds in a row that part pieces: 1 for lines, 2 for paragraphs.
        breaks: Where lines break, ascending; the last is the end of the text.
        broken: How many of them.
        table: To work with; as large as `table_size` says of the breaks and 1.
        flags: What each code point is.
        space: The flag of white space.

    Returns:
        Pieces; pieces repeated; their characters; and the characters of those that are more than white space. An
        empty piece before a first or after a last separator counts, as `re.split` has it.
    """
    if broken == 1:
        return 1, 0, 0, 0
    room = table_size(broken + 1)
    table[:room] = np.uint64(0)
    mask = np.int64(room - 1)
    pieces, repeated, characters, visible = 0, 0, 0, 0
    first, number = start, 0
    while True:
        # The next run of line feeds that is long enough, or the end.
        last, behind = end, end
        while number < broken - 1:
            place = breaks[number]
            number += 1
            if place < start or place >= end or codes[place] != LINE_FEED:
                continue
            run = place + 1
            while number < broken - 1 and breaks[number] == run and run < end and codes[run] == LINE_FEED:
                run += 1
                number += 1
            if run - place >= feeds:
                last, behind = place, run
                break
        pieces += 1
        if _seen(table, hash_run(sums, first, last, powers), mask):
            repeated += 1
            characters += last - first
            visible += (last - first) * _is_visible(codes, first, last, flags, space)
        if last == behind:
            return pieces, repeated, characters, visible
        first = behind


@nb.njit(nogil=True, inline="always")
def _is_visible(codes: Codes, first: int, last: int, flags: Bytes, space: int) -> bool:
    place = first
    while place < last and flags[codes[place]] & space:
        place += 1
    return place < last
