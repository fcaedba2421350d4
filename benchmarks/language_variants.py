"""Texts as people write them, made of those that are taught: in capitals, without accents, in Latin letters; and code.

Capitals are read as small letters: they are taught where these are other ones (Turkish). Languages that many people
write in Latin letters get a label of their own.
"""

import random
import re
import unicodedata
from collections.abc import Sequence

from benchmarks.language_code import LABEL, TEXTS, code_or_noise

Rows = list[tuple[str, str]]
SEED = 1895
# One in so many texts is shown once more in capitals, and one once more without its accents.
ONE_IN = 4
# Where a letter without its mark is another letter.
_PLAIN = str.maketrans("đĐıøØłŁħŋɓɗƙəɛɔʼ’", "dDioOlLhnbdkeeo''")
_CYRILLIC = dict(zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґ", [
    "a", "b", "v", "g", "d", "e", "e", "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "h",
    "ts", "ch", "sh", "sch", "", "y", "", "e", "yu", "ya", "i", "yi", "ye", "g",
], strict=True))  # fmt: skip
_GREEK = dict(zip("αβγδεζηθικλμνξοπρσςτυφχψω", [
    "a", "v", "g", "d", "e", "z", "i", "th", "i", "k", "l", "m", "n", "x", "o", "p", "r", "s", "s", "t", "i", "f", "x",
    "ps", "o",
], strict=True))  # fmt: skip
_GREEK_PAIRS = (("ου", "ou"), ("αι", "ai"), ("ει", "ei"), ("οι", "oi"), ("μπ", "mp"), ("γγ", "gg"), ("ευ", "ef"))
# Labels whose texts are also taught in Latin letters.
ROMANISED = {
    "hin_Deva": "hin_Latn", "ben_Beng": "ben_Latn", "tel_Telu": "tel_Latn", "tam_Taml": "tam_Latn",
    "mar_Deva": "mar_Latn", "guj_Gujr": "guj_Latn", "pan_Guru": "pan_Latn", "kan_Knda": "kan_Latn",
    "mal_Mlym": "mal_Latn", "rus_Cyrl": "rus_Latn", "ukr_Cyrl": "ukr_Latn", "ell_Grek": "ell_Latn",
}  # fmt: skip
# Written in Latin letters so often that they are told; the others are there so that they are not told as a neighbour.
_OFTEN_ROMANISED = ("hin_Deva",)


def variants(rows: Sequence[tuple[str, str]]) -> Rows:
    """Return texts to teach besides those of some rows, with their labels; the same rows, the same texts.

    Args:
        rows: Label, language_Script, and text.
    """
    draw = random.Random(SEED)
    more: Rows = []
    for name, text in rows:
        if draw.randrange(ONE_IN) == 0 and _folded(text.upper()) != _folded(text):
            more.append((name, text.upper()))
        if name.endswith("_Latn") and draw.randrange(ONE_IN) == 0 and (plain := without_accents(text)) != text:
            more.append((name, plain))
        if name in ROMANISED:
            more += [(ROMANISED[name], romanised(text, draw))] * (3 if name in _OFTEN_ROMANISED else 1)
    return more + [(LABEL, code_or_noise(draw)) for _ in range(TEXTS)]


def _folded(text: str) -> str:
    return "".join(sign.lower() for sign in text)


def without_accents(text: str) -> str:
    """Return a text without the marks on its letters.

    >>> without_accents("Tôi đi về")
    'Toi di ve'
    """
    signs = unicodedata.normalize("NFD", text.translate(_PLAIN))
    return "".join(sign for sign in signs if unicodedata.category(sign) != "Mn")


def romanised(text: str, draw: random.Random) -> str:
    """Return a text in Latin letters, as people type it: without marks, the same sound in one of several spellings.

    >>> romanised("कल मौसम अच्छा है", random.Random(0)), romanised("привет как дела", random.Random(0))
    ('kal mausam acha hai', 'privet kak dela')
    """
    for pair, spelling in _GREEK_PAIRS:
        text = text.replace(pair, spelling)
    plain = unicodedata.normalize("NFC", text).lower()
    if any(sign in _CYRILLIC for sign in plain):
        return "".join(_CYRILLIC.get(sign, sign) for sign in plain)
    marked = "".join(sign for sign in unicodedata.normalize("NFD", plain) if sign not in "\u0301\u0308\u0342")
    if any(sign in _GREEK for sign in marked):
        return "".join(_GREEK.get(sign, sign) for sign in marked)
    return " ".join(_indic_word(word, draw) for word in plain.split())


def _indic_word(word: str, draw: random.Random) -> str:
    """Return a word of an Indic script by the names of its letters: KHA is kha, VOWEL SIGN AA is aa, a VIRAMA no a."""
    parts: list[str] = []
    has_vowel = False  # whether the last consonant's own a may be dropped at the end
    for sign in unicodedata.normalize("NFC", word):
        words = unicodedata.name(sign, "").split(" ")
        last = words[-1].lower()
        if "VIRAMA" in words or last == "nukta":
            parts[-1:] = [parts[-1].removesuffix("a")] if parts and "VIRAMA" in words else parts[-1:]
        elif "VOWEL" in words and "SIGN" in words:
            parts[-1:] = [parts[-1].removesuffix("a")] if parts else []
            parts.append(_vowel(last))
        elif last in ("anusvara", "candrabindu", "bindi", "tippi"):
            parts.append("n")
        elif "LETTER" in words:
            parts.append(_vowel(last) if last[0] in "aeiou" else last)
            has_vowel = last[0] not in "aeiou"
        elif sign.isascii():
            parts.append(sign)
    spelled = "".join(parts)
    if has_vowel and len(parts) > 1 and spelled.endswith("a") and parts[-1].endswith("a") and len(parts[-1]) > 1:
        spelled = spelled[:-1]  # the last a of a word is not spoken in the north
    spelled = re.sub(r"(tt|dd|nn|ll|rr|ss)(?=[aeiou])", lambda found: found[0][0], spelled)
    if draw.random() < 0.7:
        spelled = spelled.replace("aa", "a")
    if draw.random() < 0.5:
        spelled = spelled.replace("cch", "ch").replace("cc", "ch")
    return re.sub(r"c(?!h)", "ch", spelled)


def _vowel(name: str) -> str:
    return {"ii": "i", "uu": "u", "ee": "e", "oo": "o"}.get(name, name)
