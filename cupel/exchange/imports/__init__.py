"""Finished work of labeling tools: their exports as annotations, and as files that a project reads."""
