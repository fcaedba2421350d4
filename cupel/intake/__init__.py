"""What comes in from the world, and who is told of it."""
