"""Words that are written for machines: addresses, code, keys and hashes. They tell nothing of a text's language."""

from cupel.compiled_loops import numba as nb
from cupel.modalities.text.languages.markup import markup_end
from cupel.modalities.text.scan.decoding import Codes

# Kinds of words.
PLAIN, ADDRESS, CODE = 0, 1, 2
# aB, a1, 1a: so many changes within a word are of a key or name in code, fewer of a product (iPhone, MP3).
_MOST_CHANGES = 1
# Underscores within a word: one may stand before the key of a button (Sa_ve).
_MOST_UNDERSCORES = 1
# An ending in brackets is so long at most: file(s), Kolleg(inn)en.
_MOST_ENDING = 3
_QUOTE, _HASH, _DOLLAR, _OPEN, _CLOSE, _DOT, _SLASH, _COLON, _EQUALS, _AT = 34, 35, 36, 40, 41, 46, 47, 58, 61, 64
_BRACKET, _UNDERSCORE, _BRACE, _BRACE_END, _TILDE = 91, 95, 123, 125, 126
_MARKUP = (37, 38, 60, 123)


@nb.njit(nogil=True, cache=True)
def read_word(codes: Codes, place: int, count: int) -> tuple[int, int]:
    """Return the kind of the word that begins at a place, and the place behind it.

    A word is a run of visible ASCII, up to markup. `ADDRESS` is one with `://`, `www.`, `@` or two slashes; `CODE` one
    with a sign that only code has within words (`=`, `{`, `f(x,`, `a[1]`, `a.read`, `std::`, `"key":`), with several
    underscores, or with several changes between small and capital letters or letters and digits, as in Base64.

    Args:
        codes: Code points.
        place: Where the word begins.
        count: How many of the codes are the text.
    """
    at = place
    changes, underscores, slashes, letters = 0, 0, 0, 0
    is_code, is_address = False, False
    while at < count and 32 < codes[at] <= _TILDE:
        sign = codes[at]
        if sign in _MARKUP and markup_end(codes, at, count) > at:
            break
        last = codes[at - 1] if at > place else 0
        following = codes[at + 1] if at + 1 < count else 0
        if _is_letter(sign):
            letters += 1
            changes += (sign <= 90 and 97 <= last <= 122) or 48 <= last <= 57
        elif 48 <= sign <= 57:
            changes += _is_letter(last)
        elif sign == _UNDERSCORE:
            underscores += _is_word(last) and _is_word(following)
        elif sign == _SLASH:
            slashes += 1
            is_address |= last == _SLASH and at - 2 > place and codes[at - 2] == _COLON
        elif sign == _AT:
            is_address |= _is_word(following)
        elif sign == _DOT:
            if last == 119 and at == place + 3 and codes[place] == 119 and codes[place + 1] == 119:
                is_address = True
            is_code |= _joins_names(codes, place, at, count)
        elif sign == _OPEN:
            is_code |= _is_word(last) and not _is_ending(codes, at, count)
        else:
            is_code |= _is_sign_of_code(sign, last, following)
        at += 1
    is_address |= slashes > 1
    if letters and is_address:
        return ADDRESS, at
    is_code |= changes > _MOST_CHANGES or underscores > _MOST_UNDERSCORES
    return (CODE if letters and is_code else PLAIN), at


@nb.njit(nogil=True, cache=True)
def _is_sign_of_code(sign: int, last: int, following: int) -> bool:
    if sign == _COLON:
        return last in (_COLON, _QUOTE)
    if sign == _BRACKET:
        return _is_word(last)
    if sign == _DOLLAR:
        return _is_letter(following)
    return sign in (_EQUALS, _BRACE, _BRACE_END)


@nb.njit(nogil=True, cache=True)
def _joins_names(codes: Codes, begin: int, dot: int, count: int) -> bool:
    """Return whether two signs of a name lie before a dot, and two small letters behind it: json.loads, example.org."""
    if dot - 2 < begin or dot + 2 >= count:
        return False
    is_before = _is_word(codes[dot - 1]) and _is_word(codes[dot - 2])
    return is_before and 97 <= codes[dot + 1] <= 122 and 97 <= codes[dot + 2] <= 122


@nb.njit(nogil=True, cache=True)
def _is_ending(codes: Codes, bracket: int, count: int) -> bool:
    """Return whether a bracket within a word holds a few letters and is closed."""
    for at in range(bracket + 1, min(count, bracket + _MOST_ENDING + 2)):
        if codes[at] == _CLOSE:
            return at > bracket + 1
        if 32 <= codes[at] <= 64:
            return False
    return False


@nb.njit(nogil=True, cache=True)
def _is_letter(code: int) -> bool:
    return 97 <= code <= 122 or 65 <= code <= 90


@nb.njit(nogil=True, cache=True)
def _is_word(code: int) -> bool:
    return _is_letter(code) or 48 <= code <= 57
