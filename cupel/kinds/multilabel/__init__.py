"""Multilabel: an item has a set of classes, possibly none."""
