"""Marks: parts of an item that somebody marked, as spans of a text, segments of time or boxes in an image."""
