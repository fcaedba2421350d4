"""What all kinds of marks share: a label is the canonical text of what somebody marked in an item."""
