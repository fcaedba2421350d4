"""The commands of `cupel`, by what they work on."""
