"""The chooser finds the method that made the answers, looks at answers alone, and scores what it did not fit."""

from typing import get_args

import numpy as np
import pyarrow as pa
import pytest

from cupel.config.labeling import Consensus
from cupel.consensus import chooser
from cupel.consensus.chooser import affordable, choose, chosen, predicted, score_belief
from cupel.consensus.coding import Coded, code
from cupel.consensus.methods import CANDIDATES, METHODS
from cupel.show.wording import METHOD_NAMES


def crowd(matrices: np.ndarray, items: int, votes: int, seed: int) -> Coded:
    """Return answers of annotators with these confusions, on items of classes equally frequent."""
    rng = np.random.default_rng(seed)
    classes = matrices.shape[1]
    truth = rng.integers(0, classes, items)
    rows = []
    for item in range(items):
        for who in rng.choice(len(matrices), votes, replace=False):
            rows.append((f"{item:04}", f"w{who:02}", "abcde"[rng.choice(classes, p=matrices[who, truth[item]])]))
    table = pa.table({key: [row[n] for row in rows] for n, key in enumerate(("item_id", "annotator", "label"))})
    return code(table, [f"{item:04}" for item in range(items)], tuple("abcde"[:classes]))


def confusers(annotators: int, seed: int = 1) -> np.ndarray:
    """Return annotators who each take one class for another of their own."""
    rng = np.random.default_rng(seed)
    matrices = np.repeat(np.eye(4)[None] * 0.88 + 0.03, annotators, axis=0)
    for matrix in matrices:
        true, other = rng.choice(4, 2, replace=False)
        matrix[true, [true, other]] = matrix[true, [other, true]]
    return matrices


def coins(annotators: int, classes: int = 5) -> np.ndarray:
    """Return annotators who are right 30 to 95 times in 100, all errors alike."""
    right = np.linspace(0.3, 0.95, annotators)
    matrices = np.repeat(((1 - right) / (classes - 1))[:, None, None], classes, axis=1).repeat(classes, axis=2)
    matrices[:, np.arange(classes), np.arange(classes)] = right[:, None]
    return matrices


def test_own_confusions_ask_for_matrices() -> None:
    choice = choose(crowd(confusers(8), 500, 5, 1))
    assert choice.method in ("dawid_skene", "skilled_dawid_skene", "ibcc", "ebcc")
    assert choice.scores[choice.method] > max(choice.scores["one_coin"], choice.scores["majority"]) + 0.01


def test_few_answers_by_annotators_of_mixed_skill_ask_for_skill() -> None:
    choice = choose(crowd(coins(60), 300, 5, 2))
    assert choice.method in ("one_coin", "skilled_dawid_skene")
    assert choice.scores["dawid_skene"] < choice.scores[choice.method]


def few_good_many_bad(seed: int) -> tuple[Coded, np.ndarray]:
    """Return a crowd of which one in six is right nine times in ten; the others answer by habit every other time."""
    rng = np.random.default_rng(seed)
    matrices = np.empty((48, 4, 4))
    matrices[:8] = np.eye(4) * (0.9 - 0.1 / 3) + 0.1 / 3
    for place in range(8, 48):
        matrices[place] = 0.5 * (np.eye(4) / 3 + 1 / 6) + 0.5 * np.eye(4)[rng.integers(4)]
    return crowd(matrices, 600, 5, seed), np.random.default_rng(seed).integers(0, 4, 600)


def share_right(method: str, coded: Coded, truth: np.ndarray) -> float:
    return float((METHODS[method](coded).posterior.argmax(axis=1) == truth).mean())


@pytest.mark.parametrize("seed", [1, 3])
def test_a_crowd_of_few_good_and_many_bad_people_is_read_by_who_is_right_not_by_habits(seed: int) -> None:
    coded, truth = few_good_many_bad(seed)
    best = max(share_right(name, coded, truth) for name in CANDIDATES)
    assert share_right(choose(coded).method, coded, truth) >= best - 0.01
    habits = {name: predicted(METHODS[name](coded), coded) for name in ("dawid_skene", "one_coin")}
    # Habits make the answers likelier, and the labels wrong.
    assert np.log(habits["dawid_skene"]).mean() > np.log(habits["one_coin"]).mean()
    assert share_right("dawid_skene", coded, truth) < best - 0.1


def test_a_belief_that_says_nothing_scores_as_guesses_by_how_often_annotators_give_an_answer() -> None:
    coded = crowd(confusers(8), 400, 3, 9)
    nothing = np.full((400, 4), 1 / 4)
    often = np.bincount(coded.annotator * 4 + coded.label, minlength=32).reshape(8, 4)
    expected = np.log((often / often.sum(axis=1, keepdims=True))[coded.annotator, coded.label])
    found = score_belief(coded, nothing, coded, 1e-6)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    truth = np.random.default_rng(9).integers(0, 4, 400)
    assert score_belief(coded, np.eye(4)[truth], coded).mean() > found.mean() + 0.3


def test_classes_by_another_name_and_order_give_the_same_choice() -> None:
    coded = crowd(coins(12, 4), 200, 4, 10)
    turned = coded._replace(label=3 - coded.label)
    one, other = choose(coded), choose(turned)
    assert one.method == other.method
    # Kinds of items are drawn at random, class by class.
    for name in set(CANDIDATES) - {"ebcc"}:
        assert one.scores[name] == pytest.approx(other.scores[name], abs=2e-3)


def test_ebcc_is_no_candidate_where_a_fit_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    coded = crowd(confusers(8), 60, 3, 11)
    assert affordable(coded) == CANDIDATES
    monkeypatch.setattr(chooser, "MOST_OPERATIONS", 1_000)
    assert affordable(coded) == tuple(name for name in CANDIDATES if name != "ebcc")
    assert set(choose(coded).scores) == set(CANDIDATES) - {"ebcc"}


def test_scores_are_of_answers_that_the_method_did_not_see(monkeypatch: pytest.MonkeyPatch) -> None:
    coded = crowd(confusers(8), 60, 3, 3)
    seen: list[set[tuple[int, int, int]]] = []

    def rows(part: Coded) -> set[tuple[int, int, int]]:
        return set(zip(part.item.tolist(), part.annotator.tolist(), part.label.tolist(), strict=True))

    def watched(part: Coded) -> object:
        seen.append(rows(part))
        return METHODS["dawid_skene"](part)

    held: list[set[tuple[int, int, int]]] = []
    monkeypatch.setattr(chooser, "METHODS", {"watched": watched})
    monkeypatch.setattr(chooser, "score_belief", lambda *given: held.append(rows(given[2])) or score_belief(*given))
    choice = choose(coded, ("watched",))
    assert all(not fitted & out for fitted, out in zip(seen, held, strict=True))
    assert set.union(*held) == rows(coded)
    assert choice.answers == len(coded.item) == 180


@pytest.mark.parametrize("name", CANDIDATES)
def test_the_chances_of_all_answers_that_one_may_give_add_up_to_one(name: str) -> None:
    coded = crowd(confusers(8), 60, 3, 4)
    fitted = METHODS[name](coded)
    every = [coded._replace(label=np.full(len(coded.item), label)) for label in range(4)]
    np.testing.assert_allclose(sum(predicted(fitted, answers) for answers in every), 1)


def test_one_answer_per_item_leaves_the_default() -> None:
    assert choose(crowd(confusers(8), 50, 1, 5)).method == "dawid_skene"


def test_row_order_changes_no_score() -> None:
    assert choose(crowd(confusers(8), 80, 3, 6)) == choose(crowd(confusers(8), 80, 3, 6))


def test_large_batches_hold_out_one_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chooser, "MANY_ANSWERS", 100)
    assert choose(crowd(confusers(8), 100, 5, 7)).answers == 100


def test_a_named_method_is_taken_and_auto_says_why() -> None:
    coded = crowd(confusers(8), 80, 3, 8)
    assert chosen("glad", coded).method == "glad"
    choice = chosen("auto", coded)
    assert choice == choose(coded)
    assert choice.why.startswith(f"{choice.method}: 240 answers held out are likeliest under its belief")


def test_every_method_may_stand_in_a_project_and_in_a_report() -> None:
    named = set(get_args(Consensus))
    assert named == {*METHODS, "auto"} == set(METHOD_NAMES)
