"""Annotators: how much each one did, how far the others agree, and how often each one is right."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cupel.consensus.coding import Coded, Integers, Reals, vote_counts
from cupel.contract.columns import TEXT
from cupel.contract.table import conform, empty
from cupel.contract.tables.labeling import ANNOTATORS
from cupel.people.annotators.copying import comparable
from cupel.people.annotators.study import Study

ANONYMOUS = "anonymous"


def annotators(measured: Study, whose: Mapping[str, str] | None = None) -> pa.Table:
    """Return what is known of each annotator.

    Annotations that name nobody share one row, `anonymous` (with a star where somebody has that name);
    its quality is null, for it is no person.

    Args:
        measured: The study of a batch.
        whose: Each annotator's vendor, where there are any.

    Returns:
        ANNOTATORS, by name.
    """
    coded = measured.coded
    if len(coded.item) == 0:
        return empty(ANNOTATORS)
    names = [name if name is not None else _anonymous(coded) for name in coded.annotators.to_pylist()]
    nobody = ~measured.is_named
    answers = _per_annotator(coded, np.ones(len(coded.item)))
    is_judged, is_agreed = _leave_one_out(coded, vote_counts(coded))
    judged, agreed = _per_annotator(coded, is_judged), _per_annotator(coded, is_agreed)
    tested = _per_annotator(coded, measured.gold[coded.item] >= 0)
    quality, untested = measured.quality, nobody | (tested == 0)
    columns = {
        "annotator": pa.array(names, TEXT),
        "answers": pa.array(answers.astype(np.int64)),
        "answer_share": pa.array(answers / len(coded.item)),
        "agreement_share": pa.array(agreed / np.maximum(judged, 1), mask=judged == 0),
        "quality": pa.array(quality.mean, mask=nobody),
        "quality_low": pa.array(quality.low, mask=nobody),
        "quality_high": pa.array(quality.high, mask=nobody),
        "seconds_spent": _nullable(_medians(coded, measured.seconds)),
        "time_ratio": pa.array(measured.speed.ratio, mask=nobody | np.isnan(measured.speed.ratio)),
        "gold_answers": pa.array(tested.astype(np.int64)),
        "gold_right": pa.array(_per_annotator(coded, measured.is_right).astype(np.int64)),
        "gold_low": pa.array(quality.gold_low, mask=untested),
        "gold_high": pa.array(quality.gold_high, mask=untested),
        "is_told": pa.array(measured.guessing.is_told, mask=nobody),
        "comparable": pa.array(comparable(measured.pairs)),
        "vendor": pa.array([(whose or {}).get(name) for name in names], TEXT),
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


def _medians(coded: Coded, seconds: Reals) -> Reals:
    medians = np.full(len(coded.annotators), np.nan)
    is_told = ~np.isnan(seconds)
    order = np.lexsort((seconds[is_told], coded.annotator[is_told]))
    place, seconds = coded.annotator[is_told][order], seconds[is_told][order]
    found, starts, sizes = np.unique(place, return_index=True, return_counts=True)
    medians[found] = (seconds[starts + (sizes - 1) // 2] + seconds[starts + sizes // 2]) / 2
    return medians


def _nullable(values: Reals) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))
