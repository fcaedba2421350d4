"""The recorded workforce: people who have answered already; their answers lie in files."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from cupel.errors import AnswerError
from cupel.tables import ANSWERS

RECORDED_COLUMNS = ("batch", "item_id", "purpose", "annotator", "label", "seconds_spent")
REQUIRED = ("batch", "item_id", "purpose", "annotator", "label")


class RecordedWorkforce:
    """Answers tasks from files, slot by slot, in the order of the files' rows.

    A file is CSV or Parquet with the columns batch, item_id, purpose (label or expert), label,
    annotator (may be empty), and optionally seconds_spent. An auditor's task is answered by an expert's row.

    Args:
        files: The files, read in this order.

    Raises:
        AnswerError: A file is missing, lacks a column, or names an unknown purpose; with file and row.
    """

    name = "recorded"

    def __init__(self, files: list[Path]) -> None:
        self._answers: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        for path in files:
            for row, answer in enumerate(_read(path), 1):
                if answer["purpose"] not in ("label", "expert"):
                    raise AnswerError(f"{path}: row {row}: purpose {answer['purpose']!r}; expected label or expert")
                key = (answer["batch"], answer["item_id"], answer["purpose"])
                self._answers.setdefault(key, []).append({**answer, "where": f"{path.name}:{row}"})

    def answer(self, tasks: pa.Table) -> pa.Table:
        """Return the recorded answers to the open tasks; a task without one stays open.

        Args:
            tasks: Columns task_id, batch, item_id, purpose, slot of TASKS or RELEASE_TASKS.

        Returns:
            ANSWERS without `sequence` and `hash`, in the order of the tasks.
        """
        rows = []
        for task in tasks.select(["task_id", "batch", "item_id", "purpose", "slot"]).to_pylist():
            purpose = "label" if task["purpose"] == "label" else "expert"
            recorded = self._answers.get((task["batch"], task["item_id"], purpose), [])
            if task["slot"] <= len(recorded):
                rows.append(self._event(recorded[task["slot"] - 1], task["purpose"], task["task_id"]))
        return _events(rows)

    def unasked(self, batch: str, item_ids: set[str]) -> pa.Table:
        """Return the answers on file for items that a batch does not hold, or that cleaning dropped.

        Nobody asks for them, so they would never be seen: they enter the log unasked and are rejected
        there with a reason.
        """
        rows = [
            self._event(answer, purpose, None)
            for (where, item_id, purpose), answers in self._answers.items()
            if where == batch and item_id not in item_ids
            for answer in answers
        ]
        return _events(rows)

    def batches(self) -> set[str]:
        """Return the batches that the files speak of."""
        return {batch for batch, _, _ in self._answers}

    def _event(self, answer: dict[str, Any], purpose: str, task_id: str | None) -> dict[str, Any]:
        # The answer's content is part of its name, so that a corrected file is a new answer, not a contradiction.
        content = [task_id or answer["where"], purpose, answer.get("annotator"), answer["label"]]
        name = f"{self.name}/{json.dumps(content)}"
        return {
            "answer_id": hashlib.sha256(name.encode()).hexdigest()[:32],
            "task_id": task_id,
            "batch": answer["batch"],
            "item_id": answer["item_id"],
            "purpose": purpose,
            "annotator": answer.get("annotator"),
            "label": answer["label"],
            "seconds_spent": answer.get("seconds_spent"),
            "answered_at": None,
            "source": f"{self.name}:{answer['where'].rpartition(':')[0]}",
        }


def read_gold(path: Path, batch: str) -> pa.Table:
    """Return the known labels of a batch: they measure annotators and never train or choose anything.

    Args:
        path: CSV or Parquet with the columns batch, item_id, label.
        batch: The batch.

    Returns:
        Columns item_id and label.

    Raises:
        AnswerError: The file is missing, lacks a column, or an item has two labels.
    """
    rows = [row for row in _read(path, ("batch", "item_id", "label")) if row["batch"] == batch]
    labels: dict[str, str] = {}
    for row in rows:
        if labels.setdefault(row["item_id"], row["label"]) != row["label"]:
            raise AnswerError(f"{path}: item {row['item_id']!r} has two known labels; keep one")
    return pa.table({"item_id": pa.array(labels, pa.string()), "label": pa.array(labels.values(), pa.string())})


def _events(rows: list[dict[str, Any]]) -> pa.Table:
    schema = pa.schema([field for field in ANSWERS.schema if field.name not in ("sequence", "hash")])
    return pa.Table.from_pylist(rows, schema=schema)


def _read(path: Path, required: tuple[str, ...] = REQUIRED) -> list[dict[str, Any]]:
    try:
        table = _read_csv(path) if path.name.endswith((".csv", ".csv.gz")) else pq.read_table(path)
    except FileNotFoundError:
        raise AnswerError(f"{path}: no such file of recorded answers") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise AnswerError(f"{path}: not a CSV or Parquet file of answers: {error}") from error
    if missing := [name for name in required if name not in table.column_names]:
        raise AnswerError(f"{path}: columns {missing} are missing; found {table.column_names}")
    columns = [name for name in RECORDED_COLUMNS if name in table.column_names]
    texts = [name for name in columns if name != "seconds_spent"]
    table = table.select(columns)
    for name in texts:
        table = table.set_column(columns.index(name), name, table[name].cast(pa.string()))
    rows: list[dict[str, Any]] = table.to_pylist()
    for number, row in enumerate(rows, 1):
        for name in required:
            if row[name] is None and name not in ("annotator", "label"):
                raise AnswerError(f"{path}: row {number}: {name} is empty")
    return rows


def _read_csv(path: Path) -> pa.Table:
    types = {name: pa.string() for name in RECORDED_COLUMNS if name != "seconds_spent"}
    options = pa_csv.ConvertOptions(
        column_types={**types, "seconds_spent": pa.float64()}, strings_can_be_null=True, null_values=[""]
    )
    return pa_csv.read_csv(path, convert_options=options)
