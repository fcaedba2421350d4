"""Columns of a release's data files: those of the training set, of its label kind, and of its deliveries."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from cupel.contract.columns import TEXT, Column
from cupel.contract.format_numbers import RELEASE
from cupel.contract.kind import Kind
from cupel.contract.ontology import Ontology
from cupel.contract.table import Table, conform
from cupel.contract.tables.release import TRAINING_SET
from cupel.errors import TableError
from cupel.release.older_formats import table_then


def table_of(kind: Kind | None, ontology: Ontology, number: int = RELEASE, carried: Sequence[str] = ()) -> Table:
    """Return TRAINING_SET as a release's folder holds it: behind its own columns those of the label kind, and others.

    Args:
        kind: The kind; None: labels are plain, and nothing is added.
        ontology: What a label may say.
        number: The release's format.
        carried: Columns of the deliveries that are handed over with it.
    """
    table = table_then(TRAINING_SET, number)
    of_kind = {} if kind is None else _of_kind(pa.array([], TEXT), kind, ontology, number)
    added = [
        Column(name, values.type, f"What the label says of {name}; null: nothing.", True)
        for name, values in of_kind.items()
    ]
    added += [Column(name, TEXT, f"{name} of the item as it was delivered; null: nothing.", True) for name in carried]
    return table._replace(columns=(*table.columns, *added)) if added else table


def add_columns(rows: pa.Table, kind: Kind, ontology: Ontology, number: int = RELEASE) -> pa.Table:
    """Return rows of TRAINING_SET, as a format has it, with the columns of the label kind behind its own."""
    table = table_of(kind, ontology, number)
    own = set(table_then(TRAINING_SET, number).schema.names)
    rows = rows.select([name for name in rows.column_names if name in own])
    for name, values in _of_kind(rows["label"], kind, ontology, number).items():
        rows = rows.append_column(name, values)
    return conform(rows, table)


def check_columns(rows: pa.Table, kind: Kind, ontology: Ontology, number: int = RELEASE) -> None:
    """Refuse rows whose columns of the label kind say something else than their label.

    Raises:
        TableError: One does, or a label is none.
    """
    labels = rows["label"]
    parsed = kind.parse(labels, ontology)
    if parsed.null_count:
        raise TableError(f"label {labels.filter(pc.is_null(parsed))[0].as_py()!r}: no label of kind {kind.name}")
    for name, values in _of_kind(labels, kind, ontology, number).items():
        is_same = _are_same(rows[name], values)
        if not pc.all(is_same, min_count=0).as_py():
            label = labels.filter(pc.invert(is_same))[0].as_py()
            raise TableError(f"column {name}: says something else than label {label!r}")


def _of_kind(labels: "pa.Array | pa.ChunkedArray", kind: Kind, ontology: Ontology, number: int) -> dict[str, pa.Array]:
    columns = kind.columns(labels, ontology)
    return {name: values for name, values in columns.items() if kind.columns_since.get(name, 1) <= number}


def _are_same(found: pa.ChunkedArray, values: pa.Array) -> pa.Array:
    """Tell where two columns are the same; null is the same as null."""
    if pa.types.is_list(values.type):  # which Arrow does not compare
        return pa.array([one == other for one, other in zip(found.to_pylist(), values.to_pylist(), strict=True)])
    return pc.or_(pc.fill_null(pc.equal(found, values), False), pc.and_(pc.is_null(found), pc.is_null(values)))
