"""Shares and sums of money as buyers write them."""

import re
from decimal import Decimal

from cupel.errors import AuditError

_NUMBER = re.compile(r"^(\d+(?:[.,]\d+)?)\s*(%?)$")


def share(text: str, option: str = "--budget") -> float:
    """Return an error budget as a share.

    Args:
        text: A percentage with its sign, or a share below 1.
        option: Where it was given.

    Raises:
        AuditError: It is neither, or not above 0 and below 100%. A bare number of 1 or more is refused, because
            nobody can tell whether percent was meant.

    >>> share("1%"), share("0.3 %"), share("0.005")
    (0.01, 0.003, 0.005)
    """
    match = _NUMBER.match(text.strip())
    if match is None:
        raise AuditError(f"{option} {text!r}: expected a percentage such as 1% or a share such as 0.01")
    value = Decimal(match[1].replace(",", ".")) / (100 if match[2] else 1)
    if not 0 < value < 1:
        hint = f"; for percent write {text.strip()}%" if not match[2] and 1 <= value < 100 else ""
        raise AuditError(f"{option} {text!r}: expected more than 0 and less than 100%{hint}")
    return float(value)


def percent(value: float, digits: int = 2) -> str:
    """Return a share as a percentage without idle zeros.

    >>> percent(0.01), percent(0.0123456), percent(1.0)
    ('1%', '1.23%', '100%')
    """
    text = f"{100 * value:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}%"


def money(value: float, currency: str) -> str:
    """Return a sum with its currency; four digits after the point below 1, where a cent is a lot.

    >>> money(1234.5, "USD"), money(0.0312, "EUR")
    ('1,234.50 USD', '0.0312 EUR')
    """
    return f"{value:,.{2 if value >= 1 or value == 0 else 4}f} {currency}"
