from pathlib import Path
from typing import Any

import pytest

from cupel.contract.table import from_rows
from cupel.contract.tables.crew import SHOWN_ANSWERS
from cupel.contract.tables.release import AUDIT
from cupel.lake.lake import Lake
from cupel.release.anchoring import BY_AUDIT, judge_by_audit

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


def write(lake: Lake, verdicts: list[dict[str, Any]]) -> None:
    # Beside the label everybody gives it, blind nobody does; the experts find that it is wrong.
    rows = [shown(number, "a" if number % 2 == 0 else "b") for number in range(ITEMS)]
    lake.write("shown_answers", "one", from_rows(rows, SHOWN_ANSWERS))
    lake.write("audit", "one-r1", from_rows(verdicts, AUDIT))


def test_experts_verdicts_judge_what_following_does_to_the_error(lake: Lake) -> None:
    write(lake, [audited(number) for number in range(0, ITEMS, 2)] + [audited(number) for number in range(1, 101, 2)])
    rows = {row["measure"]: row for row in judge_by_audit(lake, "one-r1", "one")}
    assert set(rows) == {"error", "error_of_followed", "misled"}
    assert {row["group"] for row in rows.values()} == {BY_AUDIT}
    assert (rows["error"]["shown_answers"], rows["error"]["blind_answers"]) == (100, 50)
    assert (rows["error"]["shown_share"], rows["error"]["blind_share"], rows["error"]["verdict"]) == (1.0, 0.0, "more")


def test_contested_items_and_those_of_other_deliveries_judge_nothing(lake: Lake) -> None:
    write(lake, [audited(0, label=None), audited(1, batch="two")])
    assert {row["shown_answers"] + row["blind_answers"] for row in judge_by_audit(lake, "one-r1", "one")} == {0}


def test_without_shown_labels_or_an_audit_there_is_nothing_to_tell(lake: Lake) -> None:
    assert judge_by_audit(lake, "one-r1", "one") == []
