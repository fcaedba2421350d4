"""Labelbox's exports: states, people, projects, nested answers, frames; version 1 as version 2."""

import json
from pathlib import Path
from typing import Any

import pytest

from cupel.errors import SourceError
from cupel.exchange.imports.answers import gather
from cupel.exchange.imports.gate import Export
from cupel.exchange.imports.tool import ReadOptions
from cupel.exchange.imports.tools import NO_OPTIONS, read_export
from cupel.people.tool_annotation import Annotation
from tests.cupel.exchange.imports.export_keys import show, unseen_keys, untold_marks, write_records


def radio(question: str, answer: str, **more: Any) -> dict[str, Any]:
    return {"feature_id": "f", "name": question, "value": "f", "radio_answer": {"name": answer, "value": "g", **more}}


def label(*classes: dict[str, Any], by: str = "ann", objects: Any = (), **more: Any) -> dict[str, Any]:
    details = {"created_by": by, "created_at": "2026-01-02T03:04:05Z", **more.pop("details", {})}
    return {
        "id": "l1", "label_kind": "Default", "label_details": details,
        "performance_details": {"seconds_to_create": 9, **more.pop("work", {})},
        "annotations": {"objects": list(objects), "classifications": list(classes), **more},
    }  # fmt: skip


def row(*labels: dict[str, Any], status: str = "DONE", name: str = "P", **data: Any) -> dict[str, Any]:
    project = {"name": name, "labels": list(labels), "project_details": {"workflow_status": status}}
    return {"data_row": {"id": "ca", "external_id": "a", **data}, "projects": {name: project}}


def read(folder: Path, *rows: dict[str, Any], options: ReadOptions = NO_OPTIONS, name: str = "in.jsonl") -> Export:
    return read_export(write_records(folder, list(rows), name), options=options)


SAMPLE = row(
    label(
        radio("mood", "Good", classifications=[radio("why", "sun", classifications=[radio("sure", "yes")])]),
        {"name": "note", "text_answer": {"content": "so"}},
        details={"updated_at": "2026-01-03T00:00:00Z", "reviews": [{"reviewed_at": "2026-01-04", "score": 1}]},
        objects=[{"feature_id": "o1", "name": "car", "box": {"top": 1}, "classifications": [radio("hue", "red")]}],
        relationships=[{"name": "near", "relationship": {"source": "o1"}}],
        work={"consensus_score": 0.5, "benchmark_reference_label": "l1"},
    ),
    global_key="k", row_data="https://x.org/a", details={"dataset_name": "d"},
)  # fmt: skip
SAMPLE["media_attributes"] = {"width": 4}


def test_each_key_of_a_labelbox_export_is_read_or_told(tmp_path: Path) -> None:
    def is_by_itself(path: tuple[Any, ...]) -> bool:
        # Projects are known by their names; a map of projects has no keys of its own.
        return path not in ((0, "projects"), (0, "projects", "P", "name"))

    assert [path for path in untold_marks(tmp_path, [SAMPLE]) if is_by_itself(path)] == []
    unseen = [path for path in unseen_keys(tmp_path, [SAMPLE]) if is_by_itself(path)]
    # Of a label in its usual state nothing is to be said.
    assert {path[-1] for path in unseen} <= {"workflow_status", "label_kind", "project_details", "reviews", "score",
                                             "reviewed_at"}  # fmt: skip


def test_states_of_labels_are_no_answers(tmp_path: Path) -> None:
    good = radio("mood", "Good")
    down = [{"reviewed_at": "2026-01-05", "score": -1}, {"reviewed_at": "2026-01-04", "score": 1}]
    rows = [
        row(label(good, work={"skipped": True})), row(label(good), status="TO_LABEL"),
        row(label(good), status="In rework"), row(label(good, details={"reviews": down})),
        row(label(good, details={"reviews": down[1:]}), status="IN_REVIEW"),
    ]  # fmt: skip
    found = read(tmp_path, *rows)
    assert show(found.annotations) == [
        ("skipped", "a, ann"), ("not_finished", "a, ann"), ("rejected", "a, ann"), ("rejected", "a, ann"),
        ("a", "Good", "ann"),
    ]  # fmt: skip
    assert "1 labels wait for their review" in found.notices[0]
    unknown = read(tmp_path, row(label(good), status="SECOND_LOOK"), row(label(good), status="TO_LABEL"))
    assert any("the workflow status 'second_look' of 1 labels is not known" in notice for notice in unknown.notices)


def test_benchmarks_are_ground_truth(tmp_path: Path) -> None:
    crew = {**label(radio("mood", "Bad"), by="bob", work={"benchmark_reference_label": "l1"}), "id": "l2"}
    found = read(tmp_path, row(label(radio("mood", "Good")), crew))
    truths = [(one.annotator, one.is_truth) for one in found.annotations if isinstance(one, Annotation)]
    assert truths == [("ann", True), ("bob", False)]


def test_answers_inside_others_about_messages_and_in_frames_are_told(tmp_path: Path) -> None:
    frames = {"1": {"objects": {"o": {"name": "car"}}, "classifications": []}, "2": {"objects": {"o": {"name": "car"}}}}
    message = {**radio("tone", "rude"), "message_id": "m1"}
    box = {"feature_id": "o1", "name": "car", "classifications": [radio("hue", "red")]}
    found = read(tmp_path, row(label(radio("mood", "Good", classifications=[radio("why", "sun")]), message,
                                     objects=[box, {**box, "classifications": []}], frames=frames)))  # fmt: skip
    assert show(found.annotations) == [
        ("nested_answer", "a: Good: why: sun"), ("nested_answer", "a: message_id m1: tone: rude"), ("a", "Good", "ann"),
        ("a#o1.1", "car", "ann"), ("nested_answer", "a#o1.1: car: hue: red"), ("a#o1.2", "car", "ann"),
        ("other_kind", "a: 2 frames of video: car in 2"),
    ]  # fmt: skip


def test_a_name_of_several_data_rows_is_told_apart_and_over_files_left_out(tmp_path: Path) -> None:
    good = label(radio("mood", "Good"))
    found = read(tmp_path, row(good), row(good, id="cb"), row(label(radio("mood", "Bad"), by="bob")))
    assert show(found.annotations) == [("ca/a", "Good", "ann"), ("cb/a", "Good", "ann"), ("ca/a", "Bad", "bob")]
    both = [read(tmp_path, row(good, id=number), name=f"{number}.jsonl") for number in ("ca", "cb")]
    assert [one.reason for one in gather(both).left if one.reason != "unread_key"] == ["one_id_two_items"] * 2


def test_a_question_of_several_projects_is_named_with_its_project(tmp_path: Path) -> None:
    record = row(label(radio("mood", "Good")))
    record["projects"]["Q"] = {"name": "Q", "labels": [label(radio("mood", "Bad"))]}
    with pytest.raises(SourceError, match="P: mood, Q: mood"):
        read(tmp_path, record)
    found = read(tmp_path, record, options=ReadOptions(question="Q: mood"))
    assert show(found.annotations) == [("a", "Bad", "ann")]
    assert any("[mood]" in key.path for key in found.unread)


def test_labels_of_model_runs_are_predictions(tmp_path: Path) -> None:
    record = {"data_row": {"id": "ca"}, "experiments": {"e": {"name": "net", "runs": {"r": {"labels": [label()]}}}}}
    found = read(tmp_path, record)
    assert [one[0] for one in show(found.annotations)] == ["prediction", "no_answer"]


OLDER = {
    "ID": "l1", "DataRow ID": "ca", "Labeled Data": "https://x.org/a?sig=1", "External ID": "a", "Created By": "ann",
    "Created At": "2020-01-02", "Seconds to Label": 9.5, "Skipped": False, "Reviews": [], "Project Name": "P",
    "Label": {"objects": [{"featureId": "o1", "title": "car", "bbox": {"top": 1},
                           "classifications": [{"title": "hue", "answer": {"title": "red"}}]}],
              "classifications": [{"featureId": "f", "title": "mood", "answer": {"title": "Good", "value": "good"}}]},
}  # fmt: skip


def test_the_older_export_is_read_as_json_and_as_csv(tmp_path: Path) -> None:
    skipped = {**OLDER, "Label": "Skip", "External ID": "b", "DataRow ID": "cb"}
    down = {**OLDER, "Reviews": [{"score": -1, "createdAt": "2020-01-03"}], "Created By": "bob"}
    expected = [
        ("a", "Good", "ann"), ("a#o1", "car", "ann"), ("nested_answer", "a#o1: car: hue: red"),
        ("skipped", "b, ann"), ("rejected", "a, bob"),
    ]  # fmt: skip
    rows = [OLDER, skipped, down]
    found = read_export(write_records(tmp_path, rows))
    assert (found.tool, show(found.annotations)) == ("labelbox-v1", expected)
    cells = [[one if isinstance(one, str) else json.dumps(one) for one in record.values()] for record in rows]
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in [list(OLDER), *cells]]
    (tmp_path / "in.csv").write_text("\n".join(lines))
    found = read_export(tmp_path / "in.csv")
    assert (found.tool, show(found.annotations)) == ("labelbox-v1", expected)


def test_each_key_of_the_older_export_is_read_or_told(tmp_path: Path) -> None:
    assert untold_marks(tmp_path, [OLDER]) == []
    # Of one question the name is not said; the label's number is used where a benchmark names it.
    assert {path[-1] for path in unseen_keys(tmp_path, [OLDER])} <= {"ID", "title"}


def test_the_oldest_labels_are_outlines_by_class_and_answers_by_question(tmp_path: Path) -> None:
    old = {"ID": "l", "DataRow ID": "c", "External ID": "a", "Label": {"car": [{"geometry": []}], "mood": "good"}}
    assert show(read_export(write_records(tmp_path, [old])).annotations) == [("a", "good", None), ("a#1", "car", None)]
