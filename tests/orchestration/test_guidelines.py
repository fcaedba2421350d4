"""A guideline through the chain: a release, a declared change of the ontology, and a second release under it."""

import csv
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import pytest
import yaml
from click.testing import CliRunner

from cupel.check.check import find_damage
from cupel.cli import main
from cupel.errors import ProjectError
from cupel.kinds.projects import load_project
from cupel.lake.guideline_log import GUIDELINES, GuidelineVersion, describe_guideline, read_versions
from cupel.lake.lake import Lake
from cupel.people.answers.guidelines import OLDER
from cupel.release.facts import release_facts
from cupel.release.verify import verify_release
from cupel.show.overview import gather_overview
from orchestration.deployment import Deployment
from orchestration.rebuild import rebuild
from orchestration.rounds import Rounds
from small_project import write_project

BEFORE, AFTER = "Say warm of what is warm.\n", "Say hot of what is warm; say cold, or icy where it freezes.\n"


class Changed(NamedTuple):
    """A deployment after both releases, and what was there when only the first was."""

    deployment: Deployment
    lake: Lake
    versions: list[GuidelineVersion]
    refused: str
    answers_then: bytes
    head_then: int
    certificate_then: bytes


def run(deployment: Deployment, *wanted: str) -> Lake:
    project = load_project(deployment.projects / "small.yaml")
    with dg.DagsterInstance.ephemeral() as instance:
        rounds = Rounds(project, deployment, instance, wanted=wanted)
        rounds.run()
        assert [done.error for done in rounds.runs if done.error] == []
        return rounds.lake


def edit(deployment: Deployment, **labeling: Any) -> None:
    path = deployment.projects / "small.yaml"
    content = yaml.safe_load(path.read_text())
    content["labeling"] |= labeling
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def write_answers(folder: Path, under: str) -> None:
    """Record what the same people say under the second guideline, which the file names."""
    said = {"warm": "hot", "cold": "icy"}
    rows = list(csv.DictReader((folder / "answers.csv").open()))
    with (folder / "later.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "guideline"])
        writer.writeheader()
        writer.writerows({**row, "label": said[row["label"]], "guideline": under} for row in rows)


def log_bytes(lake: Lake, until: int) -> bytes:
    answers = lake.answers.read()
    return json.dumps(answers.slice(0, until).to_pylist(), default=str).encode()


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Changed:
    folder = tmp_path_factory.mktemp("guideline")
    settings = {"guideline": "file:small/guide.md", "overlap": {"first": 2, "most": 2}}
    deployment = write_project(folder, items=120, labeling=settings)
    guide = deployment.data / "small" / "guide.md"
    guide.write_text(BEFORE)
    lake = run(deployment)
    head = lake.answers.head().sequence
    first = read_versions(lake.log(GUIDELINES))[0]
    certificate = lake.store.read("releases/one-r1/certificate.json")
    then = log_bytes(lake, head)

    guide.write_text(AFTER)
    edit(deployment, classes=["hot", "cold", "icy"])
    with pytest.raises(ProjectError) as refused:
        run(deployment)
    change = {"from_version": first.shown, "classes": {"warm": "hot", "cold": ["cold", "icy"]}}
    edit(deployment, changes=[change], answers=["small/answers.csv", "small/later.csv"])
    after = describe_guideline(AFTER, load_project(deployment.projects / "small.yaml").labeling, 0)
    write_answers(deployment.data / "small", after.shown)
    lake = run(deployment, "one")
    versions = read_versions(lake.log(GUIDELINES))
    return Changed(deployment, lake, versions, str(refused.value), then, head, certificate)


def test_a_change_that_nobody_declared_is_refused_before_anything_is_asked(changed: Changed) -> None:
    assert f"from_version: {changed.versions[0].shown}" in changed.refused
    assert "guideline and classes changed" in changed.refused


def test_the_log_is_never_edited(changed: Changed) -> None:
    assert log_bytes(changed.lake, changed.head_then) == changed.answers_then
    assert [version.answers_from for version in changed.versions] == [1, changed.head_then + 1]


def test_renamed_answers_stay_and_those_of_the_split_class_are_asked_again(changed: Changed) -> None:
    kept, rejected = (changed.lake.read(name, "one").to_pylist() for name in ("annotations", "rejected_answers"))
    older = [row for row in rejected if row["reason"] == OLDER]
    said = {row["sequence"]: row["label"] for row in changed.lake.answers.read("one", ["label"]).to_pylist()}
    before = {sequence: label for sequence, label in said.items() if sequence <= changed.head_then}
    stayed = {row["sequence"]: row["label"] for row in kept if row["sequence"] in before}
    assert {before[sequence] for sequence in stayed} == {"warm"}
    assert set(stayed.values()) == {"hot"}
    assert {said[row["sequence"]] for row in older} == {"cold"}
    assert len(kept) + len(rejected) == len(said)
    # Whoever said warm was not asked again, and every item has its two answers.
    assert set(Counter(row["item_id"] for row in kept).values()) == {2}


def test_tasks_name_the_version_that_they_are_put_under(changed: Changed) -> None:
    tasks = changed.lake.read("tasks", "one")["task_id"].to_pylist()
    assert {name.partition("@")[2] for name in tasks} == {changed.versions[1].shown}


def test_an_audit_rests_on_answers_under_its_own_guideline_alone(changed: Changed) -> None:
    answers = changed.lake.answers.read("one", ["audit"])
    source = dict(zip(answers["sequence"].to_pylist(), answers["source"].to_pylist(), strict=True))
    counted = changed.lake.read("expert_answers", "one-r2").to_pylist()
    audits = [row for row in counted if row["purpose"] == "audit"]
    assert audits
    assert {source[row["sequence"]].rpartition("@guideline-")[2] for row in audits} == {changed.versions[1].shown}
    lost = changed.lake.read("rejected_expert_answers", "one-r2").to_pylist()
    assert {row["reason"] for row in lost} == {OLDER}


@pytest.mark.parametrize(("release", "place", "text"), [("one-r1", 0, BEFORE), ("one-r2", 1, AFTER)])
def test_a_release_names_its_guideline_and_holds_its_text(
    changed: Changed, release: str, place: int, text: str
) -> None:
    folder, version = changed.lake.folder / "releases" / release, changed.versions[place]
    certificate = json.loads((folder / "certificate.json").read_text())
    assert certificate["guideline"]["version"] == version.version
    assert f"under guideline {version.shown};" in certificate["certificate"]["wording"]
    assert (folder / "guideline.md").read_text() == text
    card = (folder / "README.md").read_text()
    assert version.version in card
    assert text.strip() in card
    assert verify_release(folder).is_passed


def test_a_release_with_another_text_does_not_verify(changed: Changed, tmp_path: Path) -> None:
    folder = tmp_path / "one-r2"
    for source in (changed.lake.folder / "releases" / "one-r2").rglob("*"):
        if source.is_file():
            target = folder / source.relative_to(changed.lake.folder / "releases" / "one-r2")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    (folder / "guideline.md").write_text(BEFORE)
    failed = {check.name for check in verify_release(folder).checks if not check.is_passed}
    assert failed == {"every file has its hash"}
    certificate = json.loads((folder / "certificate.json").read_text())
    certificate["guideline"]["question"] = "Another?"
    (folder / "certificate.json").write_text(json.dumps(certificate))
    failed = {check.name for check in verify_release(folder).checks if not check.is_passed}
    assert "the guideline, hashed again, is the certificate's" in failed


def test_the_first_certificate_stays_as_it_was_and_is_told_to_have_lapsed(changed: Changed) -> None:
    lake, project = changed.lake, load_project(changed.deployment.projects / "small.yaml")
    assert lake.store.read("releases/one-r1/certificate.json") == changed.certificate_then
    first, second = changed.versions
    lapse = f"made under guideline {first.shown}, which {second.shown} has replaced"
    facts = release_facts(lake, project, "one-r1")
    assert facts.verdict == "PASS"
    assert lapse in facts.reason
    assert lapse in lake.store.read("reports/one-r1/report.html").decode()
    assert lapse not in lake.store.read("releases/one-r1/report.html").decode()
    assert release_facts(lake, project, "one-r2").guideline is not None
    assert "replaced" not in release_facts(lake, project, "one-r2").reason
    (row,) = (
        row for row in lake.read("gate_results", "release--one-r2").to_pylist() if row["check"] == "certificates_lapsed"
    )
    assert (row["outcome"], row["severity"]) == ("fail", "warning")
    assert f"one-r1 is of guideline {first.shown}" in str(row)


def test_the_command_lists_versions_changes_and_lapsed_certificates(changed: Changed) -> None:
    there = ["--projects", str(changed.deployment.projects), "--data", str(changed.deployment.data)]
    there += ["--lake", str(changed.deployment.lake)]
    said = CliRunner().invoke(main, ["guideline", "small", *there])
    assert said.exit_code == 0, said.output
    first, second = changed.versions
    assert f"{first.shown}  replaced, from answer 1 on" in said.output
    assert f"{second.shown}  in force, from answer {changed.head_then + 1} on" in said.output
    assert "'warm' is now 'hot'; its answers stay" in said.output
    assert "'cold' was split into cold, icy; its items are asked again" in said.output
    assert f"release one-r1 is certified under {first.shown}" in said.output
    assert CliRunner().invoke(main, ["guideline", "small", "--text", *there]).output == AFTER


def test_a_guideline_that_is_gone_ends_the_run_before_anything_is_asked(changed: Changed) -> None:
    guide = changed.deployment.data / "small" / "guide.md"
    guide.rename(guide.with_name("elsewhere.md"))
    head = changed.lake.answers.head()
    with pytest.raises(ProjectError, match=r"labeling\.guideline: .*guide\.md: no such file"):
        run(changed.deployment)
    guide.with_name("elsewhere.md").rename(guide)
    assert changed.lake.answers.head() == head


@pytest.mark.parametrize("release", ["one-r1", "one-r2"])
def test_each_release_is_rebuilt_byte_for_byte_under_its_own_guideline(
    changed: Changed, release: str, tmp_path: Path
) -> None:
    found = rebuild(changed.deployment, "small", release, tmp_path / "lake")
    assert found.first_difference is None
    assert found.is_same


def test_the_lake_is_whole(changed: Changed) -> None:
    assert find_damage(changed.lake, is_light=False) == []


def test_a_trace_tells_as_what_an_older_answer_counts(changed: Changed) -> None:
    said = {row["sequence"]: row for row in changed.lake.answers.read("one", ["label"]).to_pylist()}
    item = next(row for row in said.values() if row["sequence"] <= changed.head_then and row["label"] == "warm")
    told = CliRunner().invoke(main, ["trace", f"one/{item['item_id']}", "--lake", str(changed.deployment.lake)])
    assert "counted as hot" in " ".join(told.output.split())


def test_the_overview_says_what_to_do_about_a_lapsed_certificate(changed: Changed) -> None:
    project = load_project(changed.deployment.projects / "small.yaml")
    found = gather_overview(changed.lake, project, datetime(2020, 1, 1, tzinfo=UTC))
    (first, second) = sorted(found.releases, key=lambda one: one.name)
    assert f"which {changed.versions[1].shown} has replaced" in first.reason
    assert "replaced" not in second.reason
