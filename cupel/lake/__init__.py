"""The lake: a project's tables and the logs that they are made from, on a store; steps, gates and what they used."""
