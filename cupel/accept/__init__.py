"""Acceptance of labels that somebody delivered: plan an audit, draw a blind sheet, judge it. No project, no lake."""
