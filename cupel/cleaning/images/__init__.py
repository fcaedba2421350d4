"""Cleaning of images: what is measured of them, which rules they break, and which resemble each other."""
