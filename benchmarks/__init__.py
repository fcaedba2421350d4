"""Figures, each against its peers or the truth in the same run; every module is run with `python -m`."""
