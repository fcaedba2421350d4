"""Checking: a model's second opinion, people and model together, and what follows for each item."""
