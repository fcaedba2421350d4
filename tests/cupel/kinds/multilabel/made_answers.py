"""Made answers that are sets: annotators of different skill, items whose classes come together or do not."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from cupel.consensus.coding import Flags
from cupel.kinds.multilabel.label_sets import join_sets

CLASSES = tuple("abcdef")


class MadeAnswers(NamedTuple):
    """Annotations by item and annotator, and of each item which classes it has, shape items x classes."""

    annotations: pa.Table
    truth: Flags


def make_answers(
    items: int = 200, people: int = 12, per_item: int = 4, is_dependent: bool = False, skills: float = 1.0,
    good: float = 0.0, shares: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.3), seed: int = 1,
) -> MadeAnswers:  # fmt: skip
    """Return answers; with dependence an item has, with few exceptions, one of three sets of classes.

    Skill is in log-odds: its mean is `good`, its spread over annotators `skills`.
    """
    rng = np.random.default_rng(seed)
    classes = len(shares)
    truth = rng.random((items, classes)) < np.array(shares)
    if is_dependent:
        sets = np.array([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0]], np.bool_)
        truth = np.where(rng.random((items, classes)) < 0.03, truth, sets[rng.integers(0, 3, items)])
    skill = rng.normal(good, skills, (people, 1))
    sees, imagines = 1 / (1 + np.exp(-1 - skill)), 1 / (1 + np.exp(2 + skill))
    item = np.repeat(np.arange(items), per_item)
    who = np.concatenate([rng.choice(people, per_item, replace=False) for _ in range(items)])
    said = rng.random((len(item), classes)) < np.where(truth[item], sees[who], imagines[who])
    table = pa.table({
        "item_id": pa.array([f"{one:04d}" for one in item]),
        "annotator": pa.array([f"p{one:02d}" for one in who]),
        "label": join_sets(said.astype(np.int64), CLASSES[:classes]),
        "sequence": pa.array(rng.permutation(len(item)) + 1),
    })  # fmt: skip
    return MadeAnswers(table, truth)
