"""Cleaning: measure every item, then decide what is kept. Pure functions on tables; the reasons stand in `reasons`."""

from cupel.cleaning.reasons import REASONS

__all__ = ["REASONS"]
