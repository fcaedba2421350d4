"""Consensus: what a batch's annotators say together, how good each is, how far they agree. One algorithm per file."""
