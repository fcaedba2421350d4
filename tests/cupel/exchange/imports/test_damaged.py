"""Exports that were mended by hand: anything may stand anywhere, and nothing but a clear error comes of it."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cupel.errors import SourceError
from cupel.exchange.imports.answers import gather, write_answers
from cupel.exchange.imports.gate import Export
from cupel.exchange.imports.tool import ReadOptions
from cupel.exchange.imports.tools import read_export
from cupel.people.tool_annotation import Annotation, as_id

TASK = {"id": 1, "data": {"text": "a"}, "annotations": [
    {"completed_by": {"email": "a@b.c"}, "lead_time": 1.5, "created_at": "2024-05-01T10:00:00Z", "ground_truth": False,
     "result": [{"id": "r", "from_name": "q", "type": "choices", "value": {"choices": ["x"]}},
                {"id": "s", "from_name": "n", "type": "labels", "value": {"labels": ["PER"], "start": 0}}]},
]}  # fmt: skip
COCO = {"images": [{"id": 1, "file_name": "a"}], "categories": [{"id": 3, "name": "cat"}],
        "annotations": [{"id": 8, "image_id": 1, "category_id": 3}]}  # fmt: skip
LABELBOX = {"data_row": {"id": "a", "external_id": "a"}, "projects": {"p": {"labels": [
    {"label_details": {"created_by": "x", "created_at": "2024-05-01"}, "performance_details": {"seconds_to_create": 9},
     "annotations": {"objects": [{"feature_id": "f", "name": "car"}],
                     "classifications": [{"name": "q", "radio_answer": {"name": "Good"}}]}},
]}}}  # fmt: skip
SCALE = {"task_id": "t", "status": "completed", "params": {"attachment": "x"}, "completed_at": "2024-05-01",
         "response": {"category": "cat", "annotations": [{"label": "car", "uuid": "o"}]}}  # fmt: skip
DOCCANO = {"id": 1, "text": "a", "label": ["good", [0, 1, "PER"]], "entities": [{"label": "X", "start_offset": 0}]}
LABELBOX_V1 = {"ID": "l", "DataRow ID": "c", "Labeled Data": "u", "Created By": "x", "Reviews": [{"score": 1}],
    "Label": {"objects": [{"featureId": "f", "title": "car", "classifications": []}],
    "classifications": [{"title": "q", "answer": {"title": "Good"}}]}}  # fmt: skip
CALLBACK = {"task_id": "t", "response": {"annotations": {"q": {"type": "category", "response": [["x"]]}}},
            "task": {"params": {"unique_id": "u"}, "customer_review_status": "fixed"}}  # fmt: skip
MANIFEST = {"source-ref": "a", "job": {"annotations": [{"class_id": 0}]}, "job-metadata": {"class-map": {"0": "x"}}}
WORKERS = {"datasetObjectId": "0", "dataObject": {"s3Uri": "a"}, "annotations": [
    {"workerId": "w", "annotationData": {"content": {"q": {"label": "x"}}}}]}  # fmt: skip
OLD_DOCCANO = {"id": 1, "text": "a", "annotations": [{"label": 2, "user": 1}, {"label": 3, "start_offset": 0}]}
NOTE = TASK["annotations"][0]  # type: ignore[index]
STORED = {**NOTE, "id": 5, "task": {"id": 1, "data": {"text": "a"}, "project": 2}}
MESSAGE = {"action": "ANNOTATION_CREATED", "annotation": NOTE, "task": {"id": 1, "data": {"text": "a"}}}
ROW = {"id": 1, "text": "a", "mood": {"choices": ["x"]}, "box": [{"x": 1, "rectanglelabels": ["car"]}], "annotator": 7,
       "annotation_id": 3, "lead_time": 1.5, "created_at": "2024-05-01"}  # fmt: skip
PRODIGY = {"text": "a", "_input_hash": 1, "_task_hash": 2, "_session_id": "s", "answer": "accept",
           "_timestamp": 17072110, "accept": ["x"], "options": [{"id": "x", "text": "X"}],
           "spans": [{"start": 0, "end": 1, "label": "PER"}],
           "relations": [{"label": "of"}]}  # fmt: skip
BINARY = {"text": "a", "_input_hash": 1, "_task_hash": 2, "answer": "accept", "label": "x", "_timestamp": 17072110}
RESPONSE = {"value": "x", "user_id": "u", "status": "submitted"}
ARGILLA = {"id": "1", "fields": {"text": "a"}, "responses": {"q": [RESPONSE]}, "suggestions": {"q": {"value": "y"}}}
OF_API = {"id": "1", "fields": {"text": "a"}, "suggestions": [{"question_name": "q", "value": "y"}],
          "responses": [{"values": {"q": {"value": "x"}}, "user_id": "u", "status": "submitted"}]}  # fmt: skip
FLAT = {"id": "1", "text": "a", "q.responses": ["x", "y"], "q.responses.users": ["u", "v"], "q.suggestion": "x"}
FEEDBACK = {"id": "1", "text": "a", "q": [RESPONSE], "q-suggestion": "y"}
VERSION_1 = {"id": 1, "text": "a", "annotation": [{"start": 0, "end": 1, "label": "PER"}], "status": "Validated",
             "annotation_agent": "u", "prediction": [{"label": "x", "score": 1}], "metadata": {"a": 1}}  # fmt: skip
EXPORTS = (
    [TASK, TASK], COCO, [LABELBOX], [SCALE], {"docs": [SCALE]}, [DOCCANO], [OLD_DOCCANO], [STORED], [MESSAGE], [ROW],
    [PRODIGY], [BINARY, BINARY], [ARGILLA], [OF_API], [FLAT], [FEEDBACK], [VERSION_1],
    [LABELBOX_V1], [CALLBACK], [MANIFEST], [WORKERS],
)  # fmt: skip

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(found: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path to every value inside a JSON document."""
    inside = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    return [place for key, value in inside for place in ((*path, key), *places(value, (*path, key)))]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_value_of_any_kind_anywhere_is_told_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    document = deepcopy(data.draw(st.sampled_from(EXPORTS)))
    *parents, key = data.draw(st.sampled_from(places(document)))
    inside: Any = document
    for parent in parents:
        inside = inside[parent]
    inside[key] = data.draw(ANYTHING)
    path = tmp_path / "export.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    try:
        found = read_export(path, options=ReadOptions(annotator=None)).annotations
    except SourceError:
        return
    for one in found:
        assert one.line >= 1
        assert not isinstance(one, Annotation) or (as_id(one.item_id) and one.label)
    imported = gather([Export(path, "", "coco", found)])
    assert len(imported.annotations) + len(imported.left) == len(found)
    if imported.annotations:
        write_answers(imported, "one", "label", tmp_path / "answers.parquet")
