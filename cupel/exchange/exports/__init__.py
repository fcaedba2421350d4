"""What leaves Cupel in the formats of other tools."""
