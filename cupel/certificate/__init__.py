"""The statistics: how audits are drawn, cut and judged, with exact tests, bounds and plans."""
