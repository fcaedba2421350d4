from pathlib import Path

import pyarrow as pa
import pytest

from cupel.consensus.coding import ItemIds, id_array
from cupel.contract.table import from_rows
from cupel.contract.tables.answers import ANSWERS
from cupel.contract.tables.cleaning import CLEAN_ITEMS
from cupel.contract.tables.release import RELEASE_TASKS
from cupel.contract.tables.tasks import TASKS
from cupel.lake.lake import Lake
from cupel.people.answers.collect import collect
from cupel.people.answers.outbox import COLUMNS, count_open_tasks, open_tasks

GIVEN = pa.schema([field for field in ANSWERS.schema if field.name not in ("sequence", "hash")])


def task(batch: str, number: int, is_answered: bool, purpose: str = "label") -> dict[str, object]:
    return {
        "task_id": f"{batch}-{purpose}-{number}", "batch": batch, "item_id": f"i{number}", "purpose": purpose,
        "slot": 1, "asked_of": "annotator", "reason": "every item is asked", "is_answered": is_answered,
    }  # fmt: skip


def answer(batch: str, number: int, purpose: str = "label") -> dict[str, object]:
    return {
        "answer_id": f"{batch}-{purpose}-{number}", "task_id": f"{batch}-{purpose}-{number}", "batch": batch,
        "item_id": f"i{number}", "purpose": purpose, "label": "a", "source": "test",
    }  # fmt: skip


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Two batches of three questions and a release of one; one answer the tables know of, one only the log."""
    lake = Lake(tmp_path / "lake", "p")
    for batch in ("one", "two"):
        lake.write("tasks", batch, from_rows([task(batch, number, number == 0) for number in range(3)], TASKS))
        item = {"batch": batch, "source_file": "f", "line": 1, "text": "t", "group_id": "g", "licence": "CC0-1.0"}
        item["language"] = "und"
        lake.write("clean_items", batch, from_rows([{**item, "item_id": f"i{n}"} for n in range(3)], CLEAN_ITEMS))
    audited = [{"release": "one-r1", **task("one", number, False, "audit")} for number in range(2)]
    lake.write("release_tasks", "one-r1", from_rows(audited, RELEASE_TASKS))
    rows = [answer("one", 0), answer("two", 0), answer("one", 1), answer("one", 1, "audit")]
    lake.answers.append(pa.Table.from_pylist(rows, schema=GIVEN))
    return lake


def test_a_question_is_open_until_the_log_has_an_answer_to_it(lake: Lake) -> None:
    found = list(open_tasks(lake, ["one", "two"], ["one-r1"]))
    assert [part["task_id"].to_pylist() for part in found] == [["one-label-2"], ["two-label-1", "two-label-2"],
                                                               ["one-audit-0"]]  # fmt: skip
    assert all(part.column_names == COLUMNS for part in found)
    assert count_open_tasks(lake, ["one", "two"], ["one-r1"]) == 4


def test_what_was_never_asked_is_not_open(lake: Lake) -> None:
    assert list(open_tasks(lake, ["three"], ["two-r1"])) == []
    assert count_open_tasks(lake, [], []) == 0


def test_one_answer_of_another_batch_does_not_close_a_question(lake: Lake) -> None:
    stray = answer("two", 9) | {"task_id": "one-label-2"}
    lake.answers.append(pa.Table.from_pylist([stray], schema=GIVEN))
    assert count_open_tasks(lake, ["one"], []) == 1


def test_a_question_asked_of_nobody_is_open_in_an_empty_log(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", "p")
    lake.write("tasks", "one", from_rows([task("one", 1, False)], TASKS))
    assert count_open_tasks(lake, ["one"], []) == 1


class Crew:
    """Answers whatever it is asked, and says of each batch which items it was told of."""

    def __init__(self) -> None:
        self.told: dict[str, list[str]] = {}
        self.asked: list[list[str]] = []

    def answer(self, tasks: pa.Table) -> pa.Table:
        self.asked.append(tasks["task_id"].to_pylist())
        rows = [answer(row["batch"], int(row["item_id"][1:]), row["purpose"]) for row in tasks.to_pylist()]
        return pa.Table.from_pylist(rows, schema=GIVEN)

    def unasked(self, batch: str, item_ids: ItemIds) -> pa.Table:
        self.told[batch] = id_array(item_ids).to_pylist()
        return pa.Table.from_pylist([answer(batch, 99)], schema=GIVEN)

    def rest(self) -> pa.Table:
        return pa.Table.from_pylist([], schema=GIVEN)

    def end(self) -> None:
        pass


def test_what_nobody_asked_comes_before_the_answers_of_one_partition_after_another(lake: Lake) -> None:
    crew = Crew()
    assert collect(lake, crew, ["one", "two", "three"], ["one-r1"]) == 2 + 4
    assert crew.told == {"one": ["i0", "i1", "i2"], "two": ["i0", "i1", "i2"]}
    assert crew.asked == [["one-label-2"], ["two-label-1", "two-label-2"], ["one-audit-0"]]
    new = lake.answers.read()["answer_id"].to_pylist()[4:]
    assert new == ["one-label-99", "two-label-99", "one-label-2", "two-label-1", "two-label-2", "one-audit-0"]
    assert collect(lake, crew, ["one", "two"], ["one-r1"]) == 0
