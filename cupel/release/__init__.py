"""Releases: freezing, splitting, putting together what is released, and telling people about it."""
