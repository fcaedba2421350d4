from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.contract.kind import Control
from cupel.errors import WorkforceError
from cupel.modalities.comparison import Comparison, as_text
from cupel.people.label_studio.configuration import (
    configuration,
    controls_of,
    flag_in,
    is_configuration_of,
    task_data,
)
from made_kinds import NONE, made_project

WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12).filter(
    lambda word: not word.startswith("$")
)


def choices_of(made: str) -> list[str]:
    (control,) = controls_of(made)
    return list(control.choices)


@given(classes=st.lists(WORDS, min_size=2, max_size=5, unique=True), question=WORDS)
def test_classes_and_question_come_through_whatever_signs_they_hold(classes: list[str], question: str) -> None:
    about = made_project("category", classes, question)
    made = configuration(about)
    header = ElementTree.fromstring(made).find("Header")
    assert choices_of(made) == classes
    assert header is not None
    assert header.get("value") == question
    assert is_configuration_of(made, about)
    assert not is_configuration_of(made, made_project("category", [*classes[:-1], classes[-1] + "?"]))


def test_the_xml_of_one_class_and_of_comparisons_is_what_it_was_before_kinds() -> None:
    assert configuration(made_project("category", ["warm", "c<old"], "Which & why?"), "odd", shows_others=True) == (
        '<View><Header value="Which &amp; why?" /><Text name="text" value="$text" /><Text name="others" '
        'value="$others" /><Choices name="label" toName="text" choice="single" required="true" showInLine="true">'
        '<Choice value="warm" /><Choice value="c&lt;old" /></Choices><Choices name="flag" toName="text" '
        'choice="multiple"><Choice value="odd" /></Choices></View>'
    )
    assert configuration(made_project("preference", ["first", "second"])) == (
        '<View><Header value="Which?" /><Text name="prompt" value="$prompt" /><Header value="first" size="4" />'
        '<Text name="first" value="$first" /><Header value="second" size="4" /><Text name="second" value="$second" />'
        '<Choices name="label" toName="first" choice="single" required="true" showInLine="true">'
        '<Choice value="first" /><Choice value="second" /></Choices></View>'
    )


def test_what_label_studio_would_read_otherwise_is_refused() -> None:
    with pytest.raises(WorkforceError, match=r"class '\$5'.*begins with \$"):
        configuration(made_project("category", ["$5", "more"]))
    with pytest.raises(WorkforceError, match="cannot stand in XML"):
        configuration(made_project("category", ["a\x01", "b"]))


def test_a_configuration_that_lets_several_classes_be_chosen_is_another() -> None:
    about = made_project("category", ["a", "b"])
    made = configuration(about)
    assert not is_configuration_of(made.replace('"single"', '"multiple"'), about)
    assert not is_configuration_of("<View>", about)
    assert not is_configuration_of(None, about)


def test_two_responses_are_shown_beside_their_prompt() -> None:
    about = made_project("preference", ["first", "second", "tie"])
    text = as_text(Comparison("Why?", "So.", "No idea."))
    assert task_data(about, "k", text) == {"task_id": "k", "prompt": "Why?", "first": "So.", "second": "No idea."}
    shown = [found.get("value") for found in ElementTree.fromstring(configuration(about)).iter("Text")]
    assert shown == ["$prompt", "$first", "$second"]


def test_a_box_to_flag_a_task_stands_beside_the_answer_where_the_project_wants_one() -> None:
    about = made_project("category", ["a", "b"])
    assert flag_in(configuration(about)) is None
    made = configuration(about, "odd & <wrong>")
    assert flag_in(made) == "odd & <wrong>"
    assert is_configuration_of(made, about)
    assert choices_of(made) == ["a", "b"]


def test_several_classes_may_be_chosen_and_none_of_them_is_a_choice_of_its_own() -> None:
    about = made_project("topics", ["war", "art"])
    made = configuration(about, "odd")
    assert controls_of(made) == [Control("topics", ("war", "art", NONE), is_multiple=True)]
    assert is_configuration_of(made, about)
    assert not is_configuration_of(made.replace(f'<Choice value="{NONE}" />', ""), about)


def test_a_question_that_is_asked_after_some_answers_only_is_hidden_with_its_title() -> None:
    about = made_project("replies", ["a", "b"])
    made = configuration(about)
    hidden = ElementTree.fromstring(made).find("View")
    assert hidden is not None
    assert [child.tag for child in hidden] == ["Header", "Choices"]
    condition = {"visibleWhen": "choice-selected", "whenTagName": "is_reply", "whenChoiceValue": "yes"}
    assert all(part.attrib.items() >= condition.items() for part in (hidden, hidden[1]))
    assert is_configuration_of(made, about)
    assert not is_configuration_of(made.replace('whenChoiceValue="yes"', 'whenChoiceValue="no"'), about)


@pytest.mark.parametrize("old", ['name="topics"', 'value="war"'])
def test_a_control_or_choice_that_was_renamed_on_the_server_is_another(old: str) -> None:
    about = made_project("topics", ["war", "art"])
    assert not is_configuration_of(configuration(about).replace(old, old.replace('="', '="re')), about)


def test_order_and_wording_on_the_server_are_its_own_business() -> None:
    about = made_project("replies", ["a", "b"])
    there = configuration(about).replace("Which tone?", "How does it sound?")
    there = there.replace('<Choice value="yes" /><Choice value="no" />', '<Choice value="no" /><Choice value="yes" />')
    assert is_configuration_of(there, about)


def test_a_condition_that_label_studio_would_divide_is_refused() -> None:
    about = made_project("replies", ["a", "b"])
    kind = about.kind._replace(
        controls=lambda labeling: (Control("one", ("a, b", "c")), Control("two", ("d",), shown_if=("one", ("a, b",))))
    )
    about._kind = kind
    with pytest.raises(WorkforceError, match=r"'a, b'.*without a comma"):
        configuration(about)


@pytest.mark.parametrize("name", ["flag", "text", "others"])
def test_a_question_may_not_have_a_name_that_stands_for_something_else(name: str) -> None:
    about = made_project("topics", ["a", "b"])
    about._kind = about.kind._replace(controls=lambda labeling: (Control(name, ("a", "b")),))
    with pytest.raises(WorkforceError, match="name the question otherwise"):
        configuration(about)


def test_a_kind_without_choices_says_that_it_cannot_be_asked_there() -> None:
    with pytest.raises(WorkforceError, match=r"kind numbers.*workforce to recorded"):
        configuration(made_project("numbers", ["a", "b"]))


def test_an_image_is_shown_by_what_its_field_holds() -> None:
    about = made_project("category", ["a", "b"], modality="pictures")
    made = configuration(about)
    assert '<Image name="image" value="$image" />' in made
    assert 'toName="image"' in made
    assert task_data(about, "k", "https://x.org/1.png") == {"task_id": "k", "image": "https://x.org/1.png"}
