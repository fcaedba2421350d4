"""Kinds of labels."""
