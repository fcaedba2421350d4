import pyarrow as pa

from contamination_designs import settings
from cupel.cleaning.contamination import earlier
from cupel.cleaning.contamination.candidates import Examples
from cupel.cleaning.contamination.earlier import earlier_examples


def given(*rows: tuple[int, str, str | None]) -> pa.Table:
    names = ("sequence", "item_id", "label")
    schema = pa.schema([("sequence", pa.int64()), ("item_id", pa.string()), ("label", pa.string())])
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema)


def examples(before: int, **answers: pa.Table) -> Examples:
    texts = pa.table({"item_id": ["a", "b", "c"], "text": ["text a", "text b", "text c"]})
    pieces = dict.fromkeys(answers, lambda: iter([texts.slice(0, 2), texts.slice(2)]))
    return earlier_examples(list(answers.items()), pieces, before, settings())


def test_only_answers_that_came_before_count() -> None:
    found = examples(3, one=given((1, "a", "spam"), (2, "c", "good"), (3, "b", "spam")))
    assert found.texts.to_pylist() == ["text a", "text c"]
    assert found.is_unwanted.tolist() == [True, False]


def test_the_first_answer_on_an_item_counts_and_other_words_do_not() -> None:
    found = examples(9, one=given((4, "a", "spam"), (2, "a", "good"), (5, "b", "purple"), (6, "c", None)))
    assert found.texts.to_pylist() == ["text a"]
    assert found.is_unwanted.tolist() == [False]


def test_of_very_many_answers_the_last_count(monkeypatch: object) -> None:
    before = earlier.MOST_EARLIER
    earlier.MOST_EARLIER = 1
    try:
        found = examples(9, one=given((1, "a", "spam")), two=given((2, "b", "good")))
    finally:
        earlier.MOST_EARLIER = before
    assert found.texts.to_pylist() == ["text b"]


def test_without_earlier_answers_there_is_nothing_to_learn_from() -> None:
    assert examples(9).texts.to_pylist() == examples(1, one=given((1, "a", "spam"))).texts.to_pylist() == []
