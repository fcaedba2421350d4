from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cupel.contract.tables.answers import ANSWERS
from cupel.contract.tables.labeling import ANNOTATIONS
from cupel.lake.lake import Lake
from cupel.people.answers.shown_labels import ShownLabel, ShownLabelsLog, count_unknown_labels, match_shown_labels

CLASSES = ("a", "b")
NOTHING = pa.table({"item_id": pa.array([], pa.string()), "label": pa.array([], pa.string())})


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake", "small")


def answers(*items: str, source: str = "recorded:f.csv") -> pa.Table:
    rows = [
        {"sequence": number, "answer_id": f"id{number}", "task_id": None, "batch": "one", "item_id": item,
         "purpose": "label", "annotator": "ann", "label": "a", "source": source, "hash": "h"}
        for number, item in enumerate(items, 1)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=ANSWERS.schema)


def match(given: pa.Table, shown: list[ShownLabel], says: dict[str, str] | None = None) -> list[dict[str, Any]]:
    annotations = given.select([column.name for column in ANNOTATIONS.columns])
    said = pa.table({"item_id": list(says), "label": list(says.values())}) if says else NOTHING
    found = match_shown_labels(annotations, given, shown, said, None, CLASSES)
    return list(found.sort_by("sequence").to_pylist())


def recorded(number: int, item: str, label: str) -> ShownLabel:
    return ShownLabel(f"id{number}", "one", item, label, True, f"id{number}")


def test_a_recorded_answer_is_matched_by_its_id() -> None:
    rows = match(answers("i", "j"), [recorded(1, "i", "b")])
    assert [(row["is_shown"], row["pre_label"]) for row in rows] == [(True, "b"), (False, None)]


def test_a_blind_answer_is_held_against_what_others_saw_of_the_item() -> None:
    rows = match(answers("i", "i"), [recorded(1, "i", "b")])
    assert [(row["is_shown"], row["pre_label"]) for row in rows] == [(True, "b"), (False, "b")]


def test_a_source_that_says_what_was_shown_says_what_was_not() -> None:
    rows = match(answers("i", "j"), [recorded(1, "i", "b")], {"i": "b", "j": "a"})
    assert rows[1]["pre_label"] == "a"


def test_a_source_that_says_something_else_by_now_is_not_asked() -> None:
    rows = match(answers("i", "j"), [recorded(1, "i", "b")], {"i": "a", "j": "a"})
    assert rows[1]["pre_label"] is None


def test_a_label_outside_the_ontology_is_shown_and_null() -> None:
    given = answers("i")
    annotations = given.select([column.name for column in ANNOTATIONS.columns])
    found = match_shown_labels(annotations, given, [recorded(1, "i", "mild")], NOTHING, None, CLASSES)
    assert (found["is_shown"].to_pylist(), found["pre_label"].to_pylist()) == ([True], [None])
    assert count_unknown_labels(found) == 1


def test_in_a_tool_only_what_was_put_before_the_answer_counts_withheld_or_not() -> None:
    given = answers("i", "i", "j", source="label_studio:p:1:2")
    shown = [
        ShownLabel("1", "one", "i", "a", False, None, 0),
        ShownLabel("2", "one", "i", "b", True, None, 1),
        ShownLabel("3", "one", "j", "b", True, None, 3),
    ]
    rows = match(given, shown, {"j": "b"})
    # The item was put again with a label after the first answer; the last task was put after its answer.
    assert [(row["is_shown"], row["pre_label"]) for row in rows] == [(False, "a"), (True, "b"), (False, None)]


def test_known_labels_stand_beside(lake: Lake) -> None:
    given = answers("i", "j")
    annotations = given.select([column.name for column in ANNOTATIONS.columns])
    gold = pa.table({"item_id": ["j"], "label": ["b"]})
    found = match_shown_labels(annotations, given, [], NOTHING, gold, CLASSES)
    assert found.sort_by("sequence")["known_label"].to_pylist() == [None, "b"]


def test_the_log_keeps_what_was_shown_once_however_often_it_is_told(lake: Lake) -> None:
    log = ShownLabelsLog(lake)
    assert log.append([recorded(1, "i", "a"), recorded(2, "j", "b")]) == 2
    assert log.append([recorded(2, "j", "b")]) == 0
    assert log.append_tasks("two", {"k1": ("i", "a"), "k2": ("j", "b")}, ["k2"]) == 2
    assert [one.item_id for one in log.read("one")] == ["i", "j"]
    assert [one.is_shown for one in log.read("two")] == [False, True]


@pytest.mark.parametrize("shown", [[], [recorded(9, "z", "a")]])
def test_nothing_shown_leaves_every_answer_blind(shown: list[ShownLabel]) -> None:
    assert [row["is_shown"] for row in match(answers("i", "j"), shown)] == [False, False]
