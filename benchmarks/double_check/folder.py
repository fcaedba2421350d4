"""A folder of the crowd form: answers, what a model may see, and the gold labels behind a wall."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from cupel.consensus.coding import Reals
from cupel.contract.columns import TEXT
from cupel.errors import SourceError

LABELS, GOLD, TEXTS, FEATURES, MODEL = "labels.csv", "gold.csv", "items.csv", "features.npy", "pred_probs.npy"


class Crowd(NamedTuple):
    """What a method may see.

    `annotations` has item_id, annotator and label; `item_ids` are all items, ascending; `classes` the
    ontology. `texts`, `features` and `model` (an external model's probabilities) are None where the folder
    has none, else in the order of `item_ids`, with a null or NaN row where an item has none. `confidence` is that of
    the only annotator where that is a model (see `model_folder`), 0 to 1, NaN where it has no label; else None.
    """

    name: str
    item_ids: tuple[str, ...]
    classes: tuple[str, ...]
    annotations: pa.Table
    texts: pa.Array | None
    features: Reals | None
    model: Reals | None
    confidence: Reals | None = None


class Gold(NamedTuple):
    """The known labels by item. Only `experts.Experts` and `experts.Scorer` look inside."""

    verdicts: dict[str, str]


def read_folder(folder: Path) -> tuple[Crowd, Gold]:
    """Read a folder.

    The classes are the labels that annotators or experts ever give: those of labels.csv and gold.csv by
    name, in numeric order where all are numbers. How frequent they are in gold.csv is not looked at.

    Args:
        folder: Holds labels.csv (task, worker, label) and gold.csv (task, label), and one of items.csv
            (task, text), features.npy, pred_probs.npy (a row per row of gold.csv) or none of them.

    Returns:
        What a method may see, and the gold.

    Raises:
        SourceError: A file is missing or broken, gold contradicts itself, or a model has the wrong shape.
    """
    answers = list(read_rows(folder / LABELS, ("task", "worker", "label")))
    known = list(read_rows(folder / GOLD, ("task", "label")))
    for path, rows in ((folder / LABELS, answers), (folder / GOLD, known)):
        if not rows:
            raise SourceError(f"{path}: no rows; expected at least one below the header")
    verdicts = read_verdicts(folder / GOLD, known)
    texts: dict[str, str] = {}
    if (folder / TEXTS).exists():
        texts = {item: text for item, text in read_rows(folder / TEXTS, ("task", "text"), can_be_empty=("text",))}
    ids = tuple(sorted({row[0] for row in answers} | set(verdicts) | set(texts)))
    classes = order_classes({row[2] for row in answers} | set(verdicts.values()))
    if len(classes) < 2:
        raise SourceError(f"{folder}: one class only, {classes[0]!r}; there is nothing to check")
    columns = list(zip(*answers, strict=True))
    annotations = pa.table(
        {name: pa.array(column, TEXT) for name, column in zip(("item_id", "annotator", "label"), columns, strict=True)}
    )
    crowd = Crowd(
        folder.name,
        ids,
        classes,
        annotations,
        pa.array([texts.get(item) for item in ids], TEXT) if texts else None,
        _matrix(folder / FEATURES, list(verdicts), ids, None),
        _matrix(folder / MODEL, list(verdicts), ids, len(classes)),
    )
    return crowd, Gold(verdicts)


def folders_in(path: Path) -> list[Path]:
    """Return a folder of the crowd form itself, or all such folders right inside, by name.

    Raises:
        SourceError: There is none.
    """
    if (path / LABELS).is_file():
        return [path]
    found = sorted(one.parent for one in path.glob(f"*/{LABELS}") if (one.parent / GOLD).is_file())
    if not found:
        raise SourceError(f"{path}: neither it nor a folder in it holds {LABELS} and {GOLD}")
    return found


def read_rows(path: Path, columns: Sequence[str], can_be_empty: Sequence[str] = ()) -> Iterator[tuple[str, ...]]:
    """Yield a CSV file's rows, the columns in the order that is asked for.

    Raises:
        SourceError: There is no such file, no such column, or an empty field.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in columns if name not in (reader.fieldnames or [])]
            if missing:
                raise SourceError(f"{path}: no column {missing[0]!r}; expected {', '.join(columns)}")
            for number, row in enumerate(reader, start=1):
                values = tuple(str(row[name] or "") for name in columns)
                for name, value in zip(columns, values, strict=True):
                    if not value.strip() and name not in can_be_empty:
                        raise SourceError(f"{path}, row {number}: {name} is empty; remove the row or fill it in")
                yield values
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path}: not a CSV file in UTF-8: {error}") from None


def read_verdicts(path: Path, rows: Sequence[tuple[str, ...]]) -> dict[str, str]:
    """Return the one label of each task.

    Raises:
        SourceError: A task has two.
    """
    verdicts: dict[str, str] = {}
    for number, (item, label) in enumerate(rows, start=1):
        before = verdicts.setdefault(item, label)
        if before != label:
            raise SourceError(
                f"{path}, row {number}: task {item!r} has label {label!r}, but {before!r} further up; an item has "
                "one verdict: keep the right one"
            )
    return verdicts


def order_classes(labels: set[str]) -> tuple[str, ...]:
    """Return labels by name, or in numeric order where all are numbers."""
    if all(label.lstrip("-").isdecimal() for label in labels):
        return tuple(sorted(labels, key=lambda label: (int(label), label)))
    return tuple(sorted(labels))


def _matrix(path: Path, order: Sequence[str], ids: Sequence[str], columns: int | None) -> Reals | None:
    """Return a file's rows, given in the order of gold.csv, in the order of ids; NaN where an item has none."""
    if not path.exists():
        return None
    try:
        values = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise SourceError(f"{path}: not an array of numbers that numpy can read: {error}") from None
    want = "one row per task of gold.csv" + ("" if columns is None else " and one column per class")
    if values.ndim != 2 or len(values) != len(order) or columns not in (None, values.shape[1]):
        wide = "features" if columns is None else columns
        raise SourceError(f"{path}: found shape {values.shape}, expected ({len(order)}, {wide}): {want}")
    if not np.issubdtype(values.dtype, np.number):
        raise SourceError(f"{path}: found {values.dtype}, expected numbers")
    places = {item: place for place, item in enumerate(ids)}
    matrix = np.full((len(ids), values.shape[1]), np.nan)
    matrix[[places[item] for item in order]] = values
    return matrix
