"""Label Studio's JSON_MIN, CSV and TSV: which column is the label, and what its cells hold."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from cupel.errors import SourceError
from cupel.exchange.imports.choices import make_reader
from cupel.exchange.imports.gate import Export
from cupel.exchange.imports.tool import ReadOptions
from cupel.exchange.imports.tools import read_export
from cupel.kinds.multilabel import MULTILABEL
from tests.cupel.exchange.imports.export_keys import show, unseen_keys, untold_marks, write_records

OF_NOTE = {"annotator": 7, "annotation_id": 3, "updated_at": "2026-01-02T03:04:05Z", "lead_time": 3.1}


def row(item: int, **more: Any) -> dict[str, Any]:
    return {"id": item, "text": f"text {item}", **OF_NOTE, **more}


def read(folder: Path, *rows: dict[str, Any], delimiter: str = "", **options: Any) -> Export:
    if not delimiter:
        return read_export(write_records(folder, list(rows)), options=ReadOptions(**options))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(
        {key: json.dumps(value) if isinstance(value, list | dict) else value for key, value in one.items()}
        for one in rows
    )
    path = folder / "export.csv"
    path.write_text(out.getvalue(), encoding="utf-8")
    return read_export(path, options=ReadOptions(**options))


@pytest.mark.parametrize("delimiter", ["", ",", "\t"])
def test_several_choices_of_one_cell_are_told_or_one_label_of_a_kind(tmp_path: Path, delimiter: str) -> None:
    rows = (row(1, mood="good"), row(2, mood={"choices": ["good", "bad"]}), row(3, mood=None))
    export = read(tmp_path, *rows, delimiter=delimiter)
    assert export.tool == "label-studio"
    assert show(export.annotations) == [("1", "good", "7"), ("several_choices", "2: good, bad"), ("no_answer", "3")]
    many = make_reader(MULTILABEL, ("good", "bad"))
    labels = [one[1] for one in show(read(tmp_path, *rows, delimiter=delimiter, read=many).annotations)]
    assert labels[:2] == ['["good"]', '["good","bad"]']


def test_regions_are_objects_named_by_their_annotation(tmp_path: Path) -> None:
    spans = [{"start": 0, "end": 4, "labels": ["PER"]}, {"start": 5, "end": 6, "labels": []}]
    export = read(tmp_path, row(1, label=spans), row(1, label=spans[:1], annotation_id=4, annotator=8))
    assert show(export.annotations) == [("1#3-1", "PER", "7"), ("no_answer", "1#3-2"), ("1#4-1", "PER", "8")]
    without = {key: value for key, value in row(1, label=spans[:1]).items() if key != "annotation_id"}
    assert [one[0] for one in show(read(tmp_path, without).annotations)] == ["unexpected_shape"]


def test_choices_beside_regions_may_be_about_them_and_those_with_a_place_are(tmp_path: Path) -> None:
    box = [{"x": 1, "rectanglelabels": ["Moth"]}, {"x": 2, "rectanglelabels": ["Moth"]}]
    placed = {"x": 1, "choices": ["Broken", "Old"]}
    export = read(tmp_path, row(1, box=box, state=["Broken", "Whole"]), row(2, box=box[:1], state=placed))
    assert [one[0] for one in show(export.annotations)] == ["nested_answer", "1#3-1", "1#3-2", "nested_answer", "2#3-1"]
    assert any("may be about regions (box)" in notice for notice in export.notices)


def test_answers_that_are_no_class_are_told_by_their_column(tmp_path: Path) -> None:
    export = read(tmp_path, row(1, sentiment="good", stars=[{"rating": 4}], tax=[{"taxonomy": [["Animal", "Moth"]]}]))
    rest = [("other_kind", "1: stars: [{'rating': 4}]"), ("other_kind", "1: tax: [{'taxonomy': [['Animal', 'Moth']]}]")]
    assert show(export.annotations) == [("1", "good", "7"), *rest]
    assert show(read(tmp_path, row(1, stars=[{"rating": 4}])).annotations) == rest[:1]


def test_skipped_rows_are_no_answers(tmp_path: Path) -> None:
    export = read(tmp_path, row(1, mood="good", was_cancelled="True"), row(2, mood="good", was_cancelled="False"),
                  delimiter=",", question="mood")  # fmt: skip
    assert [one[0] for one in show(export.annotations)] == ["skipped", "2"]


def test_of_several_columns_with_answers_one_must_be_named(tmp_path: Path) -> None:
    many = {"choices": ["a", "b"]}
    with pytest.raises(SourceError, match=r"asks several questions \(mood, theme\); name one with --question"):
        read(tmp_path, row(1, mood=many, theme=many))
    with pytest.raises(SourceError, match="no column looks like a label; name one with --question"):
        read(tmp_path, row(1, feel="good"))
    with pytest.raises(SourceError, match="no question 'x'; there is text, feel"):
        read(tmp_path, row(1, feel="good"), question="x")
    assert show(read(tmp_path, row(1, mood="a", theme=many), question="mood").annotations) == [("1", "a", "7")]


def test_every_key_of_a_row_is_used_or_told(tmp_path: Path) -> None:
    sample = [
        row(1, mood={"choices": ["good"]}, box=[{"x": 1, "rectanglelabels": ["Moth"]}], created_at="2026-01-01",
            stars=[{"rating": 4}], agreement=50, was_cancelled=False),
    ]  # fmt: skip
    assert unseen_keys(tmp_path, sample) == []
    # Choices with a further key are about a region, and are told whole.
    assert untold_marks(tmp_path, sample) in ([], [(0, "mood")])
