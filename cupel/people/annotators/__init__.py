"""Annotators: how good each one is, who guesses, copies or drifts, what is done about it, and vendors compared."""
