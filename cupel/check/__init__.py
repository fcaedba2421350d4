"""The condition of a lake: what is damaged, gone or of an older format, and what mends it."""
