"""The forecast: when so many answers will have come, if people go on as they did; or that nobody can tell yet."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
from scipy.stats import t as student

# The time that is looked back on is cut into so many equal pieces; how they differ says how uneven the pace is.
PIECES = 10
LOOKS_BACK = timedelta(days=7)
# With fewer answers, or in less time, there is no pace.
FEWEST_ANSWERS = 10
LEAST_TIME = timedelta(minutes=10)
CHANCE = 0.95
BISECTIONS = 60


class Forecast(NamedTuple):
    """How long it takes from now on: expected, and within which time with 95% chance.

    `latest` is None where the pace is so uneven that it may as well have ended. `looked_back` is the time that the
    pace is of.
    """

    expected: timedelta
    earliest: timedelta
    latest: timedelta | None
    looked_back: timedelta


def forecast(answered_at: Sequence[datetime], awaited: int, now: datetime) -> Forecast | None:
    """Return when so many answers will have come; None where there is no pace yet.

    Looks back a week, or to the first answer. What is to come is taken to be like what came: the interval allows
    for the chance in both, and for a pace as uneven as it was, never more even than chance alone. Nights and days
    off that lie outside of what was looked back on it cannot know.

    Args:
        answered_at: Times of the answers so far.
        awaited: Answers still to come, at least 1.
        now: The time, not before the last answer.
    """
    start = max(min(answered_at, default=now), now - LOOKS_BACK)
    seconds = (now - start).total_seconds()
    times = [(at - start).total_seconds() for at in answered_at if start <= at <= now]
    if len(times) < FEWEST_ANSWERS or now - start < LEAST_TIME:
        return None
    counts, _ = np.histogram(times, bins=PIECES, range=(0.0, seconds))
    mean, spread = float(counts.mean()), math.sqrt(max(float(counts.var(ddof=1)), float(counts.mean())))
    margin = float(student.ppf((1 + CHANCE) / 2, PIECES - 1)) * spread

    def when(side: float) -> timedelta | None:
        """Return when the number of answers, at one end of its interval, reaches what is awaited."""
        if mean + side * margin / math.sqrt(PIECES) <= 0:
            return None
        low, high = 0.0, 1.0
        while mean * high + side * margin * math.sqrt(high + high * high / PIECES) < awaited:
            high *= 2
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            is_enough = mean * middle + side * margin * math.sqrt(middle + middle**2 / PIECES) >= awaited
            low, high = (low, middle) if is_enough else (middle, high)
        return timedelta(seconds=high * seconds / PIECES)

    expected, earliest = timedelta(seconds=awaited / mean * seconds / PIECES), when(1.0)
    return Forecast(expected, earliest or timedelta(0), when(-1.0), now - start)


def words(found: Forecast | None) -> str:
    """Return a forecast in words.

    >>> words(Forecast(timedelta(hours=5), timedelta(hours=3), None, timedelta(days=2)))
    'in 5.0 hours, not before 3.0 hours; it may never end at the pace of the last 2.0 days'
    >>> words(None)
    'no pace yet'
    """
    if found is None:
        return "no pace yet"
    pace = f"the pace of the last {_time(found.looked_back)}"
    if found.latest is None:
        return f"in {_time(found.expected)}, not before {_time(found.earliest)}; it may never end at {pace}"
    return f"in {_time(found.expected)} ({_time(found.earliest)} to {_time(found.latest)}), at {pace}"


def _time(long: timedelta) -> str:
    hours = long.total_seconds() / 3600
    if hours < 1:
        return f"{60 * hours:.0f} minutes"
    return f"{hours:.1f} hours" if hours < 48 else f"{hours / 24:.1f} days"
