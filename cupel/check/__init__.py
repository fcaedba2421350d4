"""Checking a lake: what of it is damaged, gone, or does not belong together, and what mends it."""
