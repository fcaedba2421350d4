"""What each stage's gate asks of its table, the numbers that it is held to, and why."""
