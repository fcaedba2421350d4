"""The sample: sentences, what its crew answered, and the panel's verdict on each; what has none is left out."""

import csv
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.double_check.folder import Gold
from benchmarks.sample_truth import truth
from cupel.contract.columns import TEXT
from cupel.errors import SourceError

BATCHES = ("movies", "newspaper")


class SampleBatch(NamedTuple):
    """A delivery of the sample, its items in ascending order.

    `annotations` has item_id, annotator and label; where annotators are not known, an item's answers are of its first,
    second and third slot. `contested` counts the sentences without a verdict, `repeated` those whose text came before:
    both are left out.
    """

    name: str
    item_ids: tuple[str, ...]
    texts: tuple[str, ...]
    annotations: pa.Table
    gold: Gold
    contested: int
    repeated: int


def read_batch(folder: Path, name: str) -> SampleBatch:
    """Read a delivery of the sample.

    Args:
        folder: Of the sample, as `samples.vader` lays it out.
        name: movies or newspaper.

    Raises:
        SourceError: The sample is not there.
    """
    missing = [file for file in ("movies.jsonl.gz", "newspaper.csv", "answers.parquet", "panel.parquet")
               if not (folder / file).is_file()]  # fmt: skip
    if missing:
        raise SourceError(f"{folder / missing[0]}: no such file; `make setup` fetches the sample")
    verdicts = {item: label for (batch, item), label in truth(folder / "panel.parquet").items() if batch == name}
    texts, seen, repeated = {}, set(), 0
    for item, text in sorted(_texts(folder, name).items()):
        if verdicts.get(item) is None:
            continue
        repeated += text in seen
        if text not in seen:
            texts[item] = text
        seen.add(text)
    return SampleBatch(
        name,
        tuple(texts),
        tuple(texts.values()),
        _annotations(folder, name, set(texts)),
        Gold({item: str(verdicts[item]) for item in texts}),
        sum(label is None for label in verdicts.values()),
        repeated,
    )


def _texts(folder: Path, name: str) -> dict[str, str]:
    if name == "movies":
        with gzip.open(folder / "movies.jsonl.gz", "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
    else:
        with (folder / "newspaper.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    return {str(row["id"]): str(row["text"]) for row in rows}


def _annotations(folder: Path, name: str, items: set[str]) -> pa.Table:
    rows = [
        row
        for row in pq.read_table(folder / "answers.parquet").to_pylist()
        if row["batch"] == name and row["purpose"] == "label" and row["item_id"] in items
    ]
    slots: Counter[str] = Counter()
    people = []
    for row in rows:
        slots[row["item_id"]] += 1
        people.append(row["annotator"] or f"slot {slots[row['item_id']]}")
    columns = ([row["item_id"] for row in rows], people, [row["label"] for row in rows])
    names = ("item_id", "annotator", "label")
    return pa.table({name: pa.array(column, TEXT) for name, column in zip(names, columns, strict=True)})
