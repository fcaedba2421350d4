"""SageMaker Ground Truth: consolidated labels, predictions, failures, boxes, spans, workers."""

import json
from pathlib import Path
from typing import Any

import pytest

from cupel.errors import SourceError
from cupel.exchange.imports.tool import ReadOptions
from cupel.exchange.imports.tools import read_export
from cupel.people.tool_annotation import Annotation
from tests.cupel.exchange.imports.export_keys import show, unseen_keys, untold_marks, write_records


def line(source: str = "s3://b/a.jpg", value: Any = 0, **metadata: Any) -> dict[str, Any]:
    said = {"human-annotated": "yes", "creation-date": "2024-05-01T10:00:00", **metadata}
    return {
        "source-ref": source,
        "job": value,
        "job-metadata": {key.replace("_", "-"): one for key, one in said.items()},
    }


def worker(number: str, **content: Any) -> dict[str, Any]:
    return {"workerId": number, "annotationData": {"content": json.dumps(content)}}


BOXES = {"annotations": [{"class_id": 0, "left": 1}, {"class_id": 5, "left": 2}], "image_size": [{"width": 4}]}
SPANS = {"annotations": {"entities": [{"label": "PER", "startOffset": 0, "endOffset": 3, "score": 1}]}}


def test_classes_boxes_spans_and_states_of_a_manifest(tmp_path: Path) -> None:
    rows = [
        line("a", class_name="cat", confidence=0.8), line("b", class_name="cat", human_annotated="no"),
        line("c", None, failure_reason="expired"), line("d", [0, 1], class_map={"0": "x", "1": "y"}),
        line("e", BOXES, class_map={"0": "dog"}, objects=[{"confidence": 1}]), line("f", SPANS), line("g", 3),
        line("h", "s3://b/mask.png"), {"source-ref": "i"},
    ]  # fmt: skip
    found = read_export(write_records(tmp_path, rows))
    assert found.tool == "sagemaker"
    assert show(found.annotations) == [
        ("a", "cat", None), ("prediction", "b: job: cat"), ("no_answer", "c: job: expired"),
        ("several_choices", "d: x, y"), ("e#1", "dog", None), ("no_answer", "e#2"), ("f#0-3", "PER", None),
        ("unknown_category", "g: job: 3, and no class-name"), ("other_kind", "h: job: s3://b/mask.png"),
        ("no_answer", "i"),
    ]  # fmt: skip
    assert "nobody's votes" in found.notices[0]


def test_data_objects_with_one_text_are_told_apart_and_a_field_can_name_them(tmp_path: Path) -> None:
    rows = [{"id": number, "source": "fine", **{key: one for key, one in line(class_name="x").items() if "job" in key}}
            for number in (1, 2)]  # fmt: skip
    found = read_export(write_records(tmp_path, rows))
    assert show(found.annotations) == [("line 1/fine", "x", None), ("line 2/fine", "x", None)]
    found = read_export(write_records(tmp_path, rows), options=ReadOptions(id_field="id"))
    assert show(found.annotations) == [("1", "x", None), ("2", "x", None)]


def test_of_several_label_attributes_one_is_named(tmp_path: Path) -> None:
    row = {**line(class_name="cat"), "tone": 1, "tone-metadata": {"class-name": "rude", "human-annotated": "yes"}}
    path = write_records(tmp_path, [row])
    with pytest.raises(SourceError, match="job, tone"):
        read_export(path)
    found = read_export(path, options=ReadOptions(question="tone"))
    assert [one[1] for one in show(found.annotations)] == ["rude"]
    assert "job" in [key.path for key in found.unread]


def test_workers_answers_are_read_with_who_gave_them(tmp_path: Path) -> None:
    answers = [
        worker("w1", image={"label": "cat"}), worker("w2", image={"labels": ["dog"]}),
        worker("w3", image={"cat": True, "dog": False}),
        worker("w4", image={"boundingBoxes": [{"label": "car", "left": 1}]}), worker("w5", image=[1]),
        {"workerId": "w6", "annotationData": {"content": "no JSON"}},
    ]  # fmt: skip
    expected = [
        ("s3://b/a.jpg", "cat", "w1"), ("s3://b/a.jpg", "dog", "w2"), ("s3://b/a.jpg", "cat", "w3"),
        ("s3://b/a.jpg#w4.1", "car", "w4"), ("other_kind", "s3://b/a.jpg: image: w5: [1]"),
        ("unexpected_shape", "s3://b/a.jpg: content: w6: 'no JSON'"),
    ]  # fmt: skip
    request = [{"datasetObjectId": "0", "dataObject": {"s3Uri": "s3://b/a.jpg"}, "annotations": answers}]
    assert show(read_export(write_records(tmp_path, request)).annotations) == expected
    manifest = [line("s3://b/a.jpg", {"annotationsFromAllWorkers": answers}, type="groundtruth/custom")]
    assert show(read_export(write_records(tmp_path, manifest)).annotations) == expected
    first = read_export(write_records(tmp_path, manifest)).annotations[0]
    assert isinstance(first, Annotation)
    assert first.answered_at is not None


def test_each_key_of_ground_truths_files_is_read_or_told(tmp_path: Path) -> None:
    manifest = {**line("e", BOXES, class_map={"0": "dog", "5": "cat"}, objects=[{"confidence": 1}]), "id": 7}
    spans = line("f", SPANS)
    content = {"image": {"boundingBoxes": [{"label": "car", "left": 1}], "inputImageProperties": {"width": 4}}}
    request = {"datasetObjectId": "0", "dataObject": {"s3Uri": "a"}, "annotations": [worker("w", **content)]}
    consolidated = {
        "datasetObjectId": "0",
        "consolidatedAnnotation": {"content": line("x", class_name="cat"), "more": 1},
    }
    for record in (manifest, spans, request, consolidated):
        # A map of classes has no keys of its own.
        assert [path for path in untold_marks(tmp_path, [record]) if path[-1] != "class-map"] == []
        # What is not said to be a model's is people's.
        assert {path[-1] for path in unseen_keys(tmp_path, [record])} <= {"human-annotated", "datasetObjectId"}


def test_files_without_objects_or_labels_are_refused_with_what_to_name(tmp_path: Path) -> None:
    for records, said in (
        ({"answers": [{"answerContent": {}, "workerId": "w"}]}, "consolidation-request"),
        ([{"source-ref": "s3://a"}], "output.manifest"),
    ):
        with pytest.raises(SourceError, match=said):
            read_export(write_records(tmp_path, records))  # type: ignore[arg-type]
