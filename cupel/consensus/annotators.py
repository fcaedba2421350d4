"""Annotators: how much each one did, how far the others agree, and how often each one is right."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.consensus.coding import Coded, Integers, Reals, by_item, code, vectors, vote_counts
from cupel.consensus.dawid_skene import SMOOTHED, DawidSkeneSettings
from cupel.consensus.estimates import class_prior, confusions, pooled_confusion
from cupel.tables import ANNOTATORS, REAL, TEXT, conform, empty

ANONYMOUS = "anonymous"


def annotators(
    annotations: pa.Table,
    consensus: pa.Table,
    classes: Sequence[str],
    gold: pa.Table | None = None,
    settings: DawidSkeneSettings = SMOOTHED,
) -> pa.Table:
    """Return what is known of each annotator.

    Annotations that name nobody share one row, `anonymous` (with a star where somebody has that name);
    its quality is null, for it is no person.

    Args:
        annotations: ANNOTATIONS of one batch, any order.
        consensus: CONSENSUS of the same batch, made with the same settings.
        classes: The ontology.
        gold: Items whose label is known, columns item_id and label; null where there are none.
        settings: How Dawid-Skene was fitted.

    Returns:
        ANNOTATORS, by name.

    Raises:
        TableError: An annotation's item or label is not known.
    """
    if annotations.num_rows == 0:
        return empty(ANNOTATORS)
    coded = code(annotations, consensus["item_id"], classes)
    names = [name if name is not None else _anonymous(coded) for name in coded.annotators.to_pylist()]
    is_named = np.asarray(pc.is_valid(coded.annotators).to_numpy(zero_copy_only=False))
    answers = _per_annotator(coded, np.ones(len(coded.item)))
    is_judged, is_agreed = _leave_one_out(coded, vote_counts(coded))
    judged, agreed = _per_annotator(coded, is_judged), _per_annotator(coded, is_agreed)
    known = _gold_places(coded, gold)[coded.item]
    columns = {
        "annotator": pa.array(names, TEXT),
        "answers": pa.array(answers.astype(np.int64)),
        "answer_share": pa.array(answers / len(coded.item)),
        "agreement_share": pa.array(agreed / np.maximum(judged, 1), mask=judged == 0),
        "quality": pa.array(_quality(coded, consensus, settings), mask=~is_named),
        "seconds_spent": _median_seconds(annotations, coded),
        "gold_answers": pa.array(_per_annotator(coded, known >= 0).astype(np.int64)),
        "gold_right": pa.array(_per_annotator(coded, known == coded.label).astype(np.int64)),
    }
    return conform(pa.table(columns), ANNOTATORS).sort_by("annotator")


def _anonymous(coded: Coded) -> str:
    name, taken = ANONYMOUS, set(coded.annotators.to_pylist())
    while name in taken:
        name += "*"
    return name


def _per_annotator(coded: Coded, values: NDArray[np.generic]) -> Reals:
    return np.asarray(np.bincount(coded.annotator, values.astype(np.float64), len(coded.annotators)), dtype=np.float64)


def _leave_one_out(coded: Coded, counts: Integers) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return, per annotation, whether the others have a plurality, and whether it is this answer."""
    others = counts[coded.item]
    others[np.arange(len(coded.item)), coded.label] -= 1
    top = others.max(axis=1, initial=0)
    is_judged = (top > 0) & ((others == top[:, None]).sum(axis=1) == 1)
    return is_judged, is_judged & (others.argmax(axis=1) == coded.label)


def _quality(coded: Coded, consensus: pa.Table, settings: DawidSkeneSettings) -> Reals:
    """Return the chance of a right answer on an item drawn at random, by one more step of the fit."""
    posterior = vectors(by_item(consensus)["posterior"], len(coded.classes))
    prior = class_prior(posterior[~np.isnan(posterior[:, 0])], settings.class_smoothing)
    matrices = confusions(coded, posterior, pooled_confusion(vote_counts(coded)), settings.smoothing)
    return np.asarray(np.diagonal(matrices, axis1=1, axis2=2) @ prior)


def _gold_places(coded: Coded, gold: pa.Table | None) -> Integers:
    """Return each item's known class as a place in the classes, -1 where it is not known."""
    places = np.full(len(coded.item_ids), -1, dtype=np.int64)
    if gold is not None:
        item = pc.index_in(gold["item_id"].cast(TEXT), value_set=coded.item_ids)
        label = pc.index_in(gold["label"].cast(TEXT), value_set=pa.array(coded.classes, TEXT))
        is_known = np.asarray(pc.and_(pc.is_valid(item), pc.is_valid(label)).to_numpy())
        places[item.to_numpy()[is_known].astype(np.int64)] = label.to_numpy()[is_known].astype(np.int64)
    return places


def _median_seconds(annotations: pa.Table, coded: Coded) -> pa.Array:
    place = pc.index_in(annotations["annotator"].cast(TEXT), value_set=coded.annotators).to_numpy()
    seconds = annotations["seconds_spent"].cast(REAL).to_numpy()
    medians = np.full(len(coded.annotators), np.nan)
    is_told = ~np.isnan(seconds)
    order = np.lexsort((seconds[is_told], place[is_told]))
    place, seconds = place[is_told][order], seconds[is_told][order]
    found, starts, sizes = np.unique(place, return_index=True, return_counts=True)
    medians[found] = (seconds[starts + (sizes - 1) // 2] + seconds[starts + sizes // 2]) / 2
    return pa.array(medians, mask=np.isnan(medians))
