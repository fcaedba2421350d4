"""Parts: row groups and parts of fixed size, whatever the pieces that rows come in."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cupel.contract.table import from_rows
from cupel.contract.tables.cleaning import SIGNATURES, SIMILAR_ITEMS
from cupel.contract.tables.release import CUTS, EXPERT_ANSWERS
from cupel.errors import TableError
from cupel.lake.parts import read_part, write_parts
from cupel.store.local import LocalStore


def pairs(names: list[str]) -> pa.Table:
    """Return rows of similar_items whose key is made of the three letters of a name."""
    rows = [{"item_id": n[0], "earlier_batch": n[1], "earlier_item_id": n[2], "similarity": 0.5} for n in names]
    return from_rows(rows, SIMILAR_ITEMS)


ALL = [a + b + c for a in "abc" for b in "abc" for c in "abc"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.sampled_from(ALL)), st.lists(st.integers(1, 5), max_size=30), st.integers(1, 4), st.integers(1, 9))
def test_parts_depend_on_the_rows_and_not_on_the_pieces_they_come_in(
    tmp_path: Path, chosen: set[str], sizes: list[int], per_group: int, per_part: int
) -> None:
    whole = pairs(sorted(chosen))
    pieces, first = [], 0
    for size in [*sizes, len(ALL)]:
        pieces.append(whole.slice(first, size))
        first += size
    found = write_parts(LocalStore(tmp_path), "", pieces, SIMILAR_ITEMS, per_group, per_part)
    assert found == write_parts(LocalStore(tmp_path), "", [whole], SIMILAR_ITEMS, per_group, per_part)
    files = [tmp_path / part["name"] for part in found]
    read = [read_part(LocalStore(tmp_path), file.name, SIMILAR_ITEMS.schema) for file in files]
    assert pa.concat_tables(read).equals(whole)
    assert all(part["rows"] == per_part for part in found[:-1])
    groups = [pq.ParquetFile(file).metadata for file in files]
    for part, metadata in zip(found, groups, strict=True):
        counts = [metadata.row_group(place).num_rows for place in range(metadata.num_row_groups)]
        assert sum(counts) == part["rows"] == metadata.num_rows
        assert all(count == min(per_group, per_part) for count in counts[:-1] if per_part % per_group == 0)
    assert [part["bytes"] for part in found] == [file.stat().st_size for file in files]
    assert not list(tmp_path.glob(".*"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(ALL[:9]), max_size=8), st.integers(1, 8))
def test_only_distinct_keys_in_order_are_written(tmp_path: Path, names: list[str], size: int) -> None:
    table = pairs(names)
    pieces = [table.slice(first, size) for first in range(0, len(names), size)]
    if names == sorted(set(names)):
        parts = write_parts(LocalStore(tmp_path), "", pieces, SIMILAR_ITEMS, 3, 6)
        assert sum(part["rows"] for part in parts) == len(names)
    else:
        with pytest.raises(TableError, match=r"two rows with the key|comes after"):
            write_parts(LocalStore(tmp_path), "", pieces, SIMILAR_ITEMS, 3, 6)
        assert not list(tmp_path.glob(".*"))


def test_a_key_of_numbers_is_in_the_order_of_the_numbers(tmp_path: Path) -> None:
    rows = [
        {"sequence": n, "batch": "b", "item_id": "i", "purpose": "audit", "annotator": "e", "label": None}
        for n in (9, 10)
    ]
    (part,) = write_parts(LocalStore(tmp_path), "", [from_rows(rows, EXPERT_ANSWERS)], EXPERT_ANSWERS, 9, 9)
    assert part["rows"] == 2
    with pytest.raises(TableError, match=r"the key \(9,\) comes after \(10,\)"):
        write_parts(LocalStore(tmp_path), "", [from_rows(rows[::-1], EXPERT_ANSWERS)], EXPERT_ANSWERS, 9, 9)


def test_no_rows_are_one_empty_part(tmp_path: Path) -> None:
    (part,) = write_parts(LocalStore(tmp_path), "", [], CUTS, 3, 6)
    assert part["rows"] == 0
    assert read_part(LocalStore(tmp_path), part["name"], CUTS.schema).equals(CUTS.schema.empty_table())


def test_hashes_are_written_as_they_are_and_all_else_is_compressed(tmp_path: Path) -> None:
    row = {"batch": "b", "item_id": "1", "text_sha256": "0" * 64, "shingle_count": 1, "shingles": b"\0" * 4,
           "bands": b"\0" * 128, "sketch": b"\0" * 128}  # fmt: skip
    table = pa.Table.from_pylist([row], SIGNATURES.schema)
    (part,) = write_parts(LocalStore(tmp_path), "", [table], SIGNATURES, 3, 6)
    group = pq.read_metadata(tmp_path / part["name"]).row_group(0)
    kinds = {group.column(place).path_in_schema: group.column(place).compression for place in range(7)}
    assert {name for name, kind in kinds.items() if kind == "UNCOMPRESSED"} == {"shingles", "bands", "sketch"}
    assert set(kinds.values()) == {"UNCOMPRESSED", "ZSTD"}
