"""The plot that compares vendors on equal terms."""

from collections.abc import Sequence
from typing import Any

from cupel.figures import percent
from cupel.release.facts import Row
from cupel.show.plots import BLUE, INK, ORANGE, beside, percent_axis, svg_plot

APART = 0.16


def vendors_plot(vendors: Sequence[Row], batch: str) -> str:
    """Plot the share of right answers of each vendor with its 95% interval, by two measures on equal terms.

    Args:
        vendors: VENDORS, at least one.
        batch: Their delivery.
    """
    ordered = sorted(vendors, key=lambda row: (-(row["standard_share"] or 0.0), row["vendor"]))

    def draw(axes: Any) -> None:
        ends = [1.0]
        for place, row in enumerate(ordered):
            for shift, colour, share, low, high in (
                (-APART, BLUE, row["standard_share"], row["standard_low"], row["standard_high"]),
                (APART, ORANGE, _gold_share(row), row["gold_low"], row["gold_high"]),
            ):
                if share is None:
                    continue
                if low is not None:
                    axes.hlines(place + shift, low, high, color=colour, linewidth=2.2)
                    ends.append(low)
                axes.plot(share, place + shift, "o", color=colour, markersize=6)
                beside(axes, percent(share), high if high is not None else share, place + shift)
                ends.append(share)
        axes.set_yticks(range(len(ordered)), [row["vendor"] for row in ordered])
        axes.set_ylim(len(ordered) - 0.5, -0.5)
        axes.set_xlim(max(0.0, min(ends) - 0.05), 1.06)
        percent_axis(axes, "x")
        axes.set_xlabel("share of right answers: the batch's own mix of items (blue), hidden gold (orange)")
        axes.tick_params(axis="y", labelcolor=INK)

    said = "; ".join(f"{row['vendor']} {percent(row['standard_share'])}" for row in ordered)
    return svg_plot(f"vendors-{batch}", f"Share of right answers by vendor, on equal terms: {said}.", draw,
               0.6 * len(ordered) + 0.9)  # fmt: skip


def _gold_share(row: Row) -> float | None:
    return row["gold_right"] / row["gold_answers"] if row["gold_answers"] else None
