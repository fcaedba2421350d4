"""Marks as Parquet and as WebDataset's tar: formats that hold everything."""

import io
import json
import tarfile
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cupel.contract.tables.regions import REGIONS
from cupel.exchange.exports.marks.format_losses import Fit, drop_unanswered
from cupel.exchange.imports.marks.item_facts import describe_facts
from cupel.exchange.imports.marks.marked_items import ITEMS, MarkedItems
from cupel.marks.canonical_text import read_marks
from cupel.marks.regions import make_regions

# Returns of an item the ending and bytes of its picture or clip, as (".jpg", b"…"); None where it has none.
OpenMedia = Callable[[str], "tuple[str, bytes] | None"]


def fit_everything(marked: MarkedItems) -> Fit:
    """Return what files of answers hold: all of it, but for items without an answer."""
    return drop_unanswered(marked)


def write_answers_parquet(marked: MarkedItems) -> bytes:
    """Return a Parquet file: an answer a row with its canonical text, what its item is, and its regions as a list.

    The kind of the marks stands in the file's metadata as `cupel.marks`.
    """
    answers = marked.answers
    place = {item: row for row, item in enumerate(marked.items["item_id"].to_pylist())}
    rows = pa.array([place[item] for item in answers["item_id"].to_pylist()], pa.int64())
    facts = marked.items.take(rows)
    table = answers
    for name in ITEMS.names[1:]:
        table = table.append_column(name, facts[name])
    table = table.append_column("regions", _regions(marked))
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({"cupel.marks": marked.form.name}), sink)
    return bytes(sink.getvalue().to_pybytes())


def write_regions_parquet(marked: MarkedItems, batch: str) -> bytes:
    """Return the marks as rows of REGIONS in a Parquet file; an answer without a mark has no row there."""
    sink = pa.BufferOutputStream()
    pq.write_table(make_regions(_labels(marked, batch), marked.form), sink)
    return bytes(sink.getvalue().to_pybytes())


def write_webdataset(marked: MarkedItems, open_media: OpenMedia | None = None) -> bytes:
    """Return a tar file of samples, an answer each: KEY.json, KEY.txt of a text, and the picture or clip where it is.

    Args:
        marked: The tables.
        open_media: Returns of an item what its file holds.
    """
    facts, out = marked.facts(), io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for number, row in enumerate(marked.answers.to_pylist()):
            one = facts[row["item_id"]]
            said = {key: value for key, value in row.items() if value is not None and key != "label"}
            sample = {**said, "label": read_marks(row["label"], marked.form), **describe_facts(one)}
            key = f"{number:09d}"
            _add(file, f"{key}.json", json.dumps(sample, ensure_ascii=False).encode())
            if one.text is not None:
                _add(file, f"{key}.txt", one.text.encode())
            media = None if open_media is None else open_media(row["item_id"])
            if media is not None:
                _add(file, f"{key}{media[0]}", media[1])
    return out.getvalue()


def _labels(marked: MarkedItems, batch: str) -> pa.Table:
    answers = marked.answers
    numbers = [str(number) for number in range(1, answers.num_rows + 1)]
    return pa.table(
        {
            "batch": [batch] * answers.num_rows,
            "item_id": answers["item_id"],
            "answer": numbers,
            "annotator": answers["annotator"],
            "label": answers["label"],
        }
    )


def _regions(marked: MarkedItems) -> pa.Array:
    """Return the regions of each answer as a list of rows, without what the answer's own row says."""
    regions = make_regions(_labels(marked, ""), marked.form)
    names = [
        column.name for column in REGIONS.columns if column.name not in ("batch", "item_id", "answer", "annotator")
    ]
    counts = [0] * marked.answers.num_rows
    for answer in regions["answer"].to_pylist():
        counts[int(answer) - 1] += 1
    offsets = [0]
    for count in counts:
        offsets.append(offsets[-1] + count)
    columns: list[Any] = [regions[name].combine_chunks() for name in names]
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.StructArray.from_arrays(columns, names))


def _add(file: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a file without a time or owner, so that the same samples are the same bytes."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    file.addfile(entry, io.BytesIO(content))
