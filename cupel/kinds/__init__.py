"""Kinds of labels: what an answer is, and what answers come to."""
