"""Prodigy's records: decisions on labels, choices, spans, sessions."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cupel.errors import SourceError
from cupel.exchange.imports.choices import make_reader
from cupel.exchange.imports.gate import Export
from cupel.exchange.imports.tool import ReadOptions
from cupel.exchange.imports.tools import read_export
from cupel.kinds.multilabel import MULTILABEL
from cupel.people.tool_annotation import Annotation
from tests.cupel.exchange.imports.export_keys import show, unseen_keys, untold_marks, write_records


def record(item: int = 1, answer: str | None = "accept", **more: Any) -> dict[str, Any]:
    hashes = {"_input_hash": item, "_task_hash": item + 10}
    return {"text": f"text {item}", **hashes, "_session_id": "db-ann", "answer": answer, **more}


def read(folder: Path, *records: Any, **options: Any) -> Export:
    export = read_export(write_records(folder, list(records), "export.jsonl"), options=ReadOptions(**options))
    assert export.tool == "prodigy"
    return export


def test_only_accepted_labels_are_answers(tmp_path: Path) -> None:
    decided = [
        record(number, answer, label="POS") for number, answer in enumerate(("accept", "reject", "ignore", None), 1)
    ]
    assert show(read(tmp_path, *decided).annotations) == [
        ("1", "POS", "db-ann"), ("rejected", "2: POS"), ("skipped", "3: POS"), ("not_finished", "4: POS"),
    ]  # fmt: skip


def test_labels_that_one_person_accepts_one_by_one_are_choices_of_one_answer(tmp_path: Path) -> None:
    decided = [record(label="POS"), record(label="SAD", answer="reject"), record(label="NEW"),
               record(label="POS", _session_id="db-bob")]  # fmt: skip
    assert show(read(tmp_path, *decided).annotations) == [
        ("rejected", "1: SAD"), ("several_choices", "1: POS, NEW"), ("1", "POS", "db-bob"),
    ]  # fmt: skip
    many = make_reader(MULTILABEL, ("POS", "NEW", "SAD"))
    assert ("1", '["POS","NEW"]', "db-ann") in show(read(tmp_path, *decided, read=many).annotations)


def test_of_several_decisions_on_one_label_the_latest_counts(tmp_path: Path) -> None:
    decided = [record(label="POS", answer="reject", _timestamp=1707211050), record(label="POS", _timestamp=1707211049)]
    assert show(read(tmp_path, *decided).annotations) == [("earlier_version", "1: POS"), ("rejected", "1: POS")]


def test_choices_are_ids_of_options_and_their_texts_are_said(tmp_path: Path) -> None:
    options = [{"id": 1, "text": "good"}, {"id": 2, "text": "bad"}]
    shown = {"options": options, "_view_id": "choice", "spans": [{"start": 0, "end": 2, "label": "GOOD"}]}
    chosen = [record(number, accept=ids, **shown) for number, ids in enumerate(([1], [1, 2], []), 1)]
    export = read(tmp_path, *chosen, record(4, answer="reject", accept=[2], **shown))
    assert show(export.annotations) == [
        ("1", "1", "db-ann"), ("several_choices", "2: 1, 2"), ("no_answer", "3"), ("rejected", "4: 2"),
    ]  # fmt: skip
    assert export.notices == ["export.jsonl: labels are ids of options: 1 is 'good', 2 is 'bad'"]
    assert "spans" in {key.path for key in export.unread}


def test_spans_are_objects_and_outlines_are_named_by_their_points(tmp_path: Path) -> None:
    spans = [
        {"start": 0, "end": 4, "label": "PER"},
        {"start": 0, "end": 4, "label": "ORG"},
        {"start": 5, "end": 6, "label": "X"},
    ]
    box = {"points": [[1, 1], [2, 2]], "label": "CAR", "color": "red"}
    drawn = {"image": "a.jpg", **record(2, spans=[box], _view_id="image_manual", _session_id="db-bob")}
    export = read(tmp_path, record(1, spans=spans, _view_id="spans_manual"), drawn, record(3, spans=[]),
                  drawn | {"_session_id": "db-ann"})  # fmt: skip
    found = show(export.annotations)
    assert found[:2] == [("several_choices", "1#0-4: PER, ORG"), ("1#5-6", "X", "db-ann")]
    assert found[3] == ("no_answer", "3")
    assert found[2][0] == found[4][0] != "2#1"


def test_a_session_that_nobody_named_is_nobody_and_times_are_seconds(tmp_path: Path) -> None:
    export = read(tmp_path, record(label="POS", _session_id="2024-02-06_10-17-19", _timestamp=1707211049))
    (one,) = export.annotations
    assert isinstance(one, Annotation)
    assert (one.annotator, one.answered_at) == (None, datetime(2024, 2, 6, 9, 17, 29, tzinfo=UTC))
    assert "who answered is not told" in export.notices[0]


def test_relations_are_told_and_a_table_with_accepted_rows_is_a_table(tmp_path: Path) -> None:
    assert show(read(tmp_path, record(relations=[{"head": 1, "child": 2, "label": "of"}])).annotations) == [
        ("no_answer", "1"), ("other_kind", "1: relation of"),
    ]  # fmt: skip
    rows = [{"id": 1, "text": "a", "answer": "accept", "who": "ann"}]
    assert read_export(write_records(tmp_path, rows), options=ReadOptions(question="answer")).tool == "table"


def test_records_without_a_hash_are_refused_or_named_by_a_field(tmp_path: Path) -> None:
    bare = {"text": "a", "label": "POS", "answer": "accept", "key": "k"}
    with pytest.raises(SourceError, match=r"'_input_hash' or 'id'; name the item's field with --id"):
        read(tmp_path, bare)
    assert show(read(tmp_path, bare, id_field="key").annotations) == [("k", "POS", None)]


def test_every_key_of_a_record_is_used_or_told(tmp_path: Path) -> None:
    token = {"text": "Ann", "start": 0, "end": 3, "id": 0}
    sample = [
        record(1, label="POS", meta={"page": 1}, score=0.5, spans=[token], priority=0.5, _timestamp=1707211049),
        record(2, accept=["a"], options=[{"id": "a", "text": "A", "style": "bold"}], _annotator_id="ann",
               user_input="so", config={"choice_style": "single"}),
        record(3, tokens=[token], spans=[{"start": 0, "end": 3, "label": "PER", "token_start": 0, "token_end": 0}],
               _view_id="ner_manual", relations=[{"head": 1, "child": 2, "label": "of"}], label="PER"),
    ]  # fmt: skip
    assert unseen_keys(tmp_path, sample) == untold_marks(tmp_path, sample) == []
