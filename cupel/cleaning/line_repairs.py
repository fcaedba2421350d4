"""Repairs of lines: hard-wrapped ones joined, boilerplate removed; each a step that a project may switch on."""

import re
from collections.abc import Callable, Container, Iterator
from itertools import groupby, pairwise
from typing import NamedTuple

from cupel.modalities.text.scan.classes import ALONE, LETTER, classes, sentence_ends
from cupel.modalities.text.scan.lines import CITATIONS, FEW_WORDS, LONG_WORD, PHRASES

# A text is wrapped where this many of its lines come this close to the longest that is no longer than a screen.
LEAST_WIDTH, MOST_WIDTH = 40, 100
NEARLY_FULL, LEAST_FULL = 12, 3
# Longer lines are paragraphs, and may speak of a policy.
POLICY_LINE_CHARACTERS = 200
# What opens a line that stands for itself: quotes, lists, tables, signatures, headers of mails.
_OPENS = re.compile(r"[>|*\u2022+#-]|\d+[.)]\s|[A-Za-z][\w-]{0,30}:(?:\s|$)|--")
_LOREM, _SCRIPT = (
    re.compile("lorem ipsum", re.IGNORECASE | re.ASCII),
    re.compile("javascript", re.IGNORECASE | re.ASCII),
)
_POLICIES = re.compile("|".join(phrase for phrase in PHRASES if phrase != "lorem ipsum"), re.IGNORECASE | re.ASCII)
_CITATION = re.compile(rf"\[[0-9]*\]|{'|'.join(map(re.escape, CITATIONS))}")
_ENDS = (".", "?", "!", '"', "'")
_FIRST_OTHER, _ELLIPSIS = 0x0530, "\u2026"


class Lines(NamedTuple):
    """A text after a repair, and the lines that it took away."""

    text: str
    removed: tuple[str, ...] = ()


def without_repeated(text: str, repeated: Container[str]) -> Lines:
    """Remove the lines that many items of a batch hold.

    Args:
        text: The text as delivered.
        repeated: Those lines, as `same_line` makes them.
    """
    return _without(text, text.split("\n"), lambda line: same_line(line) not in repeated)


def same_line(line: str) -> str:
    r"""Return what tells whether two lines are the same.

    >>> same_line(" Share this page\r")
    'Share this page'
    """
    return line.strip(" \t\r")


def without_policies(text: str) -> Lines:
    r"""Remove short lines about cookies, policies and JavaScript.

    Source: the phrases are those of Raffel et al. (2020), Exploring the Limits of Transfer Learning (C4), section 2.2.

    >>> without_policies("News of today.\nThis site uses cookies.").text
    'News of today.'
    """
    if not _POLICIES.search(text):
        return Lines(text)
    return _without(
        text, text.split("\n"), lambda line: len(line) > POLICY_LINE_CHARACTERS or not _POLICIES.search(line)
    )


def c4_lines(text: str) -> Lines:
    """Keep the lines that C4 keeps: ended by a mark, of three words or more, without phrases of scripts and policies.

    Lines with lorem ipsum or a curly bracket stay: for C4 they speak against the whole text, which the rules judge.
    """
    return _without(text, text.splitlines(), lambda line: not line.strip() or _c4_keeps(line))


def _c4_keeps(line: str) -> bool:
    kept = _without_citations(line.strip())
    if not kept:
        return False
    last = ord(kept[-1])
    is_other = _FIRST_OTHER <= last < len(sentence_ends()) and kept[-1] != _ELLIPSIS and sentence_ends()[last] == 1
    if not (kept.endswith(_ENDS) or is_other) or kept.endswith("..."):
        return False
    runs = line.split()
    if len(runs) < FEW_WORDS and _alone(kept) < FEW_WORDS:
        return False
    if any(len(run) > LONG_WORD and not _alone(run) for run in runs):
        return False
    if _LOREM.search(kept):
        return True
    if _SCRIPT.search(kept):
        return False
    return "{" in kept or not _POLICIES.search(kept)


def _without_citations(line: str) -> str:
    """Return a line without the citations at its end: [12], [edit], [citation needed]."""
    end = len(line)
    # The line is not cut before the last of them is found: thousands of copies would be made of it.
    while line.endswith("]", 0, end):
        first = line.rfind("[", 0, end)
        if first < 0 or not _CITATION.fullmatch(line, first, end):
            break
        end = first
    return line[:end]


def _alone(text: str) -> int:
    return 0 if text.isascii() else sum(bool(classes()[ord(sign)] & ALONE) for sign in text)


def unwrapped(text: str) -> Lines:
    r"""Join the lines of paragraphs that were broken to fit a width.

    A break is undone only where the next line's first word would not have fitted: a poem, a list, an address or a
    header of a mail, whose lines end for other reasons, stays. So does what is quoted with a sign.

    >>> unwrapped("Too short\\nto be wrapped.").text
    'Too short\\nto be wrapped.'
    """
    lines = text.split("\n")
    sizes = [len(line) for line in lines if len(line) <= MOST_WIDTH]
    width = max(sizes, default=0)
    if width < LEAST_WIDTH or sum(size > width - NEARLY_FULL for size in sizes) < LEAST_FULL:
        return Lines(text)
    return Lines("\n".join(_rejoined(lines, width)))


def _rejoined(lines: list[str], width: int) -> Iterator[str]:
    """Yield the lines, those of a wrapped paragraph as one."""
    for is_blank, group in groupby(lines, key=lambda line: not line):
        paragraph = list(group)
        if is_blank or (len(paragraph) >= LEAST_FULL and all(line[0].isupper() for line in paragraph)):
            yield from paragraph  # where every line begins with a capital it is verse, or a list
            continue
        joined = paragraph[:1]
        for before, line in pairwise(paragraph):
            if not _is_wrap(before, line, width):
                yield "".join(joined)
                joined = [line]
            else:
                joined += (_between(before, line), line)
        yield "".join(joined)


def _is_wrap(before: str, line: str, width: int) -> bool:
    if len(before) > width or _OPENS.match(line) or before[0] in ">|":
        return False
    return len(before) + 1 + len(line.lstrip().partition(" ")[0]) > width


def _between(before: str, line: str) -> str:
    """Return what stands between two joined lines: nothing behind a hyphen, and where there are no spaces."""
    is_hyphen = before.endswith("-") and before[-2:-1].isalpha() and line[0].isalpha()
    is_dense = bool(classes()[ord(before[-1])] & ALONE and classes()[ord(line[0])] & (ALONE | LETTER))
    return "" if is_hyphen or is_dense else " "


def _without(text: str, lines: list[str], is_kept: Callable[[str], bool]) -> Lines:
    removed = tuple(line for line in lines if not is_kept(line))
    return Lines("\n".join(filter(is_kept, lines)), removed) if removed else Lines(text)
