"""Opinions: what any checker says of a batch, from its scores to the table of predictions."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.checking.calibration import calibrated
from cupel.checking.folds import folds_of
from cupel.config.checking import Checking
from cupel.consensus.coding import Integers, Reals, by_item, lists_of, sorted_ids, vectors
from cupel.consensus.estimates import class_prior
from cupel.contract.columns import TEXT
from cupel.contract.table import conform
from cupel.contract.tables.checking import PREDICTIONS
from cupel.errors import TableError


class Batch(NamedTuple):
    """A batch as checkers see it, in ascending order of item ids.

    `items` has item_id, group_id and whatever else was given; `crowd` is what the consensus believes, shape
    items x classes, NaN rows where it has no answers; `fold` is the fold of each item.
    """

    items: pa.Table
    ids: pa.Array
    crowd: Reals
    fold: Integers
    classes: tuple[str, ...]


class Opinions(NamedTuple):
    """What a checker says, before its claims are held against people's answers.

    `scores` are log-probabilities, shape items x classes, NaN rows where it abstains; `abstention` says there
    why, and is null elsewhere.
    """

    scores: Reals
    abstention: pa.Array


def batch_of(items: pa.Table, consensus: pa.Table, classes: Sequence[str], settings: Checking) -> Batch:
    """Return a batch as checkers see it, where a label is one of some classes; see `batches_of`."""
    return batches_of(items, consensus, [classes], settings)[0]


def batches_of(
    items: pa.Table, consensus: pa.Table, classes: Sequence[Sequence[str]], settings: Checking
) -> list[Batch]:
    """Return a batch as checkers see it, once for each part of its labels.

    Args:
        items: A table with item_id and group_id, any order.
        consensus: CONSENSUS of the same items.
        classes: The classes of each part.
        settings: Folds and seed.

    Raises:
        TableError: The consensus speaks of other items, or of another number of classes.
    """
    items = by_item(items)
    consensus = by_item(consensus.select(["item_id", "posterior"]))
    ids = sorted_ids(items["item_id"])
    if not ids.equals(sorted_ids(consensus["item_id"])):
        raise TableError("tables clean_items and consensus hold different items; make the consensus of these items")
    crowd, fold = vectors(consensus["posterior"], sum(map(len, classes))), folds_of(items, settings)
    ends = np.cumsum([len(names) for names in classes])
    return [
        Batch(items, ids, crowd[:, end - len(names) : end], fold, tuple(names))
        for names, end in zip(classes, ends, strict=True)
    ]


def classes_of(batches: Sequence[Batch]) -> list[object]:
    """Return the classes of a label with one part, or of each part."""
    return list(batches[0].classes) if len(batches) == 1 else [list(batch.classes) for batch in batches]


def predictions_of(batch: Batch, said: Opinions, model: str, version: str) -> pa.Table:
    """Return what a checker says of labels with one part as PREDICTIONS; see `predictions_of_parts`.

    Of equally likely classes, the ontology's first is named.
    """

    def join(places: Integers) -> pa.Array:
        return pa.array(batch.classes, TEXT).take(pa.array(places[:, 0], mask=places[:, 0] < 0))

    return predictions_of_parts([batch], [said], join, model, version)


def predictions_of_parts(
    batches: Sequence[Batch], said: Sequence[Opinions], join: Callable[[Integers], pa.Array], model: str, version: str
) -> pa.Table:
    """Return what a checker says as PREDICTIONS, calibrated against people's answers on other folds.

    Args:
        batches: The batch, as each part sees it.
        said: What the checker says of its items, a part at a time.
        join: Returns places in the classes of the parts, shape items x parts, as labels.
        model: Name of the checker.
        version: Its version.

    Returns:
        PREDICTIONS, one row per item, by item id. Where the checker is silent on some parts only, as on one that
        people always answer alike, these have the probabilities that people's answers have, which say nothing.

    Raises:
        TableError: Scores or reasons do not fit the batch: their number, infinity, or an abstention without reason.
    """
    for batch, one in zip(batches, said, strict=True):
        _check(batch, one)
    batch = batches[0]
    posteriors = [calibrated(one.scores, part.crowd, part.fold) for part, one in zip(batches, said, strict=True)]
    is_known = np.any([~np.isnan(posterior[:, 0]) for posterior in posteriors], axis=0)
    for part, posterior in zip(batches, posteriors, strict=True):
        posterior[is_known & np.isnan(posterior[:, 0])] = class_prior(part.crowd[~np.isnan(part.crowd[:, 0])])
    best = [np.where(is_known, np.nan_to_num(posterior).argmax(axis=1), -1) for posterior in posteriors]
    columns = {
        "item_id": batch.ids,
        "predicted_label": join(np.column_stack(best)),
        "posterior": lists_of(np.concatenate(posteriors, axis=1), is_known),
        "fold": pa.array(batch.fold, mask=~is_known),
        "abstention": pc.if_else(pa.array(is_known), pa.scalar(None, TEXT), said[0].abstention),
        "model": pa.repeat(pa.scalar(model, TEXT), len(batch.ids)),
        "model_version": pa.repeat(pa.scalar(version, TEXT), len(batch.ids)),
    }
    return conform(pa.table(columns), PREDICTIONS)


def abstain(items: pa.Table, reason: str, model: str, version: str) -> pa.Table:
    """Return PREDICTIONS in which a checker says nothing of any item, for one reason."""
    ids = sorted_ids(items["item_id"])
    columns = {
        "item_id": ids,
        **{name: pa.nulls(len(ids)) for name in ("predicted_label", "posterior", "fold")},
        **{name: pa.repeat(pa.scalar(value, TEXT), len(ids)) for name, value in (
            ("abstention", reason), ("model", model), ("model_version", version),
        )},
    }  # fmt: skip
    return conform(pa.table(columns), PREDICTIONS)


def reasons(is_silent: np.ndarray[tuple[int], np.dtype[np.bool_]], reason: str) -> pa.Array:
    """Return one reason where a checker is silent, null elsewhere."""
    return pa.array([reason], TEXT).take(pa.array(np.zeros(len(is_silent), np.int64), mask=~is_silent))


def _check(batch: Batch, said: Opinions) -> None:
    want = (len(batch.ids), len(batch.classes))
    if said.scores.shape != want or len(said.abstention) != want[0]:
        raise TableError(
            f"a checker's scores: found shape {said.scores.shape} and {len(said.abstention)} reasons, expected {want}, "
            "one row per item and one number per class"
        )
    is_silent = np.isnan(said.scores).any(axis=1)
    is_whole = np.isnan(said.scores).all(axis=1) == is_silent
    for problem, rows in (
        ("a number is not finite, or missing for some classes only", np.isinf(said.scores).any(axis=1) | ~is_whole),
        ("silent without a reason, or a reason with a word", is_silent != said.abstention.is_valid().to_numpy(False)),
    ):
        if rows.any():
            place = int(np.argmax(rows))
            raise TableError(f"a checker's scores, item {batch.ids[place].as_py()!r}: {problem}; null the whole row")
