"""The annotator lead's walk: items go back with a reason, are asked again, and it is counted whose they were."""

import csv
from pathlib import Path

import pytest

from cupel.lake.lake import Lake
from served_project import ServedProject

pytestmark = pytest.mark.walks

REASON = "read rule 4: judge the thing, not the place"
CREW = ("ann", "bob", "cy")
VENDORS = {"north": ["ann", "bob"], "south": ["cy"]}
FIRST = 3


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ServedProject:
    changes = {"overlap": {"first": 3, "most": 3}, "vendors": VENDORS}
    return ServedProject(tmp_path_factory.mktemp("lead") / "there", items=120, labeling=changes)


def read_lake(project: ServedProject) -> Lake:
    return Lake(str(project.folder / "lake"), "small")


def list_worst(project: ServedProject) -> list[str]:
    with (project.lake / "reports" / "one-r1" / "relabel_next.csv").open(newline="") as file:
        return [row["item_id"] for row in csv.DictReader(file)][:FIRST]


def test_the_worst_of_a_report_go_back_with_a_reason(project: ServedProject) -> None:
    project.make_run()
    said = project.cupel(
        "send-back", "small", "one", "--release", "one-r1", "--first", str(FIRST), "--reason", REASON, "--by", "lea"
    )
    assert f"{FIRST} items sent back with {FIRST * len(CREW)} answers: {REASON}" in said
    assert "one-r1 is certified and stays as it is" in said


def test_they_are_tasks_again_with_the_reason_beside_them(project: ServedProject) -> None:
    assert f"{FIRST * len(CREW)} questions await an answer" in project.make_run()
    waiting = [row for row in read_lake(project).read("tasks", "one").to_pylist() if not row["is_answered"]]
    assert {row["item_id"] for row in waiting} == set(list_worst(project))
    assert {row["reason"] for row in waiting} == {f"sent back: {REASON}"}


def test_the_crew_answers_anew_and_the_labels_are_other(project: ServedProject) -> None:
    sent, truth = list_worst(project), project.truth()
    with (project.deployment.data / "small" / "answers.csv").open("a") as file:
        file.writelines(f"one,{item},label,{name},{truth[item]}\n" for item in sent for name in CREW)
    assert "await" not in project.make_run().splitlines()[-1]
    labels = {row["item_id"]: row["majority_label"] for row in read_lake(project).read("labels", "one").to_pylist()}
    assert {item: labels[item] for item in sent} == {item: truth[item] for item in sent}


def test_rework_is_counted_by_annotator_and_vendor(project: ServedProject, tmp_path: Path) -> None:
    told = tmp_path / "rework.csv"
    project.cupel("rework", "small", "one", "--csv", told)
    with told.open(newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert set(rows) == {*CREW, *VENDORS}
    assert {rows[name]["sent_back"] for name in (*CREW, *VENDORS)} == {str(FIRST)}
    assert {rows[name]["reworked"] for name in (*CREW, *VENDORS)} == {str(FIRST)}


def test_the_summary_tells_who_sent_what_back(project: ServedProject) -> None:
    said = " ".join(project.cupel("summary", "small").split())
    assert f"{FIRST} items of one sent back by lea: {REASON}" in said


def test_the_next_release_says_it_in_its_report(project: ServedProject) -> None:
    project.cupel("release", "small", "one")
    project.make_run()
    report = (project.lake / "reports" / "one-r2" / "report.html").read_text()
    assert "Right at first, and sent back: one" in report
    assert REASON in report
