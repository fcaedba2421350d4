"""The chooser finds the method that made the answers, looks at answers alone, and scores what it did not fit."""

from typing import get_args

import numpy as np
import pyarrow as pa
import pytest

from cupel.config.labeling import Consensus
from cupel.consensus import chooser
from cupel.consensus.chooser import choose, chosen, predicted
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
    choice = choose(crowd(confusers(8), 500, 5, 1), (*CANDIDATES, "majority"))
    assert choice.method in ("dawid_skene", "skilled_dawid_skene", "ibcc")
    assert choice.scores[choice.method] > max(choice.scores["one_coin"], choice.scores["majority"]) + 0.1


def test_few_answers_by_annotators_of_mixed_skill_ask_for_skill() -> None:
    choice = choose(crowd(coins(60), 300, 5, 2))
    assert choice.method in ("one_coin", "skilled_dawid_skene")
    assert choice.scores["dawid_skene"] < choice.scores[choice.method]


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
    monkeypatch.setattr(chooser, "predicted", lambda fitted, out: held.append(rows(out)) or predicted(fitted, out))
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
    assert choice.why.startswith(f"{choice.method}: 240 answers held out are likeliest under it")


def test_every_method_may_stand_in_a_project_and_in_a_report() -> None:
    named = set(get_args(Consensus))
    assert named == {*METHODS, "auto"} == set(METHOD_NAMES)
