"""Coded sets: a batch's answers as integers, each answer a set, and the same answers to the question of one class."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.consensus.coding import Coded, Flags, Integers, ItemIds, Reals, code
from cupel.kinds.multilabel.label_sets import ANSWERS, has_class


class CodedSets(NamedTuple):
    """A batch's annotations as integers.

    `coded` has the distinct sets that were given as its classes, by their texts in ascending order; `sets` says which
    classes of the ontology each holds, shape sets x classes.
    """

    coded: Coded
    sets: Flags
    classes: tuple[str, ...]

    @property
    def is_yes(self) -> Flags:
        """Of each annotation which classes it holds, shape annotations x classes."""
        return self.sets[self.coded.label]


def code_sets(annotations: pa.Table, item_ids: "ItemIds | None", classes: Sequence[str]) -> CodedSets:
    """Return annotations as arrays of integers.

    Args:
        annotations: ANNOTATIONS with canonical texts, any order.
        item_ids: All items of the batch, annotated or not; each once. None takes those that are annotated.
        classes: The ontology.

    Raises:
        TableError: An item id stands twice, or an annotation's item is not known.
    """
    texts = sorted(pc.unique(annotations["label"]).to_pylist())
    return CodedSets(code(annotations, item_ids, texts), has_class(texts, classes), tuple(classes))


def code_class(answers: CodedSets, place: int) -> Coded:
    """Return the answers to the question of one class, with the classes no and yes.

    Args:
        answers: The coded annotations.
        place: Of the class in the ontology.
    """
    coded = answers.coded
    return coded._replace(label=answers.sets[coded.label, place].astype(np.int64), classes=ANSWERS)


def count_yes(answers: CodedSets) -> tuple[Integers, Integers]:
    """Return how many answers each item has, and how many of them hold each class: items, and items x classes."""
    coded = answers.coded
    items = len(coded.item_ids)
    votes = np.bincount(coded.item, minlength=items)
    return votes, sum_by_item(coded, answers.is_yes.astype(np.float64)).astype(np.int64)


def sum_by_item(coded: Coded, values: Reals) -> Reals:
    """Return the sums of each item's values, shape items x columns.

    Args:
        coded: The annotations, sorted by item as all coded ones are.
        values: Shape annotations x columns.
    """
    sums = np.zeros((len(coded.item_ids), values.shape[1]))
    if len(coded.item):
        starts = np.flatnonzero(np.diff(coded.item, prepend=-1))
        sums[coded.item[starts]] = np.add.reduceat(values, starts, axis=0)
    return sums
