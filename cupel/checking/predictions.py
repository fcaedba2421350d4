"""Predictions: a team's own model as the checker, as the file that it wrote."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cupel.checking.calibration import MIN_PROBABILITY
from cupel.checking.opinions import Batch, Opinions
from cupel.config.checking import Checking
from cupel.consensus.coding import Reals
from cupel.contract.columns import REAL, TEXT
from cupel.errors import CheckerError
from cupel.store.files import open_stream

# Raised by hand when a change of this module changes predictions for the same file.
REVISION = 1
# Probabilities of a row may be rounded; further from 1 they are none.
SUM_TOLERANCE = 0.01
# How sure a model is taken to be that does not say; people's answers on other folds put it right.
UNSTATED_CONFIDENCE = 0.8

NOT_IN_FILE = "the file has no row for it"
NOT_A_NUMBER = "a probability is missing or no number"
OUT_OF_RANGE = "a probability is not between 0 and 1"
NOT_WHOLE = "the probabilities do not add up to 1"
NO_LABEL = "the label is empty"
OUTSIDE_ONTOLOGY = "the label is none of the project's classes"
NOT_A_CONFIDENCE = "the confidence is missing or no number from 0 to 1"
CONTRADICTORY = "the confidence is too low for its label to be the likeliest"
_NUMBER = r"^\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*$"

Flags = NDArray[np.bool_]


class Given(NamedTuple):
    """What a file says of a batch, and how many of its rows speak of items that the batch does not have."""

    opinions: Opinions
    unknown_rows: int


def read_predictions(path: Path, name: str, batch: Batch) -> Given:
    """Return what a file of predictions says of a batch.

    The file has a row per item: `item_id`, `batch` where it speaks of several, and either one column per
    class, named by it, that holds its probability, or `label` and, if the model tells, `confidence` (the
    label's probability; the rest is spread evenly over the other classes). A row that makes no sense is
    an abstention with its reason. The model must not have been trained on the answers of the items it
    judges; nothing here can tell.

    Args:
        path: CSV or Parquet.
        name: The batch's name.
        batch: The batch.

    Returns:
        An opinion or an abstention for every item of the batch.

    Raises:
        CheckerError: The file is missing or unreadable, lacks a class or has a column too many, speaks of
            an item twice, or of no item of the batch.
    """
    rows = _rows(path, batch.classes)
    if "batch" in rows.column_names:
        rows = rows.filter(pc.equal(rows["batch"], name))
    place = np.asarray(pc.fill_null(pc.index_in(rows["item_id"], value_set=batch.ids), -1).to_numpy(), np.int64)
    _check_items(path, name, rows, place)
    wanted = rows.filter(pa.array(place >= 0))
    read = _of_labels if _has_labels(rows.column_names, batch.classes) else _of_classes
    scores, why = read(wanted, batch.classes)
    every = np.full(batch.crowd.shape, np.nan)
    every[place[place >= 0]] = scores
    reason = np.full(len(batch.ids), NOT_IN_FILE, dtype=object)
    reason[place[place >= 0]] = why
    return Given(Opinions(every, pa.array(reason, TEXT)), int((place < 0).sum()))


def version(sha256: str, classes: Sequence[str], settings: Checking) -> str:
    """Return 12 hexadecimal digits that change with the file's content, the classes, or how it is calibrated."""
    parts = (REVISION, sha256, list(classes), settings.folds, settings.seed)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def _rows(path: Path, classes: Sequence[str]) -> pa.Table:
    """Return the file's columns, numbers as numbers (null where they are none), all else as text."""
    try:
        rows = _csv(path) if path.name.endswith((".csv", ".csv.gz")) else _parquet(path)
    except FileNotFoundError:
        raise CheckerError(
            f"{path}: no such file; bring the model's predictions, or mend checking.predictions.file"
        ) from None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise CheckerError(f"{path}: not a CSV or Parquet file of predictions: {error}") from error
    _check_columns(path, rows.column_names, classes)
    numbers = {"confidence"} if _has_labels(rows.column_names, classes) else set(classes)
    columns = {}
    for column in rows.column_names:
        try:
            columns[column] = _numbers(rows[column]) if column in numbers else rows[column].cast(TEXT)
        except (pa.ArrowException, ValueError) as error:
            raise CheckerError(f"{path}: column {column} is of type {rows[column].type}: {error}") from error
    return pa.table(columns)


def _csv(path: Path) -> pa.Table:
    with open_stream(path) as file, pa_csv.open_csv(file) as header:
        names = header.schema.names
    options = pa_csv.ConvertOptions(
        column_types={name: TEXT for name in names}, strings_can_be_null=True, null_values=[""]
    )
    with open_stream(path) as file:
        return pa_csv.read_csv(file, convert_options=options)


def _parquet(path: Path) -> pa.Table:
    with open_stream(path) as file:
        return pq.read_table(file)


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        is_number = pc.match_substring_regex(column, _NUMBER)
        column = pc.utf8_trim_whitespace(pc.if_else(is_number, column, pa.scalar(None, column.type)))
    return column.cast(REAL)


def _has_labels(columns: list[str], classes: Sequence[str]) -> bool:
    """Tell whether a file names labels, not a probability for each class."""
    return "label" in columns and not set(classes) <= set(columns)


def _check_columns(path: Path, found: list[str], classes: Sequence[str]) -> None:
    if twice := sorted({name for name in found if found.count(name) > 1}):
        raise CheckerError(f"{path}: columns {twice} stand twice; keep one of each")
    is_labels = _has_labels(found, classes)
    want = {"item_id", "label"} if is_labels else {"item_id", *classes}
    may = want | {"batch"} | ({"confidence"} if is_labels else set())
    missing, unknown = sorted(want - set(found)), sorted(set(found) - may)
    if missing or unknown:
        raise CheckerError(
            f"{path}: missing columns {missing}, unknown columns {unknown}; expected item_id, batch where there are "
            f"several, and either one column per class ({', '.join(classes)}) or label and confidence"
        )


def _check_items(path: Path, name: str, rows: pa.Table, place: NDArray[np.int64]) -> None:
    known = np.sort(place[place >= 0])
    if len(known) == 0:
        raise CheckerError(
            f"{path}: none of its {rows.num_rows} rows for batch {name} is of an item of the batch; "
            "its item_id must be that of clean_items"
        )
    if (is_again := np.diff(known) == 0).any():
        row = np.flatnonzero(place == known[:-1][is_again][0])[1]
        raise CheckerError(
            f"{path}: item {rows['item_id'][int(row)].as_py()!r} stands twice; keep one row of each item"
        )


def _of_classes(rows: pa.Table, classes: Sequence[str]) -> tuple[Reals, NDArray[np.object_]]:
    values = np.stack([_filled(rows[name]) for name in classes], axis=1)
    total = values.sum(axis=1)
    problems = [
        (~np.isfinite(values).all(axis=1), NOT_A_NUMBER),
        (((values < 0) | (values > 1)).any(axis=1), OUT_OF_RANGE),
        (np.abs(total - 1) > SUM_TOLERANCE, NOT_WHOLE),
    ]
    return _scored(values, problems)


def _of_labels(rows: pa.Table, classes: Sequence[str]) -> tuple[Reals, NDArray[np.object_]]:
    place = np.asarray(
        pc.fill_null(pc.index_in(rows["label"], value_set=pa.array(classes, TEXT)), -1).to_numpy(), np.int64
    )
    sure = np.full(rows.num_rows, UNSTATED_CONFIDENCE)
    if "confidence" in rows.column_names:
        sure = _filled(rows["confidence"])
    values = np.repeat(((1 - sure) / (len(classes) - 1))[:, None], len(classes), axis=1)
    values[np.arange(len(place)), place] = sure
    problems = [
        (np.asarray(pc.is_null(rows["label"]).to_numpy(), np.bool_), NO_LABEL),
        (place < 0, OUTSIDE_ONTOLOGY),
        (~((sure >= 0) & (sure <= 1)), NOT_A_CONFIDENCE),
        (sure < 1 / len(classes), CONTRADICTORY),
    ]
    return _scored(values, problems)


def _filled(column: pa.ChunkedArray) -> Reals:
    return np.asarray(pc.fill_null(column, float("nan")).to_numpy(), np.float64)


def _scored(values: Reals, problems: Sequence[tuple[Flags, str]]) -> tuple[Reals, NDArray[np.object_]]:
    """Return log-probabilities and reasons; of the problems that a row has, the first is named."""
    why = np.full(len(values), None, dtype=object)
    for has, reason in reversed(problems):
        why[has] = reason
    is_silent = np.array([reason is not None for reason in why], np.bool_)
    scores = np.log(np.maximum(values, MIN_PROBABILITY))
    scores[is_silent] = np.nan
    return scores, why
