"""Contamination: what a project does not want in its data, found by a model and bounded by an audit."""
