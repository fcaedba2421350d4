from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from cupel.certificate.design import Design, FixedSequence, Stratified
from cupel.contract.table import from_rows
from cupel.contract.tables.crew import SHOWN_ANSWERS
from cupel.contract.tables.release import AUDIT
from cupel.lake.lake import Lake
from cupel.release.anchoring import BY_AUDIT, judge_by_audit
from cupel.release.release_audit import ReleaseAudit
from made_releases import make_terms

ITEMS = 200


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", "small")


def shown(number: int, label: str) -> dict[str, Any]:
    return {
        "sequence": number, "item_id": f"i{number}", "annotator": "ann", "label": label, "is_shown": number % 2 == 0,
        "pre_label": "a", "known_label": None,
    }  # fmt: skip


def audited(number: int, batch: str = "one", label: str | None = "b") -> dict[str, Any]:
    return {
        "release": "one-r1", "batch": batch, "item_id": f"i{number}", "label": "a", "answers": 1,
        "is_settled": True, "is_contested": label is None, "expert_label": label, "is_wrong": None,
    }  # fmt: skip


def audit_of(verdicts: list[dict[str, Any]], design: Design | None = None) -> ReleaseAudit:
    """Return an audit of which each item with a verdict was marked as audited, in the order of their numbers."""
    known = {row["item_id"] for row in verdicts}
    items = [
        {"release": "one-r1", "batch": "one", "item_id": f"i{number}", "label": "a", "risk_rank": number + 1,
         "is_audited": f"i{number}" in known}
        for number in range(ITEMS)
    ]  # fmt: skip
    terms = make_terms(items=ITEMS, release="one-r1", design=design or FixedSequence(len(verdicts)))
    tables = {"release_items": pa.Table.from_pylist(items), "audit": from_rows(verdicts, AUDIT)}
    return ReleaseAudit.of(terms, tables)


def write_shown(lake: Lake) -> None:
    # Beside the label everybody gives it, blind nobody does; the experts find that it is wrong.
    rows = [shown(number, "a" if number % 2 == 0 else "b") for number in range(ITEMS)]
    lake.write("shown_answers", "one", from_rows(rows, SHOWN_ANSWERS))


def test_experts_verdicts_judge_what_following_does_to_the_error(lake: Lake) -> None:
    write_shown(lake)
    verdicts = [audited(number) for number in range(0, ITEMS, 2)] + [audited(number) for number in range(1, 101, 2)]
    rows = {row["measure"]: row for row in judge_by_audit(lake, audit_of(verdicts), "one")}
    assert set(rows) == {"error", "error_of_followed", "misled"}
    assert {row["group"] for row in rows.values()} == {BY_AUDIT}
    assert (rows["error"]["shown_answers"], rows["error"]["blind_answers"]) == (100, 50)
    assert (rows["error"]["shown_share"], rows["error"]["blind_share"], rows["error"]["verdict"]) == (1.0, 0.0, "more")


def test_contested_items_and_those_of_other_deliveries_judge_nothing(lake: Lake) -> None:
    write_shown(lake)
    audit = audit_of([audited(0, label=None), audited(1, batch="two")])
    assert {row["shown_answers"] + row["blind_answers"] for row in judge_by_audit(lake, audit, "one")} == {0}


def test_of_an_audit_that_looks_harder_at_risky_items_a_random_sample_of_all_judges(lake: Lake) -> None:
    write_shown(lake)
    design = Stratified((0.5, 0.5), (10, ITEMS // 2))
    marks = audit_of([], design).marks
    safe = np.argsort(marks[: ITEMS // 2])[:10].tolist()
    audit = audit_of([audited(number) for number in (*safe, *range(ITEMS // 2, ITEMS))], design)
    row = judge_by_audit(lake, audit, "one")[0]
    assert row["shown_answers"] + row["blind_answers"] == int(audit.is_random.sum()) < 60


def test_without_shown_labels_or_an_audit_there_is_nothing_to_tell(lake: Lake) -> None:
    assert judge_by_audit(lake, audit_of([audited(0)]), "one") == []
    write_shown(lake)
    assert judge_by_audit(lake, audit_of([]), "one") == []
