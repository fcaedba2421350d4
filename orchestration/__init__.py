"""How assets, gates and projects are wired together, run, watched, rebuilt and repaired."""
