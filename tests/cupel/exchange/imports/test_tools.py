"""Every tool's export, in the shape that it documents: what is imported, and what is not with its reason."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cupel.errors import SourceError
from cupel.exchange.imports.tool import ReadOptions
from cupel.exchange.imports.tools import read_export
from cupel.people.tool_annotation import Annotation
from cupel.sources.reasons import BadRow


def written(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    if isinstance(content, list) and name.endswith(("l", "ndjson")):
        path.write_text("".join(f"{json.dumps(row)}\n" for row in content))
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def brief(found: list[Annotation | BadRow]) -> list[tuple[object, ...]]:
    return [
        (one.line, one.reason) if isinstance(one, BadRow) else (one.line, one.item_id, one.label, one.annotator)
        for one in found
    ]


def choice(name: str, *choices: str) -> dict[str, object]:
    return {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": list(choices)}}


def test_label_studio_choices_are_labels_and_regions_objects(tmp_path: Path) -> None:
    span = {"id": "r1", "from_name": "ner", "type": "labels", "value": {"start": 0, "end": 4, "labels": ["PER"]}}
    words = {"id": "r2", "from_name": "why", "type": "textarea", "value": {"text": ["so"]}}
    tasks = [
        {"id": 11, "data": {"text": "a"}, "annotations": [
            {"completed_by": {"email": "ann@x.org"}, "lead_time": 3.5, "created_at": "2024-05-01T10:00:00Z",
             "result": [choice("feel", "good"), span, words]},
            {"completed_by": 4, "was_cancelled": True, "result": []},
        ]},
        {"id": 12, "data": {"text": "b"}, "annotations": []},
        {"id": 13, "data": {"text": "c"}, "annotations": [{"result": [choice("feel", "good", "bad")]}]},
        "no task",
    ]  # fmt: skip
    export = read_export(written(tmp_path, "export.json", tasks))
    assert export.tool == "label-studio"
    assert brief(export.annotations) == [
        (1, "11", "good", "ann@x.org"), (1, "11#r1", "PER", "ann@x.org"), (1, "other_kind"), (1, "skipped"),
        (2, "no_answer"), (3, "several_choices"), (4, "not_an_object"),
    ]  # fmt: skip
    first = export.annotations[0]
    assert isinstance(first, Annotation)
    assert (first.seconds_spent, first.answered_at) == (3.5, datetime(2024, 5, 1, 10, tzinfo=UTC))


def test_of_several_label_studio_questions_one_must_be_named(tmp_path: Path) -> None:
    tasks = [{"id": 1, "data": {}, "annotations": [{"result": [choice("feel", "good"), choice("language", "en")]}]}]
    path = written(tmp_path, "export.json", tasks)
    with pytest.raises(SourceError, match="feel, language"):
        read_export(path)
    with pytest.raises(SourceError, match="no question 'mood'"):
        read_export(path, options=ReadOptions(question="mood"))
    assert brief(read_export(path, options=ReadOptions(question="language")).annotations) == [(1, "1", "en", None)]


def test_a_named_id_field_that_a_label_studio_task_lacks_is_told(tmp_path: Path) -> None:
    tasks = [
        {"id": 1, "data": {"key": "k1"}, "annotations": [{"result": [choice("q", "a")]}]},
        {"id": 2, "data": {}, "annotations": [{"result": [choice("q", "a")]}]},
    ]
    export = read_export(written(tmp_path, "e.json", tasks), options=ReadOptions(id_field="key"))
    assert brief(export.annotations) == [(1, "k1", "a", None), (2, "missing_id")]


CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version>
<meta><task><id>5</id><name>street</name><assignee><username>ann</username></assignee></task></meta>
<image id="0" name="a.jpg" width="4" height="4"><tag label="day" source="manual"></tag>
  <box label="car" xtl="0" ytl="0" xbr="1" ybr="1"><attribute name="colour">red</attribute></box>
  <polygon label="person" points="0,0;1,1;2,0"></polygon></image>
<image id="1" name="b.jpg" width="4" height="4"><tag label="day"></tag><tag label="night"></tag></image>
<image id="2" name="c.jpg" width="4" height="4"></image>
<track id="0" label="car"><box frame="0" xtl="0" ytl="0" xbr="1" ybr="1"></box></track>
</annotations>"""


def test_cvat_tags_are_labels_shapes_and_tracks_objects(tmp_path: Path) -> None:
    export = read_export(written(tmp_path, "cvat.xml", CVAT))
    assert export.tool == "cvat"
    assert brief(export.annotations) == [
        (1, "a.jpg", "day", "ann"), (1, "a.jpg#1", "car", "ann"), (1, "a.jpg#2", "person", "ann"),
        (2, "several_choices"), (3, "no_answer"), (4, "street#0", "car", "ann"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<annotations><image", "not valid XML"),
        ("<html></html>", "expected CVAT's <annotations>"),
        ('<!DOCTYPE a [<!ENTITY b "bbbb">]><annotations>&b;</annotations>', "entities"),
    ],
)
def test_xml_that_is_no_cvat_export_is_refused(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read_export(written(tmp_path, "cvat.xml", content))


def test_coco_annotations_are_objects_of_their_categories(tmp_path: Path) -> None:
    found = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "categories": [{"id": 3, "name": "cat"}],
        "annotations": [
            {"id": 8, "image_id": 1, "category_id": 3, "bbox": [0, 0, 1, 1]},
            {"id": 9, "image_id": 2, "category_id": 3},
            {"id": 10, "image_id": 1, "category_id": 4},
            7,
        ],
    }
    export = read_export(written(tmp_path, "coco.json", found), options=ReadOptions(annotator="vendor A"))
    assert export.tool == "coco"
    assert brief(export.annotations) == [
        (1, "a.jpg#8", "cat", "vendor A"), (2, "unknown_item"), (3, "unknown_category"), (4, "not_an_object"),
    ]  # fmt: skip


def labelbox_row(item: str, *labels: dict[str, object]) -> dict[str, object]:
    row = {"id": f"c{item}", "external_id": item, "row_data": f"https://x.org/{item}"}
    return {"data_row": row, "projects": {"p1": {"name": "P", "labels": list(labels)}}}


def labelbox_label(**annotations: object) -> dict[str, object]:
    details = {"created_by": "ann@x.org", "created_at": "2024-05-01T10:00:00.000+00:00"}
    return {"label_details": details, "performance_details": {"seconds_to_create": 9}, "annotations": annotations}


def test_labelbox_radio_answers_are_labels_and_objects_objects(tmp_path: Path) -> None:
    radio = {"name": "feel", "radio_answer": {"name": "Good", "value": "good"}}
    many = {"name": "feel", "checklist_answers": [{"name": "A"}, {"name": "B"}]}
    words = {"name": "feel", "text_answer": {"content": "so"}}
    rows = [
        labelbox_row("a", labelbox_label(classifications=[radio], objects=[{"feature_id": "f1", "name": "car"}])),
        labelbox_row("b", labelbox_label(classifications=[many])),
        labelbox_row("c", labelbox_label(classifications=[words])),
        labelbox_row("d"),
    ]
    export = read_export(written(tmp_path, "export.ndjson", rows))
    assert export.tool == "labelbox"
    assert brief(export.annotations) == [
        (1, "a", "Good", "ann@x.org"), (1, "a#f1", "car", "ann@x.org"),
        (2, "several_choices"), (3, "other_kind"), (4, "no_answer"),
    ]  # fmt: skip


def test_scale_categories_are_labels_and_annotations_objects(tmp_path: Path) -> None:
    tasks = [
        {"task_id": "t1", "status": "completed", "params": {"attachment": "x"}, "response": {"category": "cat"}},
        {"task_id": "t2", "unique_id": "u2", "status": "completed", "params": {},
         "response": {"annotations": [{"label": "car", "uuid": "o1", "left": 0}]}},
        {"task_id": "t3", "status": "pending", "params": {}},
        {"task_id": "t4", "status": "completed", "params": {}, "response": {"transcript": "so"}},
        {"task_id": "t5", "status": "completed", "params": {},
         "response": {"annotations": {"category": {"type": "category", "response": [["dog"]]}}}},
    ]  # fmt: skip
    expected = [
        (1, "t1", "cat", None), (2, "u2#o1", "car", None), (3, "not_finished"), (4, "other_kind"),
        (5, "t5", "dog", None),
    ]  # fmt: skip
    for name, content in (("tasks.json", tasks), ("tasks.jsonl", tasks), ("page.json", {"docs": tasks, "total": 5})):
        export = read_export(written(tmp_path, name, content))
        assert (export.tool, brief(export.annotations)) == ("scale", expected)


def test_doccano_labels_are_classes_and_spans_objects(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "text": "fine", "label": ["good"]},
        {"id": 2, "text": "Ann is here", "label": [[0, 3, "PER"]]},
        {"id": 3, "text": "Ann", "entities": [{"id": 5, "label": "PER", "start_offset": 0, "end_offset": 3}],
         "relations": [{"type": "knows"}]},
        {"id": 4, "text": "hm", "label": []},
        {"id": 5, "text": "hm", "label": [{"odd": 1}, "good"]},
    ]  # fmt: skip
    export = read_export(written(tmp_path, "ann.jsonl", rows), options=ReadOptions(annotator="ann"))
    assert export.tool == "doccano"
    assert brief(export.annotations) == [
        (1, "1", "good", "ann"), (2, "2#0-3", "PER", "ann"), (3, "3#0-3", "PER", "ann"), (3, "other_kind"),
        (4, "no_answer"), (5, "unexpected_shape"), (5, "5", "good", "ann"),
    ]  # fmt: skip


def test_a_table_has_a_row_an_answer(tmp_path: Path) -> None:
    content = "item_id,annotator,label,lead_time\n1,ann,good,2.5\n1,bob,bad,x\n2,ann,,1\n,ann,good,1\n3,ann\n"
    export = read_export(written(tmp_path, "answers.csv", content))
    assert export.tool == "table"
    assert brief(export.annotations) == [
        (2, "1", "good", "ann"), (3, "1", "bad", "bob"), (4, "no_answer"), (5, "missing_id"), (6, "field_count"),
    ]  # fmt: skip
    seconds = [one.seconds_spent for one in export.annotations if isinstance(one, Annotation)]
    assert seconds == [2.5, None]


def test_a_tool_that_did_not_write_the_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "answers.csv", "item_id,label\n1,a\n")
    with pytest.raises(SourceError, match="no export of coco"):
        read_export(path, "coco")
