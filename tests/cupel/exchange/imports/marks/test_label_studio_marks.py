import json
from pathlib import Path
from typing import Any

from cupel.marks.canonical_text import BOXES, SPANS
from mark_exports import read_content, studio_box, studio_span

OLD, NEW = "2024-05-01T10:00:00Z", "2024-05-02T10:00:00Z"


def note(who: str, results: list[Any], **more: Any) -> dict[str, Any]:
    return {"id": 1, "completed_by": {"id": 1, "email": who}, "result": results, **more}


def test_each_annotators_latest_answer_counts_and_models_are_told(tmp_path: Path) -> None:
    notes = [
        note("ann", [studio_span(0, 3)], updated_at=NEW, lead_time=7.5),
        note("ann", [], updated_at=OLD),
        note("bob", [], updated_at=OLD),
        note("eve", [studio_span(4, 7)], ground_truth=True),
        note("dan", [studio_span(4, 7)], last_action="rejected"),
    ]
    task = {"id": 5, "data": {"text": "one two"}, "annotations": notes, "predictions": [note("m", [])]}
    found = read_content(tmp_path, "a.json", json.dumps([task]), SPANS)
    answers = [(one.item_id, one.annotator, json.loads(one.label)) for one in found.imported.annotations]
    assert answers == [("5", "ann", [{"class": "drug", "start": 0, "end": 3}]), ("5", "bob", [])]
    assert found.imported.annotations[0].seconds_spent == 7.5
    reasons = sorted(one.reason for one in found.imported.left if one.reason != "unread_key")
    assert reasons == ["earlier_version", "ground_truth", "prediction", "rejected"]


def test_pages_of_a_task_are_items_of_their_own(tmp_path: Path) -> None:
    results = [studio_box(1, 1, 5, 5, item_index=page) for page in (0, 1)]
    task = {"id": 5, "data": {"images": ["a.jpg", "b.jpg"]}, "annotations": [note("ann", results)]}
    found = read_content(tmp_path, "a.json", json.dumps([task]), BOXES)
    assert [one.item_id for one in found.imported.annotations] == ["5#0", "5#1"]


def test_a_region_with_its_label_in_another_result_is_one_mark_and_others_are_told(tmp_path: Path) -> None:
    place = {"x": 1, "y": 1, "width": 5, "height": 5, "rotation": 0}
    size = {"original_width": 200, "original_height": 100}
    results = [
        {"id": "r", "type": "rectangle", "value": place, **size},
        {"id": "r", "type": "labels", "value": {**place, "labels": ["car", "red"]}, **size},
        {"id": "c", "type": "choices", "value": {"choices": ["day"]}},
    ]
    task = {"id": 5, "data": {"image": "a.jpg"}, "annotations": [note("ann", results)]}
    found = read_content(tmp_path, "a.json", json.dumps([task]), BOXES)
    assert [mark["class"] for mark in json.loads(found.imported.annotations[0].label)] == ["car", "red"]
    assert [one.evidence for one in found.imported.left] == ["5, ann: result c: choices"]
