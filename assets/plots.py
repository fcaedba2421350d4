"""Plots that the Dagster page shows beside tables; they decide no table's values, so versions do not follow them."""

from cupel.show.contamination_plot import scores_plot
from cupel.show.outlook_views import outlook_plot
from cupel.show.plots import annotators_plot, stage_errors_plot
from cupel.show.vendor_plot import vendors_plot

__all__ = ["annotators_plot", "outlook_plot", "scores_plot", "stage_errors_plot", "vendors_plot"]
