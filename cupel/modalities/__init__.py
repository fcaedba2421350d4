"""Modalities: what an item is, and how it is measured."""
