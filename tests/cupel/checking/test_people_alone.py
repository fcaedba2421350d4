"""People alone: the method's labels, in an order that all methods share, and annotators judged by verdicts."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from cupel.checking.by_verdicts import VerdictSettings, fuse_by_verdicts
from cupel.checking.label_fusion import LabelFusion
from cupel.checking.people_alone import deal_out, fuse_people, mean_place
from cupel.consensus.consensus import consensus
from cupel.contract.ontology import Ontology
from cupel.errors import TableError
from cupel.kinds.category import CATEGORY

CLASSES = ("x", "y", "z")
SIZE = 240
IDS = [f"{number:03}" for number in range(SIZE)]
METHODS = ("one_coin", "dawid_skene", "majority")


def made(right: list[float], seed: int, classes: tuple[str, ...] = CLASSES) -> tuple[pa.Table, list[str]]:
    """Return the answers of annotators who are right so often, four on each item, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, SIZE)
    rows = []
    for item in range(SIZE):
        for who in rng.choice(len(right), 4, replace=False):
            is_right = rng.random() < right[who]
            said = truth[item] if is_right else (truth[item] + rng.integers(1, 3)) % 3
            rows.append((IDS[item], f"p{who}", classes[said]))
    table = pa.table(dict(zip(("item_id", "annotator", "label"), map(list, zip(*rows, strict=True)), strict=True)))
    return table, [classes[place] for place in truth]


ANSWERS, TRUTH = made([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], 1)
CONSENSUSES = {name: consensus(ANSWERS, IDS, CLASSES, name) for name in METHODS}
SILENT = pa.table({"item_id": IDS, "posterior": pa.nulls(SIZE, pa.list_(pa.float64()))})


def fuse(verdicts: dict[str, str], method: str = "one_coin") -> LabelFusion:
    return fuse_people(CONSENSUSES, method, ANSWERS, SILENT, CATEGORY, Ontology(CLASSES), verdicts)


def test_without_verdicts_labels_and_log_odds_are_the_methods_own_in_another_order() -> None:
    plain = CATEGORY.fuse(CONSENSUSES["one_coin"], SILENT, Ontology(CLASSES), None)
    found = fuse({})
    assert found.label.to_pylist() == plain.label.to_pylist()
    assert found.log_odds.sum() == pytest.approx(plain.log_odds.sum(), abs=1e-3)
    assert found.log_odds.max() <= plain.log_odds.max()
    assert found.log_odds.min() >= plain.log_odds.min()
    assert found.log_odds.tolist() != plain.log_odds.tolist()


def test_one_method_whose_annotators_are_as_it_says_keeps_its_order() -> None:
    alone = {"dawid_skene": CONSENSUSES["dawid_skene"]}
    found = fuse_people(alone, "dawid_skene", ANSWERS, SILENT, CATEGORY, Ontology(CLASSES), {})
    plain = CATEGORY.fuse(alone["dawid_skene"], SILENT, Ontology(CLASSES), None)
    assert np.corrcoef(mean_place(found.log_odds), mean_place(plain.log_odds))[0, 1] > 0.999


def test_verdicts_judge_annotators_so_that_other_labels_are_righter() -> None:
    answers, truth = made([0.95, 0.9, 0.3, 0.3, 0.3, 0.3], 2)
    tables = {name: consensus(answers, IDS, CLASSES, name) for name in METHODS}
    ontology = Ontology(CLASSES)
    verdicts = dict(zip(IDS[:80], truth[:80], strict=True))

    def right(said: dict[str, str]) -> float:
        found = fuse_people(tables, "majority", answers, SILENT, CATEGORY, ontology, said).label.to_pylist()
        return float(np.mean([found[place] == truth[place] for place in range(80, SIZE)]))

    assert right(verdicts) > right({}) + 0.05


def test_classes_by_other_names_give_the_same_labels_and_order() -> None:
    names = ("z", "x", "y")
    turned = dict(zip(CLASSES, names, strict=True))
    answers, truth = made([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], 1, names)
    tables = {name: consensus(answers, IDS, names, name) for name in METHODS}
    verdicts = {IDS[place]: TRUTH[place] for place in range(30)}
    other = {IDS[place]: truth[place] for place in range(30)}
    one = fuse(verdicts)
    two = fuse_people(tables, "one_coin", answers, SILENT, CATEGORY, Ontology(names), other)
    assert [turned[label] for label in one.label.to_pylist()] == two.label.to_pylist()
    np.testing.assert_allclose(one.log_odds, two.log_odds, atol=1e-5)


def test_items_without_answers_stay_unknown_and_at_no_place() -> None:
    ids = [*IDS, "999"]
    tables = {name: consensus(ANSWERS, ids, CLASSES, name) for name in METHODS}
    silent = pa.table({"item_id": ids, "posterior": pa.nulls(SIZE + 1, pa.list_(pa.float64()))})
    found = fuse_people(tables, "one_coin", ANSWERS, silent, CATEGORY, Ontology(CLASSES), {})
    assert found.is_known.tolist() == [True] * SIZE + [False]
    assert found.log_odds[:SIZE].tolist() == fuse({}).log_odds.tolist()


def test_a_verdict_on_an_item_that_is_not_there_is_an_error() -> None:
    with pytest.raises(TableError, match="no such item"):
        fuse({"nowhere": "x"})


def test_with_a_model_or_without_the_answers_the_order_is_the_one_methods() -> None:
    model = CONSENSUSES["dawid_skene"].select(["item_id", "posterior"])
    ontology = Ontology(CLASSES)
    for predictions, answers in ((model, ANSWERS), (SILENT, None)):
        _, found = fuse_by_verdicts(CONSENSUSES, predictions, CATEGORY, ontology, {}, answers)
        plain = CATEGORY.fuse(CONSENSUSES["one_coin"], predictions, ontology, None)
        assert found.log_odds.tolist() == plain.log_odds.tolist()
    alone = VerdictSettings(is_order_shared=False)
    _, found = fuse_by_verdicts(CONSENSUSES, SILENT, CATEGORY, ontology, {}, ANSWERS, alone)
    assert found.log_odds.tolist() == CATEGORY.fuse(CONSENSUSES["one_coin"], SILENT, ontology, None).log_odds.tolist()
    _, shared = fuse_by_verdicts(CONSENSUSES, SILENT, CATEGORY, ontology, {}, ANSWERS)
    assert shared.log_odds.tolist() == fuse({}).log_odds.tolist()


NUMBERS = st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=40)


@given(NUMBERS, st.randoms(use_true_random=False))
def test_dealing_out_keeps_the_values_and_takes_the_order(values: list[float], random: object) -> None:
    order = list(range(len(values)))
    random.shuffle(order)  # type: ignore[attr-defined]
    found = deal_out(np.array(values), np.array(order, np.float64))
    assert sorted(found.tolist()) == sorted(values)
    assert (np.diff(found[np.argsort(order)]) >= 0).all()


@given(NUMBERS)
def test_dealing_out_in_their_own_order_changes_nothing(values: list[float]) -> None:
    found = deal_out(np.array(values), mean_place(np.array(values)))
    np.testing.assert_allclose(found, values, atol=1e-5)


@given(NUMBERS)
def test_places_are_those_that_scipy_gives(values: list[float]) -> None:
    assert mean_place(np.array(values)).tolist() == rankdata(values).tolist()
