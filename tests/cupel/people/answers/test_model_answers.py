from pathlib import Path

import pyarrow as pa
import pytest

from cupel.config.crew import CrewModel
from cupel.contract.tables.answers import ANSWERS
from cupel.errors import AnswerError
from cupel.people.answers.annotations import annotations, keep_classes
from cupel.people.answers.model_answers import expert_answers_of_people, sort_model_answers, split_answers
from cupel.people.answers.recorded import RecordedWorkforce

GPT = CrewModel(name="gpt", version="2")


def parse(labels: pa.ChunkedArray) -> pa.Array:
    return keep_classes(labels, ("a", "b"))


def log(*rows: tuple[str, str | None, str | None], purpose: str = "label") -> pa.Table:
    """Return answers: item, annotator and label."""
    whole = [
        {"sequence": number, "answer_id": str(number), "task_id": None, "batch": "one", "item_id": item,
         "purpose": purpose, "annotator": annotator, "label": label, "source": "recorded:f.csv", "hash": "h"}
        for number, (item, annotator, label) in enumerate(rows, 1)
    ]  # fmt: skip
    return pa.Table.from_pylist(whole, schema=ANSWERS.schema)


def test_models_are_told_from_people_by_name_and_nobody_unnamed_is_one() -> None:
    answers = log(("i", "ann", "a"), ("i", "gpt", "b"), ("i", None, "a"))
    people, models = split_answers(answers, [GPT])
    assert people["annotator"].to_pylist() == ["ann", None]
    assert models["annotator"].to_pylist() == ["gpt"]


def test_without_models_all_answers_are_peoples() -> None:
    answers = log(("i", "gpt", "a"))
    assert split_answers(answers, []).people.equals(answers)
    assert split_answers(answers, []).models.num_rows == 0


def test_a_models_answers_bear_its_version_and_the_first_on_an_item_counts() -> None:
    answers = log(("i", "gpt", "a"), ("i", "gpt", "b"), ("j", "gpt", "z"), ("k", "gpt", None), ("x", "gpt", "a"))
    kept, rejected = sort_model_answers(answers, ["i", "j", "k"], parse, [GPT])
    assert kept.to_pylist() == [{"item_id": "i", "model": "gpt", "model_version": "2", "label": "a", "sequence": 1}]
    assert dict(zip(rejected["item_id"].to_pylist(), rejected["reason"].to_pylist(), strict=True)) == {
        "i": "answered_twice", "j": "unknown_label", "k": "undecided", "x": "unknown_item",
    }  # fmt: skip
    assert kept.num_rows + rejected.num_rows == answers.num_rows


def test_a_person_named_like_a_model_with_a_file_is_told_from_it() -> None:
    model = CrewModel(name="ann", version="1", file="ann.csv")
    with pytest.raises(AnswerError, match=r"'ann' has a file of answers, and 1 recorded answers bear its name.*'i'"):
        sort_model_answers(log(("i", "ann", "a")), ["i"], parse, [model])


def test_a_model_is_no_expert_and_its_answer_is_rejected_with_that_reason() -> None:
    answers = log(("i", "gpt", "a"), ("i", "eve", "b"), ("x", "eve", "b"), purpose="expert")
    kept, rejected = expert_answers_of_people(answers, ["i"], parse, [GPT.name])
    assert kept["annotator"].to_pylist() == ["eve"]
    assert rejected["reason"].to_pylist() == ["is_a_model", "unknown_item"]
    assert rejected["annotator"].to_pylist() == ["gpt", "eve"]


def test_experts_are_sorted_as_ever_where_there_is_no_model() -> None:
    answers = log(("i", "gpt", "a"), purpose="audit")
    assert expert_answers_of_people(answers, ["i"], parse, [])[0]["annotator"].to_pylist() == ["gpt"]


def test_what_a_model_said_that_left_the_crew_is_no_persons_answer() -> None:
    answers = log(("i", "gpt", "a"), ("i", "ann", "b"))
    place = answers.column_names.index("source")
    named = answers.set_column(place, "source", pa.array(["recorded:f.csv@model", "recorded:f.csv"]))
    kept, rejected = annotations(split_answers(named, []).people, ["i"], parse, are_annotators_known=True)
    # What a person said of an item that was not there then counts once it is.
    assert kept["annotator"].to_pylist() == ["ann"]
    assert rejected.select(["annotator", "reason"]).to_pylist() == [{"annotator": "gpt", "reason": "not_asked"}]


def test_the_log_says_which_recorded_answers_a_model_gave(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("batch,item_id,purpose,annotator,label\none,i,label,gpt,a\none,gone,label,ann,b\n")
    found = RecordedWorkforce([path], ["gpt"]).unasked("one", ["i"])
    assert found.select(["annotator", "source"]).to_pylist() == [
        {"annotator": "gpt", "source": "recorded:f.csv@model"}, {"annotator": "ann", "source": "recorded:f.csv"},
    ]  # fmt: skip
