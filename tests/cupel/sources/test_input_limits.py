"""No more of a file is read than the limits allow, and what is told names the limit."""

import gzip
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cupel.errors import SourceError
from cupel.sources.empty_rows import drop_last_empty_rows
from cupel.sources.input_limits import InputLimits, check_header, limit_values, parse_limits
from cupel.sources.parquet_rows import measure_unpacked, open_packed, parquet_rows
from cupel.sources.reasons import BadRow, Row


def test_each_limit_is_raised_by_its_name_and_what_is_none_is_refused() -> None:
    assert parse_limits(["bytes=1_000", "depth=150"]) == InputLimits(bytes=1_000, depth=150)
    for wrong in ("bytes", "rows=5", "bytes=0", "bytes=-1", "bytes=1e9", "bytes=nan", "bytes=²", "depth=1000"):
        with pytest.raises(SourceError, match="--limit"):
            parse_limits([wrong])


def test_a_header_is_checked_in_time_that_grows_with_its_columns_alone() -> None:
    columns = [f"c{number}" for number in range(300_000)]
    begun = time.process_time()
    check_header("a.csv", columns, InputLimits(columns=1_000_000))
    with pytest.raises(SourceError, match="names c7 twice"):
        check_header("a.csv", [*columns, "c7"], InputLimits(columns=1_000_000))
    assert time.process_time() - begun < 5  # each column against all others would take minutes
    with pytest.raises(SourceError, match=r"300,000 columns, at most 16,384 .* --limit columns=NUMBER"):
        check_header("a.csv", columns)


def test_the_values_of_all_rows_count() -> None:
    rows: list[Row | BadRow] = [Row(1, {"a": 1, "b": 2}), BadRow(2, "empty_row", ""), Row(3, {"a": 1})]
    assert len(list(limit_values("a", rows, InputLimits(values=4)))) == 3
    with pytest.raises(SourceError, match=r"more than 3 values; .* --limit values=NUMBER"):
        list(limit_values("a", rows, InputLimits(values=3)))


def test_empty_rows_in_a_row_are_held_as_one() -> None:
    def rows() -> list[BadRow]:
        return [BadRow(number, "empty_row", "") for number in (1, 2, 3, 7, 8)]

    assert list(drop_last_empty_rows(rows())) == []
    assert [row.line for row in drop_last_empty_rows([*rows(), BadRow(9, "nul_byte", "")])] == [1, 2, 3, 7, 8, 9]


def test_a_text_that_many_rows_share_is_counted_for_each_and_unpacked_a_few_at_a_time(tmp_path: Path) -> None:
    path, rows = tmp_path / "a.parquet", 600
    pq.write_table(pa.table({"text": ["x" * 100_000] * rows, "n": list(range(rows))}), path)
    assert path.stat().st_size < 200_000
    with path.open("rb") as stream, open_packed(stream) as file:
        (batch,) = file.iter_batches()
        assert batch.nbytes < 1_000_000
        assert measure_unpacked(batch) > rows * 100_000
    found = list(parquet_rows(path, "a", ("text",), ("text",)))
    assert [row.values["n"] for row in found if isinstance(row, Row)] == list(range(rows))
    found = list(parquet_rows(path, "a", ("text",), ("text",), max_row_bytes=60_000))
    assert {row.reason for row in found if isinstance(row, BadRow)} == {"row_too_long"}
    assert len(found) == rows


def test_a_gzipped_file_is_read_no_further_than_its_limit(tmp_path: Path) -> None:
    from cupel.exchange.imports.file import read_file, records

    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"id,label\n" + b"1,a\n" * 1_000))
    assert len(records(read_file(path))) == 1_000
    with pytest.raises(SourceError, match=r"more than 100 bytes when it is unzipped; .* --limit bytes=NUMBER"):
        read_file(path, InputLimits(bytes=100))
