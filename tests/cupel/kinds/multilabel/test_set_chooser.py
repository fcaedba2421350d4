import numpy as np
import pytest

from cupel.consensus.coding import Reals
from cupel.kinds.multilabel import set_chooser
from cupel.kinds.multilabel.coded_sets import CodedSets, code_sets, count_yes
from cupel.kinds.multilabel.set_chooser import MOST_WHOLE_SETS, choose_set_model
from tests.cupel.kinds.multilabel.made_answers import CLASSES, MadeAnswers, make_answers


def coded(made: MadeAnswers) -> CodedSets:
    return code_sets(made.annotations, None, CLASSES)


def test_dependent_classes_are_used_where_they_are() -> None:
    made = make_answers(items=150, is_dependent=True)
    choice = choose_set_model(coded(made))
    assert choice.model.is_dependent
    assert choice.gain > 2 * choice.gain_error
    assert choice.answers == made.annotations.num_rows


def test_independent_classes_are_left_so() -> None:
    choice = choose_set_model(coded(make_answers(items=150)))
    assert not choice.model.is_dependent


def test_the_choice_errs_less_than_majority() -> None:
    made = make_answers(items=150, skills=1.5)
    answers = coded(made)
    votes, yes = count_yes(answers)
    chosen = choose_set_model(answers).model.fit(answers).sets
    assert _wrong(chosen, made) < 0.8 * _wrong(2 * yes > votes[:, None], made)


def test_classes_that_are_one_question_in_disguise_are_taken_as_whole_sets() -> None:
    """Every item has one of four sets and whoever errs gives another one of them."""
    rng = np.random.default_rng(4)
    made = make_answers(items=300, per_item=5)
    texts = np.array(['["a","b"]', '["c","d"]', '["e","f"]', "[]"])
    truth = rng.integers(0, 4, 300)
    item = np.array([int(name) for name in made.annotations["item_id"].to_pylist()])
    said = np.where(rng.random(len(item)) < 0.65, truth[item], rng.integers(0, 4, len(item)))
    table = made.annotations.set_column(2, "label", [texts[said].tolist()])
    choice = choose_set_model(code_sets(table, None, CLASSES))
    assert choice.model.name == "whole_sets"


def test_many_distinct_sets_are_not_tried_as_classes() -> None:
    answers = coded(make_answers(items=150))
    assert len(answers.sets) > MOST_WHOLE_SETS
    assert "whole_sets" not in choose_set_model(answers).scores


def test_without_an_answer_to_hold_out_each_class_stands_alone() -> None:
    made = make_answers(items=5, per_item=1)
    choice = choose_set_model(coded(made))
    assert (choice.model.name, choice.answers, dict(choice.scores)) == ("class_by_class", 0, {})
    assert choice.why == "class_by_class: no answer could be held out to choose by"


def test_kinds_of_items_are_not_tried_where_they_have_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_chooser, "MOST_CHANCES", 100)
    choice = choose_set_model(coded(make_answers(items=40, is_dependent=True)))
    assert not [name for name in choice.scores if name.startswith("kinds")]
    assert not choice.model.is_dependent
    assert choice.gain == 0.0


def test_the_reason_names_every_model_and_the_criterion() -> None:
    choice = choose_set_model(coded(make_answers(items=40)))
    assert all(name in choice.why for name in choice.scores)
    assert "2 standard errors" in choice.why


def _wrong(sets: Reals, made: MadeAnswers) -> float:
    return float((sets != made.truth).any(axis=1).mean())
