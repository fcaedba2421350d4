"""Joining sources through the chain: a licence an item, the better copy kept, a release held to terms on its day."""

import json
import random
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from cupel.kinds.projects import load_project
from cupel.lake.gates import gate_rows
from cupel.lake.lake import Lake
from cupel.release.days import recorded_day
from cupel.release.places import release_folder, report_folder
from cupel.release.verify import verify_release
from cupel.trace.terminal import story
from cupel.trace.trace import trace
from orchestration.deployment import Deployment
from orchestration.rebuild import rebuild
from orchestration.rounds import Rounds
from small_project import sentence, write_project

ITEMS, NEW, COPIES = 120, 60, 10
LICENCES = [
    {"name": "own"},
    {"name": "CC-BY-4.0", "attribution": "Wire & Co"},
    {"name": "acme", "contract": "order 7", "since": "2026-01-01", "until": "2026-06-30", "may_release": False},
]
RELEASE = {
    "error_budget": 0.05, "audit_size": 100, "max_experts_seen_share": 0.9, "holds": "all_batches", "purpose": "train",
}  # fmt: skip


def write_two_sources(folder: Path, day: date) -> Deployment:
    """Write a project with a bought delivery, then an own one that brings copies of the bought; release it on a day."""
    bought = {"files": ["small/one.jsonl"], "licence": "acme", "licence_field": "rights"}
    own = {"files": ["small/two.jsonl"], "licence": "own"}
    settings = {
        "raw": {"deliveries": {"one": bought, "two": own}}, "licences": LICENCES, "release": RELEASE,
    }  # fmt: skip
    deployment = write_project(folder, items=ITEMS, crew_error=0.02, **settings)
    data = deployment.data / "small"
    rows = [json.loads(line) for line in (data / "one.jsonl").read_text().splitlines()]
    for number, row in enumerate(rows):
        row["rights"] = "CC-BY-4.0" if number < 5 else None
    rows[-1]["rights"] = "unheard of"
    (data / "one.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    rng, lines = random.Random(7), []
    answers = (data / "answers.csv").read_text().splitlines()
    said = {line.split(",")[1]: line.split(",")[4] for line in answers if ",expert," in line}
    for number in range(NEW):
        truth = rng.choice(["warm", "cold"])
        lines.append(({"id": f"n{number}", "text": sentence(truth, rng)}, truth))
    lines += [({"id": f"c{n}", "text": rows[10 + n]["text"]}, said[f"i{10 + n}"]) for n in range(COPIES)]
    (data / "two.jsonl").write_text("".join(json.dumps(row) + "\n" for row, _ in lines))
    for row, truth in lines:
        answers += [f"two,{row['id']},label,{who},{truth}" for who in ("ann", "bob", "cy")]
        answers.append(f"two,{row['id']},expert,eve,{truth}")
    (data / "answers.csv").write_text("\n".join(answers) + "\n")
    recorded_day(Lake(deployment.lake, "small"), "all-r1", day)
    return deployment


def told(deployment: Deployment, label: str) -> str:
    return "\n".join(line.text for line in story(trace(deployment.lake, label)))


def run(deployment: Deployment, wanted: Sequence[str] = ()) -> Lake:
    project, instance = load_project(deployment.projects / "small.yaml"), dg.DagsterInstance.ephemeral()
    rounds = Rounds(project, deployment, instance, wanted=wanted)
    assert [run.error for run in rounds.run().broken] == []
    return rounds.lake


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Deployment, Lake]:
    deployment = write_two_sources(tmp_path_factory.mktemp("joined"), date(2026, 6, 30))
    return deployment, run(deployment)


def test_every_item_has_its_licence_and_an_unknown_one_is_rejected(joined: tuple[Deployment, Lake]) -> None:
    clean = {row["item_id"]: row["licence"] for row in joined[1].read("clean_items", "one").to_pylist()}
    assert (clean["i0"], clean["i50"]) == ("CC-BY-4.0", "acme")
    (rejected,) = joined[1].read("rejected_items", "one").to_pylist()
    assert (rejected["item_id"], rejected["reason"]) == (f"i{ITEMS - 1}", "unknown_licence")
    assert rejected["evidence"] == "unheard of"


def test_a_better_copy_is_kept_and_the_release_leaves_the_worse_one_out(joined: tuple[Deployment, Lake]) -> None:
    lake = joined[1]
    assert lake.read("clean_items", "one").num_rows == ITEMS - 1
    assert lake.read("clean_items", "two").num_rows == NEW + COPIES
    left = {row["item_id"]: row["evidence"] for row in lake.read("left_out_items", "all-r1").to_pylist()}
    assert left == {f"i{10 + n}": f"two/c{n}" for n in range(COPIES)}
    frozen = lake.read("release_items", "all-r1")
    assert frozen.num_rows == ITEMS - 1 + NEW
    assert not set(left) & set(frozen["item_id"].to_pylist())


def test_released_items_card_report_and_metadata_tell_the_terms(joined: tuple[Deployment, Lake]) -> None:
    lake = joined[1]
    rows = {row["item_id"]: row["terms"] for row in lake.read("training_set", "all-r1").to_pylist()}
    words = "contract order 7; from 2026-01-01; until 2026-06-30; not to be passed on"
    assert (rows["i0"], rows["n0"]) == ("name: Wire & Co", "no further terms")
    assert next(said for item, said in rows.items() if item.startswith("i") and int(item[1:]) > 30) == words
    folder = Path(str(release_folder(lake, "all-r1")))
    for text in ((folder / "README.md").read_text(), (folder / "croissant.json").read_text()):
        assert words in text.replace("\\", "")
        assert "Wire & Co" in text.replace("\\", "").replace("\\u0026", "&")
        assert "after 2026-06-30 it may not be used as it is" in text
    page = (report_folder(lake, "all-r1") / "report.html").read_text()
    assert "Frozen on 2026-06-30, for training in the house" in page
    assert f"{COPIES} items of the deliveries were left out" in page


def test_the_gate_asked_and_the_release_verifies(joined: tuple[Deployment, Lake]) -> None:
    (row,) = [row for row in gate_rows(joined[1], "all-r1") if row["check"] == "items_forbidden"]
    assert (row["outcome"], row["observed"]) == ("pass", 0.0)
    found = verify_release(Path(str(release_folder(joined[1], "all-r1"))))
    assert [check.problem for check in found.checks if not check.is_passed] == []


def test_a_trace_tells_the_terms_and_why_an_item_was_left_out(joined: tuple[Deployment, Lake]) -> None:
    deployment = joined[0]
    text = told(deployment, "small/one/i50")
    assert "row 51; licence acme" in text
    assert "licence acme: contract order 7" in text
    assert "held to the purpose train on 2026-06-30: lets it in" in text
    assert "holds a copy of it under a better licence, two/c0" in told(deployment, "small/one/i10")


def test_it_is_rebuilt_to_the_same_bytes_on_another_day(joined: tuple[Deployment, Lake], tmp_path: Path) -> None:
    found = rebuild(joined[0], "small", "all-r1", tmp_path / "again")
    assert found.is_same, found.first_difference


def release_again(deployment: Deployment, folder: Path, day: date, **release: Any) -> Lake:
    """Put a copy of a finished deployment to a second release, on a day and with other terms."""
    root = shutil.copytree(deployment.projects.parent, folder / "copied")
    copied = Deployment(root / "projects", root / "data", str(root / "lake"))
    path = copied.projects / "small.yaml"
    content = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(content | {"release": content["release"] | release}))
    recorded_day(Lake(copied.lake, "small"), "all-r2", day)
    return run(copied, ["all"])


def test_a_day_too_late_the_release_is_refused_before_anybody_audits(
    joined: tuple[Deployment, Lake], tmp_path: Path
) -> None:
    lake = release_again(joined[0], tmp_path, date(2026, 7, 1))
    (plan,) = lake.read("release_plan", "all-r2").to_pylist()
    number = ITEMS - 6 - COPIES
    assert plan["status"] == "refused"
    assert plan["reason"] == (
        f"terms forbid {number} of its items: {number} of licence acme: its terms ended on 2026-06-30, before the "
        "release's day, 2026-07-01"
    )
    (row,) = gate_rows(lake, "all-r2")
    assert (row["check"], row["outcome"], row["observed"]) == ("items_forbidden", "fail", number)
    assert lake.commit("release_items", "all-r2") is None
    assert "REFUSED" in (report_folder(lake, "all-r2") / "report.html").read_text()


def test_what_may_not_be_passed_on_refuses_a_release_that_is(joined: tuple[Deployment, Lake], tmp_path: Path) -> None:
    lake = release_again(joined[0], tmp_path, date(2026, 6, 30), purpose="publish")
    (plan,) = lake.read("release_plan", "all-r2").to_pylist()
    assert "may not be passed on (may_release: false)" in plan["reason"]
