"""People: their answers, the annotators themselves, and the tools in which they work."""
