"""Texts of a delivery made safe for the terminal."""

from rich import markup

from cupel.printable import printable


def escape(text: str) -> str:
    """Return a text that neither the markup of the console nor the terminal obeys."""
    return markup.escape(printable(text))
