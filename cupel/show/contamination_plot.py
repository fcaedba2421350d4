"""The plot of scores: how suspicious a delivery's items are, and where the cut lies."""

from typing import Any

from cupel.figures import count
from cupel.release.contamination import Contaminated
from cupel.show.plots import BLUE, GRID, INK, svg_plot


def scores_plot(found: Contaminated, batch: str) -> str:
    """Plot how many items have which score, with the cut; items behind it are rejected unless people want them.

    Args:
        found: What is known of the delivery.
        batch: Its name.
    """
    cut = found.result["cut_score"]
    widths = [high - low for low, high in zip(found.edges, found.edges[1:], strict=False)]

    def draw(axes: Any) -> None:
        is_kept = [cut is not None and low < cut for low in found.edges[:-1]]
        colours = [BLUE if kept else GRID for kept in is_kept]
        axes.bar(found.edges[:-1], found.counts, widths, align="edge", color=colours, edgecolor="white", linewidth=0.4)
        if cut is not None:
            axes.axvline(cut, color=INK, linewidth=1.1, linestyle=(0, (5, 3)))
            axes.annotate("cut", (cut, max(found.counts)), (4, 0), textcoords="offset points", fontsize=9, va="top")
        axes.set_xlabel("score: the higher, the likelier it is unwanted (log-odds)")
        axes.set_ylabel("items")

    total = sum(found.counts)
    said = f"Scores of {count(total)} items of {batch}" + ("" if cut is None else f"; the cut lies at {cut:.2f}") + "."
    return svg_plot(f"scores-{batch}", said, draw, 2.3)
