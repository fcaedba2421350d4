"""What can be measured of one text: its length, words, letters, symbols and repetitions.

The definitions; `cupel.modalities.text.scan.basics` says the same of whole columns, some ten times as fast.
"""

import re
from collections import Counter
from functools import cache
from typing import NamedTuple

from cupel.modalities.text.characters import ZERO_WIDTH_JOINER, ZERO_WIDTH_NON_JOINER, marks

_ELLIPSES = re.compile(r"\.{3,}+|\u2026++")


class Quality(NamedTuple):
    """The measures of one text; they are the columns of `item_signals` of the same names."""

    characters: int
    words: int
    mean_word_length: float
    letter_share: float
    symbol_word_share: float
    repeated_line_share: float
    repeated_word_share: float


def quality(text: str) -> Quality:
    """Measure a text, in time linear in its length.

    Args:
        text: Normalised text.

    Returns:
        Counts and shares; a share of nothing is 0.

    Source: the rules of Rae et al. (2021), Scaling Language Models (Gopher), appendix A1.1, measured
    rather than applied.

    >>> quality("No, no #never")
    Quality(characters=13, words=3, mean_word_length=3.0, letter_share=0.8181818181818182, \
symbol_word_share=0.3333333333333333, repeated_line_share=0.0, repeated_word_share=0.6666666666666666)
    """
    words = words_of(text)
    count = len(words)
    return Quality(
        characters=len(text),
        words=count,
        mean_word_length=_share(sum(map(len, words)), count),
        letter_share=_share(sum(map(len, _letter_runs().findall(text))), sum(map(len, text.split()))),
        symbol_word_share=_symbols(text) / max(count, 1),
        repeated_line_share=_repeated_line_share(text),
        repeated_word_share=_share(max(Counter(words).values(), default=0), count),
    )


def words_of(text: str) -> list[str]:
    """Return the words of a text, lower-cased: runs of letters, digits and inner apostrophes.

    >>> words_of("Don't stop")
    ["don't", 'stop']
    """
    return _words().findall(text.lower())


@cache
def _words() -> re.Pattern[str]:
    # A word may hold combining marks and joiners; the underscore, a letter to Python, is none.
    inner = rf"(?:[^\W_]|[{marks()}{ZERO_WIDTH_NON_JOINER}{ZERO_WIDTH_JOINER}])"
    return re.compile(rf"[^\W_]{inner}*+(?:['\u2019][^\W_]{inner}*+)*+")


@cache
def _letter_runs() -> re.Pattern[str]:
    return re.compile(rf"[^\W\d_](?:[^\W\d_]|[{marks()}])*+")


def _symbols(text: str) -> int:
    ellipses = len(_ELLIPSES.findall(text)) if "..." in text or "\u2026" in text else 0
    return text.count("#") + ellipses


def _repeated_line_share(text: str) -> float:
    if "\n" not in text:
        return 0.0
    seen: set[str] = set()
    repeated = total = 0
    for line in text.split("\n"):
        total += len(line)
        if line in seen:
            repeated += len(line)
        seen.add(line)
    return _share(repeated, total)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
