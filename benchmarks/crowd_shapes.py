"""Crowd shapes: made-up crowds on which consensus methods are known to fail, each drawn from a seed.

Nothing is tuned on them: they are reported beside the real crowds.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from benchmarks.double_check.folder import Crowd, Gold
from cupel.consensus.coding import Integers, Reals
from cupel.contract.columns import TEXT

ITEMS, CLASSES, PER_ITEM = 1_000, 4, 5
PEOPLE = 60
BLOCKS = 10

Draw = Callable[[np.random.Generator], "MadeAnswers"]


class MadeAnswers(NamedTuple):
    """The answers of a made-up crowd: `item`, `annotator` and `label` have an entry an answer, `truth` one an item."""

    item: Integers
    annotator: Integers
    label: Integers
    truth: Integers


def make_crowd(shape: str, seed: int) -> tuple[Crowd, Gold]:
    """Return a crowd of a shape, and its gold.

    Args:
        shape: A name in SHAPES.
        seed: Of everything that is drawn.
    """
    place = list(SHAPES).index(shape)
    drawn = SHAPES[shape](np.random.default_rng([place, seed]))
    items, classes = _names("i", len(drawn.truth)), _names("c", int(drawn.truth.max()) + 1)
    annotations = pa.table({
        "item_id": items.take(pa.array(drawn.item)),
        "annotator": _names("p", int(drawn.annotator.max()) + 1).take(pa.array(drawn.annotator)),
        "label": classes.take(pa.array(drawn.label)),
    })  # fmt: skip
    crowd = Crowd(
        f"{shape}_{seed}", tuple(items.to_pylist()), tuple(classes.to_pylist()), annotations, None, None, None
    )
    return crowd, Gold(dict(zip(crowd.item_ids, classes.take(pa.array(drawn.truth)).to_pylist(), strict=True)))


def few_good_many_bad(rng: np.random.Generator) -> MadeAnswers:
    """Draw a crowd of which one in six is right nine times in ten; the others half the time give a class of habit."""
    truth = rng.integers(0, CLASSES, ITEMS)
    item, who = _assign(rng, ITEMS, PEOPLE)
    is_good = np.arange(PEOPLE) < PEOPLE // 6
    habit = rng.integers(0, CLASSES, PEOPLE)
    right = _say(rng, truth[item], np.full(len(item), 0.9))
    lazy = np.where(rng.random(len(item)) < 0.5, habit[who], _say(rng, truth[item], np.full(len(item), 0.5)))
    return MadeAnswers(item, who, np.where(is_good[who], right, lazy), truth)


def adversaries(rng: np.random.Generator) -> MadeAnswers:
    """Draw a crowd of which a fifth answers with the class beside the right one, four times in five."""
    truth = rng.integers(0, CLASSES, ITEMS)
    item, who = _assign(rng, ITEMS, PEOPLE)
    said = _say(rng, truth[item], rng.uniform(0.6, 0.9, PEOPLE)[who])
    shifted = (truth[item] + (rng.random(len(item)) < 0.8)) % CLASSES
    return MadeAnswers(item, who, np.where(np.arange(PEOPLE)[who] < PEOPLE // 5, shifted, said), truth)


def one_answer_each(rng: np.random.Generator) -> MadeAnswers:
    """Draw a crowd in which nobody answers twice; classes are confused unevenly."""
    truth = rng.integers(0, CLASSES, ITEMS)
    item = np.repeat(np.arange(ITEMS), PER_ITEM)
    chance = np.array([0.85, 0.7, 0.55, 0.7])[truth[item]] * rng.uniform(0.7, 1.1, len(item))
    said = np.where(rng.random(len(item)) < chance, truth[item], (truth[item] + 1) % CLASSES)
    return MadeAnswers(item, np.arange(len(item)), said, truth)


def rare_classes(rng: np.random.Generator) -> MadeAnswers:
    """Draw a crowd of classes of 80, 15, 4 and 1%; the rare ones are missed more often."""
    truth = rng.choice(CLASSES, ITEMS, p=[0.8, 0.15, 0.04, 0.01])
    truth[:CLASSES] = np.arange(CLASSES)
    item, who = _assign(rng, ITEMS, PEOPLE)
    skill = rng.uniform(0.65, 0.95, PEOPLE)[who] * np.array([1.0, 0.9, 0.8, 0.7])[truth[item]]
    missed = np.where(rng.random(len(item)) < 0.6, 0, rng.integers(0, CLASSES, len(item)))
    return MadeAnswers(item, who, np.where(rng.random(len(item)) < skill, truth[item], missed), truth)


def blocks_apart(rng: np.random.Generator) -> MadeAnswers:
    """Draw blocks of items that share no annotator, each with people of a skill of its own."""
    truth = rng.integers(0, CLASSES, ITEMS)
    in_block, people = ITEMS // BLOCKS, PEOPLE // BLOCKS
    parts = [_assign(rng, in_block, people, min(PER_ITEM, people)) for _ in range(BLOCKS)]
    item = np.concatenate([number * in_block + part[0] for number, part in enumerate(parts)])
    who = np.concatenate([number * people + part[1] for number, part in enumerate(parts)])
    skill = np.repeat(rng.uniform(0.4, 0.9, BLOCKS), people) + rng.uniform(-0.1, 0.1, PEOPLE)
    return MadeAnswers(item, who, _say(rng, truth[item], skill[who]), truth)


SHAPES: dict[str, Draw] = {
    "few_good_many_bad": few_good_many_bad,
    "adversaries": adversaries,
    "one_answer_each": one_answer_each,
    "rare_classes": rare_classes,
    "blocks_apart": blocks_apart,
}


def _assign(rng: np.random.Generator, items: int, people: int, each: int = PER_ITEM) -> tuple[Integers, Integers]:
    """Return the item and the annotator of each answer: so many different annotators an item."""
    who = rng.random((items, people)).argsort(axis=1)[:, :each]
    return np.repeat(np.arange(items), each), who.ravel()


def _say(rng: np.random.Generator, truth: Integers, skill: Reals) -> Integers:
    """Return answers that are right so often, and else any other class."""
    other = (truth + rng.integers(1, CLASSES, len(truth))) % CLASSES
    return np.where(rng.random(len(truth)) < skill, truth, other)


def _names(letter: str, count: int) -> pa.Array:
    return pa.array([f"{letter}{number:05d}" for number in range(count)], TEXT)
