"""Argilla's records in their shapes: flat and nested, of feedback datasets, of version 1."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cupel.errors import SourceError
from cupel.exchange.imports.gate import Export
from cupel.exchange.imports.tool import ReadOptions
from cupel.exchange.imports.tools import read_export
from tests.cupel.exchange.imports.export_keys import show, unseen_keys, untold_marks, write_records

FLAT = {
    "id": "1", "text": "a", "label.responses": ["pos", "neg", "neu"], "label.responses.users": ["u1", "u2", "u3"],
    "label.responses.status": ["submitted", "discarded", "draft"], "label.suggestion": "neg",
    "label.suggestion.score": 0.5, "label.suggestion.agent": "m", "_server_id": "s", "status": "completed",
}  # fmt: skip
NESTED = {
    "id": "1", "fields": {"text": "a"}, "metadata": {"source": "web"}, "vectors": {"v": [0.5]}, "_server_id": "s",
    "suggestions": {"label": {"value": "neg", "score": 0.5, "agent": "m"}},
    "responses": {"label": [{"value": value, "user_id": user, "status": status} for value, user, status in
                            (("pos", "u1", "submitted"), ("neg", "u2", "discarded"), ("neu", "u3", "draft"))]},
}  # fmt: skip
OF_API = NESTED | {
    "responses": [{"values": {"label": {"value": value}}, "user_id": user, "status": status} for value, user, status in
                  (("pos", "u1", "submitted"), ("neg", "u2", "discarded"), ("neu", "u3", "draft"))],
    "suggestions": [{"question_name": "label", "value": "neg", "score": 0.5, "agent": "m", "type": "model"}],
}  # fmt: skip
FEEDBACK = {
    "id": "1", "text": "a", "metadata": '{"source": "web"}', "label-suggestion": "neg",
    "label-suggestion-metadata": {"score": 0.5}, "label": NESTED["responses"]["label"],  # type: ignore[index]
}  # fmt: skip
SHAPES = [FLAT, NESTED, OF_API, FEEDBACK]
ANSWERS = [
    ("1", "pos", "u1"), ("skipped", "1, u2: label: neg"), ("not_finished", "1, u3: label: neu"),
    ("prediction", "1, m: label: neg"),
]  # fmt: skip


def read(folder: Path, *records: Any, **options: Any) -> Export:
    export = read_export(write_records(folder, list(records)), options=ReadOptions(**options))
    assert export.tool == "argilla"
    return export


@pytest.mark.parametrize("record", SHAPES)
def test_submitted_responses_are_answers_in_every_shape(tmp_path: Path, record: dict[str, Any]) -> None:
    *answers, suggestion = show(read(tmp_path, record).annotations)
    assert answers == ANSWERS[:-1]
    assert suggestion == (("prediction", "1: label: neg") if record is FEEDBACK else ANSWERS[-1])


@pytest.mark.parametrize("record", SHAPES)
def test_every_key_of_a_record_is_used_or_told(tmp_path: Path, record: dict[str, Any]) -> None:
    assert unseen_keys(tmp_path, [record]) == untold_marks(tmp_path, [record]) == []


def test_parquet_of_a_dataset_is_read_and_a_printed_table_refused(tmp_path: Path) -> None:
    path = tmp_path / "records.parquet"
    pq.write_table(pa.Table.from_pylist([FLAT]), path)
    assert show(read_export(path).annotations) == ANSWERS
    columns = {
        **FEEDBACK,
        "label": {key: [one[key] for one in FEEDBACK["label"]] for key in ("value", "user_id", "status")},
    }
    pq.write_table(pa.Table.from_pylist([columns]), path)
    assert show(read_export(path).annotations)[:-1] == ANSWERS[:-1]
    printed = tmp_path / "records.csv"
    printed.write_text("id,text,label.responses\n1,a,['pos' 'neg']\n")
    with pytest.raises(SourceError, match=r"export it with `dataset.records.to_json\(FILE\)`"):
        read_export(printed)


@pytest.mark.parametrize("document", [{key: [value] for key, value in FLAT.items()}, {"1": FLAT}])
def test_records_by_column_or_by_id_are_refused_with_what_to_do(tmp_path: Path, document: dict[str, Any]) -> None:
    path = write_records(tmp_path, [])
    path.write_text(json.dumps(document))
    with pytest.raises(SourceError, match="by column or by id; export it with"):
        read_export(path)


def test_of_several_questions_one_is_named_and_numbers_are_labels_of_a_named_one(tmp_path: Path) -> None:
    record = {"id": "1", "text": "a", "mood.responses": ["good"], "why.responses": ["so"], "stars.responses": [4],
              "spans.responses": [[{"start": 0, "end": 1, "label": "A"}]], 
              "rank.responses": [[{"value": "x", "rank": 1}]]}  # fmt: skip
    with pytest.raises(SourceError, match=r"several questions \(mood, why\); name one with --question"):
        read(tmp_path, record)
    export = read(tmp_path, record, question="mood")
    assert show(export.annotations) == [
        ("1", "good", None), ("other_kind", "1: stars: 4"), ("1#0-1", "A", None),
        ("other_kind", "1: rank: [{'value': 'x', 'rank': 1}]"),
    ]  # fmt: skip
    assert [key.path for key in export.unread] == ["responses.why"]
    assert "without a status" in export.notices[0]
    assert show(read(tmp_path, record, question="stars").annotations)[0] != ("1", "good", None)


def test_lists_of_different_lengths_are_told(tmp_path: Path) -> None:
    record = FLAT | {"label.responses": ["pos"]}
    assert [one[0] for one in show(read(tmp_path, record).annotations)] == [
        "unexpected_shape",
        "no_answer",
        "prediction",
    ]


def of_version_1(status: str, annotation: Any, **more: Any) -> dict[str, Any]:
    return {"id": status, "text": "Ann", "prediction": None, "annotation": annotation, "annotation_agent": "ann",
            "status": status, "metadata": {}, **more}  # fmt: skip


def test_records_of_version_1_count_where_they_are_validated(tmp_path: Path) -> None:
    tokens = of_version_1("Validated", [{"start": 0, "end": 3, "label": "PER"}], tokens=["Ann"]) | {"id": "t"}
    text = of_version_1("Validated", "an answer", prediction=[{"text": "so", "score": 0.5}]) | {"id": "x"}
    many = of_version_1("Validated", ["a", "b"], multi_label=True) | {"id": "m"}
    export = read(tmp_path, of_version_1("Validated", "pos", prediction=[{"label": "neg", "score": 0.5}]),
                  of_version_1("Default", "pos"), of_version_1("Discarded", None), of_version_1("Edited", "pos"),
                  tokens, text, many)  # fmt: skip
    assert [one[0] for one in show(export.annotations)] == [
        "Validated", "prediction", "not_finished", "skipped", "not_finished", "t#0-3", "other_kind", "prediction",
        "several_choices",
    ]  # fmt: skip
    assert {key.path for key in export.unread} == {"tokens", "multi_label"}
