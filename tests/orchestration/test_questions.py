"""A project of kind questions goes through the whole chain, from a delivery to a release with a column a question."""

import json
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import pytest

from cupel.errors import ProjectError
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.release.facts import release_facts
from cupel.release.verify import verify_release
from cupel.show.report import render_report
from orchestration.deployment import Deployment
from orchestration.rounds import Done, Rounds
from questions_project import TONES, TOPICS, write_project

Finished = tuple[Deployment, Done, Lake]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    deployment = write_project(tmp_path_factory.mktemp("mail"))
    rounds = Rounds(load_project(deployment.projects / "mail.yaml"), deployment, dg.DagsterInstance.ephemeral())
    return deployment, rounds.run(), rounds.lake


def truth(text: str) -> dict[str, str]:
    words = set(text.split())
    topic = next(name for name, own in TOPICS.items() if words & set(own))
    tone = next(name for name, own in TONES.items() if words & set(own))
    return {"topic": topic} | ({} if topic == "spam" else {"tone": tone})


def test_several_questions_end_in_one_certified_release(finished: Finished) -> None:
    deployment, done, lake = finished
    assert done.broken == []
    facts = release_facts(lake, load_project(deployment.projects / "mail.yaml"), "one-r1")
    assert facts.verdict == "PASS"
    rows = lake.read("training_set", "one-r1").to_pylist()
    wrong = sum(json.loads(row["label"]) != truth(row["text"]) for row in rows)
    assert wrong <= facts.result["error_bound"] * len(rows)  # type: ignore[index]


def test_the_release_has_a_column_a_question(finished: Finished) -> None:
    _, _, lake = finished
    rows = pq.read_table(Path(lake.folder) / "releases" / "one-r1" / "data" / "train.parquet").to_pylist()
    assert rows
    for row in rows:
        given = json.loads(row["label"])
        assert (row["topic"], row["tone"]) == (given["topic"], given.get("tone"))


def test_the_release_verifies(finished: Finished) -> None:
    _, _, lake = finished
    assert verify_release(Path(lake.folder) / "releases" / "one-r1").is_passed


def test_an_answer_that_contradicts_the_skip_logic_is_rejected_with_its_words(finished: Finished) -> None:
    _, _, lake = finished
    rejected = [row for row in lake.read("rejected_answers", "one").to_pylist() if row["annotator"] == "dan"]
    assert [(row["reason"], row["evidence"]) for row in rejected] == [
        ("unknown_label", '{"topic":"spam","tone":"warm"}')
    ]


@pytest.mark.parametrize(
    ("labeling", "said"),
    [
        ({"questions": []}, "labeling.questions: kind questions asks two questions or more"),
        ({"classes": ["a", "b"]}, "labeling.classes: kind questions has classes a question"),
        ({"policies": {"copying": "weigh_down"}}, "labeling.policies: kind questions knows no weigh_down"),
        ({"kind": "category", "classes": ["a", "b"]}, "labeling.questions: kind category asks one question"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    tmp_path: Path, labeling: dict[str, object], said: str
) -> None:
    deployment = write_project(tmp_path, items=1, labeling=labeling)
    with pytest.raises(ProjectError, match=said):
        load_project(deployment.projects / "mail.yaml")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"asked_if": {"mood": ["warm"]}}, "tone: asked_if: 'mood' is no question before it"),
        ({"asked_if": {"tone": ["warm"]}}, "tone: asked_if: 'tone' is no question before it"),
        ({"asked_if": {"topic": ["sprot"]}}, "tone: asked_if: 'sprot' is no class of question topic"),
        ({"asked_if": {"topic": []}}, "tone: asked_if: no answer to topic is named"),
        ({"asked_if": {"topic": list(TOPICS)}}, "tone: asked_if: names all classes of question topic"),
        ({"name": "topic"}, "topic: stands twice"),
        ({"kind": "novel"}, "tone: kind: found 'novel'; allowed: category"),
        ({"classes": ["warm"]}, "tone: classes: name two or more"),
        ({"classes": ["warm", "warm"]}, "tone: classes: name two or more"),
    ],
)
def test_skip_logic_that_can_never_be_followed_is_refused(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    topic = {"name": "topic", "question": "About?", "classes": list(TOPICS)}
    tone = {"name": "tone", "question": "How?", "classes": list(TONES), "asked_if": {"topic": ["sport"]}} | changes
    deployment = write_project(tmp_path, items=1, labeling={"questions": [topic, tone]})
    with pytest.raises(ProjectError, match=said):
        load_project(deployment.projects / "mail.yaml")


def test_the_report_bounds_each_question_by_itself(finished: Finished) -> None:
    deployment, _, lake = finished
    facts = release_facts(lake, load_project(deployment.projects / "mail.yaml"), "one-r1")
    parts = [row for row in facts.slice_bounds if row["by"] == "part"]
    assert {row["value"] for row in parts} == {"topic", "tone"}
    assert "topic: sport" in {row["value"] for row in facts.slice_bounds if row["by"] == "class"}
    rows = lake.read("training_set", "one-r1").to_pylist()
    for row in parts:
        wrong = sum(json.loads(one["label"]).get(row["value"]) != truth(one["text"]).get(row["value"]) for one in rows)
        assert row["wrong_upper"] is not None, row
        assert wrong <= row["wrong_upper"] * len(rows)
    page = render_report(facts)
    assert "<h2>By class and slice</h2>" in page
    assert "<strong>topic: sport</strong>" in page
