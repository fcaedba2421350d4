"""Reference sets, read by path; what cannot be used is said."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from cupel.cleaning.overlap.references import read_references
from cupel.config.cleaning import ReferenceSet
from cupel.errors import SourceError

ROWS = [
    {"q": "What is 2+2?", "a": "4", "id": "x1"},
    {"q": "  ", "a": "5", "id": "x2"},
    {"q": None, "a": "", "id": "x3"},
]


def written(folder: Path, name: str) -> Path:
    """Write the rows as a file of the ending that its name has."""
    path = folder / name
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    elif name.endswith(".csv"):
        path.write_text('q,a,id\nWhat is 2+2?,4,x1\n"  ",5,x2\n,,x3\n')
    else:
        content = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def a_set(path: str, **settings: Any) -> ReferenceSet:
    return ReferenceSet.model_validate({"name": "sums", "path": path, "columns": ("q",)} | settings)


@pytest.mark.parametrize("name", ["s.parquet", "s.csv", "s.jsonl", "s.jsonl.gz"])
def test_rows_are_read_with_answer_and_id_and_empty_ones_are_counted(name: str, tmp_path: Path) -> None:
    written(tmp_path, name)
    found = read_references([a_set(name, answer_column="a", id_column="id")], tmp_path)
    assert [tuple(row) for row in found.rows] == [("sums, row 1 (id x1)", "What is 2+2?", "4")]
    assert (found.empty, list(found.files)) == (2, [name])


def test_several_columns_are_one_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"q": ["Which?"], "choices": [["red", "blue"]]}), tmp_path / "s.parquet")
    found = read_references([a_set("s.parquet", columns=("q", "choices"))], tmp_path)
    assert found.rows[0].text == "Which? red blue"


@pytest.mark.parametrize(
    ("content", "settings", "said"),
    [
        (None, {}, "no such file; bring the reference set sums"),
        ('{"q": "a"}\n', {"columns": ("question",)}, "no column 'question'; it has q"),
        ('{"q": ""}\n{"q": null}\n', {}, "none of its 2 rows holds a text in q"),
        ('{"q": \n', {}, "line 1: not JSON"),
        ("[1]\n", {}, "line 1: expected an object"),
        ('{"q": "\xff"}\n', {}, "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_said(content: str | None, settings: dict[str, Any], said: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "s.jsonl").write_bytes(content.encode("latin-1"))
    with pytest.raises(SourceError, match=said):
        read_references([a_set("s.jsonl", **settings)], tmp_path)


def test_a_damaged_parquet_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "s.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(SourceError, match="cannot be read"):
        read_references([a_set("s.parquet")], tmp_path)


def test_a_file_of_another_ending_is_refused_by_the_project_file() -> None:
    with pytest.raises(ValidationError):
        a_set("s.docx")
