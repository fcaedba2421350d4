"""The scan: every signal of the published web-text rules from one pass over UTF-8 bytes, in compiled loops."""
