"""What a release's audit computes of its tables, whoever built it: the chain or the verifier."""

import numpy as np
import pyarrow as pa
import pytest

from cupel.contract.table import from_rows
from cupel.contract.tables.release import ADJUDICATIONS, AUDIT
from cupel.errors import AuditError
from cupel.release.names import find_rows
from cupel.release.release_audit import ReleaseAudit, read_release_audit
from made_releases import Made, make_terms

TABLES = ("audit", "adjudications", "planted_items", "planted_verdicts")


def items(*names: str) -> pa.Table:
    """Return items that come in another order than that of their risk."""
    rows = [
        {"release": "r", "batch": "one", "item_id": name, "label": "a", "risk_rank": rank, "is_audited": rank == 1}
        for rank, name in enumerate(names, 1)
    ]
    return pa.Table.from_pylist(rows[::-1])


def said(table: object, **labels: str) -> pa.Table:
    rows = [
        {"release": "r", "batch": "one", "item_id": name, "label": "a", "answers": 1, "is_settled": True,
         "is_contested": False, "expert_label": label, "is_wrong": label != "a"}
        for name, label in labels.items()
    ]  # fmt: skip
    return from_rows(rows, table)  # type: ignore[arg-type]


def test_items_are_in_their_order_of_risk_and_each_row_finds_its_own() -> None:
    tables = {"release_items": items("x", "y", "z"), "audit": said(AUDIT, z="a", x="b", strange="a")}
    audit = ReleaseAudit.of(make_terms(items=3, audit_size=1), tables)
    assert audit.items["item_id"].to_pylist() == ["x", "y", "z"]
    assert audit.rows.audit.tolist() == [2, 0, -1]


def test_a_verdict_on_an_item_that_was_never_frozen_counts_for_none() -> None:
    verdicts = {"audit": said(AUDIT, x="a"), "adjudications": said(ADJUDICATIONS, strange="b")}
    audit = ReleaseAudit.of(make_terms(items=2), {"release_items": items("x", "y"), **verdicts})
    assert [flags.tolist() for flags in audit.evidence[1:4]] == [[True, False], [False, False], [False, False]]
    assert audit.verdict_of.to_pylist() == [0, None]


def test_of_a_release_without_its_items_nothing_is_computed() -> None:
    audit = ReleaseAudit(make_terms(items=3))
    with pytest.raises(AuditError, match="items: found 0; expected the 3 that were frozen"):
        _ = audit.assay


def test_the_first_row_of_a_name_is_its_row() -> None:
    table = items("x", "y", "x")
    (rows,) = find_rows(table, items("y", "x", "w"))
    assert rows.tolist() == [-1, 0, 1]


def test_what_the_lake_holds_comes_to_what_was_concluded(certified: Made) -> None:
    audit = read_release_audit(certified.lake, "movies-r1", *TABLES)
    assert audit.terms == certified.facts.terms
    assert certified.facts.result is not None
    assert {"release": "movies-r1", **vars(audit.assay.result)} == certified.facts.result
    assert np.array_equal(audit.first_draw, audit.first_wave)
    assert [cut._asdict() for cut in audit.assay.cuts] == [
        {name: value for name, value in row.items() if name != "release"} for row in certified.facts.cuts
    ]
