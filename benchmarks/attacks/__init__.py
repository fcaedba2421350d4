"""Attacks on a proof: what a dishonest hand may try, each tried for real on a small project. See docs/attacks.md."""
