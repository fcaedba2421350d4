"""True actions of real videos, and what simulated annotators make of them."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.marks.fusion.arrays import AskedPairs, MarkArrays

POOL = 24
# Shares of good, usual and poor annotators; what each marks of what is there, invents per thing, and its spread.
SHARES = (0.3, 0.5, 0.2)
RECALL = (0.95, 0.88, 0.7)
INVENTED = (0.02, 0.06, 0.2)
SPREAD = (0.03, 0.07, 0.15)
BIAS = 0.05
SHAPES = ("own", "foreign")


class TrueActions(NamedTuple):
    """Actions, a row an action: `video`, `action` (its class), `low`, `high` in seconds; `duration` by video."""

    video: NDArray[np.int64]
    action: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    duration: NDArray[np.float64]


class SimulatedAnswers(NamedTuple):
    """What the annotators marked, and who answered which video."""

    marks: MarkArrays
    asked: AskedPairs


def read_actions(path: Path, videos: int | None = None) -> TrueActions:
    """Return the actions of a file, those without an extent left out.

    Args:
        path: JSON: {video: {duration, actions: [[class, start, end], ...]}}, seconds.
        videos: Take the first so many; None for all.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    chosen = [content[name] for name in sorted(content)[:videos]]
    rows = [
        (place, int(kind), float(low), float(high))
        for place, clip in enumerate(chosen)
        for kind, low, high in clip["actions"]
        if high > low
    ]
    video, kind, low, high = (np.array(column) for column in zip(*rows, strict=True))
    longest = np.array([float(clip["duration"]) for clip in chosen])
    np.maximum.at(longest, video, high)
    return TrueActions(video.astype(np.int64), kind.astype(np.int64), low, high, longest)


def simulate(truth: TrueActions, count: int, shape: str, seed: int) -> SimulatedAnswers:
    """Return what `count` annotators a video mark, drawn from a pool of 24.

    Args:
        truth: What is there.
        count: Annotators a video.
        shape: `own`: each edge is off by a bias and t-distributed residuals, both in lengths of the action, as the
            model has it. `foreign`: Gaussian residuals that grow with the root of the length, one mark in twenty off by
            about three seconds, half of the marks on a grid of half seconds.
        seed: Of all that is drawn.
    """
    rng = np.random.default_rng(seed)
    level = np.repeat(np.arange(3), (np.array(SHARES) * POOL).round().astype(int)[[0, 1, 2]] + [0, 0, 0])[:POOL]
    level = np.concatenate([level, np.full(POOL - len(level), 1)])
    bias = rng.normal(0.0, BIAS, (POOL, 2))
    videos = len(truth.duration)
    people = np.argsort(rng.random((videos, POOL)), axis=1)[:, :count]
    asked = AskedPairs(np.repeat(np.arange(videos), count), people.reshape(-1))
    row = np.repeat(np.arange(len(truth.video)), count)
    who = people[truth.video].reshape(-1)
    is_seen = rng.random(len(row)) < np.array(RECALL)[level[who]]
    row, who = row[is_seen], who[is_seen]
    low, high = _disturb(truth.low[row], truth.high[row], level[who], bias[who], shape, rng)
    video, action, who, low, high = _add_inventions(truth, people, level, row, who, low, high, rng)
    low = np.clip(low, 0.0, None)
    high = np.minimum(high, truth.duration[video])
    is_kept = high - low > 0.05
    columns = (video, who, action, low[:, None], high[:, None])
    return SimulatedAnswers(MarkArrays(*(column[is_kept] for column in columns)), asked)


def _disturb(low, high, level, bias, shape, rng):  # type: ignore[no-untyped-def]
    """Return edges as annotators set them."""
    length, spread = high - low, np.array(SPREAD)[level]
    if shape == "own":
        noise = rng.standard_t(4, (2, len(low))) * spread
        return low + length * (bias[:, 0] + noise[0]), high + length * (bias[:, 1] + noise[1])
    scale = 3.0 * spread * (0.3 + 0.5 * np.sqrt(length))
    edges = np.stack([low, high]) + 0.5 * bias.T + rng.normal(size=(2, len(low))) * scale
    edges += (rng.random((2, len(low))) < 0.05) * rng.normal(0.0, 3.0, (2, len(low)))
    is_stepped = rng.random(len(low)) < 0.5
    edges = np.where(is_stepped, np.round(edges * 2) / 2, edges)
    return edges[0], edges[1]


def _add_inventions(truth, people, level, row, who, low, high, rng):  # type: ignore[no-untyped-def]
    """Return the marks with those of things that are not there, as long as real actions, anywhere in the video."""
    count = people.shape[1]
    video = np.repeat(truth.video, count)
    person = people[truth.video].reshape(-1)
    is_made = rng.random(len(video)) < np.array(INVENTED)[level[person]]
    video, person = video[is_made], person[is_made]
    like = rng.integers(0, len(truth.video), len(video))
    length = np.minimum(truth.high[like] - truth.low[like], truth.duration[video])
    start = rng.random(len(video)) * (truth.duration[video] - length)
    return (
        np.concatenate([truth.video[row], video]), np.concatenate([truth.action[row], truth.action[like]]),
        np.concatenate([who, person]), np.concatenate([low, start]), np.concatenate([high, start + length]),
    )  # fmt: skip
