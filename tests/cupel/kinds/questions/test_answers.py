"""Answers to several questions as one text: what is a label, what is none, and what its parts are."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.contract.ontology import Ontology, Question
from cupel.kinds.questions import answers

TOPIC = Question("topic", "category", ("sport", "politics", "spam"))
TONE = Question("tone", "category", ("warm", "cold"), (("topic", ("sport", "politics")),))
WHY = Question("why", "category", ("team", "game"), (("topic", ("sport",)), ("tone", ("cold",))))
ONTOLOGY = Ontology((), (TOPIC, TONE, WHY))

LABELS = [
    '{"topic":"spam"}',
    '{"topic":"sport","tone":"warm"}',
    '{"topic":"sport","tone":"cold","why":"game"}',
    '{"topic":"politics","tone":"cold"}',
]


def parse(*labels: str | None) -> list[str | None]:
    return answers.parse(pa.array(labels, pa.string()), ONTOLOGY).to_pylist()


def test_canonical_labels_stay_what_they_are() -> None:
    assert parse(*LABELS) == LABELS


def test_order_blanks_and_nulls_make_no_other_label() -> None:
    assert parse('{ "tone": "warm", "topic": "sport", "why": null }') == [LABELS[1]]


@pytest.mark.parametrize(
    "said",
    [
        None, "", "sport", "[]", "null", "3", '{"topic":"sport"}', '{"topic":"spam","tone":"warm"}',
        '{"topic":"sport","tone":"cold"}', '{"topic":"sport","tone":"warm","why":"game"}', '{"topic":"weather"}',
        '{"topic":"spam","topic":"politics","tone":"cold"}', '{"topic":"\\ud800"}', '{"topic":["\\udfff"]}',
        '{"tone":"warm"}', "{}", '{"topic":"spam","mood":"x"}', '{"topic":["spam"]}', '{"topic":"spam"', "[" * 100_000,
    ],
)  # fmt: skip
def test_what_leaves_a_question_open_or_answers_one_that_was_not_asked_is_no_label(said: str | None) -> None:
    assert parse(said) == [None]


def test_parts_that_a_label_leaves_out_have_no_place() -> None:
    found = answers.split(pa.array([*LABELS, None]), ONTOLOGY)
    assert found.tolist() == [[2, -1, -1], [0, 0, -1], [0, 1, 1], [1, 1, -1], [-1, -1, -1]]
    assert answers.join(found, ONTOLOGY).to_pylist() == [*LABELS, None]


def test_what_stands_for_a_question_that_is_not_asked_is_left_out() -> None:
    assert answers.join(np.array([[2, 1, 1], [0, 0, 1]]), ONTOLOGY).to_pylist() == LABELS[:2]


def test_a_question_that_is_asked_and_not_answered_makes_no_label() -> None:
    assert answers.join(np.array([[0, -1, 1]]), ONTOLOGY).to_pylist() == [None]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=20))
def test_labels_and_places_are_inverse_wherever_a_question_is_asked(rows: list[tuple[int, int, int]]) -> None:
    labels = answers.join(np.array(rows), ONTOLOGY)
    assert answers.parse(labels, ONTOLOGY).equals(labels)
    assert answers.join(answers.split(labels, ONTOLOGY), ONTOLOGY).equals(labels)


def test_a_release_has_a_column_a_question() -> None:
    found = answers.columns(pa.array(LABELS[:2]), ONTOLOGY)
    assert {name: column.to_pylist() for name, column in found.items()} == {
        "topic": ["spam", "sport"], "tone": [None, "warm"], "why": [None, None],
    }  # fmt: skip


def test_an_answer_that_names_no_class_is_still_one_after_a_change_of_classes() -> None:
    ontology = Ontology((), (TOPIC, Question("tags", "multilabel", ("x", "y"))))
    (label,) = answers.parse(pa.array(['{"topic":"spam","tags":[]}']), ontology).to_pylist()
    assert answers.classes_of(label, ontology) == ("topic: spam", "tags: ")
    assert answers.label_of(answers.classes_of(label, ontology), ontology) == label
    # Of a question that is new, an older answer says nothing.
    assert answers.label_of(["topic: spam"], ontology) == '{"topic":"spam"}'
