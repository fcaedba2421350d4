"""doccano's exports, old and new: names of classes, objects, answers a person, labels joined in a table."""

from pathlib import Path
from typing import Any

import pytest

from cupel.accept.delivery import read_delivery
from cupel.errors import SourceError
from cupel.exchange.imports.choices import make_reader
from cupel.exchange.imports.gate import Export
from cupel.exchange.imports.tool import ReadOptions
from cupel.exchange.imports.tools import read_export
from cupel.kinds.multilabel import MULTILABEL
from tests.cupel.exchange.imports.export_keys import show, unseen_keys, untold_marks, write_records


def read(folder: Path, *records: Any, **options: Any) -> Export:
    export = read_export(write_records(folder, list(records), "export.jsonl"), options=ReadOptions(**options))
    assert export.tool == "doccano"
    return export


def read_table(folder: Path, content: str, **options: Any) -> Export:
    path = folder / "export.csv"
    path.write_text(content)
    return read_export(path, options=ReadOptions(**options))


def test_intents_have_a_class_and_slots_and_pictures_boxes(tmp_path: Path) -> None:
    intent = {"id": 1, "text": "to Rome", "cats": ["travel"], "entities": [[3, 7, "CITY"]]}
    boxes = {"id": 2, "filename": "a.jpg", "bbox": [{"id": 9, "label": "cat", "x": 1, "y": 1, "width": 2, "height": 2}]}
    assert show(read(tmp_path, intent, boxes).annotations) == [
        ("1", "travel", None), ("1#3-7", "CITY", None), ("2#9", "cat", None),
    ]  # fmt: skip


def test_two_labels_of_one_span_are_several_choices(tmp_path: Path) -> None:
    export = read(tmp_path, {"id": 1, "text": "Ann", "label": [[0, 3, "PER"], [0, 3, "ORG"]]})
    assert show(export.annotations) == [("several_choices", "1#0-3: PER, ORG")]


def test_old_exports_have_an_answer_a_person(tmp_path: Path) -> None:
    answers = [
        {"label": 2, "user": 1, "updated_at": "2021-01-10T13:20:21Z"}, {"label": 3, "user": 4},
        {"label": 5, "user": 1, "start_offset": 0, "end_offset": 3},
    ]  # fmt: skip
    export = read(tmp_path, {"id": 1, "text": "Ann", "annotations": answers, "annotation_approver": "bob"})
    assert show(export.annotations) == [("1", "2", "1"), ("1#0-3", "5", "1"), ("1", "3", "4")]
    assert "labels are doccano's numbers" in export.notices[0]
    assert [key.path for key in export.unread] == ["annotation_approver"]


def test_joined_labels_of_a_table_are_several_choices_or_one_label_of_a_kind(tmp_path: Path) -> None:
    content = "id,data,label\n1,good and bad,pos#neg\n2,fine,pos\n"
    export = read_table(tmp_path, content)
    assert (export.tool, show(export.annotations)) == (
        "doccano", [("several_choices", "1: pos, neg"), ("2", "pos", None)],
    )  # fmt: skip
    many = make_reader(MULTILABEL, ("pos", "neg"))
    assert show(read_table(tmp_path, content, read=many).annotations)[0] == ("1", '["pos","neg"]', None)
    found = read_delivery(tmp_path / "export.csv")
    assert ([one.label for one in found.labels], [one.reason for one in found.rejected]) == (
        ["pos"],
        ["several_choices"],
    )


@pytest.mark.parametrize("label", ["C#", "#1", "sol#la", "b#2"])
def test_a_name_with_a_hash_in_a_table_of_others_stays_a_name(tmp_path: Path, label: str) -> None:
    columns = "text,id,label" if label == "sol#la" else "id,text,label"
    assert read_table(tmp_path, f"{columns}\n1,2,{label}\n").tool == "table"


def test_records_without_ids_are_refused_or_items_of_their_own(tmp_path: Path) -> None:
    record = {"text": "Ann", "labels": ["good"], "key": "k"}
    with pytest.raises(SourceError, match=r"--id, or say --no-ids"):
        read(tmp_path, record)
    assert show(read(tmp_path, record, id_field="key").annotations) == [("k", "good", None)]
    assert show(read(tmp_path, record, has_no_ids=True).annotations) == [("export.jsonl:1", "good", None)]


def test_one_id_shows_one_text(tmp_path: Path) -> None:
    (one,) = read(tmp_path, {"id": 1, "text": "fine", "label": ["good"]}).annotations
    assert getattr(one, "content", None) == "fine"


def test_every_key_of_a_record_is_used_or_told(tmp_path: Path) -> None:
    sample = [
        {"id": 1, "text": "Ann", "cats": ["a"], "Comments": ["hm"], "source": "web", "meta": {"page": 2},
         "entities": [{"id": 5, "label": "PER", "start_offset": 0, "end_offset": 3}],
         "relations": [{"id": 2, "from_id": 5, "to_id": 5, "type": "knows"}]},
        {"id": 2, "filename": "a.jpg", "bbox": [{"id": 9, "label": "cat", "x": 1}], "label": ["b"]},
        {"id": 3, "data": "x", "annotation_approver": "bob",
         "annotations": [{"id": 4, "label": "c", "user": 1, "username": "ann", "created_at": "2021-01-10", "prob": 1}]},
    ]  # fmt: skip
    assert unseen_keys(tmp_path, sample) == untold_marks(tmp_path, sample) == []
