"""Witnesses: somebody else who is told a hash before the draw, and whose receipt draws the audit."""
