import json
from pathlib import Path
from typing import Any

import pytest

from cupel.errors import SourceError
from cupel.marks.canonical_text import BOXES, SEGMENTS, SPANS
from mark_exports import read_content

TABLES = [
    (BOXES, "item,annotator,class,x1,y1,x2,y2\na,ann,car,1,2,4,6.5\na,bob,car,,,,\n",
     [{"class": "car", "x": 1, "y": 2, "width": 3, "height": 4.5}]),
    (BOXES, "image,worker,label,x,y,width,height\na,ann,car,1,2,3,4.5\na,bob,,,,,\n",
     [{"class": "car", "x": 1, "y": 2, "width": 3, "height": 4.5}]),
    (SPANS, "item_id,user,category,start,end\na,ann,drug,3,9\na,bob,,,\n", [{"class": "drug", "start": 3, "end": 9}]),
    (SEGMENTS, "video,annotator,class,start_s,end_s\na,ann,run,0.1,2.05\na,bob,,,\n",
     [{"class": "run", "start": 100_000, "end": 2_050_000}]),
    (SEGMENTS, "video,annotator,class,start,end\na,ann,run,100000,2050000\na,bob,,,\n",
     [{"class": "run", "start": 100_000, "end": 2_050_000}]),
]  # fmt: skip


@pytest.mark.parametrize(("form", "content", "marks"), TABLES)
def test_a_row_is_a_mark_and_one_without_edges_an_empty_answer(
    tmp_path: Path, form: Any, content: str, marks: list[dict[str, Any]]
) -> None:
    found = read_content(tmp_path, "a.csv", content, form).imported
    assert [(one.annotator, json.loads(one.label)) for one in found.annotations] == [("ann", marks), ("bob", [])]


def test_rows_of_one_annotator_on_one_item_are_one_answer_wherever_they_stand(tmp_path: Path) -> None:
    rows = [
        {"item": 1, "annotator": who, "start": start, "end": start + 2} for start, who in ((4, "a"), (0, "b"), (0, "a"))
    ]
    content = "".join(json.dumps(row) + "\n" for row in rows)
    found = read_content(tmp_path, "a.jsonl", content, SPANS, classes=("drug",)).imported
    assert [(one.annotator, len(json.loads(one.label))) for one in found.annotations] == [("a", 2), ("b", 1)]


@pytest.mark.parametrize(
    ("content", "form", "reason"),
    [
        ("item,class,x1,y1,x2,y2\na,car,4,2,1,6\n", BOXES, "end_before_start"),
        ("item,class,x1,y1,x2,y2\na,car,1,2,,6\n", BOXES, "no_number"),
        ("item,class,start,end\na,drug,1,\n", SPANS, "no_number"),
        ("item,class,start_s,end_s\na,run,1,soon\n", SEGMENTS, "no_number"),
        ("item,class,start,end\n,drug,1,2\n", SPANS, "missing_id"),
    ],
)
def test_a_bad_row_costs_its_answer(tmp_path: Path, content: str, form: Any, reason: str) -> None:
    found = read_content(tmp_path, "a.csv", content, form).imported
    assert [one.reason for one in found.left] == [reason]
    assert found.annotations == []


@pytest.mark.parametrize(
    ("content", "form", "said"),
    [
        ("item,start,end\na,1,2\n", SPANS, "name the one class that there is with --classes"),
        ("item,class,start,end\na,b,1,2\n", BOXES, "no columns x1, y1, x2, y2 or"),
        ("item,class,x1,y1,x2,y2\na,b,1,2,3,4\n", SPANS, "no columns start, end; the table has class, item"),
    ],
)
def test_a_table_without_what_is_needed_is_refused(tmp_path: Path, content: str, form: Any, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read_content(tmp_path, "a.csv", content, form)
