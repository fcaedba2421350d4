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
    path.write_bytes(b"id,text,label\n1,x,a\n1,x,a\n2,z,\n3,q,odd\n4\n5,caf\xe9,a\n,no id,b\n")
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


def judged(folder: Path, rows: str, **named: str) -> tuple[list[tuple[str, str]], dict[str, int]]:
    """Return the items with the labels that are judged, and how many rows were rejected for which reason."""
    path = folder / "d.csv"
    path.write_text(rows, encoding="utf-8")
    delivery = read_delivery(path, **named)  # type: ignore[arg-type]
    assert delivery.rows_in == len(delivery.labels) + len(delivery.rejected)
    return [(one.item_id, one.label) for one in delivery.labels], {
        entry.reason: entry.rows for entry in rejection_counts(delivery.rejected)
    }


def test_an_id_of_two_texts_is_judged_for_neither(tmp_path: Path) -> None:
    labels, reasons = judged(tmp_path, "id,text,label\n1,red,a\n1,blue,a\n2,green,b\n")
    assert labels == [("2", "b")]
    assert reasons == {"one_id_two_items": 2}


def test_rows_that_contradict_each_other_are_not_judged_where_nobody_is_named(tmp_path: Path) -> None:
    labels, reasons = judged(tmp_path, "id,text,label\n1,red,a\n1,red,b\n2,green,b\n")
    assert labels == [("2", "b")]
    assert reasons == {"contradiction": 2}


def test_of_several_annotators_the_most_frequent_label_is_judged_and_of_one_the_latest(tmp_path: Path) -> None:
    rows = "task,worker,label\n1,ann,a\n1,ann,b\n1,bob,b\n2,ann,a\n2,bob,b\n3,cy,a\n"
    labels, reasons = judged(tmp_path, rows)
    assert labels == [("1", "b"), ("3", "a")]
    assert reasons == {"earlier_version": 1, "other_answer": 1, "tie": 2}


def test_missing_values_numbers_and_spellings_of_a_delivery_are_read_as_of_an_import(tmp_path: Path) -> None:
    rows = 'id,label\n1.0,1.0\n2,1\n3,nan\n4,<NA>\n,1\n6,{""a"": 1}\n7,https://x.org/1\n'
    labels, reasons = judged(tmp_path, rows.replace('{""a"": 1}', '"{""a"": 1}"'))
    assert labels == [("1", "1"), ("2", "1")]
    assert reasons == {"missing_label": 2, "missing_id": 1, "unexpected_shape": 1, "address_label": 1}
    assert judged(tmp_path, "id,label\n1,Warm\n2,warm\n3,Warm\n4,cold\n")[0][1] == ("2", "Warm")
    assert judged(tmp_path, "id,label\n1,nan\n2,1.0\n", classes=("nan", "1.0"))[0] == [("1", "nan"), ("2", "1.0")]  # type: ignore[arg-type]
