"""Spammers put into a real crowd: every real annotator stays; of all together, three in ten are injected."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from benchmarks.double_check.folder import Crowd
from cupel.consensus.coding import Integers, Reals

INJECTED = 0.3
# Of the answers that a copier copies, so many are not copied but guessed.
SLIPS = 0.05
# Of the answers of who is partly careful, so many are guessed.
GUESSED = 0.5
GROUP = 5


class Spammed(NamedTuple):
    """A crowd with spammers; `annotations` in an order of arrival (`sequence`) that a copier keeps to."""

    annotations: pa.Table
    spammers: frozenset[str]


class _Work(NamedTuple):
    """What a spammer is given: the items, answers and times of a real annotator; and what all know."""

    items: Integers
    said: Integers
    at: Reals
    classes: int
    keys: Integers
    rng: np.random.Generator


def _random(work: _Work) -> tuple[Integers, Reals]:
    return work.rng.integers(0, work.classes, len(work.items)), work.rng.random(len(work.items))


def _constant(work: _Work) -> tuple[Integers, Reals]:
    return np.full(len(work.items), work.rng.integers(work.classes)), work.rng.random(len(work.items))


def _copy(work: _Work) -> tuple[Integers, Reals]:
    later = work.at + (1 - work.at) * work.rng.random(len(work.items))
    return _mixed(work, SLIPS), later


def _collude(work: _Work) -> tuple[Integers, Reals]:
    return work.keys[work.items], work.rng.random(len(work.items))


def _partly(work: _Work) -> tuple[Integers, Reals]:
    return _mixed(work, GUESSED), work.rng.random(len(work.items))


def _mixed(work: _Work, guessed: float) -> Integers:
    is_guessed = work.rng.random(len(work.items)) < guessed
    return np.where(is_guessed, work.rng.integers(0, work.classes, len(work.items)), work.said)


# How each kind answers; members of a group share one key, `collude_all` are one group.
KINDS: dict[str, Callable[[_Work], tuple[Integers, Reals]]] = {
    "random": _random,
    "constant": _constant,
    "copy": _copy,
    "collude": _collude,
    "collude_all": _collude,
    "partly_careful": _partly,
}


def inject(crowd: Crowd, kind: str, rng: np.random.Generator) -> Spammed:
    """Put spammers into a crowd.

    Each gets the items of a real annotator drawn at random (each at most once, while there are enough), so that
    they do as much as real ones: one who copies copies that annotator; one who is partly careful gives that
    annotator's answers half of the time.

    Args:
        crowd: The real crowd; who answers an item twice counts once.
        kind: One of KINDS.
        rng: Draws everything.
    """
    rows = crowd.annotations.to_pydict()
    first = dict(zip(zip(rows["item_id"], rows["annotator"], strict=True), rows["label"], strict=True))
    place = {item: number for number, item in enumerate(crowd.item_ids)}
    names = sorted(set(rows["annotator"]))
    number = {name: who for who, name in enumerate(names)}
    items = np.array([place[item] for item, _ in first])
    people = np.array([number[name] for _, name in first])
    labels = np.array([crowd.classes.index(label) for label in first.values()])
    at = rng.random(len(items))
    count = max(1, round(len(names) * INJECTED / (1 - INJECTED)))
    models = np.concatenate([rng.permutation(len(names)) for _ in range(-(-count // len(names)))])[:count]
    keys = rng.integers(0, len(crowd.classes), len(crowd.item_ids))
    parts = [(items, people, labels, at)]
    for spammer, model in enumerate(models):
        if kind == "collude" and spammer % GROUP == 0:
            keys = rng.integers(0, len(crowd.classes), len(crowd.item_ids))
        mine = people == model
        work = _Work(items[mine], labels[mine], at[mine], len(crowd.classes), keys, rng)
        said, when = KINDS[kind](work)
        parts.append((work.items, np.full(len(work.items), len(names) + spammer), said, when))
    items, people, labels, at = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(at, kind="stable")
    every = [*names, *(f"spammer {spammer:04d}" for spammer in range(count))]
    table = pa.table({
        "item_id": [crowd.item_ids[item] for item in items[order]],
        "annotator": [every[who] for who in people[order]],
        "label": [crowd.classes[label] for label in labels[order]],
        "sequence": np.arange(1, len(order) + 1),
    })  # fmt: skip
    return Spammed(table, frozenset(every[len(names) :]))
