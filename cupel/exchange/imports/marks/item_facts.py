"""What is known of an item beside its marks: its text, its clip's length and frames, its picture's size."""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from cupel.exchange.imports.bad_marks import BadMarkError

MICROSECONDS = 1_000_000
TEXTS, NUMBERS, SIDES = ("text", "path"), ("duration", "frames", "width", "height"), ("width", "height")
# Longer numbers are no microseconds, frames or pixels, and no whole numbers of a table.
MOST_DIGITS = 16
# Rates that are written short: what is meant is a fraction of 1001, and which of the two is said cannot be told.
SHORT_RATES = {"23.976": 24, "23.98": 24, "29.97": 30, "47.952": 48, "47.95": 48, "59.94": 60, "119.88": 120}

_RATE = re.compile(r"[-+]?[0-9]{1,12}(?:\.[0-9]{1,20}|/[0-9]{1,12})?\Z")


class ItemFacts(NamedTuple):
    """What is known of an item; None where it is not.

    Attributes:
        text: The text, as it was shown to the annotators.
        path: File or address of the picture or clip.
        duration: Of the clip, in microseconds.
        frames: How many frames the clip has.
        rate: Frames a second, exactly.
        frame_times: When each frame begins, in microseconds, where the rate varies.
        width: Of the picture or clip, in pixels.
        height: Of the picture or clip, in pixels.
    """

    text: str | None = None
    path: str | None = None
    duration: int | None = None
    frames: int | None = None
    rate: Fraction | None = None
    frame_times: tuple[int, ...] | None = None
    width: int | None = None
    height: int | None = None

    @property
    def length(self) -> int | None:
        """Return how many characters the text has, or how many microseconds the clip."""
        return self.duration if self.text is None else len(self.text)


def merge_facts(found: ItemFacts, known: ItemFacts | None) -> ItemFacts:
    """Return what a file says of an item together with what was known of it.

    Raises:
        BadMarkError: The file shows another text, size or clip than the item has.
    """
    if known is None:
        return found
    for name in ("text", "duration", "frames", "width", "height"):
        one, other = getattr(found, name), getattr(known, name)
        if one is not None and other is not None and one != other:
            raise BadMarkError("other_content", f"{name}: {str(one)[:60]!r}, the item's is {str(other)[:60]!r}")
    # The rate at which a tool counts frames need not be the clip's own.
    merged: dict[str, Any] = {
        name: other if one is None else one for name, one, other in zip(ItemFacts._fields, found, known, strict=True)
    }
    return ItemFacts(**merged)


def describe_facts(facts: ItemFacts) -> dict[str, object]:
    """Return what is known of an item as fields of a delivery: numbers, texts, and the rate as `30000/1001`."""
    named = facts._asdict() | {
        "rate": None if facts.rate is None else str(facts.rate),
        "frame_times": None if facts.frame_times is None else list(facts.frame_times),
    }
    return {name: value for name, value in named.items() if value is not None}


def read_facts(fields: Mapping[str, Any]) -> ItemFacts:
    """Return what fields of a delivery or a table say of an item: the inverse of `describe_facts`.

    Args:
        fields: By name; numbers may be texts, and what is null or empty is not known.

    Raises:
        BadMarkError: A number, text, rate or list of times is none.
    """
    given = {name: fields[name] for name in ItemFacts._fields if fields.get(name) not in (None, "")}
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name in TEXTS and not isinstance(value, str):
            raise BadMarkError("other_content", f"{name}: found {str(value)[:60]!r}, expected a text")
        found[name] = whole_number(value, name, is_above_zero=name in SIDES) if name in NUMBERS else value
    if "rate" in found:
        found["rate"] = parse_rate(found["rate"])
    if "frame_times" in found:
        times = found["frame_times"]
        if not isinstance(times, list | tuple):
            raise BadMarkError("no_number", f"frame_times: found {str(times)[:60]!r}, expected a list of microseconds")
        found["frame_times"] = tuple(whole_number(time, "frame_times") for time in times) or None
    return ItemFacts(**found)


def whole_number(value: object, name: str, *, is_above_zero: bool = False) -> int:
    """Return a whole number from 0, of up to 15 digits, that may be a text.

    Raises:
        BadMarkError: It is none; `name` says what it should be.
    """
    text = str(value)
    is_number = text.isascii() and text.isdecimal() and len(text) < MOST_DIGITS and not isinstance(value, bool)
    if not is_number or (is_above_zero and int(text) == 0):
        above = " above 0" * is_above_zero
        raise BadMarkError("no_number", f"{name}: found {text[:60]!r}, expected a whole number{above}")
    return int(text)


def parse_rate(value: object) -> Fraction:
    """Return a rate of frames a second, exactly as it is written.

    Args:
        value: A whole number, or a text such as `25`, `12.5` or `30000/1001`.

    Raises:
        BadMarkError: It is no number above 0, or is written short, as 29.97, which may mean 30000/1001 or 2997/100.

    >>> parse_rate("30000/1001"), parse_rate(25), parse_rate("12.5")
    (Fraction(30000, 1001), Fraction(25, 1), Fraction(25, 2))
    """
    text = str(value).strip()
    if text in SHORT_RATES:
        whole = SHORT_RATES[text]
        raise BadMarkError("wrong_rate", f"{text}: say {whole * 1000}/1001, or {Fraction(text)} where that is meant")
    try:
        rate = Fraction(text if _RATE.match(text) else "none")
    except (ValueError, ZeroDivisionError):
        raise BadMarkError("wrong_rate", f"{text[:60]!r}: no number of frames a second") from None
    if rate <= 0:
        raise BadMarkError("wrong_rate", f"{text[:60]!r}: not above 0")
    return rate


def check_facts(facts: ItemFacts) -> None:
    """Check that sizes and lengths can be, and that frames, rate and duration of a clip agree, to within a frame.

    Raises:
        BadMarkError: They do not, the times of frames are not in their order, or a number is out of all bounds.
    """
    for name in NUMBERS:
        value = getattr(facts, name)
        if value is not None and not (name in SIDES) <= value < 10 ** (MOST_DIGITS - 1):
            raise BadMarkError("no_number", f"{name}: found {value:.6g}, expected a number that can be")
    times = facts.frame_times
    if times is not None:
        if facts.frames is not None and facts.frames != len(times):
            raise BadMarkError("wrong_rate", f"{facts.frames} frames, and times of {len(times)}")
        if any(after <= before for before, after in zip((-1, *times), times, strict=False)):
            raise BadMarkError("wrong_rate", "the times of frames do not rise")
    elif facts.rate is not None and facts.frames is not None and facts.duration is not None:
        shown = Fraction(facts.frames) / facts.rate * MICROSECONDS
        if abs(shown - facts.duration) > MICROSECONDS / facts.rate + 1:
            raise BadMarkError(
                "wrong_rate",
                f"{facts.frames} frames at {facts.rate} a second are {float(shown) / MICROSECONDS:.3f} s, the clip has "
                f"{facts.duration / MICROSECONDS:.3f} s",
            )


def time_of_frame(frame: int, facts: ItemFacts) -> int:
    """Return when a frame begins, in whole microseconds; the frame after the last begins where the clip ends.

    Args:
        frame: Its number, from 0.
        facts: Of the clip: its rate, or the times of its frames.

    Raises:
        BadMarkError: Neither is known, or there is no such frame.

    >>> time_of_frame(30, ItemFacts(rate=Fraction(30000, 1001)))
    1001000
    """
    count = facts.frames if facts.frame_times is None else len(facts.frame_times)
    if frame < 0 or (count is not None and frame > count):
        raise BadMarkError("beyond_end" if frame > 0 else "before_start", f"frame {frame} of {count}")
    if facts.frame_times is not None:
        if frame < len(facts.frame_times):
            return facts.frame_times[frame]
        if facts.duration is None:
            raise BadMarkError("unknown_rate", "how long the last frame is shown is not known")
        return facts.duration
    if facts.rate is None:
        raise BadMarkError("unknown_rate", f"frame {frame}")
    return round(Fraction(frame) / facts.rate * MICROSECONDS)


def frame_at(time: int, facts: ItemFacts) -> int | None:
    """Return the frame that begins at a time, exactly: the inverse of `time_of_frame`; None where none does.

    Raises:
        BadMarkError: Neither the rate nor the times of frames are known.

    >>> frame_at(1_001_000, ItemFacts(rate=Fraction(30000, 1001))), frame_at(1, ItemFacts(rate=Fraction(25)))
    (30, None)
    """
    if facts.frame_times is not None:
        found = {begin: place for place, begin in enumerate((*facts.frame_times, facts.duration))}
        return found.get(time)
    if facts.rate is None:
        raise BadMarkError("unknown_rate", f"{time} microseconds")
    frame = round(time * facts.rate / MICROSECONDS)
    return frame if time_of_frame(frame, facts._replace(frames=None)) == time else None
