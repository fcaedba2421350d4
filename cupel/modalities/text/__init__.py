"""Text: how it is cleaned, measured and compared."""
