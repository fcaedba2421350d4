"""E-mail addresses in a text, in any script: as they are sent to, with a quoted name, or spelled in words."""

import re
from collections.abc import Iterator

from cupel.modalities.text.privacy.tokens import Found

_MOST_LOCAL_CHARACTERS = 64
# Letters and digits of an address, but not those of scripts that put no space before one: Thai to Khmer, Chinese,
# Japanese.
_NO_SPACES = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_LETTER = rf"[^\W_{_NO_SPACES}]"
_TOP = rf"(?:xn--[a-z0-9\-]{{2,59}}|[^\W\d_{_NO_SPACES}]{{2,24}})"
# What a domain may be written with where one types Chinese or Japanese. Source: RFC 3490, section 3.1.
WIDE_DOTS = "\u3002\uff61"
_LABEL = rf"{_LETTER}(?:{_LETTER}|-){{0,62}}"
_DOMAIN = re.compile(
    rf"@(?:(?:{_LABEL}\.){{1,8}}{_TOP}|(?:{_LABEL}[{WIDE_DOTS}]){{1,8}}{_TOP}"
    r"|\[(?:IPv6:)?[0-9A-Fa-f:.]{3,45}\])"
)
_LOCAL = re.compile(rf"(?:{_LETTER}|[_.%+\-'])")
_QUOTES = {'"': '"', "\u201d": "\u201c"}
# A sign of an address as a word in brackets, as people write who do not want to be found by a machine.
_AT_WORDS, _DOT_WORDS = r"(?:at|@|\u00e4t|arroba)", r"(?:dot|\.|punkt|punto|point|ponto)"
BRACKETED_AT = rf"[\[({{<] ?{_AT_WORDS} ?[\])}}>]"
_BRACKETED_DOT = rf"[\[({{<] ?{_DOT_WORDS} ?[\])}}>]"
_AT = re.compile(rf" ?(?P<bracketed>{BRACKETED_AT}) ?| at ", re.IGNORECASE)
_DOT = rf"(?: ?{_BRACKETED_DOT} ?| dot |\.)"
_SPELLED_DOMAIN = re.compile(rf"(?:{_LABEL}{_DOT}){{1,8}}{_TOP}(?!{_LETTER})", re.IGNORECASE)
_SPELLED_LOCAL = re.compile(
    rf"(?<!{_LETTER})(?:(?:{_LETTER}|[_.%+\-])+(?: ?{_BRACKETED_DOT} ?| dot ))*(?:{_LETTER}|[_.%+\-])+\Z", re.IGNORECASE
)
_SPELLED_SIGN = re.compile(rf" ?{_BRACKETED_DOT} ?| dot ", re.IGNORECASE)
_BRACKETED_AT = re.compile(BRACKETED_AT, re.IGNORECASE)
# Behind the host of an address that a program reads: a path, as ssh, scp and git write it.
_AS_DOTS = dict.fromkeys(map(ord, WIDE_DOTS), ".")
_PATH = re.compile(r":(?:[~/]|[\w.\-]+/|[\w.\-]+\.git\b)")
_REPOSITORY_USERS = frozenset({"git", "hg", "svn"})


def emails(text: str) -> list[Found]:
    """Return the e-mail addresses of a text, in order.

    What `ssh`, `scp` and `git` are called with (`git@host.org:name`) is none.

    Args:
        text: Normalised text in plain form, see `separators.plain_form`.

    >>> emails("Write to a.b@Example.org, or a.b [at] example [dot] org")
    [Found(start=9, end=24, value='a.b@example.org'), Found(start=29, end=55, value='a.b@example.org')]
    """
    found = list(_with_sign(text)) if "@" in text else []
    if not may_be_spelled(text):
        return found
    spelled = [
        one for one in _in_words(text) if not any(one.start < other.end and other.start < one.end for other in found)
    ]
    return sorted(found + spelled) if spelled else found


def may_be_spelled(text: str) -> bool:
    """Tell in no time whether an address in words may be in a text: a sign in brackets, or the word dot."""
    if "dot" in text or "DOT" in text:
        return True
    is_bracketed = "(" in text or "[" in text or "<" in text or "{" in text
    return is_bracketed and _BRACKETED_AT.search(text) is not None


def _with_sign(text: str) -> Iterator[Found]:
    last = 0
    for domain in _DOMAIN.finditer(text):
        at = first = domain.start()
        opening = _QUOTES.get(text[at - 1 : at])
        if opening is not None:
            first = text.rfind(opening, max(last, at - 2 - _MOST_LOCAL_CHARACTERS), at - 1)
            first = at if first < 0 or "\n" in text[first:at] else first
        # Walked backwards from the sign, no further than a local part can be long: linear on any text.
        while opening is None and first > max(last, at - _MOST_LOCAL_CHARACTERS) and _LOCAL.match(text, first - 1):
            first -= 1
        if first < at and not _is_remote_path(text, first, at, domain.end()):
            last = domain.end()
            yield Found(first, last, text[first:last].translate(_AS_DOTS).lower())


def _is_remote_path(text: str, first: int, at: int, end: int) -> bool:
    """Tell whether an address names a user and a host for a program: a path follows, or the user is that of a tool."""
    if text[first:at].lower() in _REPOSITORY_USERS:
        return text[end : end + 1] == ":" or text[max(0, first - 3) : first] == "://"
    return _PATH.match(text, end) is not None


def _in_words(text: str) -> Iterator[Found]:
    last = 0
    for sign in _AT.finditer(text):
        domain = _SPELLED_DOMAIN.match(text, sign.end())
        if domain is None or sign.start() < last:
            continue
        start = max(last, sign.start() - _MOST_LOCAL_CHARACTERS)
        local = _SPELLED_LOCAL.search(text, start, sign.start())
        if local is None or not (sign["bracketed"] or _is_spelled(local[0], sign[0], domain[0])):
            continue
        last = domain.end()
        parts = (_SPELLED_SIGN.sub(".", part[0]).replace(" ", "") for part in (local, domain))
        yield Found(local.start(), last, "@".join(parts).lower())


def _is_spelled(local: str, sign: str, domain: str) -> bool:
    """Tell whether words around a bare `at` can be nothing but an address.

    "Visit us at example dot com" is none: the name must be one that no word is, or the signs be in capitals.
    """
    if sign == " AT ":
        return " DOT " in domain
    is_name = " dot " in local or any(character.isdigit() or character in "._+" for character in local)
    return is_name and " dot " in domain
