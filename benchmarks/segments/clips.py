"""True actions of real videos, and what simulated annotators make of them."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.marks.fusion.arrays import AskedPairs, MarkArrays

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]

SHAPES = ("own", "foreign")
# The pool: how many are good, usual and poor; what each of them marks of what is there, invents per thing that is
# there, and how far edges scatter. Biases are normal over annotators, in lengths (own) or seconds (foreign).
PEOPLE = (7, 12, 5)
RECALL = (0.95, 0.88, 0.7)
INVENTED = (0.02, 0.06, 0.2)
SPREAD = (0.03, 0.07, 0.15)
BIAS, BIAS_SECONDS = 0.05, 0.1
SLIPS, SLIP_SECONDS, STEP_SECONDS = 0.05, 3.0, 0.5
# Shorter marks are not made.
SHORTEST_SECONDS = 0.05


class TrueActions(NamedTuple):
    """Actions, a row an action: `video`, `action` (its class), `low`, `high` in seconds; `duration` by video."""

    video: Integers
    action: Integers
    low: Reals
    high: Reals
    duration: Reals


class SimulatedAnswers(NamedTuple):
    """What the annotators marked, and who answered which video."""

    marks: MarkArrays
    asked: AskedPairs


class _Drawn(NamedTuple):
    """Marks before they are cut to the video: video, class, annotator and edges."""

    video: Integers
    action: Integers
    person: Integers
    low: Reals
    high: Reals


def read_actions(path: Path, videos: int | None = None) -> TrueActions:
    """Return the actions of a file, those without an extent left out; a video is as long as its last action at least.

    Args:
        path: JSON: {video: {duration, actions: [[class, start, end], ...]}}, seconds.
        videos: Take the first so many by name; None for all.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    chosen = [content[name] for name in sorted(content)[:videos]]
    rows = np.array(
        [
            (place, kind, low, high)
            for place, clip in enumerate(chosen)
            for kind, low, high in clip["actions"]
            if high > low
        ]
    )
    video, action = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
    duration = np.array([float(clip["duration"]) for clip in chosen])
    np.maximum.at(duration, video, rows[:, 3])
    return TrueActions(video, action, rows[:, 2], rows[:, 3], duration)


def simulate(truth: TrueActions, count: int, shape: str, seed: int) -> SimulatedAnswers:
    """Return what `count` annotators a video mark, drawn from a pool of 24.

    Args:
        truth: What is there.
        count: Annotators a video.
        shape: `own`: each edge is off by its annotator's bias and by t-distributed residuals, both in lengths of the
            action, as the model has it. `foreign`: biases in seconds, Gaussian residuals that grow with the root of the
            length, one mark in twenty off by some three seconds, half of the marks on a grid of half seconds.
        seed: Of all that is drawn.
    """
    rng = np.random.default_rng(seed)
    level = np.repeat(np.arange(len(PEOPLE)), PEOPLE)
    bias = rng.normal(0.0, 1.0, (2, len(level)))
    people = np.argsort(rng.random((len(truth.duration), len(level))), axis=1)[:, :count].astype(np.int64)
    seen, made = _draw_seen(truth, people, level, rng), _draw_inventions(truth, people, level, rng)
    low, high = _disturb(seen, level[seen.person], bias[:, seen.person], shape, rng)
    drawn = _Drawn(*(np.concatenate(pair) for pair in zip(seen._replace(low=low, high=high), made, strict=True)))
    low, high = np.maximum(drawn.low, 0.0), np.minimum(drawn.high, truth.duration[drawn.video])
    columns = (drawn.video, drawn.person, drawn.action, low[:, None], high[:, None])
    is_kept = high - low > SHORTEST_SECONDS
    asked = AskedPairs(np.repeat(np.arange(len(people)), count), people.reshape(-1))
    return SimulatedAnswers(MarkArrays._make(column[is_kept] for column in columns), asked)


def _draw_seen(truth: TrueActions, people: Integers, level: Integers, rng: np.random.Generator) -> _Drawn:
    """Return the actions that each annotator marks, with their true edges."""
    count = people.shape[1]
    row, person = np.repeat(np.arange(len(truth.video)), count), people[truth.video].reshape(-1)
    is_seen = rng.random(len(row)) < np.array(RECALL)[level[person]]
    row = row[is_seen]
    return _Drawn(truth.video[row], truth.action[row], person[is_seen], truth.low[row], truth.high[row])


def _draw_inventions(truth: TrueActions, people: Integers, level: Integers, rng: np.random.Generator) -> _Drawn:
    """Return marks of things that are not there: of the class and length of some real action, anywhere."""
    count = people.shape[1]
    video, person = np.repeat(truth.video, count), people[truth.video].reshape(-1)
    is_made = rng.random(len(video)) < np.array(INVENTED)[level[person]]
    video, person = video[is_made], person[is_made]
    like = rng.integers(0, len(truth.video), len(video))
    length = np.minimum(truth.high[like] - truth.low[like], truth.duration[video])
    low = rng.random(len(video)) * (truth.duration[video] - length)
    return _Drawn(video, truth.action[like], person, low, low + length)


def _disturb(seen: _Drawn, level: Integers, bias: Reals, shape: str, rng: np.random.Generator) -> tuple[Reals, Reals]:
    """Return the edges as annotators set them."""
    length, edges, spread = seen.high - seen.low, np.stack([seen.low, seen.high]), np.array(SPREAD)[level]
    if shape == "own":
        low, high = edges + length * (BIAS * bias + rng.standard_t(4, edges.shape) * spread)
        return low, high
    edges = edges + BIAS_SECONDS * bias + rng.normal(size=edges.shape) * spread * (1 + 1.5 * np.sqrt(length))
    edges += (rng.random(len(length)) < SLIPS) * rng.normal(0.0, SLIP_SECONDS, edges.shape)
    low, high = np.where(rng.random(len(length)) < 0.5, np.round(edges / STEP_SECONDS) * STEP_SECONDS, edges)
    return low, high
