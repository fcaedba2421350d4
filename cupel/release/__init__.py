"""Releases: frozen, audited, written as a folder, verified from it."""
