"""A comparison as one text: the prompt and two responses, laid out so that people, cleaning and models can read it."""

import re
from typing import NamedTuple

from cupel.modalities.text.normalise import LINE_ENDS, normalise

FIRST, SECOND, TIE = "first", "second", "tie"
CLASSES = (FIRST, SECOND, TIE)

_HEADS = ("[prompt]", "[first]", "[second]")
# A line of a part that reads like a head, with any number of backslashes before it, gets one more.
_LIKE_HEAD = re.compile(r"\\*\[(?:prompt|first|second)\]")
_ESCAPED = re.compile(r"^\\(\\*\[(?:prompt|first|second)\])$", re.MULTILINE)


class Comparison(NamedTuple):
    """A prompt, which may be empty, and the two responses that are compared."""

    prompt: str
    first: str
    second: str


def as_text(comparison: Comparison) -> str:
    r"""Return a comparison as one text: each part under a line that names it.

    >>> as_text(Comparison("Why?", "So.", "No idea."))
    '[prompt]\nWhy?\n[first]\nSo.\n[second]\nNo idea.'
    """
    return "\n".join(f"{head}\n{_escaped(part)}" for head, part in zip(_HEADS, comparison, strict=True))


def from_text(text: str) -> Comparison:
    r"""Return the comparison that a text lays out; the inverse of `as_text`, also after normalising.

    Args:
        text: As `as_text` made it; white space around parts may have been folded since.

    Raises:
        ValueError: The text does not lay out a comparison.

    >>> from_text("[prompt]\n[first]\nSo.\n[second]\nNo idea.")
    Comparison(prompt='', first='So.', second='No idea.')
    """
    lines = text.split("\n")
    try:
        places = [lines.index(head) for head in _HEADS]
    except ValueError:
        raise ValueError("the text lays out no comparison: a head is missing") from None
    if places != sorted(places) or places[0] != 0:
        raise ValueError("the text lays out no comparison: its heads are out of order")
    ends = [*places[1:], len(lines)]
    parts = ("\n".join(lines[start + 1 : end]) for start, end in zip(places, ends, strict=True))
    return Comparison(*(_ESCAPED.sub(r"\1", part).strip() for part in parts))


def _escaped(part: str) -> str:
    """Return a part in which no line is a head, nor becomes one when the text is normalised in either form.

    A line that would is written plainly, without hidden or wide characters.
    """
    pairs = ((line, normalise(line, "NFKC")) for line in LINE_ENDS.split(part))
    return "\n".join("\\" + plain if _LIKE_HEAD.fullmatch(plain) else line for line, plain in pairs)
