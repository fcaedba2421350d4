"""Preference: the label kind in which an item is two answers to one prompt, and a label says which is better."""
