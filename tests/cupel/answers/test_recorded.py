from pathlib import Path

import pyarrow as pa
import pytest

from cupel.answers.recorded import RecordedWorkforce
from cupel.errors import AnswerError

HEADER = "batch,item_id,purpose,annotator,label\n"


def task(item: str, purpose: str = "label", slot: int = 1) -> dict[str, object]:
    return {"task_id": f"{item}-{purpose}-{slot}", "batch": "one", "item_id": item, "purpose": purpose, "slot": slot}


def people(folder: Path, rows: str) -> RecordedWorkforce:
    path = folder / "answers.csv"
    path.write_text(HEADER + rows)
    return RecordedWorkforce([path])


def test_each_slot_is_answered_by_the_next_row_on_file(tmp_path: Path) -> None:
    crew = people(tmp_path, "one,i,label,ann,a\none,i,label,bob,b\none,i,expert,eve,a\n")
    tasks = pa.Table.from_pylist([task("i", slot=2), task("i"), task("i", slot=3), task("i", "audit"), task("j")])
    answers = crew.answer(tasks)
    assert answers["annotator"].to_pylist() == ["bob", "ann", "eve"]
    assert answers["purpose"].to_pylist() == ["label", "label", "audit"]


def test_asking_twice_gives_the_same_answers(tmp_path: Path) -> None:
    crew = people(tmp_path, "one,i,label,ann,a\n")
    tasks = pa.Table.from_pylist([task("i")])
    assert crew.answer(tasks) == crew.answer(tasks)


def test_an_empty_label_is_an_undecided_answer(tmp_path: Path) -> None:
    crew = people(tmp_path, "one,i,expert,eve,\n")
    assert crew.answer(pa.Table.from_pylist([task("i", "expert")]))["label"].to_pylist() == [None]


def test_answers_about_items_that_the_batch_does_not_hold_are_not_hidden(tmp_path: Path) -> None:
    crew = people(tmp_path, "one,i,label,ann,a\none,ghost,label,ann,a\ntwo,i,label,ann,a\n")
    unasked = crew.unasked("one", {"i"})
    assert unasked["item_id"].to_pylist() == ["ghost"]
    assert unasked["task_id"].to_pylist() == [None]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("batch,item_id,annotator,label\none,i,ann,a\n", r"columns \['purpose'\] are missing"),
        (HEADER + "one,i,gold,ann,a\n", "row 1: purpose 'gold'"),
        (HEADER + "one,i,label,ann,a\n,i,label,ann,a\n", "row 2: batch is empty"),
        (HEADER + "one,i\n", "not a CSV or Parquet file"),
    ],
)
def test_a_wrong_file_is_named_with_its_row(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(content)
    with pytest.raises(AnswerError, match=said) as error:
        RecordedWorkforce([path])
    assert "answers.csv" in str(error.value)


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(AnswerError, match="no such file of recorded answers"):
        RecordedWorkforce([tmp_path / "answers.csv"])
