"""Near-duplicates: texts to fingerprints to candidate pairs to exact similarity, then to what is kept.

In this order: `folded_texts`, `fingerprints`, `candidates`, `similarity`. On them stand `near_duplicates` (a column of
texts, and `file_search`, the command) and `similar_items` (a batch of a project, and `kept_items`, what is decided).
"""
