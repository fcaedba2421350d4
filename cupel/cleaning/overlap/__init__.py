"""Overlap with evaluation sets: items that hold what a model will be examined with."""
