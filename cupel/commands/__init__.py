"""The commands of `cupel`: options, exit codes, and one function each. All else is imported when one runs."""
