"""Certificate: audit first, then cut; exact tests, bounds, plans, and the verdict on a release or a delivery."""
