import csv
import io
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.release.relabel import MOST, RELABEL_SCHEMA, as_csv, guarded, relabel_rows
from cupel.release.release_audit import ReleaseAudit, read_release_audit


def rows_with(text: str) -> pa.Table:
    row = {"batch": "b", "item_id": "1", "text": text, "label": "a", "reason": "r", "risk_rank": 1}
    return pa.Table.from_pylist([row], schema=RELABEL_SCHEMA)


def listed(made: Any, most: int | None = MOST) -> pa.Table:
    return relabel_rows(made.lake, read_release_audit(made.lake, "movies-r1", "audit", "adjudications"), most)


def test_labels_that_experts_found_wrong_come_first_with_what_the_experts_say(refused: Any) -> None:
    rows = listed(refused).to_pylist()
    audit = refused.lake.read("audit", "movies-r1").to_pylist()
    wrong = {row["item_id"]: row["expert_label"] for row in audit if row["is_wrong"]}
    head = rows[: len(wrong)]
    assert {row["item_id"] for row in head} == set(wrong)
    assert all(row["reason"] == f"wrong: the experts say {wrong[row['item_id']]}" for row in head)
    assert not any(row["reason"].startswith("wrong") for row in rows[len(wrong) :])


def test_within_each_part_the_riskiest_comes_first(refused: Any) -> None:
    rows = listed(refused).to_pylist()
    for is_wrong in (True, False):
        ranks = [row["risk_rank"] for row in rows if row["reason"].startswith("wrong") == is_wrong]
        assert ranks == sorted(ranks, reverse=True)


def test_labels_that_experts_confirmed_or_contest_are_not_in_it(refused: Any) -> None:
    found = set(listed(refused, most=None)["item_id"].to_pylist())
    audit = refused.lake.read("audit", "movies-r1").to_pylist()
    assert not found & {row["item_id"] for row in audit if not row["is_wrong"]}


def test_it_is_cut_to_the_wanted_length(refused: Any) -> None:
    assert listed(refused, most=3).num_rows == 3


def test_an_item_without_a_verdict_is_at_risk_not_wrong(refused: Any) -> None:
    unseen = read_release_audit(refused.lake, "movies-r1")
    rows = relabel_rows(refused.lake, unseen, most=None)
    assert rows.num_rows == unseen.items.num_rows
    assert set(pc.utf8_slice_codeunits(rows["reason"], 0, 7).to_pylist()) == {"at risk"}


def test_a_release_that_was_never_frozen_has_an_empty_list_with_a_header(refused: Any) -> None:
    nothing = ReleaseAudit(replace(refused.facts.terms, release="other-r1", status="refused", items=0))
    assert as_csv(relabel_rows(refused.lake, nothing)) == "batch,item_id,text,label,reason,risk_rank\r\n"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", " =1", "\n@x", "\N{FULLWIDTH EQUALS SIGN}1"]
)
def test_no_cell_is_a_formula(text: str) -> None:
    row = next(csv.DictReader(io.StringIO(as_csv(rows_with(text)), newline="")))
    assert row["text"] == f"'{text}"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_comes_back_as_it_was_but_for_the_guard(text: str) -> None:
    row = next(csv.DictReader(io.StringIO(as_csv(rows_with(text)), newline="")))
    assert row["text"] == guarded(text)
    assert guarded(text).removeprefix("'") == text.removeprefix("'")
