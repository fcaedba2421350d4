"""Which code and settings decide a table's values, as a version that changes with them."""
