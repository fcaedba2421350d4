"""Bounds and budgets by class and slice of a release: told, certified, verified, refused."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cupel.release import layout
from cupel.release.folder import write_release
from cupel.release.release_audit import read_release_audit
from cupel.release.slice_bounds import bound_slices
from cupel.release.verify import verify_release
from cupel.show.release_documents import describe_release
from cupel.store.local import LocalStore
from made_releases import CLASSES, Made, make_items, make_release

NAME = "the bounds by class and slice, recomputed, are the same"
RARE = CLASSES[0]


@pytest.fixture(scope="module", params=["fixed_sequence", "rising"])
def budgeted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    by = {"class": {RARE: {"wrong": 0.05, "missed": 0.2}}, "language": {"eng_Latn": {"wrong": 0.06}}}
    return make_release(
        tmp_path_factory.mktemp(request.param), error_budget=0.1, max_experts_seen_share=1.0,
        certificate={"method": request.param, "by": by, "max_undecided_share": 0.2},
    )  # fmt: skip


def write(made: Made, provenance: Any, root: Path) -> Path:
    assert made.tables is not None
    describe = partial(describe_release, page=b"<html>")
    write_release(LocalStore(root), "movies-r1", made.facts, made.tables, provenance, describe)
    return root / "movies-r1"


def shares_left(made: Made, value: str) -> tuple[float, float]:
    """Return what is really wrong among the released labels of a class, and what is missed, contested items aside."""
    items = make_items(400, 0.12, 0.02)
    truth = dict(zip(items.ids, items.truth, strict=True))
    rows = made.lake.read("training_set", "movies-r1", ["item_id", "label"]).to_pylist()
    settled = [(row["label"], truth[row["item_id"]]) for row in rows if row["item_id"] not in items.contested]
    labelled = [right for label, right in settled if label == value]
    of_class = [label for label, right in settled if right == value]
    return (
        sum(right != value for right in labelled) / len(labelled),
        sum(label != value for label in of_class) / len(of_class),
    )


def test_every_class_has_a_bound_that_is_not_below_the_truth(certified: Made) -> None:
    rows = {row["value"]: row for row in certified.facts.slice_bounds if row["by"] == "class"}
    assert set(rows) == set(CLASSES)
    for value, row in rows.items():
        wrong, missed = shares_left(certified, value)
        assert wrong <= row["wrong_upper"] <= 0.5
        assert missed <= row["missed_upper"] <= 0.5
        assert row["is_kept"] is None


def test_budgets_are_kept_in_truth_and_bound_what_is_told(budgeted: Made) -> None:
    assert budgeted.facts.verdict == "PASS", budgeted.facts.reason
    rows = {(row["by"], row["value"]): row for row in budgeted.facts.slice_bounds}
    rare, english = rows["class", RARE], rows["language", "eng_Latn"]
    assert [rare["is_kept"], english["is_kept"]] == [True, True]
    wrong, missed = shares_left(budgeted, RARE)
    assert wrong <= rare["wrong_upper"] <= 0.05
    assert missed <= rare["missed_upper"] <= 0.2
    assert english["wrong_upper"] <= 0.06


def test_a_release_with_budgets_verifies_and_its_certificate_names_them(
    budgeted: Made, provenance: Any, tmp_path: Path
) -> None:
    folder = write(budgeted, provenance, tmp_path)
    found = verify_release(folder)
    assert [check.name for check in found.checks if check.problem] == []
    assert (
        f"of the items labelled {RARE!r}, at most 5% are wrong"
        in json.loads((folder / layout.CERTIFICATE_FILE).read_bytes())["certificate"]["wording"]
    )


def test_a_bound_that_was_made_smaller_is_found(certified: Made, provenance: Any, tmp_path: Path) -> None:
    folder = write(certified, provenance, tmp_path)
    path = folder / layout.SLICE_BOUNDS_FILE
    rows = pq.read_table(path)
    made_smaller = [value and value / 2 for value in rows["wrong_upper"].to_pylist()]
    place = rows.column_names.index("wrong_upper")
    pq.write_table(rows.set_column(place, rows.schema.field("wrong_upper"), pa.array(made_smaller)), path)
    assert NAME in {check.name for check in verify_release(folder).checks if check.problem}


def test_a_budget_for_a_slice_of_three_items_is_unproven_and_refuses(tmp_path: Path) -> None:
    made = make_release(
        tmp_path, max_experts_seen_share=1.0,
        certificate={"by": {"source": {"nowhere.jsonl": {"wrong": 0.05}}}, "max_undecided_share": 0.2},
    )  # fmt: skip
    assert made.facts.verdict == "REFUSED"
    assert "source nowhere.jsonl: it has 0 items" in made.facts.reason
    row = next(row for row in made.facts.slice_bounds if row["by"] == "source")
    assert (row["wrong_upper"], row["is_kept"]) == (None, False)


def test_nothing_is_bounded_before_the_audit_is_at_its_end(unaudited: Made) -> None:
    audit = read_release_audit(unaudited.lake, "movies-r1", columns=("language", "source_file"))
    rows = bound_slices(audit).to_pylist()
    assert {(row["wrong_upper"], row["missed_upper"]) for row in rows} == {(None, None)}
