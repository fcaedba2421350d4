from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from cupel.kinds.multilabel.coded_sets import CodedSets, code_sets
from cupel.kinds.multilabel.set_mixture import (
    INDEPENDENT,
    SetMixture,
    Skill,
    best_sets,
    fit_set_mixture,
    log_chances,
    posterior_of_kinds,
)
from tests.cupel.kinds.multilabel.made_answers import CLASSES, MadeAnswers, make_answers


def coded(made: MadeAnswers) -> CodedSets:
    return code_sets(made.annotations, [f"{n:04d}" for n in range(len(made.truth))], CLASSES)


def wrong_sets(found: SetMixture, made: MadeAnswers) -> float:
    return float((best_sets(found) != made.truth).any(axis=1).mean())


def test_kinds_of_items_are_worth_much_where_classes_come_together() -> None:
    made = make_answers(is_dependent=True)
    alone = fit_set_mixture(coded(made))
    together = fit_set_mixture(coded(made), replace(INDEPENDENT, kinds=3))
    assert wrong_sets(together, made) < 0.5 * wrong_sets(alone, made)


def test_a_rare_class_gains_from_what_annotators_show_on_others() -> None:
    made = make_answers(items=400, per_item=3, people=40, skills=1.5, shares=(0.4, 0.5, 0.4, 0.5, 0.4, 0.03))
    errors = {}
    for smoothing in (1.0, 64.0):
        found = fit_set_mixture(coded(made), replace(INDEPENDENT, smoothing=smoothing))
        errors[smoothing] = (best_sets(found)[:, 5] != made.truth[:, 5]).sum()
    assert errors[64.0] < errors[1.0]


def test_skill_is_found_by_class() -> None:
    """One annotator never sees class a and is perfect elsewhere; the others are good."""
    made = make_answers(items=500, people=8, per_item=8, skills=0.0)
    said = np.array([name == "p00" for name in made.annotations["annotator"].to_pylist()])
    labels = [
        text.replace('"a",', "").replace('"a"', "") if is_his else text
        for text, is_his in zip(made.annotations["label"].to_pylist(), said, strict=True)
    ]
    blind = made._replace(annotations=made.annotations.set_column(2, "label", [labels]))
    found = fit_set_mixture(coded(blind))
    assert found.skill.sensitivity[0, 0] < 0.2 < 0.6 < found.skill.sensitivity[0, 1]
    assert found.skill.sensitivity[1, 0] > 0.6


def test_annotators_skill_is_near_what_it_was_made_with() -> None:
    found = fit_set_mixture(coded(make_answers(items=2000, skills=0.0)))
    assert found.skill.sensitivity == pytest.approx(expit(1.0), abs=0.12)
    assert found.skill.specificity == pytest.approx(expit(2.0), abs=0.06)


def test_neither_order_nor_names_of_annotators_matter() -> None:
    made = make_answers(items=60)
    order = np.random.default_rng(2).permutation(made.annotations.num_rows)
    shuffled = made._replace(annotations=made.annotations.take(order))
    one, other = fit_set_mixture(coded(made)).posterior, fit_set_mixture(coded(shuffled)).posterior
    assert np.array_equal(one, other)


@pytest.mark.parametrize("kinds", [1, 4])
def test_chances_of_all_sets_that_an_annotator_could_answer_add_up_to_one(kinds: int) -> None:
    made = make_answers(items=40, shares=(0.5, 0.3, 0.2))
    table = made.annotations
    found = fit_set_mixture(code_sets(table, None, CLASSES[:3]), replace(INDEPENDENT, kinds=kinds))
    every = code_sets(table, None, CLASSES[:3])
    sets = np.array([[place >> bit & 1 for bit in range(3)] for place in range(8)], np.bool_)
    total = np.zeros(table.num_rows)
    for place in range(8):
        one = every.coded._replace(label=np.full(table.num_rows, place))
        total += np.exp(log_chances(found, every._replace(coded=one, sets=sets)))
    assert total == pytest.approx(1.0)


def test_the_likeliest_set_is_that_of_all_sets() -> None:
    """Held against the chance of every set, under kinds of items that are far apart."""
    rng = np.random.default_rng(5)
    weight, share = rng.dirichlet(np.ones(3)), rng.beta(0.5, 0.5, (3, 4)).clip(0.01, 0.99)
    evidence = rng.normal(0, 1.5, (200, 4))
    kind, has = posterior_of_kinds(weight, share, evidence)
    posterior = np.einsum("ic,ick->ik", kind, has)
    skill = Skill(np.ones((1, 4)), np.ones((1, 4)))
    chosen = best_sets(SetMixture(weight, share, skill, evidence, posterior, True))
    sets = np.array([[place >> bit & 1 for bit in range(4)] for place in range(16)])
    chances = np.array([(kind * np.where(one, has, 1 - has).prod(axis=2)).sum(axis=1) for one in sets]).T
    best = chances.max(axis=1)
    mine = np.array([chances[n, int((row * 2 ** np.arange(4)).sum())] for n, row in enumerate(chosen)])
    # It looks among a few candidates; the best of all is nearly always one of them.
    assert (mine > best - 1e-12).mean() > 0.97
    assert (mine > 0.9 * best).all()


def test_a_batch_without_answers_has_what_is_usual() -> None:
    made = make_answers(items=3)
    found = fit_set_mixture(code_sets(made.annotations.slice(0, 0), ["x", "y"], CLASSES))
    assert found.posterior == pytest.approx(0.5)
