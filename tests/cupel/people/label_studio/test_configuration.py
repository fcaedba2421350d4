from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.config.labeling import Labeling
from cupel.errors import WorkforceError
from cupel.modalities.comparison import Comparison, as_text
from cupel.people.label_studio.configuration import (
    classes_of,
    configuration,
    flag_in,
    flagged,
    is_configuration_of,
    label_of,
    task_data,
)

WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12).filter(
    lambda word: not word.startswith("$")
)


def labeling(classes: list[str], kind: str = "category", question: str = "Which?", **more: Any) -> Labeling:
    experts = {"answers": 1, "description": "one"}
    return Labeling.model_validate({"kind": kind, "question": question, "classes": classes, "experts": experts} | more)


@given(classes=st.lists(WORDS, min_size=2, max_size=5, unique=True), question=WORDS)
def test_classes_and_question_come_through_whatever_signs_they_hold(classes: list[str], question: str) -> None:
    about = labeling(classes, question=question)
    made = configuration(about)
    header = ElementTree.fromstring(made).find("Header")
    assert classes_of(made) == classes
    assert header is not None
    assert header.get("value") == question
    assert is_configuration_of(made, about)
    assert not is_configuration_of(made, labeling([*classes[:-1], classes[-1] + "?"]))


def test_what_label_studio_would_read_otherwise_is_refused() -> None:
    with pytest.raises(WorkforceError, match=r"class '\$5'.*begins with \$"):
        configuration(labeling(["$5", "more"]))
    with pytest.raises(WorkforceError, match="cannot stand in XML"):
        configuration(labeling(["a\x01", "b"]))


def test_a_configuration_that_lets_several_classes_be_chosen_is_another() -> None:
    about = labeling(["a", "b"])
    made = configuration(about)
    assert not is_configuration_of(made.replace('"single"', '"multiple"'), about)
    assert not is_configuration_of("<View>", about)
    assert not is_configuration_of(None, about)


def test_two_responses_are_shown_beside_their_prompt() -> None:
    about = labeling(["first", "second", "tie"], "preference")
    text = as_text(Comparison("Why?", "So.", "No idea."))
    assert task_data(about, "k", text) == {"task_id": "k", "prompt": "Why?", "first": "So.", "second": "No idea."}
    shown = [found.get("value") for found in ElementTree.fromstring(configuration(about)).iter("Text")]
    assert shown == ["$prompt", "$first", "$second"]


@pytest.mark.parametrize(
    "result",
    [None, [], "x", [{}], [{"from_name": "label"}], [{"from_name": "label", "value": {"choices": ["a", "b"]}}],
     [{"from_name": "other", "value": {"choices": ["a"]}}], [{"from_name": "label", "value": {"choices": [None]}}]],
)  # fmt: skip
def test_a_result_that_is_not_one_choice_is_no_class(result: object) -> None:
    assert label_of(result).startswith("not a choice: ")


def test_a_box_to_flag_a_task_stands_beside_the_answer_where_the_project_wants_one() -> None:
    about = labeling(["a", "b"])
    assert flag_in(configuration(about)) is None
    made = configuration(about, "odd & <wrong>")
    assert flag_in(made) == "odd & <wrong>"
    assert is_configuration_of(made, about)
    assert classes_of(made) == ["a", "b"]
    assert not flagged([{"from_name": "label", "value": {"choices": ["a"]}}])
