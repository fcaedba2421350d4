"""A project that says what it does not want: questions, a frozen ranking, an audit, a cut, and a release without it."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from contaminated_project import change, write_contaminated
from cupel.kinds.projects import load_project
from cupel.lake.gates import batch_state
from cupel.lake.lake import Commit, Lake
from cupel.lake.stage_seconds import read_cpu
from cupel.release import layout
from cupel.release.facts import BATCH_TABLES, release_facts
from cupel.release.places import report_folder
from cupel.release.proposals import propose
from cupel.release.verify import verify_release
from cupel.show.report_facts import report_facts
from cupel.store.sealed import open_sealed
from cupel.trace.terminal import story
from cupel.trace.trace import trace
from orchestration.deployment import Deployment
from orchestration.rebuild import rebuild
from orchestration.rounds import Done, Rounds


def run(deployment: Deployment, instance: dg.DagsterInstance, name: str = "spammy") -> tuple[Done, Lake]:
    rounds = Rounds(load_project(deployment.projects / f"{name}.yaml"), deployment, instance)
    return rounds.run(), rounds.lake


@pytest.fixture(scope="module")
def instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.ephemeral()


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, instance: dg.DagsterInstance
) -> tuple[Deployment, set[str], Done, Lake]:
    deployment, unwanted = write_contaminated(tmp_path_factory.mktemp("contaminated"))
    return deployment, unwanted, *run(deployment, instance)


def test_a_release_comes_of_it_with_less_unwanted_than_the_bound_says(
    finished: tuple[Deployment, set[str], Done, Lake],
) -> None:
    _, unwanted, done, lake = finished
    assert done.broken == []
    assert done.tasks_open == 0
    assert lake.partitions("training_set") == ["one-r1"]
    result = lake.read("contamination_result", "one").to_pylist()[0]
    kept = lake.read("clean_items", "one")["item_id"].to_pylist()
    assert result["status"] == "bounded"
    assert len(unwanted & set(kept)) / len(kept) <= result["bound"] <= 0.05
    assert len(kept) > 0.9 * (700 - len(unwanted))


def test_every_item_is_kept_or_rejected_and_the_contaminated_have_score_and_cut(
    finished: tuple[Deployment, set[str], Done, Lake],
) -> None:
    _, unwanted, _, lake = finished
    rejected = [row for row in lake.read("rejected_items", "one").to_pylist() if row["reason"] == "contaminated"]
    assert lake.commit("clean_items", "one").rows + lake.commit("rejected_items", "one").rows == 700  # type: ignore[union-attr]
    cut = lake.read("contamination_result", "one")["cut_score"][0].as_py()
    assert len(rejected) >= 0.9 * len(unwanted)
    assert {row["threshold"] for row in rejected} == {cut}
    assert all(row["value"] > cut or row["evidence"].endswith("does not say good") for row in rejected)


def test_the_share_of_compute_that_cleaning_took_counts_every_run_of_every_step_of_it_once(
    finished: tuple[Deployment, set[str], Done, Lake], instance: dg.DagsterInstance
) -> None:
    lake = finished[3]
    steps = open_sealed(lake.store.read("cpu/one.json"))
    runs = {record.dagster_run.run_id: record.dagster_run for record in instance.get_run_records()}
    for name in ("design_contamination", "sort_contamination_answers"):
        (entry,) = [entry for step, entry in steps.items() if step.endswith(name)]
        ran = {id_ for id_ in runs if any(s.step_key.endswith(name) for s in instance.get_run_step_stats(id_))}
        assert entry[0] == "contamination"
        assert len(ran) > 1
        assert set(entry[1]) == ran
    cpu = read_cpu(lake, ["one", "one-r1"])
    record = json.loads((report_folder(lake, "one-r1") / "run.json").read_text())["cpu_seconds"]
    expected = (record["cleaning"] + record["contamination"]) / sum(record.values())
    share = json.loads((report_folder(lake, "one-r1") / "run.json").read_text())["cleaning_cpu_share"]
    assert share == pytest.approx(expected, abs=1e-3)
    assert (record["cleaning"], record["contamination"]) == pytest.approx((cpu["cleaning"], cpu["contamination"]))


def test_no_audited_item_has_trained_the_model_that_it_judges(
    finished: tuple[Deployment, set[str], Done, Lake],
) -> None:
    _, _, _, lake = finished
    answers = lake.read("contamination_answers", "one")
    purposes = dict(zip(answers["item_id"].to_pylist(), answers["purpose"].to_pylist(), strict=True))
    uses = {"pilot": "contamination", "train": "contamination", "audit": "contamination_audit"}
    asked = [row for row in lake.read("contamination_items", "one").to_pylist() if row["use"]]
    assert len(asked) == len(purposes) == answers.num_rows == 230
    assert all(purposes[row["item_id"]] == uses[row["use"]] for row in asked)
    assert {row["rank"] for row in asked if row["use"] != "audit"} == {None}


NAME = "what is said of unwanted items, recomputed, is the same"


def problems(folder: Path) -> dict[str, str]:
    return {check.name: check.problem for check in verify_release(folder).checks if not check.is_passed}


def test_the_release_says_how_much_is_unwanted_and_its_folder_proves_it(
    finished: tuple[Deployment, set[str], Done, Lake],
) -> None:
    deployment, unwanted, _, lake = finished
    facts = release_facts(lake, load_project(deployment.projects / "spammy.yaml"), "one-r1")
    both, result = facts.together, lake.read("audit_result", "one-r1").to_pylist()[0]
    assert both is not None
    released = lake.read("training_set", "one-r1")["item_id"].to_pylist()
    assert len(unwanted.intersection(released)) / len(released) <= both.unwanted <= 0.05
    assert both.unwanted_or_wrong == both.unwanted + result["error_bound"]
    assert (both.unwanted_confidence, both.confidence) == (0.95, 0.9)
    assert facts.cost.expert_answers == 230 + lake.commit("release_tasks", "one-r1").rows  # type: ignore[union-attr]
    assert problems(Path(str(lake.folder)) / "releases" / "one-r1") == {}


def forge(folder: Path, name: str, change: Callable[[pa.Table], pa.Table]) -> dict[str, str]:
    """Change a table of the evidence, mend all hashes as a careful forger would, and verify."""
    pq.write_table(change(pq.read_table(folder / name)), folder / name)
    manifest = json.loads((folder / layout.MANIFEST_FILE).read_bytes())
    for row in manifest["files"]:
        content = (folder / row["path"]).read_bytes()
        row.update(sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))
        if row["path"] == name:
            row["rows"] = pq.read_table(folder / name).num_rows
    manifest["release_sha256"] = layout.release_sha256(manifest)
    (folder / layout.MANIFEST_FILE).write_bytes(layout.json_bytes(manifest))
    return problems(folder)


def with_column(table: pa.Table, name: str, values: list[object]) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.set_column(place, table.schema.field(name), pa.array(values, table.schema.field(name).type))


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("contamination_answers", lambda t: with_column(t, "label", ["good"] * t.num_rows), "recomputed"),
        ("contamination_answers", lambda t: t.slice(1), "recomputed"),
        ("contamination_items", lambda t: with_column(t, "use", [None] * t.num_rows), "its audit holds other items"),
        ("contamination_items", lambda t: with_column(t, "rank", t["rank"].to_pylist()[::-1]), "its ranks give"),
        ("contamination_items", lambda t: t.slice(1), "recomputed"),
        ("contamination_plan", lambda t: with_column(t, "alpha", [0.05]), "may not spend alpha"),
        ("contamination_plan", lambda t: with_column(t, "loosest", [t["strictest"][0].as_py()]), "gives the seed"),
        ("contamination_plan", lambda t: with_column(t, "at_most", [0.5]), "gives the seed"),
        ("contamination_plan", lambda t: with_column(t, "seed", [1]), "the plan says 1"),
        ("contamination_plan", lambda t: with_column(t, "known_until", [1_000]), "are to another audit"),
        (
            "contamination_answers",
            lambda t: with_column(t, "purpose", ["contamination_audit"] * t.num_rows),
            "are to another audit, before attempt 1",
        ),
        ("contamination_plan", lambda t: t.slice(1), "but the release holds"),
    ],
)
def test_changed_evidence_is_found(
    finished: tuple[Deployment, set[str], Done, Lake],
    tmp_path: Path,
    name: str,
    change: Callable[[pa.Table], pa.Table],
    problem: str,
) -> None:
    folder = Path(str(finished[3].folder)) / "releases" / "one-r1"
    copy = Path(shutil.copytree(folder, tmp_path / "one-r1"))
    found = forge(copy, f"evidence/{name}.parquet", change)
    assert set(found) == {NAME}
    assert problem in found[NAME]


def test_a_claim_without_evidence_and_evidence_without_a_claim_are_found(
    finished: tuple[Deployment, set[str], Done, Lake], tmp_path: Path
) -> None:
    folder = Path(str(finished[3].folder)) / "releases" / "one-r1"
    copy = Path(shutil.copytree(folder, tmp_path / "one-r1"))
    path = copy / layout.CERTIFICATE_FILE
    content = json.loads(path.read_bytes())
    said = content.pop("contamination")
    path.write_bytes(layout.json_bytes(content))
    found = forge(copy, "evidence/contamination_plan.parquet", lambda table: table)
    assert found[NAME].startswith("the certificate says nothing of what")
    said["release"]["unwanted"] /= 2
    path.write_bytes(layout.json_bytes(content | {"contamination": said}))
    assert "of the release it says" in forge(copy, "evidence/contamination_plan.parquet", lambda table: table)[NAME]


def test_the_report_tells_bounds_sources_and_where_the_cut_lies(
    finished: tuple[Deployment, set[str], Done, Lake],
) -> None:
    page = (Path(str(finished[3].folder)) / "reports" / "one-r1" / "report.html").read_text()
    assert "What is unwanted among the items" in page
    assert "are unwanted or have a wrong label" in page
    assert "the cut lies at" in page
    assert "spammy/one.jsonl" in page
    assert "spammy/two.jsonl" in page


def test_all_that_a_report_tells_of_a_delivery_is_among_what_its_release_was_made_from(
    finished: tuple[Deployment, set[str], Done, Lake], monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment, _, _, lake = finished
    project, commit, asked = load_project(deployment.projects / "spammy.yaml"), Lake.commit, set[tuple[str, str]]()

    def remember(self: Lake, table: str, partition: str) -> Commit | None:
        asked.add((table, partition))
        return commit(self, table, partition)

    monkeypatch.setattr(Lake, "commit", remember)
    report_facts(lake, release_facts(lake, project, "one-r1"))
    # The open questions, and where items went, stand on other pages.
    told = {table for table, partition in asked if partition == "one"} - {"tasks", "routes"}
    assert {"annotations", "contamination_plan", "contamination_result"} <= told <= set(BATCH_TABLES)
    recorded = lake.commit("manifest", "one-r1").inputs  # type: ignore[union-attr]
    assert {f"{table}@one" for table in told if lake.commit(table, "one") is not None} <= set(recorded)


def test_nothing_is_labelled_before_the_audit_is_answered(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    deployment, _ = write_contaminated(tmp_path, "waiting")
    path = deployment.data / "waiting" / "answers.csv"
    rows = path.read_text().splitlines()
    path.write_text("\n".join(row for row in rows if ",contamination," not in row or not row.startswith("one,i1")))
    done, lake = run(deployment, instance, "waiting")
    assert done.broken == []
    assert done.tasks_open > 0
    assert lake.partitions("clean_items") == lake.partitions("annotations") == []
    state = batch_state(lake, "one", load_project(deployment.projects / "waiting.yaml"))
    assert (state.outcome, state.stage) == ("open", "cleaning")
    assert "answers to learn from are awaited" in state.reason
    again, _ = run(deployment, instance, "waiting")
    assert again.runs == []


def test_the_next_delivery_learns_from_the_answers_on_the_one_before(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    deployment, _ = write_contaminated(tmp_path, "two", items=400)
    path = deployment.data / "two" / "answers.csv"
    rows = path.read_text().splitlines()
    kept = [row for row in rows[1:] if ",contamination," in row]
    # Nobody labels here, so that the rounds end when both deliveries are clean.
    path.write_text("\n".join([rows[0], *kept, *(f"two{row.removeprefix('one')}" for row in kept)]) + "\n")
    first, second = (deployment.data / "two" / name for name in ("one.jsonl", "two.jsonl"))
    later = [json.loads(line) for line in (first.read_text() + second.read_text()).splitlines()]
    for row in later:
        row["text"] += f" again{row['id']} and{row['id']} once{row['id']} more{row['id']}"
    (deployment.data / "two" / "later.jsonl").write_text("\n".join(map(json.dumps, later)) + "\n")
    project = yaml.safe_load((deployment.projects / "two.yaml").read_text())
    project["raw"]["deliveries"]["two"] = {"files": ["two/later.jsonl"], "licence": "CC0-1.0"}
    project["cleaning"]["duplicate_similarity"] = None
    (deployment.projects / "two.yaml").write_text(yaml.safe_dump(project))
    done, lake = run(deployment, instance, "two")
    assert done.broken == []
    plans = [lake.read("contamination_plan", batch).to_pylist()[0] for batch in ("one", "two")]
    # Both deliveries are asked about in one round, one after the other: the first pilot's answers come before.
    assert [plan["earlier_answers"] for plan in plans] == [0, 60]
    assert [plan["trained"] for plan in plans] == [80, 80]
    assert lake.partitions("clean_items") == ["one", "two"]


def test_other_settings_are_another_attempt_and_no_answer_is_asked_for_twice(
    finished: tuple[Deployment, set[str], Done, Lake], instance: dg.DagsterInstance
) -> None:
    deployment, _, _, lake = finished
    before = set(lake.read("contamination_answers", "one")["item_id"].to_pylist())
    change(deployment, "spammy", at_most=0.06)
    done, lake = run(deployment, instance)
    assert done.broken == []
    plan = lake.read("contamination_plan", "one").to_pylist()[0]
    assert (plan["attempt"], plan["alpha"], plan["at_most"]) == (2, 0.005, 0.06)
    items = lake.read("contamination_items", "one").to_pylist()
    assert {row["item_id"] for row in items if row["use"] == "known"} == before
    assert lake.commit("contamination_answers", "one").rows == len(before) + 230  # type: ignore[union-attr]


def test_a_release_of_another_attempt_is_rebuilt_as_that_attempt(
    finished: tuple[Deployment, set[str], Done, Lake], instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    deployment, _, _, lake = finished
    assert lake.read("contamination_plan", "one")["attempt"].to_pylist() == [2]
    propose(lake, load_project(deployment.projects / "spammy.yaml"), "one", "a test")
    assert run(deployment, instance)[0].broken == []
    found = rebuild(deployment, "spammy", "one-r2", tmp_path / "again")
    assert found.is_same, found.first_difference


def test_the_card_and_the_trace_tell_what_is_unwanted(
    finished: tuple[Deployment, set[str], Done, Lake],
) -> None:
    deployment, unwanted, _, lake = finished
    card = (Path(str(lake.folder)) / "releases" / "one-r1" / "README.md").read_text()
    assert "### What is unwanted" in card
    assert "unwanted is spam" in card
    items = {row["item_id"]: row for row in lake.read("contamination_items", "one").to_pylist()}
    audited = next(name for name, row in items.items() if row["use"] == "audit")
    text = "\n".join(line.text for line in story(trace(deployment.lake, f"spammy/one/{audited}")))
    assert "drawn at random for the audit" in text
    assert "for contamination_audit, from" in text
    assert "eve: spam" in text if audited in unwanted else "eve: good" in text
    assert "not taken up yet" not in text
    cut = lake.read("contamination_result", "one")["cut"][0].as_py()
    behind = next(name for name, row in items.items() if row["use"] is None and (row["rank"] or 0) > cut)
    text = "\n".join(line.text for line in story(trace(deployment.lake, f"spammy/one/{behind}")))
    assert "nobody was asked about it" in text
    assert f"behind the cut at {cut:,}" in text
    assert "confidence 95%" in text


def test_what_was_counted_to_learn_from_is_forgotten_when_scores_are_frozen(
    finished: tuple[Deployment, set[str], Done, Lake],
) -> None:
    folder = Path(str(finished[3].folder)) / "counted"
    assert not list(folder.glob("*/*")) if folder.exists() else True
