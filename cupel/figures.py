"""How figures are written for people: counts, shares, bounds, intervals, money and time."""

import math
from collections.abc import Mapping
from typing import Any

from cupel.certificate.result import percent as rounded_up

UNKNOWN = "\N{EN DASH}"


def count(number: int | None) -> str:
    """Return a count with thousands separated.

    >>> count(10605)
    '10,605'
    """
    return UNKNOWN if number is None else f"{number:,}"


def percent(share: float | None) -> str:
    """Return a share (0 to 1) as a percentage: one decimal, two near nothing or all, none at them.

    >>> percent(0.1234), percent(0.00512), percent(0.9998), percent(1.0), percent(None) == UNKNOWN
    ('12.3%', '0.51%', '99.98%', '100%', True)
    """
    if share is None or math.isnan(share):
        return UNKNOWN
    if share in (0, 1):
        return f"{share:.0%}"
    return f"{share:.2%}" if abs(share) < 0.02 or 0.98 < share < 1 else f"{share:.1%}"


def setting(share: float) -> str:
    """Return a share that was set rather than measured, with just the digits that it has.

    >>> setting(0.01), setting(1 - 0.05), setting(0.003)
    ('1%', '95%', '0.3%')
    """
    return f"{share * 100:.6g}%"


def bound(share: float | None) -> str:
    """Return an upper bound as a percentage, rounded up as certificates do: never less than what holds.

    >>> bound(0.00991), bound(0.009911), bound(0.1201)
    ('0.991%', '0.992%', '12.1%')
    """
    return UNKNOWN if share is None or math.isnan(share) else rounded_up(share)


def interval(row: Mapping[str, Any]) -> str:
    """Return an estimate with its 95% interval, of columns error, error_low and error_high.

    >>> interval({"error": 0.12, "error_low": 0.109, "error_high": 0.132})
    '12.0% (10.9 to 13.2%)'
    """
    if row["error"] is None:
        return UNKNOWN
    return f"{percent(row['error'])} ({percent(row['error_low']).removesuffix('%')} to {percent(row['error_high'])})"


def money(amount: float, currency: str) -> str:
    """Return an amount of money, without cents where it is large.

    >>> money(1834.5, "USD"), money(3.5, "USD")
    ('USD 1,834', 'USD 3.50')
    """
    return f"{currency} {amount:,.0f}" if amount >= 100 else f"{currency} {amount:,.2f}"


def hours(number: float) -> str:
    """Return hours with one decimal.

    >>> hours(12.34)
    '12.3 h'
    """
    return f"{number:,.1f} h"


def seconds(number: float) -> str:
    """Return seconds with one decimal.

    >>> seconds(3.25)
    '3.2 s'
    """
    return f"{number:,.1f} s"


def figure(value: float | None, is_share: bool) -> str:
    """Return what a check observed: a percentage, or a plain number with up to four digits.

    >>> figure(0.971, True), figure(3.0, False), figure(0.61234, False)
    ('97.1%', '3', '0.6123')
    """
    if value is None or math.isnan(value):
        return UNKNOWN
    if is_share:
        return percent(value)
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4g}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun.

    >>> plural(1, "item"), plural(1200, "item")
    ('1 item', '1,200 items')
    """
    return f"{count(number)} {one if number == 1 else many or one + 's'}"
