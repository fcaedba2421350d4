"""Marks: spans of texts, segments of time, boxes in images: their text, table, overlap and fusion."""
