"""GLAD against another library's likelihood, and what it says of skill and ease."""

import numpy as np
import pyarrow as pa
from scipy.optimize import check_grad

from cupel.consensus.coding import Coded, code
from cupel.consensus.glad import _cost, glad

ITEMS = 200


def crowd(seed: int = 1) -> Coded:
    """Return answers of ten annotators, skilled from 0.2 to 2.5, on items whose every third one is hard."""
    rng = np.random.default_rng(seed)
    skill = np.linspace(0.2, 2.5, 10)
    rows = []
    for item in range(ITEMS):
        ease = 0.3 if item % 3 == 0 else 2.0
        for annotator in range(10):
            is_right = rng.random() < 1 / (1 + np.exp(-skill[annotator] * ease))
            label = item % 4 if is_right else (item + rng.integers(1, 4)) % 4
            rows.append((f"{item:03}", f"w{annotator}", "abcd"[label]))
    table = pa.table({key: [row[n] for row in rows] for n, key in enumerate(("item_id", "annotator", "label"))})
    return code(table, [f"{item:03}" for item in range(ITEMS)], tuple("abcd"))


def test_it_tells_the_skilled_from_the_rest_and_the_easy_from_the_hard() -> None:
    found = glad(crowd())
    assert np.corrcoef(found.skill, np.arange(10))[0, 1] > 0.9
    is_hard = np.arange(ITEMS) % 3 == 0
    assert np.median(found.ease[is_hard]) < np.median(found.ease[~is_hard]) / 2
    assert (found.posterior.argmax(axis=1) == np.arange(ITEMS) % 4).mean() > 0.9


def test_the_slope_is_that_of_the_cost() -> None:
    coded, rng = crowd(), np.random.default_rng(2)
    belief, values = rng.random(len(coded.item)), rng.normal(size=10 + ITEMS)
    middle = np.ones(10 + ITEMS)
    cost = check_grad(
        lambda at: _cost(at, coded, belief, middle)[0], lambda at: _cost(at, coded, belief, middle)[1], values
    )
    assert cost < 1e-3


def test_one_annotator_alone_is_believed() -> None:
    table = pa.table({"item_id": ["a", "b"], "annotator": ["p", "p"], "label": ["x", "y"]})
    assert glad(code(table, ["a", "b"], ("x", "y"))).posterior.argmax(axis=1).tolist() == [0, 1]
