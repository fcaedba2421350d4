from typing import NamedTuple

import numpy as np
import pytest

from cupel.kinds.preference.bradley_terry import SECOND, TIE, BradleyTerry, Compared, bradley_terry


class Made(NamedTuple):
    compared: Compared
    truth: np.ndarray
    strength: np.ndarray
    bias: np.ndarray


def make(seed: int, prompts: int = 40, people: int = 10, spammers: int = 0, width: float = 0.4) -> Made:
    """Make comparisons of all pairs of four responses a prompt, three answers each, by the model's own rules."""
    rng = np.random.default_rng(seed)
    strength = rng.normal(0, 1, 4 * prompts)
    pairs = [(4 * p + a, 4 * p + b) for p in range(prompts) for a in range(4) for b in range(a + 1, 4)]
    sides = np.array([pair if rng.random() < 0.5 else pair[::-1] for pair in pairs])
    comparison = np.repeat(np.arange(len(sides)), 3)
    annotator = np.concatenate([rng.choice(people, 3, replace=False) for _ in sides])
    skill, bias = np.full(people, 3.0), rng.normal(0.5, 0.3, people)
    skill[:spammers] = 0.01
    difference = strength[sides[:, 0]] - strength[sides[:, 1]]
    far = difference[comparison]
    first = 1 / (1 + np.exp(-(skill[annotator] * (far - width) + bias[annotator])))
    second = 1 / (1 + np.exp(skill[annotator] * (far + width) + bias[annotator]))
    chance = rng.random(len(far))
    answer = np.where(chance < first, 0, np.where(chance < first + second, 1, 2))
    truth = np.where(difference > width, 0, np.where(difference < -width, 1, 2))
    compared = Compared(sides[:, 0], sides[:, 1], comparison, annotator, answer, len(strength), people)
    return Made(compared, truth, strength, bias)


def right(fit: BradleyTerry, made: Made) -> float:
    return float((fit.posterior.argmax(axis=1) == made.truth).mean())


def majority(made: Made) -> float:
    votes = np.zeros((len(made.truth), 3))
    np.add.at(votes, (made.compared.comparison, made.compared.answer), 1)
    return float((votes.argmax(axis=1) == made.truth).mean())


@pytest.mark.parametrize(("spammers", "width"), [(0, 0.4), (3, 0.4), (0, 0.0), (3, 0.0)])
def test_labels_are_righter_than_the_majority(spammers: int, width: float) -> None:
    gains = []
    for seed in range(3):
        made = make(seed, spammers=spammers, width=width)
        gains.append(right(bradley_terry(made.compared), made) - majority(made))
    assert min(gains) > 0


def test_strengths_bias_and_the_width_of_ties_are_found() -> None:
    made = make(5, prompts=100)
    fit = bradley_terry(made.compared)
    assert np.corrcoef(fit.strength, made.strength)[0, 1] > 0.75
    assert fit.common_bias == pytest.approx(made.bias.mean(), abs=0.25)
    assert fit.tie_width == pytest.approx(0.4, abs=0.12)
    assert fit.is_converged


def test_spammers_have_the_lowest_skill() -> None:
    fit = bradley_terry(make(1, prompts=100, spammers=3).compared)
    assert set(np.argsort(fit.skill)[:3]) == {0, 1, 2}


def test_exchanging_first_and_second_exchanges_the_labels() -> None:
    compared = make(2).compared
    answer = np.where(compared.answer == TIE, TIE, 1 - compared.answer)
    fit, other = (
        bradley_terry(given)
        for given in (compared, compared._replace(first=compared.second, second=compared.first, answer=answer))
    )
    assert np.allclose(fit.posterior[:, [1, 0, 2]], other.posterior, atol=1e-3)
    assert fit.common_bias == pytest.approx(-other.common_bias, abs=1e-2)


def test_the_chances_are_of_the_size_that_they_say() -> None:
    made = make(3, prompts=150)
    posterior = bradley_terry(made.compared).posterior
    assert posterior.max(axis=1).mean() == pytest.approx(right(bradley_terry(made.compared), made), abs=0.06)


def test_without_ties_no_label_is_a_tie() -> None:
    fit = bradley_terry(make(4, width=0.0).compared)
    assert fit.tie_width == 0
    assert not fit.posterior[:, TIE].any()


def test_a_comparison_without_answers_is_known_from_the_others() -> None:
    # A beats B, B beats C, often; A against C was never asked.
    sides, times = np.array([(0, 1), (1, 2), (2, 0)]), 10
    comparison = np.tile([0, 1], times)
    compared = Compared(sides[:, 0], sides[:, 1], comparison, np.arange(2 * times) % 5, np.zeros(2 * times, int), 3, 5)
    assert bradley_terry(compared).posterior[2].argmax() == SECOND


def test_without_answers_nothing_is_claimed() -> None:
    none = np.zeros(0, np.int64)
    compared = Compared(np.array([0]), np.array([1]), none, none, none, 2, 0)
    assert bradley_terry(compared).posterior.tolist() == [[0.5, 0.5, 0.0]]
