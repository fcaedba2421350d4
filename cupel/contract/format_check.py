"""Whether a format number is one that this version of Cupel reads."""

from typing import Any

from cupel.errors import FormatError


def check_number(number: Any, newest: int, what: str) -> int:
    """Return a format number that this version of Cupel reads.

    Args:
        number: As it was found.
        newest: The highest that is read.
        what: What carries it, for the message.

    Raises:
        FormatError: It is no number, or a newer version of Cupel wrote it.

    >>> check_number(1, 3, "lake/movies")
    1
    >>> check_number(4, 3, "movies")
    Traceback (most recent call last):
    cupel.errors.FormatError: movies: of format 4, but this version of Cupel reads formats up to 3; install a newer \
Cupel to work with it
    """
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise FormatError(f"{what}: format {number!r:.60}: expected a number, 1 or more; restore it from a copy")
    if number > newest:
        raise FormatError(
            f"{what}: of format {number}, but this version of Cupel reads formats up to {newest}; "
            "install a newer Cupel to work with it"
        )
    return number
