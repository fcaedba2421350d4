import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from cupel.contract.tables.release import PLANTED_ITEMS
from cupel.errors import AuditError, ReleaseError
from cupel.release.audit_tables import find_cuts
from cupel.release.folder import write_release
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.planted import JUDGED_LABELS, SOURCES, planted_items
from cupel.release.release_audit import ReleaseAudit, read_release_audit
from cupel.release.verify import verify_release
from cupel.show.release_documents import describe_release
from cupel.store.local import LocalStore
from made_releases import PROVENANCE, Made, gold, make_items, make_release, make_terms

SIZE, PLANTED = 500, 90
SETTINGS = {"error_budget": 0.1, "max_experts_seen_share": 1.0, "certificate": {"planted_errors": PLANTED}}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_release(tmp_path_factory.mktemp("planted"), size=SIZE, wrong_share=0.2, **SETTINGS)


def some_items(log_odds: Any) -> pa.Table:
    size = len(log_odds)
    names = [f"i{place}" for place in range(size)]
    labels = {name: ["a"] * size for name in JUDGED_LABELS}
    return pa.table(
        {"release": ["r1"] * size, "batch": ["one"] * size, "item_id": names, "log_odds": log_odds} | labels
    )


def known(names: list[str]) -> dict[str, pa.Table]:
    return {"one": pa.table({"item_id": names, "label": ["a"] * len(names)})}


def test_planted_items_are_drawn_of_those_known_and_the_same_each_time() -> None:
    items = some_items(np.linspace(8, 0, 300))
    labels = known([f"i{place}" for place in range(0, 300, 3)])
    one, two = (planted_items(items, labels, 40, seed) for seed in (1, 1))
    assert one.equals(two)
    assert one.schema == PLANTED_ITEMS.schema
    assert (one.num_rows, pc.sum(one["is_planted"]).as_py()) == (100, 40)
    assert set(planted_items(items, labels, 40, 2).to_pylist()[0]) == set(one.to_pylist()[0])
    assert not planted_items(items, labels, 40, 2)["is_planted"].equals(one["is_planted"])


def test_items_are_planted_as_often_as_their_label_is_likely_to_be_wrong() -> None:
    odds = np.array([0.0, 2.0] * 50)
    items, labels = some_items(odds), known([f"i{place}" for place in range(100)])
    times = np.zeros(2)
    for seed in range(400):
        first = planted_items(items, labels, 1, seed)["is_planted"].to_numpy()
        times[int(np.flatnonzero(first)[0]) % 2] += 1
    chance = 1 / (1 + np.exp(np.array([0.0, 2.0])))
    assert times[0] / 400 == pytest.approx(chance[0] / chance.sum(), abs=0.06)


def set_labels(items: pa.Table, name: str, labels: dict[int, str | None]) -> pa.Table:
    column = [labels.get(place, label) for place, label in enumerate(items[name].to_pylist())]
    return items.set_column(items.column_names.index(name), name, pa.array(column, pa.string()))


def test_what_was_really_got_wrong_is_planted_first_and_then_what_the_checker_confuses() -> None:
    items, labels = some_items(np.full(60, 3.0)), known([f"i{place}" for place in range(60)])
    items = set_labels(items, "majority_label", {0: "b", 10: None})  # a tie is no error
    items = set_labels(items, "consensus_label", {1: "b"})
    items = set_labels(items, "label", {2: "b"})
    items = set_labels(items, "predicted_label", {2: "b", 3: "b", 4: "b", 11: None})
    made = planted_items(items, labels, 10, 1).to_pylist()
    kinds = {kind: {row["item_id"] for row in made if row["source"] == kind} for kind in SOURCES}
    assert kinds["erred"] == {"i0", "i1", "i2"}
    assert kinds["confused"] == {"i3", "i4"}
    planted = {row["item_id"] for row in made if row["is_planted"]}
    assert kinds["erred"] | kinds["confused"] < planted
    assert {row["item_id"] for row in planted_items(items, labels, 3, 5).to_pylist() if row["is_planted"]} == kinds[
        "erred"
    ]
    few = [
        {row["item_id"] for row in planted_items(items, labels, 2, seed).to_pylist() if row["is_planted"]}
        for seed in range(9)
    ]
    assert all(names < kinds["erred"] for names in few)
    assert len({tuple(sorted(names)) for names in few}) > 1


def test_labels_with_other_texts_that_are_the_same_are_no_error() -> None:
    items, labels = set_labels(some_items([1.0, 1.0]), "label", {0: "A", 1: "b"}), known(["i0", "i1"])
    found = planted_items(items, labels, 1, 1, lambda one, other: pc.equal(pc.utf8_lower(one), pc.utf8_lower(other)))
    assert found["source"].to_pylist() == ["log-odds", "erred"]


def test_labels_that_are_not_known_or_of_items_left_out_are_not_planted() -> None:
    labels = known(["i0", "i1", "elsewhere"])
    labels["one"] = pa.concat_tables(
        [labels["one"], pa.table({"item_id": ["i2"], "label": pa.array([None], pa.string())})]
    )
    assert planted_items(some_items([1.0, 1.0, 1.0]), labels, 2, 1)["item_id"].to_pylist() == ["i0", "i1"]


@pytest.mark.parametrize("labels", [{}, known(["i0", "i1"])], ids=["none", "two"])
def test_fewer_known_labels_than_are_to_be_planted_are_an_error(labels: dict[str, pa.Table]) -> None:
    with pytest.raises(ReleaseError, match=r"planted_errors: found 3, but only \d items .* labeling.gold"):
        planted_items(some_items([1.0, 2.0, 3.0, 4.0]), labels, 3, 1)


def test_a_label_that_auditors_gave_as_we_did_is_overlooked() -> None:
    terms = make_terms(items=4, planted_errors=3)
    ranked = pa.table({"batch": ["one"] * 4, "item_id": ["a", "b", "c", "d"], "label": ["x", "x", "x", "x"],
                       "risk_rank": [1, 2, 3, 4]})  # fmt: skip
    said = pa.table({
        "batch": ["one"] * 3, "item_id": ["c", "a", "b"], "label": ["y", "x", "y"], "is_settled": [True, True, False],
        "expert_label": pa.array(["x", "x", None]),
    })  # fmt: skip
    tables = {"release_items": ranked, "planted_verdicts": said}
    found = ReleaseAudit.of(terms, tables).plants
    assert found is not None
    assert found.tier is None
    assert [flags.tolist() for flags in found[:4]] == [
        [True, True, True, False], [True, False, True, False], [True, False, False, False], [False, False, True, False],
    ]  # fmt: skip
    assert (found.waiting, found.overlooked, found.counts) == (1, 1, (3, 1))
    assert ReleaseAudit.of(terms, {"release_items": ranked}).plants is None
    assert ReleaseAudit.of(make_terms(items=4), tables).plants is None


def test_the_terms_are_frozen_with_the_release(made: Made) -> None:
    plan = made.facts.terms.to_plan()
    assert '"planted_errors":90' in plan["design"]
    assert FrozenTerms.from_plan(plan).planted_errors == PLANTED
    with pytest.raises(AuditError, match="planted_errors: found -1"):
        FrozenTerms.from_plan({**plan, "design": plan["design"].replace(":90", ":-1")})


def test_without_the_planted_verdicts_nothing_is_concluded(made: Made) -> None:
    with pytest.raises(AuditError, match="planted: found 0 items; expected 90"):
        find_cuts(read_release_audit(made.lake, "movies-r1", "audit"))


def test_a_release_with_planted_items_is_written_and_verified(made: Made, tmp_path: Path) -> None:
    assert made.tables is not None
    write_release(LocalStore(tmp_path), "r", made.facts, made.tables, PROVENANCE, describe_release)
    assert [check for check in verify_release(tmp_path / "r").checks if not check.is_passed] == []
    assert made.facts.result is not None
    assert made.facts.result["planted_caught"] == PLANTED
    known = made.tables.planted_items
    assert known is not None
    erred = sum(row["source"] == "erred" for row in known.to_pylist() if row["is_planted"])
    assert 7 < erred < PLANTED
    assert made.facts.result["sensitivity_bound"] == pytest.approx(0.01 ** (1 / erred))
    assert made.facts.certificate is not None
    assert f"Only the hardest {erred} count" in made.facts.certificate["wording"]
    names = ("audit", "planted_items", "planted_verdicts")
    audit = read_release_audit(made.lake, "movies-r1", *names, columns=["log_odds"])
    assert audit.planted_draw.sum() == PLANTED
    assert 0 < audit.planted_beside.num_rows < PLANTED == audit.planted_verdicts.num_rows


def tampered(made: Made, folder: Path, **tables: pa.Table | None) -> dict[str, str]:
    assert made.tables is not None
    write_release(
        LocalStore(folder.parent),
        folder.name,
        made.facts,
        dataclasses.replace(made.tables, **tables),
        PROVENANCE,
        describe_release,
    )
    return {check.name: check.problem for check in verify_release(folder).checks if check.problem}


def test_a_release_without_its_planted_items_is_not_verified(made: Made, tmp_path: Path) -> None:
    problems = tampered(made, tmp_path / "r", planted_items=None, planted_verdicts=None)
    assert "the certificate, recomputed, is the same" in problems
    assert "the audit is the sample that its seed draws" in problems


def test_planting_other_items_than_those_drawn_is_noticed(made: Made, tmp_path: Path) -> None:
    assert made.tables is not None
    known = made.tables.planted_items
    assert known is not None
    place = known.column_names.index("is_planted")
    turned = known["is_planted"].take(np.roll(np.arange(known.num_rows), 1))
    other = known.set_column(place, known.schema.field(place), turned)
    problem = tampered(made, tmp_path / "r", planted_items=other)["the audit is the sample that its seed draws"]
    assert "the seed plants other items than those marked as planted" in problem


def test_a_kind_of_planted_item_that_its_labels_do_not_show_is_noticed(made: Made, tmp_path: Path) -> None:
    assert made.tables is not None
    known_items = made.tables.planted_items
    assert known_items is not None
    for turned in ({"log-odds": "erred"}, {"erred": None}):
        rows = [{**row, "source": turned.get(row["source"], row["source"])} for row in known_items.to_pylist()]
        other = pa.Table.from_pylist(rows, schema=known_items.schema)
        found = tampered(made, tmp_path / str(len(turned)) / str(turned), planted_items=other)
        assert "source is" in found["the audit is the sample that its seed draws"]


def _know_otherwise(rows: list[dict[str, Any]], names: set[str]) -> list[dict[str, Any]]:
    """Leave out known labels of items that are not planted."""
    return [row for row in rows if row["is_planted"] or row["item_id"] not in names]


def _let_the_checker_err(rows: list[dict[str, Any]], names: set[str]) -> list[dict[str, Any]]:
    return [{**row, "predicted_label": "odd"} if row["item_id"] in names else row for row in rows]


def _shift_log_odds(rows: list[dict[str, Any]], names: set[str]) -> list[dict[str, Any]]:
    return [{**row, "log_odds": row["log_odds"] + 1} for row in rows]


@pytest.mark.parametrize(
    ("table", "change"),
    [("planted_items", _know_otherwise), ("release_items", _let_the_checker_err), ("release_items", _shift_log_odds)],
)
def test_what_decides_which_items_are_planted_is_frozen_with_the_release(
    made: Made, tmp_path: Path, table: str, change: Any
) -> None:
    assert made.tables is not None
    assert made.tables.planted_items is not None
    known = made.tables.planted_items.to_pylist()
    easy = {row["item_id"] for row in known if row["source"] == "log-odds"}
    own = getattr(made.tables, table)
    tables = {table: pa.Table.from_pylist(change(own.to_pylist(), easy), schema=own.schema)}
    if change is _let_the_checker_err:
        rows = [{**row, "source": "confused"} if row["item_id"] in easy else row for row in known]
        tables["planted_items"] = pa.Table.from_pylist(rows, schema=made.tables.planted_items.schema)
    problem = tampered(made, tmp_path / "r", **tables)["the audit is the sample that its seed draws"]
    assert "the known labels give" in problem


def test_a_planted_verdict_held_against_another_label_is_noticed(made: Made, tmp_path: Path) -> None:
    assert made.tables is not None
    said = made.tables.planted_verdicts
    assert said is not None
    rows = said.to_pylist()
    rows[3]["label"] = rows[3]["expert_label"] = "neutral" if rows[3]["label"] != "neutral" else "positive"
    problems = tampered(made, tmp_path / "r", planted_verdicts=pa.Table.from_pylist(rows, schema=said.schema))
    assert "was known" in problems["experts judged the labels that were frozen"]


def test_a_planted_item_with_two_verdicts_is_noticed(made: Made, tmp_path: Path) -> None:
    assert made.tables is not None
    assert made.tables.planted_verdicts is not None
    verdicts = made.tables.planted_verdicts
    missed = {**verdicts.to_pylist()[0], "expert_label": None, "is_wrong": None, "is_contested": True}
    both = pa.concat_tables([pa.Table.from_pylist([missed], schema=verdicts.schema), verdicts])
    found = tampered(made, tmp_path / "r", planted_verdicts=both)
    assert "judged more than once" in found["experts judged the labels that were frozen"]


def test_a_known_label_of_an_item_that_was_never_frozen_is_noticed(made: Made, tmp_path: Path) -> None:
    assert made.tables is not None
    assert made.tables.planted_items is not None
    known_items = made.tables.planted_items
    strange = {**known_items.to_pylist()[0], "item_id": "nobody", "is_planted": False}
    more = pa.concat_tables([known_items, pa.Table.from_pylist([strange], schema=known_items.schema)])
    found = tampered(made, tmp_path / "r", planted_items=more)
    assert "movies/nobody" in found["the audit is the sample that its seed draws"]


def test_known_labels_change_no_label(made: Made) -> None:
    assert made.tables is not None
    items = make_items(SIZE, 0.2, 0.02)
    known_wrong = {
        row["item_id"] for row in gold(items).to_pylist()
        if row["label"] != items.labels[items.ids.index(row["item_id"])]
    }  # fmt: skip
    judged = set(made.tables.audit["item_id"].to_pylist()) | set(made.tables.adjudications["item_id"].to_pylist())
    left = known_wrong - judged
    assert left
    released = {row["item_id"]: row["label"] for row in made.tables.training_set.to_pylist()}  # type: ignore[union-attr]
    assert all(released[name] == items.labels[items.ids.index(name)] for name in left)
