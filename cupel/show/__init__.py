"""What a person reads: reports, cards, plots, pages, and lines of the terminal."""
