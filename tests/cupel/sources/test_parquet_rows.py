"""Parquet to rows: types, damage, values that text cannot hold."""

import datetime
import decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cupel.errors import SourceError
from cupel.sources.parquet_rows import parquet_rows
from cupel.sources.reasons import BadRow, Row


def rows(path: Path, table: pa.Table, **how: object) -> list[Row | BadRow]:
    pq.write_table(table, path, **how)
    return list(parquet_rows(path, "a.parquet", ("text",), ("text",)))


def test_values_of_other_columns_become_what_json_can_hold(tmp_path: Path) -> None:
    day = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    table = pa.table({
        "text": ["a"], "raw": [b"\x00\xff"], "at": [day], "price": [decimal.Decimal("1.50")],
        "inner": [{"x": [float("inf"), 1.0]}],
    })  # fmt: skip
    (row,) = rows(tmp_path / "a.parquet", table)
    assert isinstance(row, Row)
    assert row.values == {
        "text": "a", "raw": "00ff", "at": "2026-01-02T00:00:00+00:00", "price": "1.50", "inner": {"x": [None, 1.0]},
    }  # fmt: skip


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_every_kind_of_string_column_can_be_text(tmp_path: Path, kind: pa.DataType) -> None:
    table = pa.table({"text": pa.array(["a", "b"]).cast(kind)})
    assert [row.values for row in rows(tmp_path / "a.parquet", table) if isinstance(row, Row)] == [
        {"text": "a"},
        {"text": "b"},
    ]


def test_invalid_utf8_costs_its_own_row_only(tmp_path: Path) -> None:
    good = pa.array([b"a", b"caf\xe9", b"c"], pa.binary())
    text = pa.StringArray.from_buffers(3, *good.buffers()[1:])
    found = rows(tmp_path / "a.parquet", pa.table({"text": text, "n": [1, 2, 3]}))
    assert [(row.line, row.reason if isinstance(row, BadRow) else row.values["n"]) for row in found] == [
        (1, 1),
        (2, "wrong_encoding"),
        (3, 3),
    ]


def test_a_missing_text_column_or_one_of_numbers_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="the file has 'body'"):
        rows(tmp_path / "a.parquet", pa.table({"body": ["a"]}))
    with pytest.raises(SourceError, match="holds int64, expected string"):
        rows(tmp_path / "a.parquet", pa.table({"text": [1]}))


def test_damage_inside_the_file_keeps_the_rows_before_it(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"text": [f"text number {number}" for number in range(40_000)]})
    pq.write_table(table, path, row_group_size=10_000, compression="zstd", use_dictionary=False)
    content = bytearray(path.read_bytes())
    start = pq.ParquetFile(path).metadata.row_group(2).column(0).data_page_offset
    content[start + 40 : start + 4_000] = b"\xff" * 3_960
    path.write_bytes(content)
    found = list(parquet_rows(path, "a.parquet", ("text",), ("text",)))
    assert isinstance(found[-1], BadRow)
    assert found[-1].reason == "unreadable_file"
    assert all(isinstance(row, Row) for row in found[:-1])
    assert 10_000 <= len(found) - 1 <= 20_000
