"""A project of kind spans goes through the whole chain, from texts to a certified release."""

from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from cupel.errors import ProjectError
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.marks.canonical_text import SPANS, write_marks
from cupel.release.facts import release_facts
from cupel.release.verify import verify_release
from orchestration.deployment import Deployment
from orchestration.rounds import Done, Rounds
from spans_project import DOSES, DRUGS, write_project

Finished = tuple[Deployment, Done, Lake]
ITEMS = 200


def spans_of(text: str) -> list[dict[str, Any]]:
    """Return what there is to mark in a text: its drugs and doses, each where it stands."""
    found = []
    for name, words in (("drug", DRUGS), ("dose", DOSES)):
        for word in words:
            start = text.find(word)
            while start >= 0:
                found.append({"class": name, "start": start, "end": start + len(word)})
                start = text.find(word, start + 1)
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    deployment = write_project(tmp_path_factory.mktemp("notes"), ITEMS)
    project = load_project(deployment.projects / "notes.yaml")
    rounds = Rounds(project, deployment, dg.DagsterInstance.ephemeral())
    return deployment, rounds.run(), rounds.lake


def test_spans_end_in_a_certified_release_that_is_no_more_wrong_than_its_bound(finished: Finished) -> None:
    deployment, done, lake = finished
    assert done.broken == []
    facts = release_facts(lake, load_project(deployment.projects / "notes.yaml"), "one-r1")
    assert facts.verdict == "PASS"
    rows = lake.read("training_set", "one-r1").to_pylist()
    truth = [write_marks(spans_of(row["text"]), SPANS) for row in rows]
    assert any(one == "[]" for one in truth)
    project = load_project(deployment.projects / "notes.yaml")
    kind, ontology = project.kind, project.labeling.ontology
    is_right = kind.is_same(pa.array([row["label"] for row in rows]), pa.array(truth), ontology).to_pylist()
    assert len(rows) - sum(is_right) <= facts.result["error_bound"] * len(rows)  # type: ignore[index]


def test_the_release_verifies_and_says_when_spans_are_wrong(finished: Finished) -> None:
    _, _, lake = finished
    folder = Path(str(lake.folder)) / "releases" / "one-r1"
    found = verify_release(folder)
    assert found.is_passed, found
    said = lake.read("certificate", "one-r1")["wording"][0].as_py()
    assert "one of its spans, or of the experts', has no partner of its class that overlaps it by 0.5 or more" in said
    assert "| drug |" in (folder / "README.md").read_text()


def test_an_expert_who_marks_a_character_more_says_the_same(finished: Finished) -> None:
    _, _, lake = finished
    audit = lake.read("audit", "one-r1").to_pylist()
    assert {row["is_contested"] for row in audit if row["is_settled"]} == {False}


def test_a_mark_that_ends_before_it_starts_or_behind_the_text_is_no_answer_and_kept_with_the_reason(
    finished: Finished,
) -> None:
    _, _, lake = finished
    rejected = [
        (row["item_id"], row["annotator"], row["reason"]) for row in lake.read("rejected_answers", "one").to_pylist()
    ]
    assert sorted(rejected) == [
        (f"i{ITEMS - 2:03d}", "ann", "outside_item"), (f"i{ITEMS - 1:03d}", "ann", "unknown_label")
    ]  # fmt: skip


def test_annotators_are_measured_mark_by_mark_and_counted_by_answers(finished: Finished) -> None:
    _, _, lake = finished
    people = {row["annotator"]: row for row in lake.read("annotators", "one").to_pylist()}
    given = lake.read("annotations", "one")["annotator"].to_pylist()
    assert {name: row["answers"] for name, row in people.items()} == {name: given.count(name) for name in set(given)}
    # Each misses 8% of the marks, and invents one in 8% of the items.
    assert all(0.75 < people[name]["quality"] < 0.99 for name in ("ann", "bob", "cy"))


@pytest.mark.parametrize(
    ("section", "changes", "said"),
    [
        ("labeling", {"least_overlap": None}, "labeling.least_overlap: kind spans needs it"),
        ("labeling", {"least_overlap": 0}, "least_overlap"),
        ("labeling", {"least_overlap": 1.5}, "least_overlap"),
        ("labeling", {"classes": []}, "labeling.classes: name the classes that a mark may have"),
        ("labeling", {"consensus": "ebcc"}, "labeling.consensus: found 'ebcc'; kind spans has one of its own"),
        ("labeling", {"policies": {"guessing": "weigh_down"}}, "kind spans knows no weigh_down"),
        ("checking", {"rounds": True}, "checking.rounds: experts of kind spans are asked after the freeze only"),
        ("checking", {"checker": "embedding"}, "checking.checker: found 'embedding'"),
        ("checking", {"route_by_price": True}, "checking.route_by_price: kind spans cannot weigh prices"),
        (
            "release", {"certificate": {"by": {"class": {"drug": {"wrong": 0.05}}}}},
            "release.certificate.by.class: kind spans has no bound by class yet",
        ),
    ],
)  # fmt: skip
def test_what_knows_single_classes_only_is_refused(
    tmp_path: Path, section: str, changes: dict[str, object], said: str
) -> None:
    deployment = write_project(tmp_path, items=20, **{section: changes})
    with pytest.raises(ProjectError, match=said):
        load_project(deployment.projects / "notes.yaml")
