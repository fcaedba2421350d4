"""Which alphabets a text's letters belong to, and which languages are written in them."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cupel.compiled_loops import numba as nb
from cupel.modalities.text.languages.letters import KNOWN, SPACE
from cupel.modalities.text.scan.decoding import Codes

Flags = NDArray[np.bool_]
# A language is written in an alphabet that at least such a share of its letters is from: Japanese in three.
LEAST_SHARE = 0.05
# Names, units and quotations in it stand in texts of all languages; it counts only where most letters are of it.
_EVERYWHERE, _MOST = "LATIN", 0.5
# Languages stay in question whose alphabets hold at least so much of what the best do.
LEAST_COVERED = 0.8
_WIDTHS = ("HALFWIDTH", "FULLWIDTH")


@cache
def alphabet_names() -> tuple[str, ...]:
    """Return the alphabets that Unicode has letters of, by the first word of the letters' names: `LATIN`, `CJK`, ..."""
    return tuple(sorted({name for code in range(KNOWN) if (name := _alphabet(chr(code)))}))


@cache
def alphabet_codes() -> NDArray[np.int16]:
    """Return the alphabet of each code point below `KNOWN`, as a place in `alphabet_names`; -1 where it has none."""
    places = {name: place for place, name in enumerate(alphabet_names())}
    return np.array([places.get(_alphabet(chr(code)), -1) for code in range(KNOWN)], np.int16)


def _alphabet(sign: str) -> str:
    """Return the alphabet of a letter; "" for marks and modifiers, which several share, and for what is no letter."""
    if unicodedata.category(sign) not in ("Ll", "Lu", "Lo", "Lt"):
        return ""
    words = unicodedata.name(sign, "").split(" ")
    word = words[1] if words[0] in _WIDTHS and len(words) > 1 else words[0]
    return word.split("-")[0]


def written_in(texts: Sequence[str], languages: Sequence[str]) -> dict[str, frozenset[str]]:
    """Return the alphabets that each language is written in, as its texts show.

    >>> sorted(written_in(["これは本です", "Das ist es"], ["jpn_Jpan", "deu_Latn"])["jpn_Jpan"])
    ['CJK', 'HIRAGANA']
    """
    counts: dict[str, Counter[str]] = {}
    for text, language in zip(texts, languages, strict=True):
        counts.setdefault(language, Counter()).update(text)
    alphabets = {}
    for language, signs in counts.items():
        letters: Counter[str] = Counter()
        for sign, count in signs.items():
            letters[_alphabet(sign)] += count
        del letters[""]
        most = letters.total()
        least = {name: (_MOST if name == _EVERYWHERE else LEAST_SHARE) * most for name in letters}
        alphabets[language] = frozenset(name for name, count in letters.items() if count >= least[name])
    return alphabets


@nb.njit(nogil=True, cache=True)
def find_writings(letters: Codes, size: int, alphabets: NDArray[np.int16], uses: Flags, counts: Codes) -> int:
    """Write how many letters of a text each way of writing holds; return how many a way must hold to be in question.

    Args:
        letters: Of `read_letters`; the first `size` are read.
        alphabets: Of `alphabet_codes`.
        uses: Shape (ways, alphabets): which alphabets each way of writing uses.
        counts: A place for each way.
    """
    ways, names = uses.shape
    found = np.zeros(names + 1, np.int32)
    for place in range(size):
        sign = letters[place]
        if sign != SPACE:
            # Above lie rare ideographs; they tell what others beside them do.
            found[alphabets[sign] if sign < len(alphabets) else -1] += 1
    counts[:] = 0
    for name in range(names):
        if found[name]:
            for way in range(ways):
                counts[way] += found[name] * uses[way, name]
    return int(np.ceil(counts.max() * LEAST_COVERED))
