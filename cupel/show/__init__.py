"""Show: everything that a person reads: report, card, plots, pages."""
