"""The report's plots: each is one SVG element with the same bytes for the same figures."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from cupel.figures import bound, count, percent, setting
from cupel.show.wording import stage_name

# The buyer's door draws plots too, and shall not wait for the lake.
if TYPE_CHECKING:
    from cupel.release.facts import Row

INK = "#1d2733"
MUTED = "#66717d"
GRID = "#e3e7eb"
# Colours that people with any colour vision tell apart. Source: Okabe and Ito (2008), Color Universal Design.
BLUE, ORANGE, GREEN, SKY = "#0072b2", "#d55e00", "#00795a", "#56b4e9"
WIDTH_INCHES = 7.4
_SETTINGS = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": INK,
    "text.color": INK,
    "path.simplify": False,
}


def stage_errors_plot(rows: Sequence[Row], result: Row | None) -> str:
    """Plot the label error after each stage: estimates as points with 95% intervals, the release as a bound.

    Args:
        rows: STAGE_ERRORS, in the order of their position; rows without an estimate are left out.
        result: AUDIT_RESULT; its bounds and budget are drawn where they are known.
    """
    known = [row for row in rows if row["error"] is not None and row["decided_by"] != "released"]
    bars = _release_bars(result)
    lines = len(known) + len(bars)

    def draw(axes: Any) -> None:
        for place, row in enumerate(known):
            axes.hlines(place, row["error_low"], row["error_high"], color=BLUE, linewidth=2.2)
            axes.plot(row["error"], place, "o", color=BLUE, markersize=6.5)
            beside(axes, percent(row["error"]), row["error_high"], place)
        for place, (_, value) in enumerate(bars, len(known)):
            axes.barh(place, value, height=0.42, color="white", edgecolor=ORANGE, hatch="////", linewidth=1.2)
            beside(axes, f"at most {bound(value)}", value, place)
        if result is not None:
            axes.axvline(result["error_budget"], color=INK, linewidth=1.1, linestyle=(0, (5, 3)))
            axes.annotate(
                f"budget {setting(result['error_budget'])}", (result["error_budget"], -0.75), (4, 0),
                textcoords="offset points", fontsize=9, va="center",
            )  # fmt: skip
        names = [stage_name(row) for row in known]
        axes.set_yticks(range(lines), names + [name for name, _ in bars])
        axes.set_ylim(lines - 0.4, -1.1)
        highest = [row["error_high"] for row in known] + [value for _, value in bars]
        axes.set_xlim(0, max([*highest, result["error_budget"] if result else 0, 1e-4]) * 1.18)
        percent_axis(axes, "x")
        axes.set_xlabel("share of labels that are wrong")

    said = [f"{stage_name(row)} {percent(row['error'])}" for row in known]
    said += [f"{name} at most {bound(value)}" for name, value in bars]
    return svg_plot("errors", "Label error after each stage: " + "; ".join(said) + ".", draw, 0.42 * lines + 1.1)


def cuts_plot(
    curve: Sequence[Row],
    cuts: Sequence[Row],
    result: Row,
    allowed: int,
    names: tuple[str, str] = ("cut passed", "cut failed"),
) -> str:
    """Plot wrong labels expected before each place of the risk order against how many are allowed.

    Args:
        curve: Columns risk_rank, audited, wrong: running counts of settled audited items, the safest first.
        cuts: CUTS, those that were tested.
        result: AUDIT_RESULT.
        allowed: Wrong labels that the accepted part may hold.
        names: What the legend calls cuts that passed and failed.
    """
    points = [(0, 0.0)] + [(row["risk_rank"], row["wrong"] / row["audited"] * row["risk_rank"]) for row in curve]

    def draw(axes: Any) -> None:
        axes.step(*zip(*points, strict=True), where="post", color=BLUE, linewidth=1.6, label="wrong labels, estimated")
        axes.axhline(allowed, color=INK, linewidth=1.1, linestyle=(0, (5, 3)))
        axes.annotate(f"{count(allowed)} allowed", (0, allowed), (6, 4), textcoords="offset points", fontsize=9)
        for is_passed, marker, colour, name in ((True, "o", GREEN, names[0]), (False, "X", ORANGE, names[1])):
            chosen = [row for row in cuts if row["is_passed"] == is_passed]
            heights = [row["wrong"] / row["audited"] * row["accepted"] if row["audited"] else 0.0 for row in chosen]
            if chosen:
                axes.plot(
                    [row["accepted"] for row in chosen], heights, marker, color=colour, label=name, linestyle="none",
                    markersize=3.5 if is_passed else 7.5, markeredgewidth=0, zorder=5,
                )  # fmt: skip
        if result["accepted"]:
            axes.axvspan(0, result["accepted"], color=SKY, alpha=0.16, linewidth=0)
            axes.axvline(result["accepted"], color=GREEN, linewidth=1.4)
        axes.set_xlim(0, result["items"])
        top = max([height for _, height in points] + [allowed])
        axes.set_ylim(0, top * 1.18 + 1)
        axes.set_xlabel("items in the order of risk, the safest first")
        axes.set_ylabel("wrong labels among them")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=9)

    text = (
        f"Wrong labels expected among the safest items, by number of items accepted. {allowed} are allowed. "
        f"{result['accepted']} of {result['items']} items are accepted."
    )
    return svg_plot("cuts", text, draw, 3.3)


def annotators_plot(annotators: Sequence[Row], batch: str) -> str:
    """Plot how many annotators have which quality.

    Args:
        annotators: ANNOTATORS with a known quality, at least one.
        batch: Their delivery.
    """
    answers = [row["answers"] for row in annotators]
    quality = [row["quality"] for row in annotators]

    def draw(axes: Any) -> None:
        axes.hist(quality, bins=[place / 50 for place in range(51)], color=BLUE, edgecolor="white", linewidth=0.5)
        middle = sorted(quality)[len(quality) // 2]
        axes.axvline(middle, color=INK, linewidth=1.1, linestyle=(0, (5, 3)))
        axes.locator_params(axis="y", integer=True)
        top = axes.get_ylim()[1] * 1.15
        axes.set_ylim(0, top)
        axes.annotate(
            f"median {percent(middle)}", (middle, top), (-4, -4), textcoords="offset points", ha="right", va="top",
            fontsize=9,
        )  # fmt: skip
        axes.set_xlim(min(0.5, min(quality)) - 0.02, 1.0)
        percent_axis(axes, "x")
        axes.set_xlabel("share of right answers, estimated")
        axes.set_ylabel("annotators")

    text = (
        f"Quality of {len(quality)} annotators with {sum(answers)} answers: "
        f"from {percent(min(quality))} to {percent(max(quality))} right."
    )
    return svg_plot(f"annotators-{batch}", text, draw, 2.5)


def _release_bars(result: Row | None) -> list[tuple[str, float]]:
    if result is None or result["error_bound"] is None:
        return []
    name = "Released (bound)" if result["status"] == "certified" else "All as frozen (bound)"
    return [
        (name, float(result["error_bound"])),
        ("… contested counted wrong", float(result["error_bound_with_contested"])),
    ]


def beside(axes: Any, text: str, right: float, place: float) -> None:
    """Write a figure to the right of its mark, legible over the budget's line."""
    axes.annotate(
        text, (right, place), (6, 0), textcoords="offset points", va="center", fontsize=9,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
    )  # fmt: skip


def percent_axis(axes: Any, which: str) -> None:
    """Label an axis, x or y, in percent, with a grid."""
    axis = getattr(axes, f"{which}axis")
    axis.set_major_formatter(lambda value, _: f"{value * 100:.4g}%")
    axes.grid(axis=which, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def svg_plot(name: str, text: str, draw: Callable[[Any], None], height_inches: float) -> str:
    """Return what was drawn as one SVG element that states its content in words.

    Ids are made unique in the page by the plot's name; nothing depends on time, chance, or settings of the machine.
    """
    import matplotlib
    from matplotlib.figure import Figure

    name = re.sub(r"[^A-Za-z0-9_-]", "-", name)
    settings: dict[Any, Any] = {**_SETTINGS, "svg.hashsalt": f"cupel/{name}"}
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # whatever a `matplotlibrc` of this machine says
        matplotlib.rcParams.update(settings)
        figure = Figure(figsize=(WIDTH_INCHES, height_inches), layout="constrained")
        draw(figure.subplots())
        sink = io.StringIO()
        figure.savefig(sink, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = sink.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\1{name}-", svg)
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(text, quote=True)}"', 1).strip()
