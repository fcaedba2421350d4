"""Anchored: made people who follow a shown label with a known chance, and what the estimate makes of them."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from cupel.contract.table import conform
from cupel.contract.tables.crew import SHOWN_ANSWERS
from cupel.people.annotators.anchoring import ALL, measure_anchoring

CLASSES = ("a", "b", "c")
# How often each class comes up; how often people and the model are right; a person's chances differ by this.
PRIOR = (0.5, 0.3, 0.2)
SKILL, SPREAD, MODEL = 0.8, 0.1, 0.75
# On this share of the items people and model err together: both take them for another, the same class.
HARD = 0.1


class Shape(NamedTuple):
    """What a batch is like: its items, answers an item, the share of items that show a label, and who follows it."""

    items: int
    answers: int
    shown: float
    follow: float
    people: int = 6


SHAPES = tuple(
    Shape(items, answers, shown, follow)
    for items in (60, 300, 2000)
    for answers in (1, 3)
    for shown in (0.2, 0.5, 0.9)
    for follow in (0.0, 0.1, 0.5, 1.0)
)


class Replay(NamedTuple):
    """A measure of one made batch: the true difference, the estimate, its interval, and the verdict."""

    true: float
    found: float | None
    low: float | None
    high: float | None
    verdict: str


def replay(shape: Shape, rng: np.random.Generator) -> dict[str, Replay]:
    """Make a batch, and return what is found of it, by measure, beside what is true of these items and people.

    Whoever follows gives the label without a look at the item; else the answer is the one that would have been given
    blind. The truth is the difference between every answer given beside the label and given blind, as chances.
    """
    classes = len(CLASSES)
    truth = rng.choice(classes, shape.items, p=PRIOR)
    lure = np.where(rng.random(shape.items) < HARD, (truth + 1) % classes, truth)
    model = _answer(lure, np.full(shape.items, MODEL), rng)
    skill = np.clip(rng.normal(SKILL, SPREAD, shape.people), 0.4, 0.99)
    follow = np.clip(shape.follow + rng.normal(0, SPREAD, shape.people) * (0 < shape.follow < 1), 0, 1)
    item = np.repeat(np.arange(shape.items), shape.answers)
    who = np.concatenate([rng.permutation(shape.people)[: shape.answers] for _ in range(shape.items)])
    blind = _answer(lure[item], skill[who], rng)
    is_shown = (rng.random(shape.items) < shape.shown)[item]
    is_following = is_shown & (rng.random(len(item)) < follow[who])
    said = np.where(is_following, model[item], blind)
    names = pa.array(CLASSES)
    columns = {
        "sequence": pa.array(np.arange(len(item))),
        "item_id": pa.array([f"i{one}" for one in item]),
        "annotator": pa.nulls(len(item), pa.string()),  # all together; nobody is judged alone here
        "label": names.take(pa.array(said)),
        "is_shown": pa.array(is_shown),
        "pre_label": names.take(pa.array(model[item])),
        "known_label": names.take(pa.array(truth[item])),
    }
    rows = measure_anchoring(conform(pa.table(columns), SHOWN_ANSWERS)).to_pylist()
    agrees = np.where(lure == model, skill[:, None], (1 - skill[:, None]) / (classes - 1))
    right = np.where(lure == truth, skill[:, None], (1 - skill[:, None]) / (classes - 1))
    # Of every person on every item, as far as people are as likely to get it.
    more = (follow[:, None] * (1 - agrees)).mean()
    wrong = (follow[:, None] * ((model != truth) - (1 - right))).mean()
    is_wrong = model != truth
    misled = (follow[:, None] * (1 - agrees))[:, is_wrong].mean() if is_wrong.any() else 0.0
    true = {"following": float(more), "error": float(wrong), "misled": float(misled)}
    return {
        row["measure"]: Replay(
            true[row["measure"]], row["difference"], row["difference_low"], row["difference_high"], row["verdict"]
        )
        for row in rows
        if row["group"] == ALL and row["measure"] in true
    }


class Judged(NamedTuple):
    """Of many replays of a shape and a measure: bias, coverage of the interval, and how often what was said.

    `false` is the share of replays with the verdict more or less where there is no difference; None where there is one.
    """

    replays: int
    estimated: int
    bias: float
    coverage: float
    width: float
    proven: float
    false: float | None


def judge_replays(found: list[Replay]) -> Judged | None:
    """Return how good the estimate is; None where it was never made."""
    made = [one for one in found if one.found is not None and one.low is not None and one.high is not None]
    if not made:
        return None
    true, value, low, high = np.array([one[:4] for one in made], np.float64).T
    said = np.array([one.verdict in ("more", "less") for one in made])
    is_null = np.abs(true) < 1e-12
    return Judged(
        len(found),
        len(made),
        float((value - true).mean()),
        float(((low <= true) & (true <= high)).mean()),
        float((high - low).mean()),
        float(said.mean()),
        float(said[is_null].mean()) if is_null.any() else None,
    )


def _answer(truth: np.ndarray[tuple[int], np.dtype[np.int64]], skill: np.ndarray[tuple[int], np.dtype[np.float64]],
            rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.int64]]:  # fmt: skip
    """Return answers that are right with a chance each, and else one of the others."""
    other = (truth + rng.integers(1, len(CLASSES), len(truth))) % len(CLASSES)
    return np.where(rng.random(len(truth)) < skill, truth, other)
