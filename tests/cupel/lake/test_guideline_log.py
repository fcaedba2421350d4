import re
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from dying_store import kill_at_change

from cupel.config.project import Project
from cupel.contract.ontology import Ontology
from cupel.errors import ProjectError
from cupel.kinds.projects import make_project
from cupel.lake.guideline_log import (
    GUIDELINES,
    GuidelineVersion,
    check_in_force,
    hash_guideline,
    hash_text,
    name_history,
    read_versions,
    record_guideline,
)
from cupel.store.event_log import BrokenLogError, EventLog
from cupel.store.local import LocalStore
from cupel.store.memory import MemoryStore

HERE = Path()


def project(guideline: str | None = "Say a.", classes: tuple[str, ...] = ("a", "b"), *changes: object) -> Project:
    labeling: dict[str, Any] = {"question": "Which?", "classes": classes, "experts": {"description": "one"}}
    if guideline is not None:
        labeling |= {"guideline": guideline, "changes": changes}
    raw = {"deliveries": {"one": {"files": ["one.jsonl"], "licence": "CC0-1.0"}}}
    content = {"project": "small", "title": "Small", "owner": "team:x", "raw": raw, "labeling": labeling}
    return make_project({**content, "release": {"error_budget": 0.05, "audit_size": 10, "max_experts_seen_share": 0.9}})


@pytest.fixture
def log() -> EventLog:
    return EventLog(MemoryStore(), GUIDELINES)


def record(log: EventLog, one: Project, answers: int = 0) -> GuidelineVersion:
    found = record_guideline(log, one, HERE, answers)
    assert found is not None
    return found


def test_a_project_without_a_guideline_leaves_no_trace(log: EventLog) -> None:
    assert record_guideline(log, project(None), HERE, 3) is None
    assert log.segment_names() == []
    assert read_versions(log) == []


def test_the_first_version_holds_for_the_answers_that_are_there(log: EventLog) -> None:
    first = record(log, project(), answers=7)
    assert first.answers_from == 1
    assert first.change is None
    assert first.classes == ("a", "b")
    assert first.version == hash_guideline(hash_text("Say a."), "Which?", "category", Ontology(("a", "b")))


def test_the_same_guideline_is_recorded_once(log: EventLog) -> None:
    record(log, project()), record(log, project(), answers=4)
    assert len(read_versions(log)) == 1


@pytest.mark.parametrize("changed", [project("Say b."), project(classes=("a", "b", "c")), project(classes=("b", "a"))])
def test_a_changed_guideline_without_a_declared_change_is_refused_with_what_to_write(
    log: EventLog, changed: Project
) -> None:
    first = record(log, project())
    with pytest.raises(ProjectError, match=f"(?s)no change is declared.*from_version: {first.shown}") as told:
        record(log, changed)
    assert "Nothing was asked" in str(told.value)
    assert len(read_versions(log)) == 1


def test_what_is_to_be_written_of_classes_that_are_gone_is_yaml_whatever_their_names(log: EventLog) -> None:
    record(log, project(classes=("topic: sport", "b")))
    with pytest.raises(ProjectError) as told:
        record(log, project(classes=("topic: games", "b")))
    written = re.search(r"classes: .*", str(told.value))
    assert written is not None
    assert yaml.safe_load(written.group()) == {"classes": {"topic: sport": "..."}}


def test_a_declared_change_is_an_event_in_force_from_the_next_answer(log: EventLog) -> None:
    first = record(log, project())
    rename = {"from_version": first.shown, "classes": {"b": "c"}}
    second = record(log, project("Say c.", ("a", "c"), rename), answers=5)
    assert second.answers_from == 6
    assert second.change is not None
    assert second.change.classes == {"b": "c"}
    assert [one.version for one in read_versions(log)] == [first.version, second.version]
    assert name_history(read_versions(log)) != name_history(read_versions(log)[:1])


def test_several_changes_follow_each_other_and_stay_in_the_file(log: EventLog) -> None:
    first = record(log, project())
    one = {"from_version": first.shown, "answers": "stay"}
    second = record(log, project("Say b.", ("a", "b"), one))
    other = {"from_version": second.shown, "classes": {"b": None}, "answers": "stay"}
    third = record(log, project("Say c.", ("a", "c"), one, other))
    assert record(log, project("Say c.", ("a", "c"), one, other)) == third
    assert record(log, project("Say c.", ("a", "c"), other)) == third  # old entries may go


def test_a_new_lake_knows_earlier_versions_by_their_names(log: EventLog) -> None:
    changes = [{"from_version": "a" * 12, "classes": {"x": "a"}}, {"from_version": "b" * 12, "answers": "stay"}]
    record(log, project("Say a.", ("a", "b"), *changes), answers=0)
    found = read_versions(log)
    assert [one.version for one in found[:2]] == ["a" * 12, "b" * 12]
    assert found[0].text is None
    assert [one.answers_from for one in found] == [1, 1, 1]


def test_a_change_in_force_cannot_be_told_otherwise(log: EventLog) -> None:
    first = record(log, project())
    rename = {"from_version": first.shown, "classes": {"b": "c"}}
    record(log, project("Say c.", ("a", "c"), rename))
    with pytest.raises(ProjectError, match=r"labeling\.changes\.0: the change from .* is in force as"):
        record(log, project("Say c.", ("a", "c"), {**rename, "classes": {"b": None}, "answers": "stay"}))


def test_a_contradictory_mapping_is_refused_with_key_and_value(log: EventLog) -> None:
    first = record(log, project())
    with pytest.raises(ProjectError, match=r"labeling\.changes\.0\.classes\.b: 'd' is no class of the version after"):
        record(log, project("Say c.", ("a", "c"), {"from_version": first.shown, "classes": {"b": "d"}}))
    assert len(read_versions(log)) == 1


def test_a_change_of_nothing_is_refused(log: EventLog) -> None:
    first = record(log, project())
    with pytest.raises(ProjectError, match="the version in force"):
        record(log, project("Say a.", ("a", "b"), {"from_version": first.shown, "answers": "stay"}))


def test_a_version_is_in_force_once(log: EventLog) -> None:
    first = record(log, project())
    one = {"from_version": first.shown, "answers": "stay"}
    second = record(log, project("Say b.", ("a", "b"), one))
    with pytest.raises(ProjectError, match=f"leads back to version {first.shown}"):
        record(log, project("Say a.", ("a", "b"), one, {"from_version": second.shown, "answers": "stay"}))


def test_a_guideline_that_is_taken_away_is_refused(log: EventLog) -> None:
    record(log, project())
    with pytest.raises(ProjectError, match="put it back"):
        record_guideline(log, project(None), HERE, 0)


def test_an_ontology_that_is_not_in_force_yet_is_refused_by_steps(log: EventLog) -> None:
    with pytest.raises(ProjectError, match="not in force yet"):
        check_in_force([], project())
    first = record(log, project())
    check_in_force([first], project())
    with pytest.raises(ProjectError, match="not in force yet"):
        check_in_force([first], project(classes=("a", "c")))


@pytest.mark.parametrize("number", range(6))
def test_a_kill_leaves_a_version_or_none_and_the_next_run_completes_it(tmp_path: Path, number: int) -> None:
    with kill_at_change(number):
        record_guideline(EventLog(LocalStore(tmp_path), GUIDELINES), project(), HERE, 0)
    record_guideline(EventLog(LocalStore(tmp_path), GUIDELINES), project(), HERE, 0)
    assert len(read_versions(EventLog(LocalStore(tmp_path), GUIDELINES))) == 1


def test_of_two_at_once_one_records_it(tmp_path: Path) -> None:
    store, wait = LocalStore(tmp_path), threading.Barrier(4)

    def work() -> None:
        wait.wait()
        record_guideline(EventLog(store, GUIDELINES), project(), HERE, 0)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_versions(EventLog(store, GUIDELINES))) == 1


def test_an_altered_version_is_refused_by_name(tmp_path: Path) -> None:
    log = EventLog(LocalStore(tmp_path), GUIDELINES)
    record(log, project())
    path = tmp_path / log.segment_names()[0]
    path.chmod(0o644)
    path.write_text(path.read_text().replace("Say a.", "Say z."))
    with pytest.raises(BrokenLogError, match="event 1 was altered"):
        read_versions(EventLog(LocalStore(tmp_path), GUIDELINES))
