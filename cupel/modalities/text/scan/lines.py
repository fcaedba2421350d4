"""Lines: how they begin and end, how long they are, and which of them the C4 rules would keep."""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.compiled_loops import numba as nb
from cupel.modalities.text.scan.classes import ALONE, SPACE, SYMBOL
from cupel.modalities.text.scan.decoding import Bytes, Codes
from cupel.modalities.text.scan.tokens import Places

# Where the counts of lines lie in the array that `count_lines` writes.
LINES, BULLETS, ELLIPSES, FILLED, ENDED, SHORT, FEEDS, SENTENCES, KEPT, LOREM, BRACE = range(11)
COUNTS = 11

_LOREM, _SCRIPT, _POLICY = 1, 2, 4
PHRASES = {
    "lorem ipsum": _LOREM, "javascript": _SCRIPT, "terms of use": _POLICY, "privacy policy": _POLICY,
    "cookie policy": _POLICY, "uses cookies": _POLICY, "use of cookies": _POLICY, "use cookies": _POLICY,
}  # fmt: skip
CITATIONS = ("[edit]", "[citation needed]")
SHORT_CHARACTERS, LONG_WORD, FEW_WORDS = 30, 1_000, 3

_DOT, _FEED, _RETURN, _BULLET, _HYPHEN, _ELLIPSIS = ord("."), ord("\n"), ord("\r"), 0x2022, ord("-"), 0x2026
# C4 knows the marks of English; lines in other scripts may end in theirs.
_FIRST_OTHER = 0x0530
Automaton = NDArray[np.int16]


class Phrases(NamedTuple):
    """An automaton that finds all phrases in one reading: next state by state and byte, and what each state found."""

    step: Automaton
    found: Bytes


@cache
def phrases() -> Phrases:
    """Return the automaton of `PHRASES`, for lower-cased ASCII.

    Source: Aho and Corasick (1975), Communications of the ACM 18(6).
    """
    children: list[dict[int, int]] = [{}]
    found = [0]
    for phrase, flag in PHRASES.items():
        state = 0
        for byte in phrase.encode():
            if byte not in children[state]:
                children.append({})
                found.append(0)
                children[state][byte] = len(children) - 1
            state = children[state][byte]
        found[state] |= flag
    step = np.zeros((len(children), 128), np.int16)
    fail, queue = [0] * len(children), list(children[0].values())
    for byte, child in children[0].items():
        step[0, byte] = child
    for state in queue:
        found[state] |= found[fail[state]]
        step[state] = step[fail[state]]
        for byte, child in children[state].items():
            fail[child] = step[fail[state], byte]
            step[state, byte] = child
            queue.append(child)
    return Phrases(step, np.array(found, np.uint8))


@nb.njit(nogil=True, cache=True)
def count_lines(
    codes: Codes, count: int, breaks: Places, broken: int, run_starts: Places, run_ends: Places, runs: int,
    flags: Bytes, ends_sentence: Bytes, starts: Places, ends: Places, words: int,
    step: Automaton, found: Bytes, counts: Places,
) -> None:  # fmt: skip
    """Count lines of each kind.

    Args:
        codes: Code points.
        count: How many.
        breaks: Where lines break, ascending; the last is `count`.
        broken: How many of them.
        run_starts: First code point of each run between white space.
        run_ends: One past its last.
        runs: How many.
        flags: What each is.
        ends_sentence: 1 for what ends a sentence.
        starts: First code point of each word.
        ends: One past its last.
        words: How many words.
        step: The automaton of phrases.
        found: What each of its states found.
        counts: Gets the counts, in the order of the names above.
    """
    counts[:COUNTS] = 0
    # Of a literal the loop of sentences would be compiled once more.
    start, word, run, hard = 0, np.int64(0), 0, 0
    for number in range(broken):
        place = breaks[number]
        is_end = place == count
        if is_end or codes[place] == _FEED:
            _hard_line(codes, hard, place, flags, ends_sentence, counts)
            hard = place + 1
            counts[FEEDS] += not is_end
        is_second = (
            not is_end and codes[place] == _FEED and place > 0 and codes[place - 1] == _RETURN and start == place
        )
        if not is_second and (not is_end or start < place):
            first = run
            while run < runs and run_starts[run] < place:
                run += 1
            word = _soft_line(
                codes, start, place, run_starts, run_ends, first, run, flags, ends_sentence, starts, ends, words, word,
                step, found, counts,
            )  # fmt: skip
        start = place + 1


@nb.njit(nogil=True, inline="always")
def _hard_line(codes: Codes, start: int, end: int, flags: Bytes, ends_sentence: Bytes, counts: Places) -> None:
    """Count a line between line feeds, as FineWeb does."""
    for place in range(start, end):
        if not flags[codes[place]] & SPACE:
            counts[FILLED] += 1
            last = codes[end - 1]
            counts[ENDED] += last < (1 << 16) and last != _ELLIPSIS and ends_sentence[last] == 1
            counts[SHORT] += end - start <= SHORT_CHARACTERS
            return


@nb.njit(nogil=True, inline="always")
def _soft_line(
    codes: Codes, start: int, end: int, run_starts: Places, run_ends: Places, first_run: int, behind_run: int,
    flags: Bytes, ends_sentence: Bytes, starts: Places, ends: Places, words: int, word: int, step: Automaton,
    found: Bytes, counts: Places,
) -> int:  # fmt: skip
    """Count a line as `str.splitlines` parts them, as Gopher and C4 do; return the first word behind it."""
    counts[LINES] += 1
    first_word = word
    while word < words and starts[word] < end:
        word += 1
    if first_run == behind_run:
        return word
    start, end = run_starts[first_run], run_ends[behind_run - 1]
    counts[BULLETS] += codes[start] == _BULLET or codes[start] == _HYPHEN
    is_ellipsis = codes[end - 1] == 0x2026 or (end - start >= 3 and _dots(codes, end))
    counts[ELLIPSES] += is_ellipsis
    last = _without_citations(codes, start, end)
    if last == start:
        return word
    code = codes[last - 1]
    is_ended = code == _DOT or code == ord("?") or code == ord("!") or code == ord('"') or code == ord("'")
    is_ended |= _FIRST_OTHER <= code < (1 << 16) and code != _ELLIPSIS and ends_sentence[code] == 1
    if not is_ended or (last - start >= 3 and _dots(codes, last)):
        return word
    if behind_run - first_run < FEW_WORDS and _alone(codes, start, last, flags, FEW_WORDS) < FEW_WORDS:
        return word
    for run in range(first_run, behind_run if end - start > LONG_WORD else first_run):
        if run_ends[run] - run_starts[run] > LONG_WORD and not _alone(codes, run_starts[run], run_ends[run], flags, 1):
            return word
    said, has_brace = _said(codes, start, last, step, found)
    if said & _LOREM:
        counts[LOREM] += 1
    elif not said & _SCRIPT:
        if has_brace:
            counts[BRACE] += 1
        elif not said & _POLICY:
            counts[KEPT] += 1
            counts[SENTENCES] += _sentences(codes, starts, ends, first_word, word, last, flags, ends_sentence)
    return word


@nb.njit(nogil=True, cache=True)
def _alone(codes: Codes, start: int, end: int, flags: Bytes, most: int) -> int:
    """Count letters that are words of their own, up to the most that is asked for."""
    found = 0
    for place in range(start, end):
        found += (flags[codes[place]] & ALONE) > 0
        if found == most:
            break
    return found


@nb.njit(nogil=True, inline="always")
def _dots(codes: Codes, end: int) -> bool:
    return codes[end - 1] == _DOT and codes[end - 2] == _DOT and codes[end - 3] == _DOT


@nb.njit(nogil=True, inline="always")
def _without_citations(codes: Codes, start: int, end: int) -> int:
    """Return where a line ends without the citations at its end: [12], [edit], [citation needed]."""
    while end > start and codes[end - 1] == ord("]"):
        first = end - 2
        while first >= start and codes[first] != ord("["):
            first -= 1
        if first < start:
            return end
        is_number = True
        for place in range(first + 1, end - 1):
            is_number &= ord("0") <= codes[place] <= ord("9")
        size = end - first
        is_note = size == 6 and codes[first + 1] == ord("e") and codes[first + 4] == ord("t")
        is_note |= size == 17 and codes[first + 1] == ord("c") and codes[first + 15] == ord("d")
        if not (is_number or is_note):
            return end
        end = first
    return end


@nb.njit(nogil=True, cache=True)
def _may_say(codes: Codes, start: int, end: int) -> bool:
    """Tell whether a line may hold a phrase or a brace; few others do. Without branches: several signs at a time."""
    found = 0
    for place in range(start, end - 2):
        first, second, third = codes[place] | 32, codes[place + 1] | 32, codes[place + 2] | 32
        # Of cookie, privacy and javascript, terms, ipsum.
        found |= (first == ord("o")) & (second == ord("k")) & (third == ord("i"))
        found |= (first == ord("v")) & (second == ord("a")) & ((third == ord("c")) | (third == ord("s")))
        found |= (first == ord("r")) & (second == ord("m")) & (third == ord("s"))
        found |= (first == ord("p")) & (second == ord("s")) & (third == ord("u"))
    for place in range(start, end):
        found |= codes[place] == ord("{")
    return found != 0


@nb.njit(nogil=True, inline="always")
def _said(codes: Codes, start: int, end: int, step: Automaton, found: Bytes) -> tuple[int, bool]:
    """Return which phrases a line holds, in any case, and whether it holds a brace."""
    if not _may_say(codes, start, end):
        return 0, False
    state, said, has_brace = np.int16(0), 0, False
    for place in range(start, end):
        code = codes[place]
        has_brace |= code == ord("{")
        if code >= 128:
            state = np.int16(0)
            continue
        if ord("A") <= code <= ord("Z"):
            code |= 32
        state = step[state, code]
        said |= found[state]
    return said, has_brace


@nb.njit(nogil=True, cache=True)
def _sentences(
    codes: Codes, starts: Places, ends: Places, first: int, behind: int, last: int, flags: Bytes, ends_sentence: Bytes
) -> int:
    """Count the sentences of a line: a word behind a mark that ends one begins the next.

    Written without branches: which word is a mark is nothing that the processor could guess.
    """
    sentences, is_over = 1, 0
    for word in range(first, behind):
        if starts[word] >= last:
            break
        code = codes[starts[word]]
        is_end = (ends[word] - starts[word] == 1) & (code < (1 << 16)) & ends_sentence[code & 0xFFFF]
        begins = is_over & (1 - is_end) & (flags[code] & SYMBOL == 0)
        sentences += begins
        is_over = is_end | (is_over & (1 - begins))
    return sentences
