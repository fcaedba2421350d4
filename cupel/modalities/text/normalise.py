"""One text to its normal form: Unicode form, no hidden characters, plain spaces and line ends."""

import re
import unicodedata
from collections.abc import Collection
from functools import cache
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.modalities.text.characters import ZERO_WIDTH_JOINER, ZERO_WIDTH_NON_JOINER, escaped_ranges, ranges

# ASCII that is as it should be: no control character but \n, no two spaces, no space at a line's end.
_PLAIN = re.compile(r"[\x21-\x7e]++(?:(?: |\n\n?)[\x21-\x7e]++)*+")
LINE_ENDS = re.compile(r"\r\n|\n|[\r\x0b\x0c\x85\u2028\u2029]")
_ODD_LINE_ENDS = re.compile(r"[\r\x0b\x0c\x85\u2028\u2029]")
_ODD_SPACES = re.compile(r"[\t\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_SPACES = re.compile(" {2,}")
_EMPTY_LINES = re.compile(r"\n{3,}")
# Control characters, and format characters that a reader cannot see: soft hyphen, zero-width space, marks
# of direction, invisible operators, byte order mark, annotation and tag characters.
_HIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
# The flags of England, Scotland and Wales are spelled in tag characters.
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f")
_JOINERS = re.compile(f"[{ZERO_WIDTH_NON_JOINER}{ZERO_WIDTH_JOINER}]+")
# Scripts in which a joiner changes what is read: Arabic and its kin, N'Ko, Mongolian, those of India and around.
_JOINING_SCRIPTS = ((0x0600, 0x08FF), (0x0900, 0x109F), (0x1780, 0x18AF), (0xA840, 0xABFF), (0x10A00, 0x11FFF))
_VIRAMA = 9
# Beyond are rare ideographs, and signs that are always looked at.
_KNOWN = 0x20000
_ROUNDS = 4
# No letter of any writing has so many marks; so few are sorted in no time whatever their order. Of so many in a row,
# every sixteenth sign of the text shows four, which is looked for first.
_LONG_MARKS, _STRIDE = 64, 16
# The steps of the normal form.
STEPS = ("unicode", "hidden", "spaces")


def normalise(text: str, form: Literal["NFC", "NFKC"] = "NFC") -> str:
    r"""Return the text in normal form; normalising twice changes nothing.

    Hidden characters (control, zero-width, direction) are removed; ZERO WIDTH JOINER and NON-JOINER stay
    where they are read: between letters of scripts that join, after a virama, inside an emoji. Spaces of
    any width become one space, line ends `\n`, more than one empty line one; ends are stripped.

    Args:
        text: Any text.
        form: Unicode normalisation form.

    Source: Unicode Standard Annex 15 (forms); Unicode Standard 23.2 (joiners).

    >>> normalise("a\u200b  b\r\n c\xa0")
    'a b\nc'
    """
    return normal_form(text, form)[0]


def are_normal(texts: pa.Array, form: Literal["NFC", "NFKC"]) -> NDArray[np.bool_]:
    r"""Tell of every text whether its normal form is certainly the text itself; where it says no, it may be yet.

    Args:
        texts: Large strings, none null.
        form: Unicode normalisation form.

    Source: Unicode Standard Annex 15, section 9 (quick check).

    >>> texts = pa.array(["as it is", "caf\u00e9", "cafe\u0301", "two  spaces"], pa.large_string())
    >>> are_normal(texts, "NFC").tolist()
    [True, True, False, False]
    """
    found = np.array(pc.match_substring_regex(texts, _all_of("[!-~]")), np.bool_)
    others = np.flatnonzero(~found & ~np.asarray(pc.string_is_ascii(texts)))
    if len(others):
        found[others] = pc.match_substring_regex(texts.take(pa.array(others)), _all_of(_stable(form)))
    return found


def _all_of(sign: str) -> str:
    """Return a pattern of Arrow's for texts of such signs, with single spaces and at most one empty line."""
    return rf"\A(?:{sign})+(?:(?: |\n\n?)(?:{sign})+)*\z"


@cache
def _stable(form: Literal["NFC", "NFKC"]) -> str:
    """Return a pattern for a sign that no normalisation changes, with at most one mark: of two the order counts."""
    parts = [unicodedata.decomposition(chr(code)).split() for code in range(_KNOWN)]
    pairs = [part for part in parts if len(part) == 2 and not part[0].startswith("<")]
    # Korean letters compose by a rule, which the tables leave out.
    composing = {int(second, 16) for _, second in pairs} | set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    signs, marks = list[int](), list[int]()
    for code in range(0x21, _KNOWN):
        sign = chr(code)
        if code in composing or 0xD800 <= code <= 0xDFFF or not unicodedata.is_normalized(form, sign):
            continue
        if not (sign.isspace() or _HIDDEN.match(sign) or _JOINERS.match(sign)):
            (marks if unicodedata.combining(sign) else signs).append(code)
    return f"[{escaped_ranges(signs)}][{escaped_ranges(marks)}]?"


def normal_form(text: str, form: Literal["NFC", "NFKC"], steps: Collection[str] = STEPS) -> tuple[str, set[str]]:
    """Return the text in normal form, or with some of its steps only, and which of them changed it.

    Args:
        text: Any text.
        form: Unicode normalisation form.
        steps: Of `STEPS`: unicode is always made; hidden removes hidden characters; spaces makes spaces and line ends
            plain.
    """
    changed: set[str] = set()
    if _PLAIN.fullmatch(text):
        return text, changed
    # Removing a hidden character can bring two together that compose, and the other way round; not in ASCII.
    for _ in range(1 if text.isascii() else _ROUNDS):
        normal = _once(text, form, steps, changed)
        if normal == text:
            break
        text = normal
    return text, changed


def _once(text: str, form: Literal["NFC", "NFKC"], steps: Collection[str], changed: set[str]) -> str:
    composed = text if text.isascii() else compose(text, form)
    if composed != text:
        changed.add("unicode")
    shown = _visible(composed, form) if "hidden" in steps else composed
    if shown != composed:
        changed.add("hidden")
    plain = shown
    if "spaces" in steps:
        plain = _plain_spaces(shown)
    if plain != shown:
        changed.add("spaces")
    return plain


def compose(text: str, form: Literal["NFC", "NFKC"]) -> str:
    """Return what `unicodedata.normalize` says, in time in step with the text's length.

    Python sorts the marks behind a letter by insertion. Long runs of them come sorted here, which the form allows:
    it is the same for all texts that decompose to the same letters with the same sorted marks.

    Source: Unicode Standard, 3.11 (D108, D109: canonical ordering); Unicode Standard Annex 15.
    """
    if len(text) >= _LONG_MARKS and _marks(form, _LONG_MARKS // _STRIDE).search(text[::_STRIDE]):
        text = _marks(form, _LONG_MARKS).sub(lambda run: _sorted_marks(run[0], form), text)
    return unicodedata.normalize(form, text)


def _sorted_marks(run: str, form: Literal["NFC", "NFKC"]) -> str:
    """Return what marks decompose to, in canonical order."""
    parts = "".join(_decomposition(sign, form) for sign in run)
    return "".join(sorted(parts, key=unicodedata.combining))


@cache
def _decomposition(sign: str, form: Literal["NFC", "NFKC"]) -> str:
    return unicodedata.normalize("NFD" if form == "NFC" else "NFKD", sign)


@cache
def _marks(form: Literal["NFC", "NFKC"], least: int) -> re.Pattern[str]:
    """Return a pattern for runs of signs that decompose to nothing but marks that have an order."""
    kind: Literal["NFD", "NFKD"] = "NFD" if form == "NFC" else "NFKD"
    codes = [
        code
        for code in range(0x300, _KNOWN)  # the rare signs beyond are ideographs, tags and selectors
        if not 0xD800 <= code <= 0xDFFF and all(map(unicodedata.combining, unicodedata.normalize(kind, chr(code))))
    ]
    return re.compile(f"[{ranges(codes)}]{{{least},}}+")


def _plain_spaces(text: str) -> str:
    """Return the text with plain spaces and line ends; what few texts hold is looked for before it is replaced."""
    if _ODD_LINE_ENDS.search(text):
        text = LINE_ENDS.sub("\n", text)
    if _ODD_SPACES.search(text):
        text = _ODD_SPACES.sub(" ", text)
    if "  " in text:
        text = _SPACES.sub(" ", text)
    text = text.replace(" \n", "\n").replace("\n ", "\n")
    if "\n\n\n" in text:
        text = _EMPTY_LINES.sub("\n\n", text)
    return text.strip(" \n")


def _visible(text: str, form: Literal["NFC", "NFKC"]) -> str:
    shown = _without_hidden(text)
    return shown if shown.isascii() else compose(_JOINERS.sub(_joiner, shown), form)


def _without_hidden(text: str) -> str:
    if "\U0001f3f4" not in text:
        return _HIDDEN.sub("", text)
    pieces, start = [], 0
    for flag in _FLAG.finditer(text):
        pieces += [_HIDDEN.sub("", text[start : flag.start()]), flag[0]]
        start = flag.end()
    return "".join([*pieces, _HIDDEN.sub("", text[start:])])


def _joiner(found: re.Match[str]) -> str:
    """Return the first of a run of joiners where it is read, else nothing."""
    text, joiner = found.string, found[0][0]
    before = text[found.start() - 1] if found.start() else ""
    after = text[found.end()] if found.end() < len(text) else ""
    if before and unicodedata.combining(before) == _VIRAMA:
        return joiner
    if _joins(before) and _joins(after):
        return joiner
    is_emoji = joiner == ZERO_WIDTH_JOINER and _is_emoji(before) and _is_emoji(after)
    return joiner if is_emoji else ""


@cache
def _joins(character: str) -> bool:
    """Tell whether a character is a letter or mark of a script in which joiners are read."""
    if not character or unicodedata.category(character)[0] not in "LM":
        return False
    return any(first <= ord(character) <= last for first, last in _JOINING_SCRIPTS)


@cache
def _is_emoji(character: str) -> bool:
    """Tell whether a character may stand beside a joiner in an emoji: a symbol, a skin tone, a selector."""
    return bool(character) and (unicodedata.category(character) in ("So", "Sk") or character in "\ufe0f\u2640\u2642")
