"""A folder whose only annotator is a model: gold.csv, model.csv with its labels and confidence, and maybe items.csv."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.double_check.folder import GOLD, TEXTS, Crowd, Gold, order_classes, read_rows, read_verdicts
from cupel.contract.columns import TEXT
from cupel.errors import SourceError

MODEL_LABELS = "model.csv"
ANNOTATOR = "model"


def read_model_folder(folder: Path) -> tuple[Crowd, Gold]:
    """Read a folder.

    The classes are the labels that experts or the model ever give, by name, in numeric order where all are numbers; how
    frequent they are is not looked at. An item of gold.csv without a row in model.csv has no label.

    Args:
        folder: Holds model.csv (task, label, confidence), gold.csv (task, label), and items.csv (task, text) or not.

    Returns:
        What a method may see, and the gold.

    Raises:
        SourceError: A file is missing or broken, a task is there twice or has no gold, a label is missing, or a
            confidence is no number from 0 to 1.
    """
    known = list(read_rows(folder / GOLD, ("task", "label")))
    said = list(read_rows(folder / MODEL_LABELS, ("task", "label", "confidence")))
    for path, rows in ((folder / GOLD, known), (folder / MODEL_LABELS, said)):
        if not rows:
            raise SourceError(f"{path}: no rows; expected at least one below the header")
        _check_tasks(path, rows)
    verdicts = read_verdicts(folder / GOLD, known)
    classes = order_classes({*verdicts.values(), *(label for _, label, _ in said)})
    if len(set(verdicts.values())) < 2:
        only = next(iter(verdicts.values()))
        raise SourceError(f"{folder / GOLD}: one class only, {only!r}; there is nothing to check")
    confidence = _confidence_by_task(folder / MODEL_LABELS, said, verdicts)
    texts = _texts(folder / TEXTS, verdicts)
    ids = tuple(sorted(verdicts))
    annotations = pa.table(
        {
            "item_id": pa.array([task for task, _, _ in said], TEXT),
            "annotator": pa.array([ANNOTATOR] * len(said), TEXT),
            "label": pa.array([label for _, label, _ in said], TEXT),
        }
    )
    crowd = Crowd(
        folder.name,
        ids,
        classes,
        annotations,
        pa.array([texts.get(item) for item in ids], TEXT) if texts else None,
        None,
        None,
        np.array([confidence.get(item, math.nan) for item in ids]),
    )
    return crowd, Gold(verdicts)


def _check_tasks(path: Path, rows: Sequence[tuple[str, ...]]) -> None:
    seen: dict[str, int] = {}
    for number, (task, *_) in enumerate(rows, start=1):
        before = seen.setdefault(task, number)
        if before != number:
            raise SourceError(f"{path}, row {number}: task {task!r} is in row {before} too; keep one of them")


def _confidence_by_task(path: Path, rows: Sequence[tuple[str, ...]], verdicts: dict[str, str]) -> dict[str, float]:
    confidence: dict[str, float] = {}
    for number, (task, label, text) in enumerate(rows, start=1):
        if task not in verdicts:
            raise SourceError(f"{path}, row {number}: task {task!r} is not in {GOLD}; add its label or drop the row")
        if not label:
            raise SourceError(f"{path}, row {number}: no label; give the model's, or drop the row")
        try:
            confidence[task] = float(text)
        except ValueError:
            confidence[task] = math.nan
        if not 0 <= confidence[task] <= 1:
            raise SourceError(f"{path}, row {number}: confidence {text!r}; expected a number from 0 to 1")
    return confidence


def _texts(path: Path, verdicts: dict[str, str]) -> dict[str, str]:
    if not path.exists():
        return {}
    rows = list(read_rows(path, ("task", "text"), can_be_empty=("text",)))
    _check_tasks(path, rows)
    for number, (task, _) in enumerate(rows, start=1):
        if task not in verdicts:
            raise SourceError(f"{path}, row {number}: task {task!r} is not in {GOLD}; add its label or drop the row")
    return dict(rows)  # type: ignore[arg-type]
