"""What in a text is written for machines, and tells nothing of its language: tags, entities and places to fill in."""

from cupel.compiled_loops import numba as nb
from cupel.modalities.text.scan.decoding import Codes

# A tag, an entity, a name to fill in that does not end within so many signs is none.
_MOST_TAG, _MOST_ENTITY, _MOST_NAME = 200, 12, 40
_PERCENT, _AND, _SLASH, _SEMICOLON, _LESS, _MORE, _AT = 37, 38, 47, 59, 60, 62, 64
_OPEN, _CLOSE, _DOLLAR, _HASH, _BACKSLASH, _OPEN_NAME, _CLOSE_NAME = 40, 41, 36, 35, 92, 123, 125


@nb.njit(nogil=True, cache=True)
def markup_end(codes: Codes, place: int, count: int) -> int:
    r"""Return the place behind the markup that begins at a place; the place itself where none does.

    Markup is a tag (`<b>`, `</a>`, `<!-- -->`), an entity (`&amp;`, `&#160;`), a place to fill in (`{name}`, `%s`,
    `%(name)d`, `%1$s`, `%@`), and an escape (`\n`). Nothing else: what merely holds such a sign is text.

    Args:
        codes: Code points.
        place: Where to look.
        count: How many of the codes are the text.
    """
    sign = codes[place]
    if sign > _OPEN_NAME or place + 1 >= count:
        return place
    following = codes[place + 1]
    if sign == _LESS and (_is_letter(following) or following in (_SLASH, 33)):
        return _behind(codes, place, min(count, place + _MOST_TAG), _MORE)
    if sign == _AND and (_is_letter(following) or following == _HASH):
        return _behind_name(codes, place, min(count, place + _MOST_ENTITY), _SEMICOLON)
    if sign == _OPEN_NAME:
        return _behind_name(codes, place, min(count, place + _MOST_NAME), _CLOSE_NAME)
    if sign == _PERCENT:
        return _behind_conversion(codes, place, count)
    if sign == _BACKSLASH and following in (110, 114, 116):
        return place + 2
    return place


@nb.njit(nogil=True, cache=True)
def _is_letter(code: int) -> bool:
    return 97 <= code <= 122 or 65 <= code <= 90


@nb.njit(nogil=True, cache=True)
def _behind(codes: Codes, place: int, most: int, last: int) -> int:
    for at in range(place + 1, most):
        if codes[at] == last:
            return at + 1
    return place


@nb.njit(nogil=True, cache=True)
def _behind_name(codes: Codes, place: int, most: int, last: int) -> int:
    """Return the place behind a name of letters, digits and `#$._-`, if it ends so."""
    for at in range(place + 1, most):
        code = codes[at]
        if code == last:
            return at + 1
        if not (_is_letter(code) or 48 <= code <= 57 or code in (_HASH, _DOLLAR, 45, 46, 95)):
            return place
    return place


@nb.njit(nogil=True, cache=True)
def _behind_conversion(codes: Codes, place: int, count: int) -> int:
    """Return the place behind `%s`, `%1$d`, `%(name)s` or `%@`, unless the letter begins a word (as in `5 %de`)."""
    at = place + 1
    if codes[at] == _OPEN:
        end = _behind_name(codes, at, min(count, at + _MOST_NAME), _CLOSE)
        if end == at:
            return place
        at = end
    while at < count and (48 <= codes[at] <= 57 or codes[at] == _DOLLAR):
        at += 1
    if at == count or not (_is_letter(codes[at]) or codes[at] == _AT):
        return place
    return at + 1 if at + 1 == count or not _is_letter(codes[at + 1]) else place
