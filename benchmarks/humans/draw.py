"""Draw: charts of certified error against the share that experts read, each one SVG element."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from cupel.figures import percent, setting

WIDTH, HEIGHT = 360, 300
LEFT, RIGHT, TOP, BOTTOM = 38, 104, 26, 40
LINE_HEIGHT = 13
Y_STEPS = (0.02, 0.05, 0.1, 0.2, 0.25)


class Point(NamedTuple):
    """The share that experts read for a certified error, with the interval that is drawn, where there is one."""

    error: float
    share: float
    low: float | None = None
    high: float | None = None


class Series(NamedTuple):
    """The points of a method in the order of their error; `style` is the class of the style sheet that colours it."""

    name: str
    style: str
    points: tuple[Point, ...]
    is_shaded: bool = False


def draw_chart(title: str, series: Sequence[Series], top: float = 1.0) -> Markup:
    """Return a chart: certified error from the highest to the lowest, by ratio; the share read from 0 to `top`.

    Args:
        title: What it shows, in words, for who cannot see it.
        series: At least one, of the same errors; the first ones are drawn last, over the others.
        top: Where the share's axis ends.
    """
    errors = sorted({point.error for one in series for point in one.points}, reverse=True)
    frame = _Frame(errors[0], errors[-1], top)
    parts = [_axes(frame, errors)]
    parts += [_band(one, frame) + _line(one, frame) for one in reversed(series)]
    parts.append(_names(series, frame))
    content = Markup("\n").join(parts)
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">\n{}\n</svg>').format(
        WIDTH, HEIGHT, title, content
    )


def find_top(series: Sequence[Series]) -> float:
    """Return where the axis of shares ends: the first tenth that nothing lies above.

    >>> find_top([Series("a", "a", (Point(0.1, 0.21, 0.2, 0.31),))])
    0.4
    """
    highest = max(point.high or point.share for one in series for point in one.points)
    return min(1.0, math.ceil(highest * 10 + 1e-9) / 10)


class _Frame(NamedTuple):
    """Where figures lie in the picture."""

    first: float
    last: float
    top: float

    def x(self, error: float) -> float:
        """Return the place of an error: equal ratios are equally wide."""
        way = 0.5 if self.first == self.last else math.log(self.first / error) / math.log(self.first / self.last)
        return round(LEFT + way * (WIDTH - LEFT - RIGHT), 1)

    def y(self, share: float) -> float:
        """Return the height of a share; what lies above the axis is drawn at its end."""
        return round(HEIGHT - BOTTOM - min(share / self.top, 1.0) * (HEIGHT - TOP - BOTTOM), 1)


def _axes(frame: _Frame, errors: Sequence[float]) -> Markup:
    step = next(one for one in Y_STEPS if frame.top / one <= 5 + 1e-9)
    shares = [number * step for number in range(round(frame.top / step) + 1)]
    right, floor = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = [
        Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/><text class="tick" x="{}" y="{}">{}</text>').format(
            LEFT, right, frame.y(share), frame.y(share), LEFT - 6, frame.y(share) + 4, setting(share)
        )
        for share in shares
    ]
    parts += [
        Markup('<text class="tick middle" x="{}" y="{}">{}</text>').format(frame.x(error), floor + 16, setting(error))
        for error in errors
    ]
    parts.append(Markup('<text class="axis" x="0" y="10">experts read</text>'))
    parts.append(
        Markup('<text class="axis middle" x="{}" y="{}">certified error, at most</text>').format(
            (LEFT + right) / 2, HEIGHT - 6
        )
    )
    return Markup("\n").join(parts)


def _band(series: Series, frame: _Frame) -> Markup:
    known = [(point.error, point.low, point.high) for point in series.points]
    if not series.is_shaded or any(low is None or high is None for _, low, high in known):
        return Markup("")
    up = [f"{frame.x(error)},{frame.y(high or 0.0)}" for error, _, high in known]
    down = [f"{frame.x(error)},{frame.y(low or 0.0)}" for error, low, _ in reversed(known)]
    return Markup('<polygon class="band {}" points="{}"/>').format(series.style, " ".join(up + down))


def _line(series: Series, frame: _Frame) -> Markup:
    places = " ".join(f"{frame.x(point.error)},{frame.y(point.share)}" for point in series.points)
    line = Markup('<polyline class="line {}" points="{}"/>').format(series.style, places)
    dots = [
        Markup(
            '<circle class="dot {}" cx="{}" cy="{}" r="3.4" data-series="{}" data-error="{}" data-share="{}">'
            "<title>{}</title></circle>"
        ).format(
            series.style, frame.x(point.error), frame.y(point.share), series.name, repr(point.error),
            repr(point.share), _words(series.name, point),
        )
        for point in series.points
    ]  # fmt: skip
    return Markup("\n").join([line, *dots])


def _words(name: str, point: Point) -> str:
    text = f"{name}: for at most {setting(point.error)} wrong, experts read {percent(point.share)}"
    if point.low is None or point.high is None:
        return text
    return f"{text} ({percent(point.low)} to {percent(point.high)} in 80 of 100 audits)"


def _names(series: Sequence[Series], frame: _Frame) -> Markup:
    """Return the names at the ends of their lines, moved apart where they would cover each other."""
    ends = sorted((frame.y(one.points[-1].share), place) for place, one in enumerate(series))
    heights: list[float] = []
    for end, _ in ends:
        heights.append(max(end, heights[-1] + LINE_HEIGHT) if heights else max(end, TOP + 4.0))
    over = max(0.0, heights[-1] - (HEIGHT - BOTTOM + 6))
    for place in range(len(heights) - 1, -1, -1):
        below = heights[place + 1] - LINE_HEIGHT if place + 1 < len(heights) else heights[place] - over
        heights[place] = min(heights[place], below)
    x = WIDTH - RIGHT + 9
    return Markup("\n").join(
        Markup('<text class="name {}" x="{}" y="{}">{}</text>').format(
            series[place].style, x, round(height + 4, 1), escape(series[place].name)
        )
        for height, (_, place) in zip(heights, ends, strict=True)
    )
