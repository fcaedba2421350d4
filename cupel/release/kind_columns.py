"""Columns that a label kind adds to the training set: what a label says, part by part, for those who read tables."""

import pyarrow as pa
import pyarrow.compute as pc

from cupel.contract.columns import TEXT, Column
from cupel.contract.kind import Kind
from cupel.contract.ontology import Ontology
from cupel.contract.table import Table, conform
from cupel.contract.tables.release import TRAINING_SET
from cupel.errors import TableError


def table_of(kind: Kind | None, ontology: Ontology) -> Table:
    """Return TRAINING_SET as the release's folder holds it: behind its own columns those of the label kind.

    Args:
        kind: The kind; None: labels are plain, and nothing is added.
        ontology: What a label may say.
    """
    if kind is None:
        return TRAINING_SET
    more = kind.columns(pa.array([], TEXT), ontology)
    added = tuple(
        Column(name, values.type, f"What the label says of {name}; null: nothing.", True)
        for name, values in more.items()
    )
    return TRAINING_SET._replace(columns=(*TRAINING_SET.columns, *added))


def add_columns(rows: pa.Table, kind: Kind, ontology: Ontology) -> pa.Table:
    """Return rows of TRAINING_SET with the columns of the label kind behind its own."""
    for name, values in kind.columns(rows["label"], ontology).items():
        rows = rows.append_column(name, values)
    return conform(rows, table_of(kind, ontology))


def check_columns(rows: pa.Table, kind: Kind, ontology: Ontology) -> None:
    """Refuse rows whose columns of the label kind say something else than their label.

    Raises:
        TableError: One does, or a label is none.
    """
    labels = rows["label"]
    parsed = kind.parse(labels, ontology)
    if parsed.null_count:
        raise TableError(f"label {labels.filter(pc.is_null(parsed))[0].as_py()!r}: no label of kind {kind.name}")
    for name, values in kind.columns(labels, ontology).items():
        found = rows[name]
        is_same = pc.or_(pc.fill_null(pc.equal(found, values), False), pc.and_(pc.is_null(found), pc.is_null(values)))
        if not pc.all(is_same, min_count=0).as_py():
            label = labels.filter(pc.invert(is_same))[0].as_py()
            raise TableError(f"column {name}: says something else than label {label!r}")
