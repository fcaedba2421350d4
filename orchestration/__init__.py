"""Orchestration: how the assets, gates and projects are wired together and run."""
