"""A project's tables, the logs that they are made from, steps on them, and their gates."""
