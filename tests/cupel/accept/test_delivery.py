import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.accept.delivery import read_delivery, rejection_counts
from cupel.errors import AuditError, SourceError

ROWS = [{"id": 1, "text": "one", "label": "a"}, {"id": 2, "text": "two", "label": "b"}]


@pytest.mark.parametrize("name", ["d.csv", "d.csv.gz", "d.jsonl", "d.json", "d.parquet"])
def test_every_format_gives_the_same_labels(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    lines = b"id,text,label\n1,one,a\n2,two,b\n"
    contents = {
        "d.csv": lines,
        "d.csv.gz": gzip.compress(lines),
        "d.jsonl": "\n".join(map(json.dumps, ROWS)).encode(),
        "d.json": json.dumps(ROWS).encode(),
        "d.parquet": b"",
    }
    path.write_bytes(contents[name])
    if name == "d.parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    labels = read_delivery(path).labels
    assert [(one.item_id, one.text, one.label) for one in labels] == [("1", "one", "a"), ("2", "two", "b")]


def test_every_row_is_a_label_or_rejected_with_one_line_per_reason(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_bytes(b"id,text,label\n1,x,a\n1,y,a\n2,z,\n3,q,odd\n4\n5,caf\xe9,a\n,no id,b\n")
    delivery = read_delivery(path, classes=("a", "b"))
    assert [one.item_id for one in delivery.labels] == ["1"]
    counts = {entry.reason: entry.first_rows for entry in rejection_counts(delivery.rejected)}
    assert counts == {
        "duplicate_id": (3,), "missing_label": (4,), "unknown_label": (5,), "field_count": (6,), "wrong_encoding": (7,),
        "missing_id": (8,),
    }  # fmt: skip
    assert delivery.rows_in == len(delivery.labels) + len(delivery.rejected) == 7


LINES = st.sampled_from(['{"label": "a"}', "{", "[]", "", '{"label": null}', '{"id": 1, "label": 2}'])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(LINES, st.text(max_size=20)), max_size=12))
def test_whatever_the_lines_hold_the_counts_add_up(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    path = tmp_path_factory.mktemp("d") / "d.jsonl"
    path.write_text("\n".join(['{"id": "x", "label": "a"}', *lines, ""]), encoding="utf-8", newline="")
    delivery = read_delivery(path)
    assert delivery.rows_in == len(delivery.labels) + len(delivery.rejected)
    while lines and not lines[-1].strip(" \t\n\r\x0b\x0c"):
        lines.pop()  # empty lines at the end are no rows
    assert delivery.rows_in >= 1 + len(lines)


def test_a_file_that_is_not_what_it_says_is_one_error(tmp_path: Path) -> None:
    for name, content in (
        ("d.parquet", b"no"),
        ("d.json", b"[1,"),
        ("d.csv.gz", b"no"),
        ("d.docx", b""),
        ("d.csv", b""),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(SourceError, match=name):
            read_delivery(path)


def test_a_delivery_without_labels_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("id,label\n1,\n")
    with pytest.raises(AuditError, match="missing_label: 1"):
        read_delivery(path)


def test_free_text_is_no_label(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("label\n" + "".join(f"words {n}\n" for n in range(100)))
    with pytest.raises(AuditError, match="free text"):
        read_delivery(path)
