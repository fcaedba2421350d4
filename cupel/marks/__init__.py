"""Marks: what is marked in an item, in text, time or an image; below the kinds that use it."""
