import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.people.label_studio.choices import flagged, label_of, result_of, show_label
from made_kinds import NONE, made_project

WARMTH = made_project("category", ["a", "b"])
TOPICS = made_project("topics", ["war", "art, and + design", "law"])
REPLIES = made_project("replies", ["yes", "no"])


def said(**chosen: list[object]) -> list[dict[str, object]]:
    return [{"from_name": name, "value": {"choices": choices}} for name, choices in chosen.items()]


@pytest.mark.parametrize(
    "result",
    [None, [], "x", [{}], [{"from_name": "label"}], said(label=["a", "b"]), said(other=["a"]), said(label=[None]),
     said(label=[" "]), said(label=["", "x", "y"])],
)  # fmt: skip
def test_a_result_that_is_not_one_choice_is_no_class(result: object) -> None:
    assert label_of(result, WARMTH).startswith("not a choice: ")


def test_one_class_is_read_and_one_that_is_none_quotes_itself() -> None:
    assert label_of(said(label=[" a "]), WARMTH) == "a"
    assert label_of(said(label=["hot"]), WARMTH) == "hot"
    assert label_of(said(label=["a"], other=["b"]), WARMTH) == "a"


def test_a_ticked_box_is_no_answer() -> None:
    assert flagged(said(flag=["odd"]))
    assert not flagged(said(label=["a"]))
    assert label_of(said(label=["a"], flag=["odd"]), WARMTH) == "a"


def test_none_of_them_is_said_and_not_left_out() -> None:
    assert label_of(said(topics=[NONE]), TOPICS) == "[]"
    assert label_of([], TOPICS) == "not a choice: []"
    assert label_of(said(topics=[]), TOPICS).startswith("not a choice: ")
    assert label_of(said(topics=[NONE, "war"]), TOPICS).startswith("not a choice: ")


def test_the_order_of_choices_does_not_matter_and_a_foreign_one_makes_it_no_label() -> None:
    assert label_of(said(topics=["law", "war"]), TOPICS) == label_of(said(topics=["war", "law"]), TOPICS)
    assert label_of(said(topics=["law", "peace"]), TOPICS).startswith("not a choice: ")
    assert label_of(said(topics=["peace"]), TOPICS) == "peace"


def test_a_choice_that_is_written_like_a_label_of_several_is_none() -> None:
    assert label_of(said(topics=['["war"]']), TOPICS).startswith("not a choice: ")


def test_an_answer_to_a_question_that_was_not_asked_is_put_before_the_kind_which_refuses_it() -> None:
    assert label_of(said(is_reply=["no"]), REPLIES) == "no"
    assert label_of(said(is_reply=["yes"], tone=["warm"]), REPLIES) == "yes: warm"
    assert label_of(said(is_reply=["no"], tone=["warm"]), REPLIES).startswith("not a choice: ")
    assert label_of(said(is_reply=["yes"]), REPLIES).startswith("not a choice: ")


@given(names=st.sets(st.sampled_from(TOPICS.labeling.classes)))
def test_what_is_shown_of_a_label_reads_back_as_that_label(names: set[str]) -> None:
    label = label_of(said(topics=list(names) or [NONE]), TOPICS)
    assert label_of(result_of(label, TOPICS), TOPICS) == label


@pytest.mark.parametrize("label", ["no", "yes: warm", "yes: cold"])
def test_a_label_of_several_questions_reads_back_as_itself(label: str) -> None:
    assert label_of(result_of(label, REPLIES), REPLIES) == label


@pytest.mark.parametrize("classes", [["a", "b"], ["first", "second"]])
def test_one_class_is_shown_as_the_choice_that_it_is(classes: list[str]) -> None:
    about = made_project("category" if "a" in classes else "preference", classes)
    tool = {"to_name": about.modality.about, "type": "choices", "value": {"choices": [classes[0]]}}
    assert result_of(classes[0], about) == [{"from_name": "label", **tool}]
    assert show_label(classes[0], about) == classes[0]


def test_people_are_told_of_labels_in_the_words_of_the_controls() -> None:
    assert show_label('["war","law"]', TOPICS) == "war + law"
    assert show_label("[]", TOPICS) == NONE
    assert show_label("yes: warm", REPLIES) == "is_reply: yes / tone: warm"


def test_a_set_of_classes_and_answers_to_questions_read_back_as_they_are_shown() -> None:
    sets = made_project("multilabel", ["war", "law"])
    for label in ("[]", '["war"]', '["war","law"]'):
        assert label_of(result_of(label, sets), sets) == label
    assert label_of(said(label=[]), sets).startswith("not a choice: ")
    asked = [
        {"name": "is_reply", "question": "Is it a reply?", "classes": ["yes", "no"]},
        {"name": "tone", "question": "Which tone?", "classes": ["warm", "cold"], "asked_if": {"is_reply": ["yes"]}},
    ]
    questions = made_project("questions", [], questions=asked)
    for label in ('{"is_reply":"no"}', '{"is_reply":"yes","tone":"cold"}'):
        assert label_of(result_of(label, questions), questions) == label
    assert label_of(said(is_reply=["no"], tone=["cold"]), questions).startswith("not a choice: ")
