"""The assets: one file a stage, read in the order raw, cleaning, labeling, checking, release."""
