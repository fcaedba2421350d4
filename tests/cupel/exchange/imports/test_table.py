"""Plain tables: roles are said or asked for, states count, objects stay objects, values are read alike."""

import datetime
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from cupel.accept.delivery import read_delivery
from cupel.cli import main
from cupel.errors import SourceError
from cupel.exchange.imports.gate import Export
from cupel.exchange.imports.table_columns import find_annotator_columns
from cupel.exchange.imports.tool import ReadOptions
from cupel.exchange.imports.tools import read_export
from cupel.people.tool_annotation import Annotation
from cupel.sources.reasons import BadRow, Row

WIDE = "id,text,rater_1,rater_2,label\n1,fine,good,good,good\n2,hm,bad,,bad\n3,no,,,bad\n4,so,nan,good,good\n"


def write(folder: Path, content: str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_text(content)
    return path


def brief(export: Export) -> list[tuple[Any, ...]]:
    return [
        (one.item_id, one.label, one.annotator) if isinstance(one, Annotation) else (one.line, one.reason)
        for one in export.annotations
    ]


def test_a_column_an_annotator_is_read_where_they_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, WIDE)
    export = read_export(path, options=ReadOptions(annotators=("rater_1", "rater_2")))
    assert brief(export) == [
        ("1", "good", "rater_1"), ("1", "good", "rater_2"), ("2", "bad", "rater_1"), (4, "no_answer"), (5, "no_answer"),
        ("4", "good", "rater_2"),
    ]  # fmt: skip
    assert {one.path for one in export.unread} == {"label"}
    assert any("3 cells of annotators are empty" in notice for notice in export.notices)
    first = export.annotations[0]
    assert isinstance(first, Annotation)
    assert first.fields == {"text": "fine"}


@pytest.mark.parametrize(
    ("header", "rows", "named"),
    [
        ("id,text,rater_1,rater_2,label", ["1,a,x,x,x"], "rater_1,rater_2"),
        ("id,text,Annotator A,Annotator B", ["1,a,x,x"], "Annotator A,Annotator B"),
        ("id,text,coder1_label,coder2_label", ["1,a,x,x"], "coder1_label,coder2_label"),
        ("id,text,label_1,label_2", ["1,a,x,x"], "label_1,label_2"),
        ("id,text,anna,ben", ["1,a,x,y", "2,b,y,x", "3,c,x,x"], "anna,ben"),
    ],
)
def test_a_column_an_annotator_is_recognised_and_the_option_is_named(
    tmp_path: Path, header: str, rows: list[str], named: str
) -> None:
    path = write(tmp_path, "\n".join([header, *rows, ""]))
    with pytest.raises(SourceError, match=f"--annotators {named}"):
        read_export(path)
    call = ["import", str(path), "--batch", "b", "--answers", str(tmp_path / "a.csv"), "--annotators", named]
    done = CliRunner().invoke(main, call)
    assert done.exit_code == 0, done.output
    assert f"{2 * len(rows)} answers on {len(rows)} items by 2 annotators" in done.output
    if "label" not in header.split(","):
        with pytest.raises(SourceError, match=f"--annotators {named}"):
            read_delivery(path)
    assert len(read_delivery(path, annotators=tuple(named.split(","))).rejected) == (2 if len(rows) > 1 else 0)


def test_columns_of_the_item_are_no_annotators() -> None:
    rows = [
        Row(n, {"premise": f"a{n}", "toxic": n % 2, "obscene": n % 2, "is_new": "true", "is_old": "false"})
        for n in range(5)
    ]
    assert find_annotator_columns(["premise", "toxic", "obscene", "is_new", "is_old"], rows) == []
    assert find_annotator_columns(["text_1", "text_2", "answer_a", "answer_b"]) == []


def test_named_annotators_must_be_columns_of_a_plain_table_with_ids(tmp_path: Path) -> None:
    for content, options, said in (
        (WIDE, ReadOptions(annotators=("nobody",)), "no column 'nobody' \\(--annotators\\)"),
        (WIDE, ReadOptions(annotators=("id", "rater_1"), id_field="id"), "also named for another role"),
        (WIDE, ReadOptions(annotators=("rater_1",), question="label"), "leave out --question"),
        ("text,a,b\nx,y,z\n", ReadOptions(annotators=("a", "b")), "--no-ids"),
        ("HITId,WorkerId,Answer.a\n1,2,x\n", ReadOptions(annotators=("WorkerId",)), "mturk wrote the file"),
    ):
        with pytest.raises(SourceError, match=said):
            read_export(write(tmp_path, content), options=options)


def test_states_of_answers_are_read_and_states_of_items_are_not(tmp_path: Path) -> None:
    answers = "id,annotator,label,status\n1,a,x,accepted\n2,a,x,rejected\n3,a,y,Skipped\n4,a,y,draft\n5,a,y,\n"
    found = read_export(write(tmp_path, answers))
    assert brief(found) == [("1", "x", "a"), (3, "rejected"), (4, "skipped"), (5, "not_finished"), ("5", "y", "a")]
    assert any("'status' say whether an answer counts" in notice for notice in found.notices)
    delivery = read_delivery(tmp_path / "t.csv")
    assert [one.item_id for one in delivery.labels] == ["1", "5"]
    assert {one.reason for one in delivery.rejected} == {"rejected", "skipped", "not_finished"}
    flagged = read_export(write(tmp_path, "id,label,is_skipped\n1,x,false\n2,y,true\n"))
    assert brief(flagged) == [("1", "x", None), (3, "skipped")]
    items = read_export(write(tmp_path, "id,label,status\n1,x,shipped\n2,y,cancelled\n"))
    assert brief(items) == [("1", "x", None), ("2", "y", None)]


def test_states_are_read_or_told_where_some_words_are_not_known(tmp_path: Path) -> None:
    rows = "id,annotator,label,review_status\n1,ann,x,\n2,ann,x,rejected\n3,ann,y,second look\n"
    found = read_export(write(tmp_path, rows))
    assert brief(found) == [("1", "x", "ann"), (3, "rejected"), ("3", "y", "ann")]
    assert any("'second look' count" in notice for notice in found.notices)
    skipped = "id,annotator,label,status\n1,ann,x,Done\n2,ann,x,second look\n3,ann,y,Skipped\n"
    assert brief(read_export(write(tmp_path, skipped)))[2] == (4, "skipped")
    orders = "id,label,status,deleted\n1,x,shipped,true\n2,y,cancelled,false\n"
    found = read_export(write(tmp_path, orders))
    assert brief(found) == [("1", "x", None), ("2", "y", None)]
    for column in ("'status' (cancelled, shipped)", "'deleted' (false, true)"):
        said = f"{column} may say which answers count, and is not read"
        assert any(said in notice for notice in found.notices)
        assert any(said in notice for notice in read_delivery(tmp_path / "t.csv").notices)


def test_a_table_with_workers_of_mechanical_turk_and_a_label_of_its_own_is_a_table(tmp_path: Path) -> None:
    rows = "HITId,WorkerId,AssignmentStatus,label\nh,w,Approved,x\nh,v,Rejected,y\ng,w,Approved,y\n"
    found = read_export(write(tmp_path, rows))
    assert found.tool == "table"
    assert brief(found) == [("h", "x", "w"), (3, "rejected"), ("g", "y", "w")]


def test_a_state_that_is_the_label_is_no_state(tmp_path: Path) -> None:
    path = write(tmp_path, "id,status\n1,approved\n2,rejected\n3,approved\n")
    found = read_export(path, options=ReadOptions(question="status"))
    assert brief(found) == [("1", "approved", None), ("2", "rejected", None), ("3", "approved", None)]
    assert [one.label for one in read_delivery(path, label="status").labels] == ["approved", "rejected", "approved"]


def test_a_decision_beside_the_label_is_the_state_of_the_answer(tmp_path: Path) -> None:
    path = write(tmp_path, "id,label,answer\n1,x,accept\n2,x,reject\n3,y,ignore\n")
    assert brief(read_export(path)) == [("1", "x", None), (3, "rejected"), (4, "skipped")]
    assert [one.item_id for one in read_delivery(path).labels] == ["1"]
    path = write(tmp_path, "id,answer\n1,accept\n2,reject\n")
    assert brief(read_export(path)) == [("1", "accept", None), ("2", "reject", None)]


@pytest.mark.parametrize(("first", "second"), [("1714557601", "1714557600"), ("2024-05-01", "2023-05-01")])
def test_of_several_answers_the_latest_by_any_time_counts_and_what_is_no_time_is_told(
    tmp_path: Path, first: str, second: str
) -> None:
    rows = f"id,annotator,label,Timestamp\n1,ann,x,{first}\n1,ann,y,{second}\n"
    one, two = read_export(write(tmp_path, rows)).annotations
    assert isinstance(one, Annotation)
    assert isinstance(two, Annotation)
    assert one.answered_at is not None
    assert two.answered_at is not None
    assert one.answered_at > two.answered_at
    found = read_export(write(tmp_path, "id,annotator,label,timestamp\n1,ann,x,03/02/2024\n"))
    assert any("'timestamp' is not read as a time, as '03/02/2024'" in notice for notice in found.notices)


def test_boxes_and_spans_are_objects_and_no_labels_of_their_item(tmp_path: Path) -> None:
    boxes = "image_id,class,xmin,ymin,xmax,ymax\na,cat,0,0,1,1\na,dog,2,2,3,3\nb,cat,0,0,1,1\n"
    path = write(tmp_path, boxes)
    assert brief(read_export(path, options=ReadOptions(id_field="image_id"))) == [
        ("a#1", "cat", None), ("a#2", "dog", None), ("b#1", "cat", None)
    ]  # fmt: skip
    assert [one.item_id for one in read_delivery(path, id="image_id").labels] == ["a#1", "a#2", "b#1"]
    spans = "id,annotator,start,end,label\n1,ann,0,3,PER\n1,bob,0,3,PER\n1,ann,4,7,LOC\n"
    assert brief(read_export(write(tmp_path, spans))) == [
        ("1#0-3", "PER", "ann"), ("1#0-3", "PER", "bob"), ("1#4-7", "LOC", "ann")
    ]  # fmt: skip
    clips = "video_id,label,time_start,time_end\nv,run,0.5,2\nv,sit,2,7.25\n"
    found = read_export(write(tmp_path, clips), options=ReadOptions(id_field="video_id"))
    assert brief(found) == [("v#0.5-2", "run", None), ("v#2-7.25", "sit", None)]
    times = "id,annotator,start,end,label\n1,ann,1760081400000,1760081409000,x\n"
    assert brief(read_export(write(tmp_path, times))) == [("1", "x", "ann")]


def test_words_at_the_left_and_right_are_no_box_and_a_row_without_a_box_is_about_its_item(tmp_path: Path) -> None:
    around = "id,left,top,right,bottom,label\n1,the cat,a,sat,b,good\n2,a dog,a,ran,b,bad\n"
    path = write(tmp_path, around)
    assert brief(read_export(path)) == [("1", "good", None), ("2", "bad", None)]
    assert [one.item_id for one in read_delivery(path).labels] == ["1", "2"]
    some = "id,xmin,ymin,xmax,ymax,label\n1,0,0,5,5,cat\n2,,,,,empty\n3,nan,nan,nan,nan,empty\n"
    path = write(tmp_path, some)
    assert brief(read_export(path)) == [("1#1", "cat", None), ("2", "empty", None), ("3", "empty", None)]
    assert [one.item_id for one in read_delivery(path).labels] == ["1#1", "2", "3"]


def test_answers_that_a_column_says_are_right_are_ground_truth_and_right_answers_are_not(tmp_path: Path) -> None:
    rows = "id,annotator,label,ground_truth\n1,ann,x,True\n1,bob,y,False\n2,bob,y,\n"
    found = read_export(write(tmp_path, rows)).annotations
    assert [one.is_truth for one in found if isinstance(one, Annotation)] == [True, False, False]
    for right in ("x", "1"):
        found = read_export(write(tmp_path, f"id,label,ground_truth\n1,x,{right}\n2,y,{right}\n")).annotations
        assert not any(isinstance(one, BadRow) or one.is_truth for one in found)
    found = read_export(write(tmp_path, "id,label,ground_truth\n1,true,true\n2,false,true\n")).annotations
    assert not any(isinstance(one, BadRow) or one.is_truth for one in found)


def test_numbers_that_json_cannot_hold_are_missing_and_cost_no_row(tmp_path: Path) -> None:
    rows = [{"id": 1, "label": "x", "score": float("nan")}, {"id": 2, "label": float("nan"), "score": float("inf")}]
    as_lines = write(tmp_path, "".join(f"{json.dumps(row)}\n" for row in rows), "t.jsonl")
    as_list = write(tmp_path, json.dumps(rows), "t.json")
    for path in (as_lines, as_list):
        found = read_export(path)
        assert brief(found) == [("1", "x", None), (2, "no_answer")]
        assert isinstance(found.annotations[0], Annotation)
        assert found.annotations[0].fields == {"score": None}


def test_columns_are_known_by_name_whatever_invisible_characters_stand_around_it(tmp_path: Path) -> None:
    path = write(tmp_path, "id\u200b,\ufeffAnnotator ,label\u00a0\n1,ann,x\n")
    assert brief(read_export(path)) == [("1", "x", "ann")]


def test_an_id_that_numbers_answers_is_noticed_and_that_of_tasks_goes_before_it(tmp_path: Path) -> None:
    rows = "id,annotator,label\n1,ann,x\n2,bob,x\n"
    assert any("no two of them the same item" in one for one in read_export(write(tmp_path, rows)).notices)
    tasks = "id,task_id,annotator,label\n1,t,ann,x\n2,t,bob,x\n"
    assert brief(read_export(write(tmp_path, tasks))) == [("t", "x", "ann"), ("t", "x", "bob")]


VALUES: list[tuple[pa.Array, list[str]]] = [
    (pa.array([1.0, None, float("nan")]), ["1", "no_answer", "no_answer"]),
    (pa.array([Decimal("1.00"), Decimal("2.50"), None]), ["1", "2.50", "no_answer"]),
    (pa.array([True, False, None]), ["true", "false", "no_answer"]),
    (pa.array(["cat", "nan", "<NA>"]).dictionary_encode(), ["cat", "no_answer", "no_answer"]),
    (pa.array([datetime.date(2024, 5, 1), None, None]), ["2024-05-01", "no_answer", "no_answer"]),
    (
        pa.array([1714550400000000001, None, 0], pa.timestamp("ns")),
        ["2024-05-01T08:00:00.000000001", "no_answer", "1970-01-01T00:00:00"],
    ),
    (pa.array([["cat"], ["cat", "dog"], []]), ["cat", "several_choices", "no_answer"]),
    (pa.array([{"name": "cat"}, {"name": None}, None]), ["unexpected_shape", "unexpected_shape", "no_answer"]),
    (pa.array(["https://x.org/a", '["cat"]', "a\nb"]), ["address_label", "unexpected_shape", "text_label"]),
    (pa.array(["x" * 201, "", "-0"]), ["text_label", "no_answer", "-0"]),
]


@pytest.mark.parametrize(("labels", "expected"), VALUES, ids=[str(labels.type) for labels, _ in VALUES])
def test_values_are_read_alike_in_both_doors(tmp_path: Path, labels: pa.Array, expected: list[str]) -> None:
    path = tmp_path / "t.parquet"
    ids = pa.array([10.0, 1e16, 12.0, 13.0])
    labels = pa.concat_arrays([labels, labels.slice(0, 1)]) if expected[0] not in REASONS else labels
    ids = ids.slice(0, len(labels))
    pq.write_table(pa.table({"id": ids, "label": labels}), path)
    found = read_export(path).annotations
    assert [one.label if isinstance(one, Annotation) else one.reason for one in found][:3] == expected
    ids_read = [one.item_id for one in found if isinstance(one, Annotation)]
    assert set(ids_read) <= {"10", "10000000000000000", "12", "13"}
    if ids_read:
        delivery = read_delivery(path)
        rejected = {one.line: one.reason.replace("missing_label", "no_answer") for one in delivery.rejected}
        read = {one.row: one.label for one in delivery.labels} | rejected
        assert [read[row] for row in (1, 2, 3)] == expected
        assert [one.item_id for one in delivery.labels] == ids_read


REASONS = {"unexpected_shape", "address_label", "text_label"}


def test_numbers_of_hugging_face_classes_have_their_names(tmp_path: Path) -> None:
    features = {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}, "id": {"dtype": "int64", "_type": "Value"}}
    about = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    table = pa.table({"id": [1, 2, 3, 4], "label": [0, 1, -1, 7]}).replace_schema_metadata(about)
    path = tmp_path / "t.parquet"
    pq.write_table(table, path)
    assert brief(read_export(path)) == [("1", "neg", None), ("2", "pos", None), (3, "no_answer"), ("4", "7", None)]
    assert [one.label for one in read_delivery(path).labels] == ["neg", "pos", "7"]
    declared = read_export(path, options=ReadOptions(classes=("0", "1")))
    assert brief(declared)[:2] == [("1", "0", None), ("2", "1", None)]
    plain = read_export(write(tmp_path, "id,label\n1,0\n2,-1\n"))
    assert any("class -1" in notice for notice in plain.notices)


def test_wide_headers_are_no_quadratic_work(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(10_000)]
    path = write(tmp_path, json.dumps({"id": 1, **dict.fromkeys(names, "x"), "label": "a"}), "t.jsonl")
    assert brief(read_export(path)) == [("1", "a", None)]
    assert len(read_delivery(path).labels) == 1
    with pytest.raises(SourceError, match="and 9,980 more"):
        read_export(write(tmp_path, json.dumps(dict.fromkeys(names, "x")), "t.jsonl"))


def test_the_accept_door_judges_a_crowds_table_by_the_columns_that_are_named(tmp_path: Path) -> None:
    rows = ["HITId,WorkerId,AssignmentStatus,Input.text,Answer.a,Answer.b"]
    rows += [f"H{n},W{w},Approved,text {n},{'good' if n % 2 else 'bad'},x" for n in range(40) for w in range(3)]
    rows.append("H1,W9,Rejected,text 1,bad,x")
    path = write(tmp_path, "\n".join(rows) + "\n")
    call = ["accept", str(path), "--budget", "5%", "--label", "a", "--annotator", "WorkerId", "--id", "HITId"]
    call += ["--record", str(tmp_path / "record")]
    for more in (["--plan-only"], [], []):  # planned, drawn, and read again by the plan
        done = CliRunner().invoke(main, [*call, *more])
        assert done.exit_code == 3, done.output
        assert "40 labels" in done.output
    assert [one.text for one in read_delivery(path, "a").labels][:2] == ["text 0", "text 1"]


def test_the_accept_door_judges_one_label_an_item_of_a_table_of_answers(tmp_path: Path) -> None:
    answers = "task,worker,label,text\nt1,w1,b,one\nt1,w1,a,one\nt1,w2,a,one\nt2,w1,b,two\nt2,w2,a,two\n"
    delivery = read_delivery(write(tmp_path, answers))
    assert [(one.item_id, one.label, one.text) for one in delivery.labels] == [("t1", "a", "one")]
    assert [one.reason for one in delivery.rejected] == ["earlier_version", "other_answer", "tie", "tie"]
    once = read_delivery(write(tmp_path, "task,worker,label\nt1,w1,a\nt1,w1,b\nt2,w2,a\n"))
    assert ([one.label for one in once.labels], [one.reason for one in once.rejected]) == (
        ["b", "a"],
        ["earlier_version"],
    )


def test_the_accept_door_judges_a_table_with_a_column_an_annotator(tmp_path: Path) -> None:
    rows = ["id,text,anna,ben,eve", *(f"{n},t{n},{'x' if n % 2 else 'y'},x,{'x' if n % 2 else 'y'}" for n in range(40))]
    path = write(tmp_path, "\n".join(rows) + "\n")
    call = ["accept", str(path), "--budget", "5%", "--annotators", "anna,ben,eve", "--record", str(tmp_path / "record")]
    for more in (["--plan-only"], [], []):
        done = CliRunner().invoke(main, [*call, *more])
        assert done.exit_code == 3, done.output
        assert "40 labels" in done.output
    done = CliRunner().invoke(main, [*call[:4], "--annotators", "anna,ben", *call[6:]])
    assert (done.exit_code, "a plan is not changed" in done.output) == (1, True)


def test_texts_that_parquet_holds_as_bytes_are_texts(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table = pa.table({"id": ["1", "2"], "label": pa.array([b"caf\xc3\xa9", b"\xff\x00"], pa.binary())})
    pq.write_table(table, path)
    assert [one.label for one in read_delivery(path).labels] == ["café", "ff00"]
