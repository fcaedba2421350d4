import pyarrow as pa
import pytest

from cupel.contract.table import conform, empty, from_rows
from cupel.contract.tables import TABLES
from cupel.contract.tables.cleaning import SIMILAR_ITEMS
from cupel.errors import TableError

ROW = {
    "item_id": "a", "earlier_batch": "b", "earlier_item_id": "c", "similarity": 0.5, "containment": 0.5,
    "is_longer": False, "differs_in_digits": False,
}  # fmt: skip


def test_every_table_is_described_and_its_key_is_among_its_columns() -> None:
    for name, table in TABLES.items():
        assert name == table.name
        assert table.row
        assert set(table.key) <= {column.name for column in table.columns}
        assert all(column.meaning.endswith((".", ".)")) for column in table.columns)
        assert len({column.name for column in table.columns}) == len(table.columns)


def test_columns_are_put_in_order_and_cast() -> None:
    data = pa.table({name: [ROW[name]] for name in reversed(ROW)})
    data = data.set_column(data.column_names.index("similarity"), "similarity", pa.array([1], pa.int32()))
    assert conform(data, SIMILAR_ITEMS).schema.equals(SIMILAR_ITEMS.schema)


def test_a_missing_column_is_an_error() -> None:
    with pytest.raises(TableError, match=r"missing columns \['similarity'\]"):
        conform(empty(SIMILAR_ITEMS).drop_columns("similarity"), SIMILAR_ITEMS)


def test_an_unknown_column_is_an_error() -> None:
    with pytest.raises(TableError, match=r"unknown columns \['extra'\]"):
        conform(empty(SIMILAR_ITEMS).append_column("extra", pa.array([], pa.int64())), SIMILAR_ITEMS)


def test_a_null_where_none_may_be_is_an_error() -> None:
    with pytest.raises(TableError, match="item_id is null in 1 of 2 rows"):
        from_rows([ROW, {**ROW, "item_id": None}], SIMILAR_ITEMS)


def test_a_value_of_another_type_is_an_error() -> None:
    data = pa.table({**{name: [value] for name, value in ROW.items()}, "similarity": ["much"]})
    with pytest.raises(TableError, match="similar_items"):
        conform(data, SIMILAR_ITEMS)
