"""Models in the crew, and anchoring by labels that were shown, on real crowds and on made ones."""
