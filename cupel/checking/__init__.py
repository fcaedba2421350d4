"""The second check: a model's opinion, people and model as one, what happens to each item."""
