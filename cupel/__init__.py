"""Cupel: know how wrong your labels are before you pay for them or train on them."""

__version__ = "0.1.0"
