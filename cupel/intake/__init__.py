"""Intake: what comes in from the world, and what is said of it."""
