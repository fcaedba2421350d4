"""Several choices of one answer: one label where the kind takes them, in every tool that has them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from cupel.cli import main
from cupel.errors import SourceError
from cupel.exchange.imports.choices import make_reader
from cupel.exchange.imports.tool import ReadOptions
from cupel.exchange.imports.tools import read_export
from cupel.kinds.category import CATEGORY
from cupel.kinds.questions import QUESTIONS
from cupel.people.tool_annotation import Annotation
from cupel.sources.reasons import BadRow
from made_kinds import NONE, NUMBERS, REPLIES, TOPICS

CLASSES = ("war", "art, and design", "law")
READ = make_reader(TOPICS, CLASSES)
TOLD = ReadOptions(read=READ)


def labels(folder: Path, name: str, content: object, options: ReadOptions = TOLD) -> list[str]:
    """Return the labels, or why there are none, of an export in a file."""
    path = folder / name
    if isinstance(content, list) and name.endswith("l"):
        path.write_text("".join(f"{json.dumps(row)}\n" for row in content))
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    found = read_export(path, options=options).annotations
    return [one.label if isinstance(one, Annotation) else one.reason for one in found]


def test_label_studio_says_none_by_a_choice_and_nothing_by_none(tmp_path: Path) -> None:
    results = [["law", "war"], [NONE], [], ["law", NONE], ["peace"], ["law"]]
    tasks = [
        {"id": n, "data": {}, "annotations": [{"result": [{"from_name": "topics", "value": {"choices": choices}}]}]}
        for n, choices in enumerate(results)
    ]
    tasks.append({"id": 9, "data": {}, "annotations": [{"result": []}]})
    assert labels(tmp_path, "e.json", tasks) == [
        '["war","law"]', "[]", "no_answer", "unknown_label", "unknown_label", '["law"]', "no_answer"
    ]  # fmt: skip


def test_tags_of_an_image_are_one_label_and_its_boxes_objects_of_one_class(tmp_path: Path) -> None:
    xml = (
        "<annotations><version>1.1</version>"
        '<image id="0" name="a.jpg"><tag label="law"/><tag label="war"/><box label="x"/></image>'
        '<image id="1" name="b.jpg"></image><image id="2" name="c.jpg"><tag label="peace"/></image></annotations>'
    )
    assert labels(tmp_path, "e.xml", xml) == ['["war","law"]', "x", "no_answer", "unknown_label"]


def test_a_labelbox_checklist_is_one_label(tmp_path: Path) -> None:
    def row(*names: str) -> dict[str, object]:
        asked = {"name": "topics", "checklist_answers": [{"name": name} for name in names]}
        label = {"label_details": {"created_by": "ann"}, "annotations": {"classifications": [asked], "objects": []}}
        return {"data_row": {"id": "-".join(names) or "none"}, "projects": {"p": {"labels": [label]}}}

    rows = [row("law", "art, and design"), row(), row("law", "peace")]
    assert labels(tmp_path, "e.ndjson", "".join(f"{json.dumps(one)}\n" for one in rows)) == [
        '["art, and design","law"]', "no_answer", "unknown_label"
    ]  # fmt: skip


def test_categories_of_scale_and_label_names_of_doccano_are_one_label(tmp_path: Path) -> None:
    tasks = [
        {"task_id": str(n), "params": {}, "status": "completed", "response": {"category": found}}
        for n, found in enumerate((["law", "war"], []))
    ]
    assert labels(tmp_path, "s.jsonl", tasks) == ['["war","law"]', "no_answer"]
    texts = [{"id": n, "text": "t", "label": found} for n, found in enumerate((["law", "war"], [], ["law", "law"]))]
    assert labels(tmp_path, "d.jsonl", texts) == ['["war","law"]', "no_answer", '["law"]']


def test_a_table_holds_lists_or_canonical_texts_and_joined_classes_where_a_separator_is_named(tmp_path: Path) -> None:
    table = (
        'id,label\n1,law|war\n2,law\n3,"[""law"",""war""]"\n4,[]\n5,\n6,war|\n7,"art, and design|law"\n8,peace|war\n'
    )
    assert labels(tmp_path, "t.csv", table)[:6] == [
        "unknown_label", '["law"]', '["war","law"]', "[]", "no_answer", "unknown_label"
    ]  # fmt: skip
    named = ReadOptions(read=make_reader(TOPICS, CLASSES, "|"))
    assert labels(tmp_path, "t.csv", table, named) == [
        '["war","law"]', '["law"]', '["war","law"]', "[]", "no_answer", '["war"]', '["art, and design","law"]',
        "unknown_label",
    ]  # fmt: skip
    assert labels(tmp_path, "t.jsonl", [{"id": 1, "label": ["war", "law"]}]) == ['["war","law"]']


@given(names=st.sets(st.sampled_from(CLASSES), min_size=1))
def test_the_order_of_choices_makes_no_other_label(names: set[str]) -> None:
    assert READ(1, sorted(names)) == READ(1, sorted(names, reverse=True)) == READ(1, [*sorted(names), *names])


def test_a_separator_that_stands_in_a_class_is_refused() -> None:
    with pytest.raises(SourceError, match=r"--separator ', ': stands in the class 'art, and design'"):
        make_reader(TOPICS, CLASSES, ", ")
    with pytest.raises(SourceError, match="is empty"):
        make_reader(TOPICS, CLASSES, "")


def test_classes_must_be_named_and_several_questions_are_not_read() -> None:
    with pytest.raises(SourceError, match="name them with --classes"):
        make_reader(TOPICS, ())
    with pytest.raises(SourceError, match="several questions"):
        make_reader(REPLIES, ("a", "b"))
    with pytest.raises(SourceError, match="several questions"):
        make_reader(QUESTIONS, ("a", "b"))


def test_a_kind_of_one_class_and_one_of_numbers_read_as_they_do() -> None:
    assert make_reader(CATEGORY, ("a", "b"))(1, ["a"]) == "a"
    assert make_reader(CATEGORY, ("a", "b"))(7, ["a", "b"]) == BadRow(7, "unknown_label", "a, b")
    assert make_reader(NUMBERS, ("any",))(1, ["2.50"]) == "2.5"


def test_the_command_takes_the_kind_with_its_classes(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,label,annotator\n1,b,ann\n2,c,ann\n")
    call = ["import", str(tmp_path / "t.csv"), "--batch", "one", "--answers", str(tmp_path / "a.csv")]
    said = CliRunner().invoke(main, [*call, "--kind", "category", "--classes", "a,b"])
    assert said.exit_code == 0, said.output
    assert "1 answers on 1 items" in said.output
    assert "1 unknown_label" in said.output
    assert CliRunner().invoke(main, [*call, "--separator", "|"]).exit_code == 2
    said = CliRunner().invoke(main, [*call, "--kind", "polygons"])
    assert said.exit_code == 2
    assert "no such label kind; there is category, preference" in said.output
