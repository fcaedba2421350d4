"""A line of the story, and how values stand in it: short, safe to print, null said in words."""

import shlex
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from cupel.contract.kind import Part
from cupel.printable import printable

MOST_CHARACTERS = 300
HASH_DIGITS = 12
# The chances of one part are one together; those of several parts are more.
MOST_OF_ONE_PART = 1.5
GOOD, BAD, FAINT, HEADING = "green", "red", "dim", "bold"


class Line(NamedTuple):
    """One line; `style` is one of rich's, `depth` how far it stands in."""

    text: str
    style: str = ""
    depth: int = 1


def shown(text: str | None, most: int = MOST_CHARACTERS) -> str:
    r"""Return a text that others wrote, on one line, shortened, with what a terminal would obey escaped.

    >>> shown("one\ntwo\x1b[31m"), shown("abcdef", 3)
    ('one\\ntwo\\x1b[31m', 'abc… (6 characters)')
    """
    if text is None:
        return "null"
    escaped = printable(text[:most]).replace("\n", "\\n").replace("\t", "\\t")
    return escaped if len(text) <= most else f"{escaped}… ({len(text):,} characters)"


def quoted(text: str | None, most: int = MOST_CHARACTERS) -> str:
    """Return `shown` in quotes; null without."""
    return "null" if text is None else f'"{shown(text, most)}"'


def short(hash_: str | None) -> str:
    """Return the first digits of a hash."""
    return "none" if not hash_ else shown(hash_[:HASH_DIGITS])


def command(project: str, name: str, release: str | None = None) -> str:
    """Return the command that traces another label; `name` is batch/item_id."""
    words = f"cupel trace {shlex.quote(f'{project}/{name}')}"
    return shown(words if release is None else f"{words} --release {shlex.quote(release)}", 2_000)


def number(value: float | int | None) -> str:
    """Return a number with up to four digits behind the point, thousands separated.

    >>> number(12345), number(0.123456), number(0.5), number(None)
    ('12,345', '0.1235', '0.5', 'null')
    """
    if value is None:
        return "null"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4f}".rstrip("0").rstrip(".")


def posterior(
    chances: Sequence[float] | None,
    classes: Sequence[str] | None,
    best: str | None,
    parts: Sequence[Part] | None = None,
) -> str:
    """Return a posterior by class; classes that nothing names are numbered.

    Args:
        chances: The posterior, in the ontology's order; None where there is none.
        classes: The ontology, as far as a release tells it.
        best: The label that goes with the posterior's greatest entry.
        parts: Of labels that are more than one class; then their posteriors stand one after another.

    >>> posterior([0.25, 0.75], None, "x"), posterior([0.25, 0.75], ["w", "x"], "x")
    ('class 1 25.0%, x 75.0%', 'w 25.0%, x 75.0%')
    >>> posterior([0.25, 0.75, 1.0, 0.0], None, "x", [Part("a", ("no", "yes")), Part("b", ("no", "yes"))])
    'a: no 25.0%, yes 75.0%; b: no 100.0%, yes 0.0%'
    """
    if chances is None:
        return "none"
    if parts is not None and sum(len(part.classes) for part in parts) == len(chances):
        rest = iter(chances)
        said = [(part.name, _chances(part.classes, list(islice(rest, len(part.classes))))) for part in parts]
        return "; ".join(f"{shown(name, 60)}: {words}" for name, words in said)
    top = max(range(len(chances)), key=lambda place: chances[place], default=0)
    names = [f"class {place + 1}" for place in range(len(chances))]
    if classes is not None and len(classes) == len(chances) and classes[top] == best:
        names = list(classes)
    elif best is not None and chances and sum(chances) < MOST_OF_ONE_PART:
        names[top] = best
    return _chances(names, chances)


def _chances(names: Sequence[str], chances: Sequence[float]) -> str:
    return ", ".join(f"{shown(name, 60)} {chance:.1%}" for name, chance in zip(names, chances, strict=True))
