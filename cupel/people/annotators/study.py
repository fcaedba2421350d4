"""Study: all that is measured of a batch's annotators at once, from answers, hidden gold and the order of arrival."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.consensus.coding import Coded, Integers, ItemIds, Reals, code
from cupel.contract.columns import REAL, TEXT
from cupel.contract.kind import Kind, are_equal
from cupel.contract.ontology import Ontology
from cupel.people.annotators.beliefs import Beliefs, Flags, beliefs
from cupel.people.annotators.copying import Pairs, copiers, pairs
from cupel.people.annotators.drift import Drift, drift
from cupel.people.annotators.guessing import Guessing, guessing
from cupel.people.annotators.occasions import find_occasions
from cupel.people.annotators.quality import Quality, quality
from cupel.people.annotators.speed import Speed, speed

# Who is found in one round is not heard in the next, so that a bloc does not decide who is right.
ROUNDS = 2
MOST_SILENCED = 0.5


class Study(NamedTuple):
    """What was measured. Arrays follow the coding; `gold` is a place in the classes for each item, or -1.

    `same` tells of two places whether labels are the same; None: only a label and itself are.
    """

    coded: Coded
    gold: Integers
    sequence: Integers
    seconds: Reals
    is_named: Flags
    beliefs: Beliefs
    guessing: Guessing
    pairs: Pairs
    drift: Drift
    speed: Speed
    quality: Quality
    same: Flags | None = None

    @property
    def is_right(self) -> Flags:
        """Which answers are the same as the known label of their item; where none is known, none is."""
        return right_answers(self.coded, self.gold, self.same)

    @property
    def is_copying(self) -> Flags:
        """Whether each annotator is in a pair that was found and is not the one it was copied from."""
        return copiers(self.pairs)


def study(
    annotations: pa.Table,
    item_ids: ItemIds,
    classes: Sequence[str],
    gold: pa.Table | None = None,
    first: int | None = None,
    same: Flags | None = None,
) -> Study:
    """Measure a batch's annotators.

    Args:
        annotations: ANNOTATIONS of one batch, any order.
        item_ids: All items of the batch.
        classes: The ontology.
        gold: Items whose label is known, columns item_id and label; null where there are none.
        first: Answers that every item is asked for, whatever they say; further ones were asked because of these. None:
            all were asked at once.
        same: Which of the classes are the same label, see `find_same`.

    Returns:
        The measures; the same whatever the order of rows.

    Raises:
        TableError: An annotation's item or label is not known.
    """
    coded = code(annotations, item_ids, classes)
    known = gold_places(coded, gold)
    is_named = np.asarray(pc.is_valid(coded.annotators).to_numpy(zero_copy_only=False), dtype=np.bool_)
    order = _coding_order(annotations, coded)
    sequence = _column(annotations, "sequence", len(order))[order]
    return measure(coded, known, np.argsort(np.argsort(sequence, kind="stable"), kind="stable"), is_named,
                   _column(annotations, "seconds_spent", len(order))[order], first, same)  # fmt: skip


def measure(
    coded: Coded, gold: Integers, sequence: Integers, is_named: Flags, seconds: Reals, first: int | None = None,
    same: Flags | None = None,
) -> Study:  # fmt: skip
    """Measure coded annotations; see `study`.

    Args:
        coded: The annotations.
        gold: Each item's known class as a place in the classes, or -1.
        sequence: Place of each annotation in the order of arrival.
        is_named: Whether each annotator is a person.
        seconds: Working time of each annotation, NaN where it is not told.
        first: Answers that every item is asked for; None: all.
        same: Which of the classes are the same label.
    """
    occasions = find_occasions(coded, sequence, first)
    is_heard = np.ones(len(coded.annotators), dtype=np.bool_)
    for _ in range(ROUNDS):
        found = beliefs(coded, gold, is_heard, occasions)
        guesses = guessing(coded, found)
        shared = pairs(coded, found, sequence, is_named, is_heard)
        is_heard = _heard(coded, (guesses.is_guessing & is_named) | copiers(shared))
    return Study(
        coded, gold, sequence, seconds, is_named, found, guesses, shared,
        drift(coded, found, guesses.usual, sequence), speed(coded, seconds, occasions),
        quality(coded, found, guesses.usual, None if same is None else right_answers(coded, gold, same)), same,
    )  # fmt: skip


def _heard(coded: Coded, is_found: Flags) -> Flags:
    """Return who is heard in the next round: not who was found, unless that silences most answers."""
    is_much = is_found[coded.annotator].sum() > MOST_SILENCED * len(coded.annotator)
    return np.ones(len(is_found), dtype=np.bool_) if is_much else ~is_found


def gold_places(coded: Coded, gold: pa.Table | None) -> Integers:
    """Return each item's known class as a place in the classes, -1 where it is not known."""
    places = np.full(len(coded.item_ids), -1, dtype=np.int64)
    if gold is not None:
        item = pc.index_in(gold["item_id"].cast(TEXT), value_set=coded.item_ids)
        label = pc.index_in(gold["label"].cast(TEXT), value_set=pa.array(coded.classes, TEXT))
        is_known = np.asarray(pc.and_(pc.is_valid(item), pc.is_valid(label)).to_numpy())
        places[item.to_numpy()[is_known].astype(np.int64)] = label.to_numpy()[is_known].astype(np.int64)
    return places


def find_same(classes: Sequence[str], kind: Kind, ontology: Ontology) -> Flags | None:
    """Return which of some labels are the same, shape classes x classes; None where only those of one text are."""
    if kind.is_same is are_equal:
        return None
    names, count = pa.array(classes, TEXT), len(classes)
    one, other = (pa.array(place.ravel()) for place in np.indices((count, count)))
    is_same = kind.is_same(names.take(one), names.take(other), ontology)
    return np.asarray(pc.fill_null(is_same, False), dtype=np.bool_).reshape(count, count)


def right_answers(coded: Coded, gold: Integers, same: Flags | None) -> Flags:
    """Return which answers are the same as the known label of their item."""
    known = gold[coded.item]
    return np.asarray(known == coded.label if same is None else (known >= 0) & same[known, coded.label])


def _coding_order(annotations: pa.Table, coded: Coded) -> Integers:
    """Return the row of each annotation of the coding; of equal ones, the earlier in sequence first."""
    item = pc.index_in(annotations["item_id"].cast(TEXT), value_set=coded.item_ids).to_numpy()
    who = pc.index_in(annotations["annotator"].cast(TEXT), value_set=coded.annotators).to_numpy()
    label = pc.index_in(annotations["label"].cast(TEXT), value_set=pa.array(coded.classes, TEXT)).to_numpy()
    sequence = _column(annotations, "sequence", annotations.num_rows)
    return np.asarray(np.lexsort((sequence, label, who, item)), dtype=np.int64)


def _column(annotations: pa.Table, name: str, rows: int) -> Reals:
    """Return a column of numbers, NaN where it is null or not there."""
    if name not in annotations.column_names:
        return np.full(rows, np.nan)
    return np.asarray(annotations[name].cast(REAL).to_numpy(), dtype=np.float64)
