"""The chain with a model in the crew: counted apart from people, one voice, and a price."""

import csv
import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.compute as pc
import pytest

from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from orchestration.deployment import Deployment
from orchestration.rounds import Done, Rounds
from small_project import NO_RELEASE, write_project

ITEMS = 160
COLD = ("ice", "snow", "winter", "frost", "hail", "glacier", "arctic", "freezer")
MODEL = {"name": "gpt", "version": "2026-05", "price": 0.01}


def write_crew(
    folder: Path, models: list[dict[str, Any]], operation: dict[str, Any] | None = None, **changes: Any
) -> Deployment:
    return write_project(
        folder, items=ITEMS, crew_error=0.07, release={"audit_size": 60, "error_budget": 0.15},
        labeling={"models": models} | changes, prices={"annotator_answer": 0.1, "expert_answer": 1.0},
        operation=operation or {},
    )  # fmt: skip


def run(deployment: Deployment) -> tuple[Done, Lake]:
    rounds = Rounds(load_project(deployment.projects / "small.yaml"), deployment, dg.DagsterInstance.ephemeral())
    return rounds.run(), rounds.lake


def model_says(deployment: Deployment) -> dict[str, str]:
    lines = (deployment.data / "small" / "one.jsonl").read_text().splitlines()
    items = {row["id"]: row["text"] for row in map(json.loads, lines)}
    return {item: "cold" if any(word in text.split() for word in COLD) else "warm" for item, text in items.items()}


def write_answers(deployment: Deployment, name: str, header: list[str], rows: Iterable[Sequence[str]]) -> None:
    with (deployment.data / "small" / name).open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def add_answers(deployment: Deployment, rows: list[list[str]]) -> None:
    with (deployment.data / "small" / "answers.csv").open("a", newline="") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Deployment, Done, Lake]:
    """A crew with a model, whose answers are recorded, and what came of it."""
    deployment = write_crew(tmp_path_factory.mktemp("recorded"), [MODEL])
    rows = [["one", item, "label", "gpt", said] for item, said in model_says(deployment).items()]
    rows.append(["one", "i3", "label", "gpt", "warm"])
    rows.append(["one", "i4", "expert", "gpt", "warm"])
    rows.append(["one", "nowhere", "label", "gpt", "warm"])
    add_answers(deployment, rows)
    return deployment, *run(deployment)


def test_a_model_in_the_crew_is_counted_apart_and_takes_part_in_a_certified_release(
    recorded: tuple[Deployment, Done, Lake],
) -> None:
    deployment, done, lake = recorded
    assert done.broken == []
    answers, people = lake.read("model_answers", "one"), lake.read("annotations", "one")
    assert answers.num_rows == ITEMS
    assert set(answers["model_version"].to_pylist()) == {"2026-05"}
    assert set(people["annotator"].to_pylist()) <= {"ann", "bob", "cy"}
    assert set(lake.read("annotators", "one")["annotator"].to_pylist()) <= {"ann", "bob", "cy"}
    # People alone are counted: what is asked of them, votes, and the majority.
    votes = people.group_by("item_id").aggregate([([], "count_all")]).sort_by("item_id")["count_all"]
    consensus = lake.read("consensus", "one").sort_by("item_id")
    assert consensus["votes"].to_pylist() == votes.to_pylist()
    assert set(votes.to_pylist()) <= {2, 3}
    rejected = {row["reason"]: row["model"] for row in lake.read("rejected_model_answers", "one").to_pylist()}
    assert rejected == {"answered_twice": "gpt", "unknown_item": "gpt"}
    (model,) = lake.read("models", "one").to_pylist()
    assert model["answers"] == ITEMS
    assert model["cost"] == pytest.approx(0.01 * (ITEMS + 2))
    assert model["quality"] > 0.9
    assert model["weight"] > 0
    assert lake.partitions("training_set") == ["one-r1"]
    assert lake.read("certificate", "one-r1").num_rows == 1
    assert run(deployment)[0].runs == []


def test_a_models_voice_is_in_the_consensus_and_not_in_what_the_checker_learned(
    recorded: tuple[Deployment, Done, Lake],
) -> None:
    lake = recorded[2]
    people, both = (lake.read(name, "one").sort_by("item_id") for name in ("people_consensus", "consensus"))
    assert people["majority_label"].equals(both["majority_label"])
    assert people["posterior"].to_pylist() != both["posterior"].to_pylist()
    commit = lake.commit("predictions", "one")
    assert commit is not None
    assert "people_consensus@one" in commit.inputs
    assert "consensus@one" not in commit.inputs


def test_a_models_answer_to_an_expert_is_rejected_and_an_expert_is_asked_again(tmp_path: Path) -> None:
    deployment = write_crew(tmp_path, [MODEL])
    path = deployment.data / "small" / "answers.csv"
    lines = path.read_text().splitlines()
    says = model_says(deployment)
    first = [f"one,{item},expert,gpt,{said}" for item, said in says.items()]
    path.write_text("\n".join([lines[0], *first, *lines[1:]]) + "\n")
    done, lake = run(deployment)
    assert done.broken == []
    rejected = lake.read("rejected_expert_answers", "one-r1")
    assert rejected.num_rows
    assert set(rejected["reason"].to_pylist()) == {"is_a_model"}
    assert set(rejected["annotator"].to_pylist()) == {"gpt"}
    assert set(lake.read("expert_answers", "one-r1")["annotator"].to_pylist()) == {"eve"}
    assert lake.partitions("training_set") == ["one-r1"]


def test_a_model_may_bring_a_file_and_is_one_voice_however_many_versions_it_has(tmp_path: Path) -> None:
    models = [
        MODEL | {"file": "small/gpt.csv"},
        MODEL | {"name": "gpt_next", "version": "2026-06", "file": "small/next.csv"},
    ]
    deployment = write_crew(tmp_path, models)
    says = with_mistakes(model_says(deployment), 0.15)
    for name in ("gpt", "next"):
        write_answers(deployment, f"{name}.csv", ["item_id", "label"], says.items())
    done, lake = run(deployment)
    assert done.broken == []
    assert lake.read("model_answers", "one").num_rows == 2 * ITEMS
    assert lake.read("model_answers", "one")["sequence"].null_count == 2 * ITEMS
    weights = lake.read("models", "one")["weight"].to_pylist()
    assert sum(weights) <= 1
    assert lake.partitions("training_set") == ["one-r1"]
    assert run(deployment)[0].runs == []
    write_answers(deployment, "gpt.csv", ["item_id", "label"], [*list(says.items())[:-1], ("i5x", "mild")])
    done, lake = run(deployment)
    assert done.broken == []
    assert lake.read("model_answers", "one").num_rows == 2 * ITEMS - 1


def test_a_model_named_like_a_person_is_refused_with_what_to_do(tmp_path: Path) -> None:
    deployment = write_crew(tmp_path, [MODEL | {"name": "ann", "file": "small/gpt.csv"}])
    write_answers(deployment, "gpt.csv", ["item_id", "label"], model_says(deployment).items())
    done, lake = run(deployment)
    assert len(done.broken) == 1
    assert lake.partitions("labels") == []


def with_mistakes(says: dict[str, str], share: float, seed: int = 3) -> dict[str, str]:
    rng = random.Random(seed)
    other = {"warm": "cold", "cold": "warm"}
    return {item: other[said] if rng.random() < share else said for item, said in says.items()}


def write_shown(deployment: Deployment, labels: dict[str, str], follow: float = 0.5) -> None:
    """Rewrite the answers: half of the items, drawn by their number, show a label, which some then give."""
    path = deployment.data / "small" / "answers.csv"
    rows = list(csv.DictReader(path.read_text().splitlines()))
    for number, row in enumerate(rows):
        is_shown = row["purpose"] == "label" and int(row["item_id"][1:]) % 2 == 0
        shown = labels[row["item_id"]]
        row["shown_label"] = shown if is_shown else ""
        if is_shown and (number * 7919) % 100 < 100 * follow:
            row["label"] = shown
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def test_answers_beside_a_shown_label_are_told_apart_and_change_no_answer(tmp_path: Path) -> None:
    deployment = write_crew(tmp_path, [MODEL | {"file": "small/gpt.csv"}], pre_labels="gpt", gold="small/gold.csv")
    truth = model_says(deployment)
    labels = with_mistakes(truth, 0.4)
    write_answers(deployment, "gpt.csv", ["item_id", "label"], labels.items())
    write_answers(deployment, "gold.csv", ["batch", "item_id", "label"], [("one", *pair) for pair in truth.items()])
    write_shown(deployment, labels, follow=0.8)
    done, lake = run(deployment)
    assert done.broken == []
    shown, people = lake.read("shown_answers", "one"), lake.read("annotations", "one")
    same = ["sequence", "label"]
    assert shown.select(same).sort_by("sequence").equals(people.select(same).sort_by("sequence"))
    assert 0 < pc.sum(shown["is_shown"]).as_py() < shown.num_rows
    rows = {row["measure"]: row for row in lake.read("anchoring", "one").to_pylist() if row["group"] == "all"}
    assert rows["following"]["verdict"] == rows["misled"]["verdict"] == "more"
    assert rows["error"]["verdict"] == "more"
    assert rows["following"]["blind_answers"] > 0
    assert lake.partitions("training_set") == ["one-r1"]
    assert run(deployment)[0].runs == []


def test_labels_that_the_source_does_not_give_prove_nothing(tmp_path: Path) -> None:
    deployment = write_crew(tmp_path, [], NO_RELEASE, pre_labels="checker")
    write_shown(deployment, with_mistakes(model_says(deployment), 0.4))
    done, lake = run(deployment)
    assert done.broken == []
    rows = {row["measure"]: row for row in lake.read("anchoring", "one").to_pylist()}
    assert rows["following"]["verdict"] == "unproven"
    assert rows["following"]["reason"] == "no blind answers"


def test_a_shown_label_outside_the_ontology_proves_nothing_and_its_answer_counts(tmp_path: Path) -> None:
    deployment = write_crew(tmp_path, [], NO_RELEASE, pre_labels="checker")
    write_shown(deployment, dict.fromkeys(model_says(deployment), "mild"), follow=0)
    done, lake = run(deployment)
    assert done.broken == []
    shown = lake.read("shown_answers", "one")
    assert shown.filter(shown["is_shown"])["pre_label"].null_count == pc.sum(shown["is_shown"]).as_py()
    row = next(row for row in lake.read("anchoring", "one").to_pylist() if row["measure"] == "following")
    assert (row["verdict"], row["reason"]) == ("unproven", "no answers beside a label")
    assert lake.read("annotations", "one").num_rows == shown.num_rows
