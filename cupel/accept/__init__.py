"""Accepting a delivery of labels: plan an audit, draw a blind sheet, judge it; no project, no lake."""
