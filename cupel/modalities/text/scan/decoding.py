"""UTF-8 to code points, whatever the bytes are; and hashes that loops can afford."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from cupel.compiled_loops import numba as nb

REPLACEMENT = 0xFFFD
POWERS = 1 << 10
SEED, MULTIPLIER = np.uint64(0xCBF29CE484222325), np.uint64(0x9E3779B97F4A7C15)
_MIX, _MOST = 0xD6E8FEB86659FD93, (1 << 64) - 1
Bytes = NDArray[np.uint8]
Codes = NDArray[np.int32]


@nb.njit(nogil=True, cache=True)
def decode(data: Bytes, start: int, end: int, codes: Codes) -> int:
    """Write the code points of bytes [start, end) to `codes`; each byte that is not UTF-8 gives U+FFFD.

    Args:
        data: UTF-8, or anything else.
        start: First byte.
        end: One past the last.
        codes: At least end - start long.

    Returns:
        How many code points were written.
    """
    count = 0
    place = start
    while place < end:
        lead = data[place]
        if lead < 0x80:
            codes[count] = lead
            count += 1
            place += 1
            continue
        length, code, least = 0, 0, 0
        if 0xC2 <= lead <= 0xDF:
            length, code, least = 2, lead & 0x1F, 0x80
        elif 0xE0 <= lead <= 0xEF:
            length, code, least = 3, lead & 0x0F, 0x800
        elif 0xF0 <= lead <= 0xF4:
            length, code, least = 4, lead & 0x07, 0x10000
        is_good = length > 0 and place + length <= end
        if is_good:
            for offset in range(1, length):
                byte = data[place + offset]
                if byte & 0xC0 != 0x80:
                    is_good = False
                    break
                code = (code << 6) | (byte & 0x3F)
        if is_good and least <= code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF:
            codes[count] = code
            place += length
        else:
            codes[count] = REPLACEMENT
            place += 1
        count += 1
    return count


@nb.njit(nogil=True, inline="always")
def mix(value: np.uint64) -> np.uint64:
    """Return a hash in which each bit depends on all bits of the value."""
    value ^= value >> np.uint64(32)
    value *= np.uint64(_MIX)
    value ^= value >> np.uint64(32)
    value *= np.uint64(_MIX)
    value ^= value >> np.uint64(32)
    return value


@nb.njit(nogil=True, inline="always")
def hash_codes(codes: Codes, start: int, end: int) -> np.uint64:
    """Return a hash of code points [start, end)."""
    value, place = SEED, start
    while place + 1 < end:
        # Two at a time: what takes time is to wait for the product.
        pair = np.uint64(codes[place]) | (np.uint64(codes[place + 1]) << np.uint64(32))
        value = (value ^ pair) * MULTIPLIER
        value ^= value >> np.uint64(29)
        place += 2
    if place < end:
        value = (value ^ np.uint64(codes[place])) * MULTIPLIER
    return mix(value ^ np.uint64(end - start))


@nb.njit(nogil=True, inline="always")
def hash_run(sums: NDArray[np.uint64], start: int, end: int, powers: NDArray[np.uint64]) -> np.uint64:
    """Return a hash of code points [start, end), never 0, in a few steps however many they are.

    Args:
        sums: `sums[i + 1]` is `sums[i] * MULTIPLIER + code point i + 1`, modulo 2^64.
        start: First code point.
        end: One past the last.
        powers: `powers()`.
    """
    size = end - start
    power = powers[size & (POWERS - 1)]
    if size >= POWERS:
        base, left = powers[POWERS - 1] * MULTIPLIER, size // POWERS
        while left:
            if left & 1:
                power *= base
            base *= base
            left >>= 1
    value = mix(sums[end] - sums[start] * power)
    return value if value != np.uint64(0) else np.uint64(1)


@cache
def powers() -> NDArray[np.uint64]:
    """Return the first `POWERS` powers of the multiplier, modulo 2^64."""
    found = np.full(POWERS, MULTIPLIER)
    found[0] = 1
    return np.multiply.accumulate(found)


def hash_word(word: str) -> int:
    """Return what `hash_run` says of a word, wherever it stands."""
    value = int(sums_of(word)[-1])
    for _ in range(2):
        value = (value ^ value >> 32) * _MIX & _MOST
    return value ^ value >> 32 or 1


def sums_of(text: str) -> NDArray[np.uint64]:
    """Return the sums that `hash_run` reads."""
    sums = [0]
    for sign in text:
        sums.append(sums[-1] * int(MULTIPLIER) + ord(sign) + 1 & _MOST)
    return np.array(sums, np.uint64)


@nb.njit(nogil=True, inline="always")
def encode(codes: Codes, count: int, data: Bytes, first: int) -> int:
    """Write code points, none a surrogate, in UTF-8 to `data` from the first byte on; return one past the last."""
    place = first
    for number in range(count):
        code = codes[number]
        if code < 0x80:
            data[place] = code
            place += 1
            continue
        extra = 1 + (code >= 0x800) + (code >= 0x10000)
        data[place] = ((0xF00 >> (extra + 1)) & 0xFF) | (code >> (6 * extra))
        for left in range(extra - 1, -1, -1):
            place += 1
            data[place] = 0x80 | ((code >> (6 * left)) & 0x3F)
        place += 1
    return place
