"""Real data that the projects of this repository use: fetched at a pinned hash, never committed."""
