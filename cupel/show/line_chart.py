"""A chart of lines over shares, drawn without a library of plots: the label buyer's installation has none."""

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT = 740, 320
LEFT, RIGHT, TOP, BOTTOM = 58, 16, 16, 46
# As in `cupel.show.plots`: colours that people with any colour vision tell apart.
INK, MUTED, GRID, BLUE = "#1d2733", "#66717d", "#e3e7eb", "#0072b2"
MOST_STEPS = 9
TEXT_DOWN = 4


class ChartLine(NamedTuple):
    """A line: its height at each place of the chart, its name, and whether it is the one to look at."""

    name: str
    heights: Sequence[float]
    is_chosen: bool


class ChartMark(NamedTuple):
    """A place on the horizontal axis that a dashed line shows, and what it is."""

    place: float
    name: str


def line_chart(
    text: str, places: Sequence[float], lines: Sequence[ChartLine], mark: ChartMark, titles: tuple[str, str]
) -> str:
    """Return a chart as one SVG element that states its content in words.

    Args:
        text: What it shows, for those who do not see it.
        places: Shares along the horizontal axis, ascending from 0.
        lines: Their heights are shares, 0 to 1; each is named where it is nearest to the middle.
        mark: What the lines are read against.
        titles: Of the horizontal and the vertical axis.
    """
    last = places[-1]

    def across(place: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * place / last

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(text, quote=True)}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" font-family="system-ui,sans-serif" '
        'font-size="13">'
    ]
    parts += [_horizontal(step / 5) for step in range(6)]
    parts += [_tick(across(step), step) for step in _steps(last)]
    for line in sorted(lines, key=lambda line: line.is_chosen):  # the chosen one lies above the others
        points = " ".join(
            f"{across(place):.1f},{_down(height):.1f}" for place, height in zip(places, line.heights, strict=True)
        )
        colour, width = (BLUE, 3) if line.is_chosen else (MUTED, 1.4)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"/>')
        near = min(range(len(places)), key=lambda number: abs(line.heights[number] - 0.5))
        parts.append(_text(across(places[near]) + 5, _down(line.heights[near]) - 3, line.name))
    at = across(mark.place)
    parts.append(
        f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="{INK}" stroke-dasharray="6 4"/>'
    )
    parts.append(_text(at + 5, TOP + 2 * TEXT_DOWN, mark.name))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, titles[0], "middle"))
    parts.append(f'<g transform="rotate(-90 14 {middle:.1f})">{_text(14, middle, titles[1], "middle")}</g>')
    return "".join([*parts, "</svg>"])


def _steps(last: float) -> list[float]:
    """Return the round numbers at which an axis from 0 is marked.

    >>> _steps(0.02)
    [0.0, 0.0025, 0.005, 0.0075, 0.01, 0.0125, 0.015, 0.0175, 0.02]
    """
    power = 10.0 ** math.floor(math.log10(last / MOST_STEPS))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if last / (size * power) < MOST_STEPS)
    return [round(number * step, 12) for number in range(int(last / step + 1e-9) + 1)]


def _down(height: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * height / 1.04


def _horizontal(height: float) -> str:
    at = _down(height)
    line = f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="{GRID}"/>'
    return line + _text(LEFT - 8, at + TEXT_DOWN, f"{height * 100:.4g}%", "end")


def _tick(at: float, share: float) -> str:
    base = HEIGHT - BOTTOM
    line = f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{base}" y2="{base + 5}" stroke="{MUTED}"/>'
    return line + _text(at, base + 19, f"{share * 100:.4g}%", "middle")


def _text(across: float, down: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{across:.1f}" y="{down:.1f}" fill="{INK}" text-anchor="{anchor}">{escape(words)}</text>'
