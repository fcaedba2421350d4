"""Private data in texts: what is found, and the tokens that take its place."""
