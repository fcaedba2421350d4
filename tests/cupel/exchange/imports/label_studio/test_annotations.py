"""Label Studio's exports in JSON: answers about tasks and about regions, states, people, projects, messages."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cupel.errors import SourceError
from cupel.exchange.imports.tool import ReadOptions
from cupel.exchange.imports.tools import read_export
from cupel.people.tool_annotation import Annotation
from tests.cupel.exchange.imports.export_keys import show, unseen_keys, untold_marks, write_records

BOX = {"id": "b1", "from_name": "box", "type": "rectanglelabels", "value": {"x": 1, "rectanglelabels": ["Moth"]}}
PER_REGION = {"id": "b1", "from_name": "state", "type": "choices", "value": {"x": 1, "choices": ["Broken"]}}


def choice(name: str, *choices: str) -> dict[str, Any]:
    return {"id": f"r_{name}", "from_name": name, "type": "choices", "value": {"choices": list(choices)}}


def note(*results: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"completed_by": 7, "result": list(results), **more}


def task(*notes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": 1, "data": {"text": "a"}, "annotations": list(notes), **more}


def read(folder: Path, *records: Any, name: str = "e.json", **options: Any) -> list[tuple[object, ...]]:
    export = read_export(write_records(folder, list(records), name), options=ReadOptions(**options))
    assert export.tool == "label-studio"
    return show(export.annotations)


SAMPLE = [
    task(
        note(
            choice("mood", "good"), BOX | {"meta": {"text": ["odd"]}, "origin": "manual", "score": 0.5}, PER_REGION,
            {"id": "t", "from_name": "tax", "type": "taxonomy", "value": {"taxonomy": [["Animal", "Moth"]]}},
            {"id": "n", "from_name": "stars", "to_name": "text", "type": "rating", "value": {"rating": 4}},
            {"type": "relation", "from_id": "b1", "to_id": "t", "direction": "right", "labels": ["part"]},
            id=5, completed_by={"id": 7, "email": "ann@x.org", "first_name": "Ann"}, lead_time=3.5,
            created_at="2024-05-01T10:00:00Z", updated_at="2024-05-01T11:00:00Z", unique_id="u", task=1, project=2,
            draft_created_at="2024-05-01T09:00:00Z", import_id=3, last_action="accepted", parent_annotation=4,
            prediction={"score": 0.7, "model_version": "m"}, updated_by=8,
            reviews=[{"id": 9, "accepted": True, "created_by": {"id": 8}, "created_at": "2024-05-02T10:00:00Z"}],
        ),
        data={"text": "a", "image": "a.jpg", "id": "k1"}, project=2, meta={"source": "web"}, inner_id=1,
        drafts=[{"id": 2, "result": [choice("mood", "bad")]}], file_upload="x.json", comment_authors=[{"id": 3}],
        predictions=[{"model_version": "m", "score": 0.3, "result": [choice("mood", "bad")]}], agreement=50.0,
    ),
]  # fmt: skip


def test_every_key_of_an_export_is_used_or_told(tmp_path: Path) -> None:
    # A draft and a prediction are told as a whole; states are asked, and say nothing where the answer counts.
    unseen = [path for path in unseen_keys(tmp_path, SAMPLE) if path[1] not in ("drafts", "predictions")]
    assert {path[-1] for path in unseen} == {"last_action", "accepted", "created_at"}
    untold = [path for path in untold_marks(tmp_path, SAMPLE) if path[1] not in ("drafts", "predictions")]
    assert untold == []


def test_a_choice_about_a_region_is_no_answer_about_the_picture(tmp_path: Path) -> None:
    answers = read(tmp_path, task(note(BOX, PER_REGION)))
    assert answers == [("1#b1", "Moth", "7"), ("nested_answer", "1#b1: choices state: Broken")]
    of_region = PER_REGION | {"value": {"choices": ["Broken"]}}
    assert read(tmp_path, task(note(BOX, of_region))) == answers
    drawn_only = BOX | {"type": "rectangle", "value": {"x": 1, "y": 1, "width": 2, "height": 2}}
    without_label = read(tmp_path, task(note(drawn_only, of_region)))
    assert without_label == [("other_kind", "1: rectangle box"), ("nested_answer", "1#b1: choices state: Broken")]
    of_page = choice("state", "Broken") | {"item_index": 2}
    assert read(tmp_path, task(note(of_page))) == [("nested_answer", "1#2: choices state: Broken")]


def test_the_question_about_regions_can_be_named(tmp_path: Path) -> None:
    found = read(tmp_path, task(note(BOX, PER_REGION, choice("mood", "good"))), question="state")
    assert found == [("1#b1", "Broken", "7"), ("nested_answer", "1#b1: rectanglelabels box: Moth")]


def test_a_region_that_two_controls_label_is_told_and_one_without_label_too(tmp_path: Path) -> None:
    other = BOX | {"from_name": "age", "value": {"labels": ["Old"]}}
    bare = {"id": "b2", "from_name": "box", "type": "rectanglelabels", "value": {"x": 1}}
    assert read(tmp_path, task(note(BOX, other, bare))) == [
        ("several_choices", "1#b1: Moth, Old"), ("no_answer", "1#b2: rectanglelabels box without a label"),
    ]  # fmt: skip


def test_states_are_told_and_are_no_answers(tmp_path: Path) -> None:
    good = choice("mood", "good")
    refused = {"accepted": False, "created_at": "2024-05-02T10:00:00Z"}
    notes = [
        note(good, was_cancelled=True), note(good, skipped=True), note(good, reviews=[refused]),
        note(good, last_action="rejected"), note(good, reviews=[{"accepted": True, "fixed_annotation_history": 3}]),
        note(good, reviews=[{"accepted": True, "created_at": "2024-05-03"}, refused], completed_by=8),
    ]  # fmt: skip
    model = {"model_version": "m", "result": [good]}
    found = read(tmp_path, task(*notes, drafts=[note(good)], predictions=[model]))
    assert [one[0] for one in found] == [
        "skipped", "skipped", "rejected", "rejected", "rejected", "1", "not_finished", "prediction",
    ]  # fmt: skip


def test_an_answer_that_was_changed_after_its_review_counts(tmp_path: Path) -> None:
    changed = note(choice("mood", "good"), reviews=[{"accepted": False}], last_action="updated")
    assert read(tmp_path, task(changed)) == [("1", "good", "7")]


def test_ground_truth_and_people_are_marked(tmp_path: Path) -> None:
    who = {"id": 7, "email": "ann@x.org"}
    path = write_records(tmp_path, [task(note(choice("q", "a"), completed_by=who, ground_truth=True))])
    (one,) = read_export(path).annotations
    assert isinstance(one, Annotation)
    assert (one.annotator, one.annotator_number, one.is_truth, one.content) == ("ann@x.org", "7", True, "a")


def test_a_comparison_is_an_answer_and_other_controls_are_told_by_name(tmp_path: Path) -> None:
    pair = {"id": "p", "from_name": "pw", "type": "pairwise", "value": {"selected": "left"}}
    stars = {"id": "s", "from_name": "stars", "type": "rating", "value": {"rating": 4}}
    words = {"id": "w", "from_name": "why", "type": "textarea", "value": {"text": ["so"]}}
    assert read(tmp_path, task(note(pair, stars, words))) == [
        ("1", "left", "7"), ("other_kind", "1: rating stars: 4"), ("other_kind", "1: textarea why"),
    ]  # fmt: skip


def test_several_questions_are_named_with_the_option_that_chooses(tmp_path: Path) -> None:
    repeated = task(note(choice("target_0", "yes"), choice("target_1", "no")))
    with pytest.raises(SourceError, match=r"target_0, target_1\); name one with --question"):
        read(tmp_path, repeated)
    path = write_records(tmp_path, [repeated])
    export = read_export(path, options=ReadOptions(question="target_0"))
    assert show(export.annotations) == [("1", "yes", "7")]
    assert ("annotations[].result[], from_name target_1", "no") in [(key.path, key.found) for key in export.unread]


def test_an_annotation_that_skips_the_question_of_the_others_has_no_answer(tmp_path: Path) -> None:
    found = read(tmp_path, task(note(choice("mood", "good")), note(BOX, completed_by=8)))
    assert found == [("1", "good", "7"), ("no_answer", "1"), ("1#b1", "Moth", "8")]


def test_exports_of_before_version_1_are_read(tmp_path: Path) -> None:
    old = {"id": 1, "data": {"text": "a"}, "completions": [note(choice("q", "a"), created_at=1606319467)]}
    (one,) = read_export(write_records(tmp_path, [old])).annotations
    assert isinstance(one, Annotation)
    assert one.answered_at == datetime(2020, 11, 25, 15, 51, 7, tzinfo=UTC)


def test_a_file_is_known_by_any_of_its_tasks(tmp_path: Path) -> None:
    bare = {"id": 3, "data": {"text": "c"}}
    assert read(tmp_path, bare, task(note(choice("q", "a")))) == [("no_answer", "3"), ("1", "a", "7")]


def test_a_storage_file_holds_an_annotation_with_its_task(tmp_path: Path) -> None:
    stored = note(choice("q", "a"), id=5, task={"id": 3, "data": {"text": "a"}})
    assert read(tmp_path, stored, name="e.jsonl") == [("3", "a", "7")]
    (tmp_path / "5.json").write_text(write_records(tmp_path, [stored], "e.jsonl").read_text())
    assert show(read_export(tmp_path / "5.json").annotations) == [("3", "a", "7")]
    assert unseen_keys(tmp_path, [stored]) == []


def test_messages_of_webhooks_are_read_and_deleted_annotations_do_not_count(tmp_path: Path) -> None:
    def message(number: int, label: str) -> dict[str, Any]:
        given = note(choice("q", label), id=number)
        return {"action": "ANNOTATION_CREATED", "annotation": given, "task": {"id": number, "data": {"text": "a"}}}

    deleted = {"action": "ANNOTATIONS_DELETED", "annotations": [{"id": 2}], "project": {"id": 1}}
    assert read(tmp_path, message(1, "a"), message(2, "b"), deleted) == [
        ("1", "a", "7"), ("rejected", "annotation 2 was deleted"), ("no_answer", "2"),
        ("unknown_item", "ANNOTATIONS_DELETED: the message names no task: nothing in it can be imported"),
    ]  # fmt: skip


def test_tasks_of_several_projects_in_one_file_are_several_items(tmp_path: Path) -> None:
    given = note(choice("q", "a"))
    assert [one[0] for one in read(tmp_path, task(given, project=1), task(given, project=2))] == ["1/1", "2/1"]


def test_what_is_no_object_in_its_place_is_told(tmp_path: Path) -> None:
    odd = task(note(choice("q", "a")))
    odd["annotations"] += [5]
    odd["annotations"][0]["result"] += ["x"]
    reasons = [one[0] for one in read(tmp_path, odd)]
    assert sorted(map(str, reasons)) == ["1", "unexpected_shape", "unexpected_shape"]
