import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.special import logsumexp

from cupel.consensus.coding import Integers, Reals
from cupel.consensus.model_voices import ModelVoices, add_voices


def crowd(items: int, classes: int, skill: float, seed: int) -> tuple[Integers, Reals]:
    """Return truths, and what people believe of each item: right with a chance of `skill`, and as sure as that."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, items)
    said = mistaken(truth, classes, 1 - skill, rng)
    belief = np.full((items, classes), (1 - skill) / (classes - 1))
    belief[np.arange(items), said] = skill
    return truth, belief


def mistaken(truth: Integers, classes: int, share: float, rng: np.random.Generator) -> Integers:
    other = (truth + rng.integers(1, classes, len(truth))) % classes
    return np.where(rng.random(len(truth)) < share, other, truth)


def error(found: ModelVoices, truth: Integers) -> float:
    return float((found.posterior.argmax(axis=1) != truth).mean())


def surprise(found: ModelVoices, truth: Integers) -> float:
    """Return how unlikely the truths are, in nats an item."""
    return float(-np.log(found.posterior[np.arange(len(truth)), truth]).mean())


def test_a_models_confusions_are_found_though_nobody_knows_the_truth() -> None:
    rng = np.random.default_rng(0)
    truth, people = crowd(20_000, 3, 0.6, 1)
    said = mistaken(truth, 3, 0.3, rng)
    found = add_voices(people, [said])
    assert_allclose(np.diagonal(found.confusion[0]), 0.7, atol=0.03)
    assert_allclose(found.confusion[0].sum(axis=1), 1)
    assert found.weights.tolist() == [1.0]
    silent = add_voices(people, [np.full(20_000, -1)])
    assert surprise(found, truth) < surprise(silent, truth) - 0.1


def test_one_answer_is_weighed_as_bayes_has_it() -> None:
    truth, people = crowd(5_000, 2, 0.75, 2)
    found = add_voices(people, [mistaken(truth, 2, 0.2, np.random.default_rng(3))])
    assert found.weights.tolist() == [1.0]
    said = int((found.voices[0]).argmax())
    joint = np.log(people[0]) + np.log(found.confusion[0][:, said])
    assert_allclose(found.posterior[0], np.exp(joint - logsumexp(joint)), atol=1e-9)


def test_a_version_that_repeats_the_first_adds_nothing() -> None:
    truth, people = crowd(4_000, 3, 0.7, 4)
    rng = np.random.default_rng(5)
    first = mistaken(truth, 3, 0.3, rng)
    again = np.where(rng.random(4_000) < 0.05, rng.integers(0, 3, 4_000), first)
    one, both = add_voices(people, [first]), add_voices(people, [first, again])
    assert both.weights.sum() <= 1.25
    assert abs(error(both, truth) - error(one, truth)) < 0.01


def test_two_independent_models_both_count() -> None:
    truth, people = crowd(8_000, 3, 0.7, 6)
    rng = np.random.default_rng(7)
    first, second = mistaken(truth, 3, 0.3, rng), mistaken(truth, 3, 0.35, rng)
    both = add_voices(people, [first, second])
    assert both.weights.tolist() == [1.0, 1.0]
    assert error(both, truth) < error(add_voices(people, [first]), truth) - 0.02


def test_a_model_that_knows_nothing_changes_next_to_nothing() -> None:
    truth, people = crowd(4_000, 3, 0.75, 8)
    noise = np.random.default_rng(9).integers(0, 3, 4_000)
    found = add_voices(people, [noise])
    assert abs(error(found, truth) - float((people.argmax(axis=1) != truth).mean())) < 0.01


def test_models_that_err_together_do_not_vote_people_down() -> None:
    # Three copies of a model that takes half of the items of class 0 for class 1, against people who are right on 80%.
    truth, people = crowd(6_000, 2, 0.8, 10)
    rng = np.random.default_rng(11)
    said = np.where((truth == 0) & (rng.random(6_000) < 0.5), 1, truth)
    found = add_voices(people, [said, said, said])
    alone = float((people.argmax(axis=1) != truth).mean())
    assert error(found, truth) < alone


@given(st.integers(0, 1000), st.floats(0.0, 0.5))
@settings(max_examples=20, deadline=None)
def test_no_label_rests_on_models_alone_and_rows_add_up_to_one(seed: int, mistakes: float) -> None:
    rng = np.random.default_rng(seed)
    truth, people = crowd(120, 3, 0.8, seed)
    people[:20] = np.nan
    said = mistaken(truth, 3, mistakes, rng)
    said[rng.random(120) < 0.3] = -1
    found = add_voices(people, [said])
    assert np.isnan(found.posterior[:20]).all()
    assert_allclose(found.posterior[20:].sum(axis=1), 1)
    assert (found.voices[said < 0] == 0).all()
    assert ((found.weights >= 0) & (found.weights <= 1)).all()


def test_items_in_another_order_have_the_same_beliefs() -> None:
    truth, people = crowd(500, 3, 0.8, 12)
    said = mistaken(truth, 3, 0.3, np.random.default_rng(13))
    order = np.random.default_rng(14).permutation(500)
    one, other = add_voices(people, [said]), add_voices(people[order], [said[order]])
    assert_allclose(one.posterior[order], other.posterior, atol=1e-9)


@pytest.mark.parametrize("items", [0, 1])
def test_few_items_are_no_error(items: int) -> None:
    people = np.full((items, 2), 0.5)
    found = add_voices(people, [np.zeros(items, np.int64)])
    assert found.posterior.shape == (items, 2)
    assert np.isfinite(found.confusion).all()
