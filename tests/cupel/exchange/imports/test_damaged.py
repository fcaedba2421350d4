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
EXPORTS = (
    [TASK, TASK],
    COCO,
    [LABELBOX],
    [SCALE],
    {"docs": [SCALE]},
    [DOCCANO],
    [LABELBOX_V1],
    [CALLBACK],
    [MANIFEST],
    [WORKERS],
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(found: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path to every value inside a JSON document."""
    inside = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    return [place for key, value in inside for place in ((*path, key), *places(value, (*path, key)))]


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
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
