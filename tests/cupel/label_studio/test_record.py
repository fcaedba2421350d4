"""The record of a group: a state, replaced whole by one writer at a time."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cupel.errors import WorkforceError
from cupel.label_studio.record import Put, Record, Records
from cupel.lake import Lake
from cupel.store.store import ChangedError

PUT = Put("one", "i0", 3, 1, 2, "0" * 64)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path, "small")


def test_what_was_written_is_read(lake: Lake) -> None:
    assert Records(lake).read("annotators") == Record()
    record = Record(7, "<View/>", "2026-01-01", snapshot_at="2026-01-02", puts={"key": PUT})
    Records(lake).write("annotators", record)
    assert Records(lake).read("annotators") == record
    record.cursor = "2026-01-03"
    Records(lake).write("annotators", record, with_table=False)
    assert Records(lake).read("annotators") == record


@pytest.mark.parametrize("with_table", [True, False])
def test_of_two_that_read_the_same_the_second_to_write_is_told_and_changes_nothing(
    lake: Lake, with_table: bool
) -> None:
    Records(lake).write("annotators", Record(7, puts={"key": PUT}))
    first, second = Records(lake), Records(lake)
    for records in (first, second):
        records.read("annotators")
    first.write("annotators", Record(7, cursor="first", puts={"key": PUT}), with_table=with_table)
    first.write("annotators", Record(7, cursor="again", puts={"key": PUT}), with_table=with_table)
    with pytest.raises(ChangedError, match="run again"):
        second.write("annotators", Record(8, cursor="second", puts={}), with_table=with_table)
    assert Records(lake).read("annotators") == Record(7, cursor="again", puts={"key": PUT})


@pytest.mark.parametrize("ending", ["json", "parquet"])
def test_a_file_that_is_gone_or_damaged_is_named(lake: Lake, ending: str) -> None:
    Records(lake).write("annotators", Record(7, puts={"key": PUT}))
    path = lake.folder / "label_studio" / f"annotators.{ending}"
    path.write_bytes(path.read_bytes()[:9])
    with pytest.raises(WorkforceError, match="not a record, or its table is damaged"):
        Records(lake).read("annotators")
    path.unlink()
    if ending == "parquet":
        with pytest.raises(WorkforceError, match="parquet"):
            Records(lake).read("annotators")


def test_of_those_that_make_the_lakes_id_one_wins(lake: Lake) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _: Records(lake).lake_id(), range(8)))) == 1
