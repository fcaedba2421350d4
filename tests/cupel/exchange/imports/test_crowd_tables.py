"""Tables of crowdsourcing platforms: their roles, states and questions; each column is used or told."""

import csv
import io
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from cupel.errors import SourceError
from cupel.exchange.imports.tool import ReadOptions
from cupel.exchange.imports.tools import read_export
from cupel.people.tool_annotation import Annotation

Rows = list[dict[str, str]]

# The columns of batch results, as the requester's site writes them.
MTURK = {
    "HITId": "H1", "HITTypeId": "T", "Title": "Mood", "Description": "Say the mood", "Keywords": "mood",
    "Reward": "$0.05", "CreationTime": "Fri Oct 10 07:00:00 PDT 2025", "MaxAssignments": "3",
    "RequesterAnnotation": "BatchId:1;", "AssignmentDurationInSeconds": "600", "AutoApprovalDelayInSeconds": "3600",
    "Expiration": "Fri Oct 17 07:00:00 PDT 2025", "NumberOfSimilarHITs": "1", "LifetimeInSeconds": "9",
    "AssignmentId": "A1", "WorkerId": "W1", "AssignmentStatus": "Approved",
    "AcceptTime": "Fri Oct 10 07:29:00 PDT 2025", "SubmitTime": "Fri Oct 10 07:30:20 PDT 2025",
    "AutoApprovalTime": "x", "ApprovalTime": "x", "RejectionTime": "", "RequesterFeedback": "x",
    "WorkTimeInSeconds": "80", "LifetimeApprovalRate": "100% (3/3)", "Last30DaysApprovalRate": "x",
    "Last7DaysApprovalRate": "x", "Input.id": "7", "Input.text": "fine", "Answer.mood": "good", "Approve": "x",
    "Reject": "",
}  # fmt: skip
TOLOKA = {
    "INPUT:text": "fine", "INPUT:image": "a.jpg", "OUTPUT:result": "good", "GOLDEN:result": "bad", "HINT:text": "look",
    "ASSIGNMENT:link": "https://x.org/1", "ASSIGNMENT:task_id": "t1", "ASSIGNMENT:assignment_id": "p1",
    "ASSIGNMENT:task_suite_id": "s1", "ASSIGNMENT:worker_id": "w1", "ASSIGNMENT:status": "APPROVED",
    "ASSIGNMENT:started": "2025-05-01T10:00:00", "ASSIGNMENT:submitted": "2025-05-01T10:05:00",
    "ASSIGNMENT:reward": "0.05",
}  # fmt: skip
APPEN = {
    "_unit_id": "1", "_created_at": "10/10/2025 07:30:20", "_golden": "true", "_id": "9", "_missed": "true",
    "_started_at": "10/10/2025 07:30:00", "_tainted": "true", "_channel": "elite", "_trust": "0.9", "_worker_id": "w1",
    "_country": "DEU", "_region": "07", "_city": "Bonn", "_ip": "192.0.2.1", "mood": "good", "orig__golden": "x",
    "mood_gold": "good", "mood_gold_reason": "so", "text": "fine",
}  # fmt: skip
AGGREGATED = {
    "_unit_id": "1", "_golden": "true", "_unit_state": "golden", "_trusted_judgments": "3",
    "_last_judgment_at": "10/10/2025 07:30:20", "mood": "good", "mood:confidence": "0.66", "mood_gold": "good",
    "text": "fine",
}  # fmt: skip
ANSWERS: list[dict[str, Any]] = [
    {"task": "T0", "task_label": "A galaxy?", "value": "Yes"},
    {"task": "T1", "task_label": "Which?", "value": [{"choice": "LION", "answers": {"HOWMANY": "1"}, "filters": {}}]},
    {"task": "T2", "task_label": "Mark it", "value": [{"tool": 0, "x": 1.5, "details": []}]},
]
SUBJECT = {"41": {"retired": {"id": 1, "classifications_count": 5}, "Filename": "a.jpg"}}
METADATA = {"started_at": "2025-05-01T10:00:00.000Z", "finished_at": "2025-05-01T10:00:09.500Z", "session": "s"}
ZOONIVERSE = {
    "classification_id": "5", "user_name": "ann", "user_id": "3", "user_ip": "ab12", "workflow_id": "7",
    "workflow_name": "w", "workflow_version": "1.1", "created_at": "2025-05-01 10:00:10 UTC", "gold_standard": "",
    "expert": "true", "metadata": json.dumps(METADATA), "annotations": json.dumps(ANSWERS),
    "subject_data": json.dumps(SUBJECT), "subject_ids": "41",
}  # fmt: skip
SAMPLES = {
    "mturk": (MTURK, None), "toloka": (TOLOKA, None), "appen": (APPEN, None), "appen-aggregated": (AGGREGATED, None),
    "zooniverse": (ZOONIVERSE, "T0"),
}  # fmt: skip


def write_table(folder: Path, rows: Rows, delimiter: str = ",") -> Path:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path = folder / ("t.csv" if delimiter == "," else "t.tsv")
    path.write_text(text.getvalue())
    return path


def read(folder: Path, rows: Rows, options: ReadOptions | None = None, delimiter: str = ",") -> list[tuple[Any, ...]]:
    """Return the answers of a table as item, label and annotator, or why there is none."""
    export = read_export(write_table(folder, rows, delimiter), options=options or ReadOptions())
    return [
        (one.item_id, one.label, one.annotator) if isinstance(one, Annotation) else (one.line, one.reason)
        for one in export.annotations
    ]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_change_in_any_column_changes_what_is_read_or_told(tmp_path: Path, name: str) -> None:
    sample, question = SAMPLES[name]
    options = ReadOptions(question=question)
    before = read_export(write_table(tmp_path, [{**sample, "extra": ""}]), options=options)
    assert before.tool == name.partition("-")[0]
    assert any(isinstance(one, Annotation) for one in before.annotations)
    for column in (*sample, "extra"):
        path = write_table(tmp_path, [{**sample, "extra": "", column: "marked"}])
        try:
            after = read_export(path, options=options)
        except SourceError:  # refused is told
            continue
        kept = [(one.annotations, one.unread, one.notices) for one in (before, after)]
        # The number of an annotator whose name is known says nothing more.
        assert kept[0] != kept[1] or column == "user_id", column


def test_a_key_in_any_object_of_a_zooniverse_cell_is_told(tmp_path: Path) -> None:
    for cell, content in (("annotations", ANSWERS), ("metadata", METADATA)):
        for place in find_objects(content):
            changed = deepcopy(content)
            inside: Any = changed
            for key in place:
                inside = inside[key]
            inside["marked"] = "here"
            for question in ("T0", "T1"):
                row = {**ZOONIVERSE, cell: json.dumps(changed)}
                found = read_export(write_table(tmp_path, [row]), options=ReadOptions(question=question))
                assert any("marked" in one.path or "marked" in one.found for one in found.unread), place


def find_objects(found: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path to every object in a JSON document that is an answer's."""
    inside = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    below = [place for key, value in inside for place in find_objects(value, (*path, key))]
    return [path, *below] if isinstance(found, dict) else below


def test_of_mechanical_turk_rejected_and_unfinished_assignments_are_no_answers(tmp_path: Path) -> None:
    states = [
        {"AssignmentStatus": "Submitted", "WorkerId": "W2"}, {"AssignmentStatus": "Rejected"},
        {"AssignmentStatus": "Submitted", "Reject": "spam"}, {"AssignmentStatus": "", "RejectionTime": "Fri"},
        {"AssignmentStatus": "Abandoned"}, {"AssignmentStatus": "Approved", "Answer.mood": "{}"},
    ]  # fmt: skip
    assert read(tmp_path, [MTURK, *({**MTURK, **state} for state in states)]) == [
        ("H1", "good", "W1"), ("H1", "good", "W2"), (4, "rejected"), (5, "rejected"), (6, "rejected"),
        (7, "not_finished"), (8, "no_answer"),
    ]  # fmt: skip
    export = read_export(write_table(tmp_path, [MTURK]))
    (one,) = export.annotations
    assert isinstance(one, Annotation)
    assert (one.seconds_spent, one.answered_at and one.answered_at.isoformat()) == (80.0, "2025-10-10T14:30:20+00:00")
    assert one.fields == {"Input.id": "7", "Input.text": "fine"}


def test_checkboxes_of_mechanical_turk_are_one_question(tmp_path: Path) -> None:
    start = {"HITId": "H1", "WorkerId": "W1", "Input.text": "fine"}
    rows = [
        {**start, "Answer.topic.war": war, "Answer.topic.law": law}
        for war, law in (("true", "false"), ("true", "true"), ("false", "false"))
    ]
    assert read(tmp_path, rows) == [("H1", "war", "W1"), (3, "several_choices"), (4, "no_answer")]
    assert read(tmp_path, [{**start, "Answer.topic": "war|law"}]) == [(2, "several_choices")]
    declared = ReadOptions(classes=("war|law",))
    assert read(tmp_path, [{**start, "Answer.topic": "war|law"}], declared) == [("H1", "war|law", "W1")]


def test_crowd_elements_write_their_answers_as_json(tmp_path: Path) -> None:
    start = {"HITId": "H1", "WorkerId": "W1"}
    answers = [
        {"mood": {"label": "good"}}, {"mood": {"good": True, "bad": False}}, {"mood": {"labels": ["a", "b"]}},
        {"mood": "good", "why": "so"}, {"mood": {"boundingBoxes": []}}, {},
    ]  # fmt: skip
    rows = [{**start, "Answer.taskAnswers": json.dumps([one])} for one in answers]
    rows.append({**start, "Answer.taskAnswers": "[broken"})
    with pytest.raises(SourceError, match=r"'mood', 'why'\); name one with --question"):
        read(tmp_path, rows)
    assert read(tmp_path, rows, ReadOptions(question="mood")) == [
        ("H1", "good", "W1"), ("H1", "good", "W1"), (4, "several_choices"), ("H1", "good", "W1"),
        (6, "unexpected_shape"), (7, "no_answer"), (8, "unexpected_shape"),
    ]  # fmt: skip
    unread = read_export(write_table(tmp_path, rows), options=ReadOptions(question="mood")).unread
    assert [one.path for one in unread] == ["Answer.taskAnswers.why"]


def test_of_toloka_accepted_assignments_are_answers_and_pages_are_apart(tmp_path: Path) -> None:
    rows = [
        {**TOLOKA, "ASSIGNMENT:status": state} for state in ("APPROVED", "SUBMITTED", "REJECTED", "SKIPPED", "ACTIVE")
    ]
    path = write_table(tmp_path, rows, "\t")
    path.write_text(path.read_text().replace("\n", "\n\n"))
    export = read_export(path)
    assert [one.label if isinstance(one, Annotation) else one.reason for one in export.annotations] == [
        "good", "good", "rejected", "skipped", "not_finished",
    ]  # fmt: skip
    assert "GOLDEN:result" in {one.path for one in export.unread}
    assert any("2 answers are on control tasks" in notice for notice in export.notices)


def test_toloka_without_the_id_of_tasks_asks_for_a_column(tmp_path: Path) -> None:
    row = {name: value for name, value in TOLOKA.items() if name != "ASSIGNMENT:task_id"}
    with pytest.raises(SourceError, match=r"with --id: 'INPUT:text', 'INPUT:image'"):
        read(tmp_path, [row])
    assert read(tmp_path, [row], ReadOptions(id_field="INPUT:image")) == [("a.jpg", "good", "w1")]


def test_appen_reports_name_their_questions_and_one_must_be_chosen(tmp_path: Path) -> None:
    several = {**APPEN, "style": "plain", "style_gold": ""}
    with pytest.raises(SourceError, match=r"several questions \('mood', 'style'\)"):
        read(tmp_path, [several])
    assert read(tmp_path, [several], ReadOptions(question="style")) == [("1", "plain", "w1")]
    assert read(tmp_path, [{**APPEN, "mood": "good\nbad"}]) == [(2, "several_choices")]


def test_an_aggregated_appen_report_has_a_label_a_unit_and_nobody_who_gave_it(tmp_path: Path) -> None:
    rows = [{**AGGREGATED, "_unit_state": state} for state in ("finalized", "golden", "judgable")]
    assert read(tmp_path, rows) == [("1", "good", None), ("1", "good", None), (4, "not_finished")]
    assert any("aggregated" in notice for notice in read_export(write_table(tmp_path, rows)).notices)


def test_zooniverse_answers_are_read_by_task_and_marks_are_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="'T0', 'T1', 'T2'"):
        read(tmp_path, [ZOONIVERSE])
    assert read(tmp_path, [ZOONIVERSE], ReadOptions(question="T0")) == [("41", "Yes", "ann")]
    assert read(tmp_path, [ZOONIVERSE], ReadOptions(question="T1")) == [("41", "LION", "ann")]
    assert read(tmp_path, [ZOONIVERSE], ReadOptions(question="T2")) == [(2, "other_kind")]
    gold = read_export(write_table(tmp_path, [{**ZOONIVERSE, "gold_standard": "true"}]), options=ReadOptions("T0"))
    (one,) = gold.annotations
    assert isinstance(one, Annotation)
    assert (one.is_truth, one.seconds_spent, one.fields) == (True, 9.5, {"Filename": "a.jpg"})
    other = [ZOONIVERSE, {**ZOONIVERSE, "workflow_id": "8"}]
    assert read(tmp_path, other, ReadOptions(question="8/T0")) == [(2, "no_answer"), ("41", "Yes", "ann")]
