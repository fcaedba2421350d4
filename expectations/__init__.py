"""Expectations: what each stage's gate asks of its table, which numbers it is held to, and why."""
