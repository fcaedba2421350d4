"""Code points to words: runs between spaces, with punctuation and contractions as words of their own.

The rules are those of the tokenisers that the published rules were made with, as far as they need no dictionary: a
mark of punctuation at either end of a run is a word, so are a hyphen or slash between letters, an ellipsis, and what
an English contraction adds ("n't", "'s"). In scripts without spaces a letter with its marks is a word, in Tibetan a
syllable.
"""

import re

import numpy as np
from numpy.typing import NDArray

from cupel.compiled_loops import numba as nb
from cupel.modalities.text.scan.classes import ALONE, DIGIT, LETTER, MARK, SYMBOL, TSHEG, UPPER, classes
from cupel.modalities.text.scan.decoding import Bytes, Codes, hash_run, hash_word, powers, sums_of

Places = NDArray[np.int32]
Hashes = NDArray[np.uint64]
# Where a run between white space holds one of these, it may be more than one word.
DIVIDED = SYMBOL | ALONE

_DOT, _APOSTROPHE, _QUOTE = ord("."), ord("'"), 0x2019
_HYPHEN, _SLASH, _AT, _UNDERSCORE = ord("-"), ord("/"), ord("@"), ord("_")
# Symbols that stay at the head of a run, as in @name, -5, /path, ~x.
_KEPT_AT_HEAD = np.array([ord(sign) for sign in "@-/\\^~|+"], np.int32)
# Abbreviations that keep their dot before whatever follows.
ABBREVIATIONS = (
    "Mr.", "Mrs.", "Ms.", "Dr.", "St.", "Jr.", "Sr.", "Prof.", "Gen.", "Rep.", "Sen.", "Gov.", "Rev.", "Co.", "Corp.",
    "Inc.", "Ltd.", "Bros.", "Mt.", "vs.", "v.s.", "Jan.", "Feb.", "Mar.", "Apr.", "Jun.", "Jul.", "Aug.", "Sep.",
    "Sept.", "Oct.", "Nov.", "Dec.", "Ph.D.", "Adm.", "Md.", "Va.",
)  # fmt: skip
LONGEST_ABBREVIATION = 5
_ABBREVIATIONS = np.array([hash_word(word) for word in ABBREVIATIONS], np.uint64)
# Symbols that stay at its end.
_KEPT_AT_END = np.array([*(ord(sign) for sign in "@-/\\^~|+=$"), TSHEG], np.int32)


@nb.njit(nogil=True, inline="always")
def _is_one_of(code: int, signs: Codes) -> bool:
    is_one = False
    for sign in signs:
        is_one |= code == sign
    return is_one


@nb.njit(nogil=True, inline="always")
def _is_apostrophe(code: int) -> bool:
    return code in (_APOSTROPHE, _QUOTE)


@nb.njit(nogil=True, cache=True)
def words(
    codes: Codes, sums: Hashes, powers: Hashes, run_starts: Places, run_ends: Places, run_kinds: Bytes, runs: int,
    flags: Bytes, starts: Places, ends: Places, kinds: Bytes,
) -> int:  # fmt: skip
    """Divide runs between white space into words.

    Args:
        codes: Code points.
        sums: Of them, as `hash_run` reads them.
        powers: `powers()`.
        run_starts: First code point of each run.
        run_ends: One past its last.
        run_kinds: The flags of all it holds.
        runs: How many.
        flags: What each code point is, as `classes()` gives it.
        starts: Gets the first code point of each word; as long as there are code points.
        ends: Gets one past its last.
        kinds: Gets the kind of the run that it is of.

    Returns:
        How many words there are.
    """
    found = 0
    for run in range(runs):
        if run_kinds[run] & DIVIDED:
            before = found
            found = _run(codes, sums, powers, run_starts[run], run_ends[run], flags, starts, ends, found)
            kinds[before:found] = run_kinds[run]
        else:
            starts[found], ends[found], kinds[found] = run_starts[run], run_ends[run], run_kinds[run]
            found += 1
    return found


@nb.njit(nogil=True, inline="always")
def _run(
    codes: Codes, sums: Hashes, powers: Hashes, start: int, end: int, flags: Bytes, starts: Places, ends: Places,
    found: int,
) -> int:  # fmt: skip
    """Divide a run without spaces."""
    while start < end and flags[codes[start]] & SYMBOL and not _is_one_of(codes[start], _KEPT_AT_HEAD):
        length = _signs(codes, start, end)
        starts[found], ends[found] = start, start + length
        found += 1
        start += length
    last = _body_end(codes, sums, powers, start, end, flags)
    found = _body(codes, start, last, flags, starts, ends, found)
    while last < end:
        length = _signs(codes, last, end)
        starts[found], ends[found] = last, last + length
        found += 1
        last += length
    return found


@nb.njit(nogil=True, inline="always")
def _signs(codes: Codes, start: int, end: int) -> int:
    """Return how long the sign at a place is: a run of dots is one."""
    length = 1
    if codes[start] == _DOT:
        while start + length < end and codes[start + length] == _DOT:
            length += 1
    return length


@nb.njit(nogil=True, inline="always")
def _body_end(codes: Codes, sums: Hashes, powers: Hashes, start: int, end: int, flags: Bytes) -> int:
    """Return where the signs begin that close a run."""
    while end > start + 1 and flags[codes[end - 1]] & SYMBOL and not _is_one_of(codes[end - 1], _KEPT_AT_END):
        if codes[end - 1] == _DOT and codes[end - 2] != _DOT:
            before = flags[codes[end - 2]]
            # A single capital keeps its dot: an initial, or the end of an abbreviation such as U.S. So does e.g.
            is_single = before & LETTER and (end - 3 < start or not flags[codes[end - 3]] & LETTER)
            if is_single and (before & UPPER or (end - 3 > start and codes[end - 3] == _DOT)):
                break
            if end - start <= LONGEST_ABBREVIATION and _is_abbreviation(hash_run(sums, start, end, powers)):
                break
        end -= 1
    return end


@nb.njit(nogil=True, inline="always")
def _body(codes: Codes, start: int, end: int, flags: Bytes, starts: Places, ends: Places, found: int) -> int:
    """Divide what is left of a run at inner signs, between letters that stand alone, and before a contraction."""
    if start >= end:
        return found
    if _is_address(codes, start, end):
        starts[found], ends[found] = start, end
        return found + 1
    cut = _contraction(codes, start, end)
    last = end if cut < 0 else cut
    first, place = start, start
    while place < last:
        code = codes[place]
        if flags[code] & ALONE:
            if first < place:
                starts[found], ends[found] = first, place
                found += 1
            first = place
            place += 1
            while place < last and flags[codes[place]] & MARK:
                place += 1
            starts[found], ends[found] = first, place
            found += 1
            first = place
            continue
        if code == TSHEG:
            starts[found], ends[found] = first, place + 1
            found += 1
            place += 1
            first = place
            continue
        length = _inner(codes, place, first, last, flags)
        if length:
            if first < place:
                starts[found], ends[found] = first, place
                found += 1
            starts[found], ends[found] = place, place + length
            found += 1
            place += length
            first = place
            continue
        place += 1
    if first < last:
        starts[found], ends[found] = first, last
        found += 1
    if cut >= 0:
        starts[found], ends[found] = cut, end
        found += 1
    return found


@nb.njit(nogil=True, inline="always")
def _inner(codes: Codes, place: int, first: int, last: int, flags: Bytes) -> int:
    """Return how long the sign is that parts a run at this place; 0 where none does."""
    code = codes[place]
    if not flags[code] & SYMBOL or place == 0 or place + 1 >= last or place < first + 1:
        return 0
    length = _signs(codes, place, last)
    if length > 1 or code == 0x2026:
        return length
    before, after = flags[codes[place - 1]], flags[codes[place + 1]]
    is_letter = (before & (LETTER | MARK)) > 0
    if _is_apostrophe(code) or code in (_AT, _UNDERSCORE):
        return 0
    if code == _DOT:
        is_joint = is_letter and not before & UPPER and after & UPPER
    elif code == _HYPHEN or code == 0x2010 or code == 0x2011 or code == ord(","):
        is_number = (before & DIGIT) > 0 and (after & DIGIT) > 0 and code == _HYPHEN
        is_joint = is_number or (is_letter and (after & LETTER) > 0)
    elif code == _SLASH or code == ord(":") or code == ord("<") or code == ord(">") or code == ord("="):
        is_joint = (is_letter or before & DIGIT) and after & LETTER
    elif code == ord("+") or code == ord("*") or code == ord("^"):
        is_joint = before & DIGIT and after & DIGIT
    else:
        is_joint = code == 0x2013 or code == 0x2014 or code == ord("~")
    return 1 if is_joint else 0


@nb.njit(nogil=True, inline="always")
def _is_address(codes: Codes, start: int, end: int) -> bool:
    """Tell whether a run is an address of the web or of e-mail, which stays whole."""
    # Of several signs the first decides: what has a dot behind a later one has it behind the first.
    behind_at = end
    for place in range(start + 1, end - 1):
        code = codes[place]
        if code == _DOT and place >= behind_at:
            return True
        if code == _AT and behind_at == end:
            behind_at = place + 2
        if code == ord(":") and place < end - 2 and codes[place + 1] == _SLASH and codes[place + 2] == _SLASH:
            return True
    is_www = end - start > 5 and codes[start + 3] == _DOT
    for place in range(start, min(start + 3, end)):
        is_www &= (codes[place] | 32) == ord("w")
    return is_www


@nb.njit(nogil=True, cache=True)
def _is_abbreviation(value: np.uint64) -> bool:
    """Tell whether the hash of a run is that of an abbreviation that keeps its dot."""
    is_one = False
    for known in _ABBREVIATIONS:
        is_one |= known == value
    return is_one


@nb.njit(nogil=True, inline="always")
def _contraction(codes: Codes, start: int, end: int) -> int:
    """Return where an English contraction begins in a run, -1 where there is none: n't, 's, 're, 've, 'll, 'd, 'm."""
    size = end - start
    if (
        size >= 4
        and _is_apostrophe(codes[end - 2])
        and (codes[end - 1] | 32) == ord("t")
        and (codes[end - 3] | 32) == ord("n")
    ):
        return end - 3
    if size >= 3 and _is_apostrophe(codes[end - 2]):
        last = codes[end - 1] | 32
        if last == ord("s") or last == ord("d") or last == ord("m"):
            return end - 2
    if size >= 4 and _is_apostrophe(codes[end - 3]):
        first, second = codes[end - 2] | 32, codes[end - 1] | 32
        if (second == ord("e") and (first == ord("r") or first == ord("v"))) or (
            first == ord("l") and second == ord("l")
        ):
            return end - 3
    return -1


def tokenise(text: str) -> list[str]:
    """Return the words of a text, for tests and for peers that shall see the same words.

    >>> tokenise("I don't like well-known U.S. dogs...")
    ['I', 'do', "n't", 'like', 'well', '-', 'known', 'U.S.', 'dogs', '...']
    """
    flags, size = classes(), len(text) + 1
    codes = np.array([ord(character) for character in text], np.int32)
    runs = [found.span() for found in re.finditer(r"\S+", text)]
    run_starts, run_ends = (np.array(side, np.int32) for side in zip(*runs, strict=True)) if runs else (codes, codes)
    kinds = np.full(len(runs), DIVIDED, np.uint8)
    starts, ends, held = np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.uint8)
    found = words(codes, sums_of(text), powers(), run_starts, run_ends, kinds, len(runs), flags, starts, ends, held)
    return [text[start:end] for start, end in zip(starts[:found], ends[:found], strict=True)]
