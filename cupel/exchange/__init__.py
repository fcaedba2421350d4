"""Formats of labeling tools and trainers, in and out."""
