"""A label kind that somebody else has written goes through the whole chain: delivery, release, tools, rebuild."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from forged_releases import failed, forge, rewrite

from cupel.cli import main
from cupel.exchange.release_export import export_release
from cupel.kinds import KNOWN
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.release import layout
from cupel.release.facts import release_facts
from cupel.release.verify import verify_release
from cupel.trace.trace import trace
from cupel.versions.code_version import table_reach
from orchestration.deployment import Deployment
from orchestration.rebuild import rebuild
from orchestration.rounds import Done, Rounds
from toy_kind import NUMBER, TOY, are_near, write_project

Finished = tuple[Deployment, Done, Lake]
VERDICTS = "verdicts are what the experts' answers come to"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    deployment = write_project(tmp_path_factory.mktemp("line"))
    project = load_project(deployment.projects / "line.yaml", TOY)
    rounds = Rounds(project, deployment, dg.DagsterInstance.ephemeral())
    return deployment, rounds.run(), rounds.lake


@pytest.fixture(scope="module")
def release(finished: Finished) -> Path:
    return Path(str(finished[2].folder)) / "releases" / "one-r1"


@pytest.fixture
def copied(release: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(release, tmp_path / "one-r1"))


def is_near(one: str, other: str) -> bool:
    return abs(float(one) - float(other)) <= 1


def test_it_ends_in_a_certified_release_that_calls_near_labels_right(finished: Finished) -> None:
    deployment, done, lake = finished
    assert done.broken == []
    facts = release_facts(lake, load_project(deployment.projects / "line.yaml", TOY), "one-r1")
    assert facts.verdict == "PASS", facts.reason
    audit, answers = lake.read("audit", "one-r1").to_pylist(), lake.read("expert_answers", "one-r1").to_pylist()
    eve = {row["item_id"]: row["label"] for row in answers if row["annotator"] == "eve"}
    other_text = [row for row in audit if not row["is_wrong"] and eve[row["item_id"]] != row["label"]]
    assert other_text  # texts alone would call these wrong
    assert all(is_near(row["label"], eve[row["item_id"]]) for row in other_text)
    assert any(row["is_wrong"] for row in audit)
    assert all(row["is_wrong"] == (row["expert_label"] != row["label"]) for row in audit if row["expert_label"])


def test_the_error_after_each_stage_is_counted_as_the_kind_sees_it(finished: Finished) -> None:
    _, _, lake = finished
    items = {row["item_id"]: row for row in lake.read("release_items", "one-r1").to_pylist()}
    said = {row["item_id"]: row["expert_label"] for row in lake.read("audit", "one-r1").to_pylist()}
    given = [row for row in lake.read("annotations", "one").to_pylist() if row["item_id"] in said]
    found = {row["decided_by"]: row["error"] for row in lake.read("stage_errors", "one-r1").to_pylist()}
    wrong = [not is_near(items[item]["consensus_label"], label) for item, label in said.items()]
    assert found["consensus"] == pytest.approx(sum(wrong) / len(said))
    wrong = [not is_near(row["label"], said[row["item_id"]]) for row in given]
    assert found["one annotator"] == pytest.approx(sum(wrong) / len(given))


def test_known_labels_are_held_against_answers_by_the_kind(finished: Finished) -> None:
    _, _, lake = finished
    known = {row["item_id"]: row["known_label"] for row in lake.read("planted_items", "one-r1").to_pylist()}
    given = lake.read("annotations", "one").to_pylist()
    counted = [row for row in given if row["annotator"] == "ann" and row["item_id"] in known]
    (ann,) = [row for row in lake.read("annotators", "one").to_pylist() if row["annotator"] == "ann"]
    assert ann["gold_right"] == sum(is_near(row["label"], known[row["item_id"]]) for row in counted)
    assert ann["gold_right"] > sum(row["label"] == known[row["item_id"]] for row in counted)


def test_the_kinds_code_is_in_the_versions_of_what_it_decides(finished: Finished) -> None:
    project = load_project(finished[0].projects / "line.yaml", TOY)
    for table in ("annotations", "consensus", "labels", "audit", "stage_errors", "annotators"):
        assert "toy_kind" in table_reach(project, table).files, table
    assert "toy_kind" not in table_reach(project, "clean_items").files


def test_it_verifies_where_its_kind_is_known_and_nowhere_else(release: Path) -> None:
    found = verify_release(release, TOY)
    assert [(check.name, check.problem) for check in found.checks if check.problem] == []
    assert VERDICTS in [check.name for check in found.checks]
    strange = verify_release(release, KNOWN)
    assert not strange.is_passed
    assert "labels are of the kind 'number'; known here: category" in " ".join(one.problem for one in strange.checks)
    assert CliRunner().invoke(main, ["verify", str(release)]).exit_code == 1


def test_a_release_shows_what_experts_answered_and_not_who(release: Path) -> None:
    table = pq.read_table(release / layout.ANSWERS_FILE)
    assert table.num_rows
    assert "annotator" not in table.column_names


Change = Callable[[list[dict[str, Any]]], Any]


def _change_answer(rows: list[dict[str, Any]]) -> None:
    """Let both experts have said something else of the item that was answered first."""
    for row in rows:
        if row["item_id"] == rows[0]["item_id"]:
            row["label"] = "6" if float(row["label"]) < 3 else "0"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (layout.ANSWERS_FILE, _change_answer),
        (layout.ANSWERS_FILE, lambda rows: rows.clear()),
        ("evidence/audit.parquet", lambda rows: rows[0].update(expert_label="3" if rows[0]["label"] != "3" else "4")),
        ("evidence/audit.parquet", lambda rows: rows[0].update(answers=3)),
    ],
)
def test_an_altered_answer_or_verdict_is_found(name: str, change: Change, copied: Path) -> None:
    def changed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        change(rows)
        for row in rows if "audit" in name else ():
            row["is_wrong"] = None if row["expert_label"] is None else row["expert_label"] != row["label"]
        return rows

    audited = {row["item_id"] for row in pq.read_table(copied / "evidence/audit.parquet").to_pylist()}
    rewrite(copied, name, lambda rows: changed(sorted(rows, key=lambda row: row["item_id"] not in audited)))
    assert VERDICTS in failed(verify_release(copied, TOY))


def test_another_tolerance_under_the_same_name_is_found(release: Path) -> None:
    strict = NUMBER._replace(is_same=lambda one, other, ontology: are_near(one, other, ontology, 0))
    assert VERDICTS in failed(verify_release(release, TOY._replace(kinds=(strict,))))


@pytest.mark.parametrize("said", [None, "category", 7])
def test_a_plan_that_names_another_kind_is_found(said: object, copied: Path) -> None:
    path = copied / layout.CERTIFICATE_FILE
    certificate = json.loads(path.read_bytes())
    design = json.loads(certificate["plan"]["design"])
    design = {**design, "kind": said} if said is not None else {k: v for k, v in design.items() if k != "kind"}
    certificate["plan"]["design"] = json.dumps(design, sort_keys=True, separators=(",", ":"))
    path.write_bytes(layout.json_bytes(certificate))
    forge(copied)
    assert VERDICTS in failed(verify_release(copied, TOY))


def test_it_is_exported_in_a_format_of_its_own(release: Path, tmp_path: Path) -> None:
    export_release(release, tmp_path, None, TOY.kinds)
    lines = [json.loads(line) for path in tmp_path.glob("*.jsonl") for line in path.read_text().splitlines()]
    data = [row for name in layout.DATA_FILES for row in pq.read_table(release / name).to_pylist()]
    assert sorted((line["text"], line["number"]) for line in lines) == sorted(
        (row["text"], float(row["label"])) for row in data
    )


def test_a_label_of_it_is_traced(finished: Finished) -> None:
    lake = finished[0].lake
    found = trace(lake, "one/i0")
    assert found.problems == ()
    assert found.release is not None
    assert found.release.terms.kind == "number"
    shown = CliRunner().invoke(main, ["trace", "one/i0", "--lake", lake])
    assert shown.exit_code == 0, shown.output


def test_answers_of_a_tool_are_imported_for_it(finished: Finished, tmp_path: Path) -> None:
    export, answers = tmp_path / "export.csv", tmp_path / "answers.csv"
    export.write_text("item_id,who,number\ni0,ann, 4.0\ni1,ann,warm\n")
    asked = ["--batch", "one", "--answers", str(answers), "--question", "number", "--id", "item_id"]
    said = CliRunner().invoke(main, ["import", str(export), *asked, "--annotator", "who"])
    assert said.exit_code == 0, said.output
    labels = [row["label"] for row in csv.DictReader(answers.open())]
    project = load_project(finished[0].projects / "line.yaml", TOY)
    assert project.kind.parse(pa.array(labels), project.labeling.ontology).to_pylist() == ["4", None]


def test_it_is_rebuilt_the_same(finished: Finished, tmp_path: Path) -> None:
    found = rebuild(finished[0], "line", "one-r1", tmp_path / "lake")
    assert found.is_same, found
