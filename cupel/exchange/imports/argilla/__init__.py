"""Argilla's records: of version 2 nested and flat, of the feedback datasets, and of version 1."""
