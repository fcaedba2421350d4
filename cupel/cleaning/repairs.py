"""A text as delivered to the text that is measured: the steps that a project switched on, and what they changed."""

from collections.abc import Callable, Container, Iterator
from typing import NamedTuple

from cupel.cleaning.line_repairs import Lines, c4_lines, unwrapped, without_policies, without_repeated
from cupel.config.cleaning import Cleaning, Repairs
from cupel.modalities.text.normalise import normal_form

# In the order in which they are made.
STEPS = ("repeated_lines", "mojibake", "unicode", "hidden", "spaces", "policy_lines", "unwrap", "c4_lines")
_TIDY = frozenset({"unicode", "hidden", "spaces"})


class Repaired(NamedTuple):
    """A text, the steps that changed it, in the order of `STEPS`, and the lines that they took away."""

    text: str
    steps: tuple[str, ...]
    removed: tuple[str, ...]


def repaired(text: str, settings: Cleaning, repeated: Container[str] = frozenset()) -> Repaired:
    r"""Return a text in normal form, with the repairs that the project wants.

    Args:
        text: The text as delivered.
        settings: The form, and which repairs are on.
        repeated: The lines that many items of the batch hold, see `cupel.cleaning.repeated_lines`.

    >>> repaired("cafÃ©\u200b\tau lait", Cleaning(repairs={"mojibake": True}))
    Repaired(text='café au lait', steps=('mojibake', 'hidden', 'spaces'), removed=())
    """
    repairs, steps, removed = settings.repairs, set[str](), list[str]()
    if repairs.repeated_lines is not None:
        text = _noted("repeated_lines", text, without_repeated(text, repeated), steps, removed)
    if repairs.mojibake:
        text = _noted("mojibake", text, Lines(without_mojibake(text)), steps, removed)
    kept = _TIDY.difference(name for name in ("hidden", "spaces") if not getattr(repairs, name))
    text, changed = normal_form(text, settings.normalisation, kept)
    steps |= changed
    for name, repair in _line_steps(repairs):
        text = _noted(name, text, repair(text), steps, removed)
    return Repaired(text, tuple(name for name in STEPS if name in steps), tuple(removed))


def without_mojibake(text: str) -> str:
    """Return the text with lines repaired that were read in another encoding than they were written in.

    A line is changed only where the library ftfy finds that it looks wrong as it stands and right in the other.
    """
    if text.isascii():
        return text
    from ftfy import fix_encoding

    return "\n".join(line if line.isascii() else fix_encoding(line) for line in text.split("\n"))


def _line_steps(repairs: Repairs) -> Iterator[tuple[str, Callable[[str], Lines]]]:
    if repairs.policy_lines:
        yield "policy_lines", without_policies
    if repairs.unwrap:
        yield "unwrap", unwrapped
    if repairs.c4_lines:
        yield "c4_lines", c4_lines


def _noted(name: str, before: str, after: Lines, steps: set[str], removed: list[str]) -> str:
    if after.text != before:
        steps.add(name)
        removed += after.removed
    return after.text
