"""Which items are kept, and why the others are not: rules, duplicates, contamination."""

from cupel.cleaning.reasons import REASONS

__all__ = ["REASONS"]
