import csv
import hashlib
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cupel.errors import AnswerError
from cupel.lake.lake import Lake
from cupel.people.answers import recorded_files
from cupel.people.answers.recorded import RecordedWorkforce, read_gold
from cupel.people.answers.shown_labels import ShownLabelsLog

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


def test_ids_that_a_table_made_floats_of_are_those_of_the_delivery(tmp_path: Path) -> None:
    crew = people(tmp_path, "one,7.0,label,ann,a\none,7.01,label,ann,b\none,007,label,ann,c\n")
    answers = crew.answer(pa.Table.from_pylist([task("7"), task("7.01"), task("007")]))
    assert answers["label"].to_pylist() == ["a", "b", "c"]


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


def test_a_file_without_rows_answers_nothing(tmp_path: Path) -> None:
    crew = people(tmp_path, "")
    assert crew.batches() == set()
    assert crew.answer(pa.Table.from_pylist([task("i")])).num_rows == 0
    assert RecordedWorkforce([]).unasked("one", set()).num_rows == 0


def test_a_file_that_is_corrected_is_read_again(tmp_path: Path) -> None:
    crew = people(tmp_path, "one,i,label,ann,a\n")
    first = crew.answer(pa.Table.from_pylist([task("i")]))
    again = people(tmp_path, "one,i,label,ann,bb\nzwei,i,label,ann,a\n")
    second = again.answer(pa.Table.from_pylist([task("i")]))
    assert second["label"].to_pylist() == ["bb"]
    assert second["answer_id"] != first["answer_id"]
    assert again.batches() == {"one", "zwei"}


def test_a_wrong_row_of_parquet_is_named_behind_a_row_group(tmp_path: Path) -> None:
    rows = [{"batch": "one", "item_id": f"i{n}", "purpose": "label", "annotator": None, "label": "a"} for n in range(9)]
    rows[7]["purpose"] = "audit"
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "answers.parquet", row_group_size=3)
    with pytest.raises(AnswerError, match=r"answers\.parquet: row 8: purpose 'audit'"):
        RecordedWorkforce([tmp_path / "answers.parquet"])


def test_row_groups_of_other_batches_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"batch": batch, "item_id": f"i{n}", "purpose": "label", "annotator": None, "label": "a"}
        for batch in ("a", "b", "c") for n in range(4)
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "answers.parquet", row_group_size=4)
    crew = RecordedWorkforce([tmp_path / "answers.parquet"])
    read: list[list[int]] = []
    iter_batches = pq.ParquetFile.iter_batches
    monkeypatch.setattr(
        pq.ParquetFile,
        "iter_batches",
        lambda self, *args, **kwargs: read.append(kwargs["row_groups"]) or iter_batches(self, *args, **kwargs),
    )
    assert crew.unasked("b", set())["item_id"].to_pylist() == ["i0", "i1", "i2", "i3"]
    assert read == [[1]]


def test_an_item_with_two_known_labels_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gold.csv"
    path.write_text("batch,item_id,label\none,i,a\ntwo,i,b\none,j,b\none,i,a\n")
    assert read_gold(path, "one").to_pylist() == [{"item_id": "i", "label": "a"}, {"item_id": "j", "label": "b"}]
    path.write_text("batch,item_id,label\none,i,a\none,j,b\none,j,\n")
    with pytest.raises(AnswerError, match="rows 2 and 3: item 'j' has two known labels"):
        read_gold(path, "one")


def event(answer: dict[str, Any], file: str, row: int, purpose: str, task_id: str | None) -> dict[str, Any]:
    """The definition of an event: its id is the hash of what it answers and says."""
    content = [task_id or f"{file}:{row}", purpose, answer["annotator"], answer["label"]]
    return {
        "answer_id": hashlib.sha256(f"recorded/{json.dumps(content)}".encode()).hexdigest()[:32],
        "task_id": task_id,
        "batch": answer["batch"],
        "item_id": answer["item_id"],
        "purpose": purpose,
        "annotator": answer["annotator"],
        "label": answer["label"],
        "seconds_spent": answer["seconds_spent"],
        "answered_at": None,
        "source": f"recorded:{file}",
    }


WORD = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), min_size=1, max_size=3)
ANSWER = st.fixed_dictionaries({
    "batch": st.sampled_from(["one", "two"]),
    "item_id": st.sampled_from(["i", "j", "k"]),
    "purpose": st.sampled_from(["label", "expert"]),
    "annotator": st.none() | WORD,
    "label": st.none() | WORD,
    "seconds_spent": st.none() | st.floats(0, 9),
})  # fmt: skip


def write(path: Path, answers: list[dict[str, Any]], rows_per_group: int) -> None:
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(recorded_files.COLUMNS), lineterminator="\n")
            writer.writeheader()
            writer.writerows(answers)
        return
    schema = pa.schema([(n, pa.float64() if n == "seconds_spent" else pa.string()) for n in recorded_files.COLUMNS])
    pq.write_table(pa.Table.from_pylist(answers, schema=schema), path, row_group_size=rows_per_group)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(ANSWER, max_size=8), st.lists(ANSWER, max_size=8), st.integers(1, 3),
    st.lists(
        st.tuples(st.sampled_from(["one", "two", "three"]), st.sampled_from(["i", "j", "x"]),
                  st.sampled_from(["label", "audit", "expert"]), st.integers(1, 3)), unique=True,
    ),
)  # fmt: skip
def test_people_on_file_answer_as_if_asked_one_by_one(
    tmp_path: Path,
    a: list[dict[str, Any]],
    b: list[dict[str, Any]],
    rows_per_group: int,
    asked: list[tuple[str, str, str, int]],
) -> None:
    write(tmp_path / "a.csv", a, 0)
    write(tmp_path / "b.parquet", b, rows_per_group)
    on_file = [(answer, "a.csv", row) for row, answer in enumerate(a, 1)]
    on_file += [(answer, "b.parquet", row) for row, answer in enumerate(b, 1)]
    names = ["batch", "item_id", "purpose", "slot"]
    tasks = [{"task_id": "-".join(map(str, key)), **dict(zip(names, key, strict=True))} for key in asked]
    crew = RecordedWorkforce([tmp_path / "a.csv", tmp_path / "b.parquet"])
    expected = []
    for one in tasks:
        purpose = "label" if one["purpose"] == "label" else "expert"
        key = (one["batch"], one["item_id"], purpose)
        found = [part for part in on_file if (part[0]["batch"], part[0]["item_id"], part[0]["purpose"]) == key]
        if int(str(one["slot"])) <= len(found):
            expected.append(event(*found[int(str(one["slot"])) - 1], str(one["purpose"]), str(one["task_id"])))
    schema = pa.schema([*((n, pa.string()) for n in ("task_id", *names[:3])), ("slot", pa.int64())])
    assert crew.answer(pa.Table.from_pylist(tasks, schema=schema)).to_pylist() == expected
    by_question: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for answer, file, row in on_file:
        if answer["batch"] == "two" and answer["item_id"] != "j":
            key = (answer["item_id"], answer["purpose"])
            by_question.setdefault(key, []).append(event(answer, file, row, answer["purpose"], None))
    assert crew.unasked("two", {"j"}).to_pylist() == [one for found in by_question.values() for one in found]
    assert crew.batches() == {answer["batch"] for answer, *_ in on_file}


def test_a_model_answers_no_task_and_what_it_said_comes_unasked(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(HEADER + "one,i,label,gpt,a\none,i,label,ann,b\none,i,expert,gpt,a\n")
    crew = RecordedWorkforce([path], ["gpt"])
    asked = crew.answer(pa.Table.from_pylist([task("i"), task("i", slot=2), task("i", "expert")]))
    assert asked.select(["annotator", "purpose"]).to_pylist() == [
        {"annotator": "ann", "purpose": "label"}, {"annotator": "gpt", "purpose": "expert"},
    ]  # fmt: skip
    unasked = crew.unasked("one", {"i"})
    assert unasked.select(["annotator", "label", "task_id"]).to_pylist() == [
        {"annotator": "gpt", "label": "a", "task_id": None}
    ]


def test_what_was_shown_is_kept_beside_and_the_answers_are_the_same(tmp_path: Path) -> None:
    rows = "batch,item_id,purpose,annotator,label,shown_label\none,i,label,ann,a,b\none,j,label,ann,a,\n"
    path = tmp_path / "answers.csv"
    path.write_text(rows)
    log = ShownLabelsLog(Lake(tmp_path / "lake", "small"))
    tasks = pa.Table.from_pylist([task("i"), task("j")])
    found = RecordedWorkforce([path], shown=log).answer(tasks)
    assert found == RecordedWorkforce([path]).answer(tasks)
    (one,) = log.read("one")
    assert (one.item_id, one.shown_label, one.answer_id) == ("i", "b", found["answer_id"][0].as_py())


TYPED: list[tuple[pa.Array, list[str | None]]] = [
    (pa.array([1.0, float("nan"), None, 1e16]), ["1", None, None, "10000000000000000"]),
    (pa.array([Decimal("1.00"), Decimal("2.50"), None, None]), ["1", "2.50", None, None]),
    (pa.array([True, False, None, True]), ["true", "false", None, "true"]),
    (pa.array(["a", "nan", None, "NA"]).dictionary_encode(), ["a", "nan", None, "NA"]),
    (pa.array([2.0, 2.0, None, 1.5]).dictionary_encode(), ["2", "2", None, "1.5"]),
    (pa.array([date(2024, 5, 1), None, None, None]), ["2024-05-01", None, None, None]),
    (pa.array([["law", "war"], [], None, ["law"]]), ['["law","war"]', "[]", None, '["law"]']),
    (pa.array([{"name": "a"}, None, None, None]), ['{"name":"a"}', None, None, None]),
]


@pytest.mark.parametrize(("labels", "expected"), TYPED, ids=[str(labels.type) for labels, _ in TYPED])
def test_values_of_other_types_are_read_as_imports_read_them(
    tmp_path: Path, labels: pa.Array, expected: list[str | None]
) -> None:
    columns = {"batch": ["one"] * 4, "purpose": ["label"] * 4, "annotator": [7.0, 7.0, None, 8.0]}
    path = tmp_path / "answers.parquet"
    pq.write_table(pa.table({**columns, "item_id": [10.0, 11.0, 12.0, 13.0], "label": labels}), path)
    rows = recorded_files.rows_of([path], "one")
    assert rows["label"].to_pylist() == expected
    assert rows["item_id"].to_pylist() == ["10", "11", "12", "13"]
    assert rows["annotator"].to_pylist() == ["7", "7", None, "8"]


def test_a_declared_class_stays_a_class_and_its_other_spellings_become_it(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(HEADER + "one,i,label,ann,1.0\none,i,label,bob, a\none,i,label,eve,None\none,i,label,joe,2.0\n")
    tasks = pa.Table.from_pylist([task("i", slot=slot) for slot in (1, 2, 3, 4)])
    found = RecordedWorkforce([path], classes=("1", "a", "None", "2.0", "2")).answer(tasks)
    assert found["label"].to_pylist() == ["1", "a", "None", "2.0"]
    assert RecordedWorkforce([path]).answer(tasks)["label"].to_pylist() == ["1.0", " a", "None", "2.0"]
