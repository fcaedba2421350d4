"""A project of kind multilabel goes through the whole chain, from sentences to a certified release."""

from pathlib import Path

import dagster as dg
import numpy as np
import pytest

from cupel.errors import ProjectError
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.release.facts import release_facts
from cupel.release.verify import verify_release
from multilabel_project import topics_of, write_project
from orchestration.deployment import Deployment
from orchestration.rounds import Done, Rounds

Finished = tuple[Deployment, Done, Lake]
ITEMS = 300


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    deployment = write_project(tmp_path_factory.mktemp("topics"), ITEMS)
    project = load_project(deployment.projects / "topics.yaml")
    rounds = Rounds(project, deployment, dg.DagsterInstance.ephemeral())
    return deployment, rounds.run(), rounds.lake


def test_sets_of_classes_end_in_a_certified_release(finished: Finished) -> None:
    deployment, done, lake = finished
    assert done.broken == []
    facts = release_facts(lake, load_project(deployment.projects / "topics.yaml"), "one-r1")
    assert facts.verdict == "PASS"
    rows = lake.read("training_set", "one-r1").to_pylist()
    wrong = sum(row["label"] != topics_of(row["text"]) for row in rows)
    assert wrong <= facts.result["error_bound"] * len(rows)  # type: ignore[index]


def test_the_release_verifies(finished: Finished) -> None:
    _, _, lake = finished
    assert verify_release(Path(str(lake.folder)) / "releases" / "one-r1").is_passed


def test_the_empty_set_is_answered_and_released(finished: Finished) -> None:
    _, _, lake = finished
    assert "[]" in lake.read("annotations", "one")["label"].to_pylist()
    released = lake.read("training_set", "one-r1").to_pylist()
    assert [row for row in released if row["label"] == "[]" and topics_of(row["text"]) == "[]"]


def test_no_answer_is_not_the_empty_set(finished: Finished) -> None:
    _, _, lake = finished
    last = f"i{ITEMS - 1:03d}"
    said = {row["annotator"] for row in lake.read("annotations", "one").to_pylist() if row["item_id"] == last}
    assert said >= {"bob", "cy"}
    assert "ann" not in said
    (rejected,) = lake.read("rejected_answers", "one").to_pylist()
    assert (rejected["item_id"], rejected["annotator"], rejected["reason"]) == (last, "ann", "undecided")


def test_people_and_model_say_how_likely_each_class_is(finished: Finished) -> None:
    _, _, lake = finished
    for table in ("consensus", "predictions"):
        lists = [one for one in lake.read(table, "one")["posterior"].to_pylist() if one is not None]
        values = np.array(lists).reshape(-1, 3, 2)
        assert values.sum(axis=2) == pytest.approx(1.0)


def test_the_model_learns_the_topics(finished: Finished) -> None:
    _, _, lake = finished
    texts = {row["item_id"]: row["text"] for row in lake.read("clean_items", "one").to_pylist()}
    predictions = lake.read("predictions", "one").to_pylist()
    right = [row["predicted_label"] == topics_of(texts[row["item_id"]]) for row in predictions]
    assert np.mean(right) > 0.7


def test_the_gate_judges_agreement_of_sets(finished: Finished) -> None:
    _, _, lake = finished
    rows = {row["check"]: row for row in lake.read("gate_results", "labeling--one").to_pylist()}
    assert rows["agreement"]["outcome"] == "pass"


def test_the_card_counts_the_items_of_each_class(finished: Finished) -> None:
    _, _, lake = finished
    card = (Path(str(lake.folder)) / "releases" / "one-r1" / "README.md").read_text()
    labels = lake.read("training_set", "one-r1")["label"].to_pylist()
    assert f"| sport: yes | {sum('sport' in label for label in labels)} |" in card


@pytest.mark.parametrize(
    ("checking", "said"),
    [
        (
            {"checker": "predictions", "predictions": {"file": "p.csv"}},
            "checking.checker: found 'predictions'",
        ),
        ({"route_by_price": True}, "checking.route_by_price: kind multilabel cannot weigh prices"),
    ],
)
def test_what_knows_single_classes_only_is_refused(tmp_path: Path, checking: dict[str, object], said: str) -> None:
    deployment = write_project(tmp_path, checking=checking)
    with pytest.raises(ProjectError, match=said):
        load_project(deployment.projects / "topics.yaml")
