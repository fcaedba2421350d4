"""Scale's tasks: states and audits, callbacks, forms, tasks that are there twice."""

from pathlib import Path
from typing import Any

import pytest

from cupel.errors import SourceError
from cupel.exchange.imports.answers import gather
from cupel.exchange.imports.tool import ReadOptions
from cupel.exchange.imports.tools import read_export
from tests.cupel.exchange.imports.export_keys import show, unseen_keys, untold_marks, write_records


def task(number: str = "t1", response: Any = None, **more: Any) -> dict[str, Any]:
    given = {"category": "cat"} if response is None else response
    return {"task_id": number, "status": "completed", "params": {"attachment": number}, "response": given, **more}


SAMPLE = task(
    "t1",
    {"category": ["cat"], "annotations": [{"label": "car", "uuid": "o1", "left": 1, "attributes": {"hue": "red"}}],
     "global_attributes": {"light": "low"}},
    unique_id="u1", type="categorization", completed_at="2024-05-01T10:00:00Z", audits=[{"audit_result": "accepted"}],
    prior_responses=[{"category": "dog"}], customer_review_status="fixed", metadata={"batch": "b"},
)  # fmt: skip


def test_each_key_of_a_task_is_read_or_told(tmp_path: Path) -> None:
    form = task("t2", {"annotations": {"mood": {"type": "category", "field_id": "mood", "response": [["Good"]]}}})
    callback = {"task": task("t3"), "task_id": "t3", "response": {"category": "cat"}, "extra": 1}
    for record, question in ((SAMPLE, None), (form, "mood"), (callback, None)):
        assert untold_marks(tmp_path, [record], ReadOptions(question=question)) == []
    # A task without a state is a finished one; a number is used where the task is there again.
    assert {path[-1] for path in unseen_keys(tmp_path, [SAMPLE])} <= {"task_id", "status"}
    assert {path[-1] for path in unseen_keys(tmp_path, [callback])} <= {"task_id", "status", "response", "category"}


def test_states_and_audits_of_tasks_are_read(tmp_path: Path) -> None:
    tasks = [
        task("t1", {}, status="canceled"), task("t2", status="error"), task("t3", customer_review_status="rejected"),
        task("t4", customer_review_status="fixed", prior_responses=[{"category": "dog"}]), task("t5", {}),
    ]  # fmt: skip
    found = read_export(write_records(tmp_path, tasks))
    assert show(found.annotations) == [
        ("not_finished", "t1: canceled"), ("not_finished", "t2: error"), ("rejected", "t3: rejected"),
        ("t4", "cat", None), ("rejected", "t4: before the fix: {'category': 'dog'}"), ("no_answer", "t5: []"),
    ]  # fmt: skip
    assert "1 tasks were fixed by an audit" in found.notices[0]


def test_a_callbacks_task_is_read_and_one_that_says_another_response_is_told(tmp_path: Path) -> None:
    body = {"task": task("t1"), "task_id": "t1", "response": {"category": "dog"}}
    bare = {"task": {"task_id": "t2", "params": {}}, "task_id": "t2", "response": {"category": "dog"}}
    found = read_export(write_records(tmp_path, [body, bare]))
    assert [one[0] for one in show(found.annotations)] == ["unexpected_shape", "t1", "t2"]


def test_of_a_task_that_is_there_twice_the_latest_is_read(tmp_path: Path) -> None:
    tasks = [task("t1", updated_at="2024-05-02"), task("t1", {"category": "dog"}, updated_at="2024-05-01"), task("t2")]
    found = read_export(write_records(tmp_path, tasks))
    assert show(found.annotations) == [("t1", "cat", None), ("earlier_version", "task t1"), ("t2", "cat", None)]


def test_a_unique_id_of_two_contents_is_no_item(tmp_path: Path) -> None:
    tasks = [task("t1", unique_id="u"), task("t2", unique_id="u")]
    assert [one.reason for one in gather([read_export(write_records(tmp_path, tasks))]).left] == [
        "one_id_two_items"
    ] * 2


def test_a_forms_texts_and_numbers_are_no_classes(tmp_path: Path) -> None:
    fields = {
        "mood": {"type": "category", "response": [["Good"]]}, "why": {"type": "text", "response": ["so"]},
        "count": {"type": "number", "response": [3]}, "url": {"address": "s3://a"},
    }  # fmt: skip
    found = read_export(write_records(tmp_path, [task("t1", {"annotations": fields})]))
    assert [one[0] for one in show(found.annotations)] == ["t1", "other_kind", "other_kind", "other_kind"]
    fields["tone"] = {"type": "category", "response": [["rude"]]}
    path = write_records(tmp_path, [task("t1", {"annotations": fields})])
    with pytest.raises(SourceError, match="mood, tone"):
        read_export(path)
    found = read_export(path, options=ReadOptions(question="tone"))
    assert show(found.annotations)[-1] == ("t1", "rude", None)
    assert "response.mood" in [key.path for key in found.unread]


def test_conversations_are_refused_and_tables_with_a_task_id_are_tables(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="conversations"):
        read_export(write_records(tmp_path, [{"task_id": "t", "threads": []}]))
    table = [{"task_id": 1, "response": "cat", "label": "cat"}]
    assert read_export(write_records(tmp_path, table)).tool == "table"
