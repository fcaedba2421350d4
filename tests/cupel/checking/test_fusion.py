"""People and checker together: exact arithmetic, a weight that people decide, no harm from a weak checker."""

from math import log

import numpy as np
import pyarrow as pa
import pytest

from cupel.checking.fusion import Fusion, top_log_odds
from cupel.checking.label_fusion import LabelFusion, lessons
from cupel.consensus.consensus import consensus
from cupel.contract.ontology import Ontology
from cupel.errors import TableError
from cupel.kinds.category import CATEGORY

CLASSES = ("x", "y")


def crowd(truth: np.ndarray, accuracy: float, votes: int, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    is_right = rng.random((len(truth), votes)) < accuracy
    labels = np.where(is_right, truth[:, None], 1 - truth[:, None]).ravel()
    items = np.repeat(np.arange(len(truth)), votes)
    annotations = pa.table({
        "item_id": [f"{item:04}" for item in items],
        "annotator": pa.nulls(len(items), pa.string()),
        "label": [CLASSES[label] for label in labels],
    })  # fmt: skip
    return consensus(annotations, [f"{item:04}" for item in range(len(truth))], CLASSES)


def opinions(posterior: list[list[float] | None]) -> pa.Table:
    return pa.table({
        "item_id": [f"{item:04}" for item in range(len(posterior))],
        "posterior": pa.array(posterior, pa.list_(pa.float64())),
    })  # fmt: skip


def informed(truth: np.ndarray, sureness: float, accuracy: float, seed: int = 1) -> pa.Table:
    is_right = np.random.default_rng(seed).random(len(truth)) < accuracy
    shown = np.where(is_right, truth, 1 - truth)
    return opinions([[sureness, 1 - sureness] if label == 0 else [1 - sureness, sureness] for label in shown])


TRUTH = np.arange(600) % 2
ONTOLOGY = Ontology(CLASSES)


def fuse_labels(people: pa.Table, model: pa.Table, verdicts: dict[str, str] | None = None) -> LabelFusion:
    return CATEGORY.fuse(people, model, ONTOLOGY, verdicts)


def fuse(people: pa.Table, model: pa.Table, verdicts: dict[str, str] | None = None) -> Fusion:
    (found,) = fuse_labels(people, model, verdicts).parts
    return found


def taught_by(people: pa.Table, found: LabelFusion, verdicts: dict[str, str]) -> pa.Table:
    return lessons(people, found, lambda labels: CATEGORY.split(labels, ONTOLOGY), verdicts)


def wrong(found_labels: np.ndarray) -> int:
    return int((found_labels != TRUTH).sum())


def test_log_odds_are_those_of_the_best_against_all_others() -> None:
    label, odds = top_log_odds(np.log([[2 / 10, 5 / 10, 3 / 10]]))
    assert label.tolist() == [1]
    assert odds[0] == pytest.approx(log(5 / 5), abs=1e-12)


def test_log_odds_stay_exact_where_probabilities_round_to_one() -> None:
    _, odds = top_log_odds(np.array([[0.0, -60.0, -70.0], [0.0, -61.0, -70.0]]))
    assert odds[0] == pytest.approx(60, abs=1e-4)
    assert odds[1] - odds[0] == pytest.approx(1, abs=1e-3)


def test_a_good_checker_gets_weight_and_helps() -> None:
    people = crowd(TRUTH, 0.75, 3)
    together = fuse(people, informed(TRUTH, 0.9, 0.9))
    alone = fuse(people, opinions([None] * 600))
    assert together.weights.checker >= 0.75
    assert wrong(together.label) < 0.7 * wrong(alone.label)


def test_a_checker_that_guesses_does_no_harm() -> None:
    people = crowd(TRUTH, 0.75, 3)
    together = fuse(people, informed(TRUTH, 0.95, 0.5))
    alone = fuse(people, opinions([None] * 600))
    assert together.weights.checker == 0
    np.testing.assert_array_equal(together.label, alone.label)
    np.testing.assert_allclose(together.log_odds, alone.log_odds)


def test_a_checker_that_boasts_is_turned_down() -> None:
    people = crowd(TRUTH, 0.8, 3)
    assert fuse(people, informed(TRUTH, 0.999, 0.8)).weights.checker <= 0.5


def test_a_checker_that_is_always_wrong_gets_no_weight() -> None:
    assert fuse(crowd(TRUTH, 0.8, 3), informed(TRUTH, 0.9, 0.1)).weights.checker == 0


def test_without_a_checker_the_consensus_stands() -> None:
    people = crowd(TRUTH, 0.8, 3)
    alone = fuse(people, opinions([None] * 600))
    posterior = np.array(people["posterior"].to_pylist())
    np.testing.assert_array_equal(alone.label, posterior.argmax(axis=1))
    expected = np.log(posterior.max(axis=1)) - np.log(posterior.min(axis=1))
    np.testing.assert_allclose(alone.log_odds, expected, atol=1e-6)


def test_an_item_without_answers_has_the_checkers_opinion() -> None:
    annotations = pa.table({"item_id": ["0000"], "annotator": pa.nulls(1, pa.string()), "label": ["x"]})
    people = consensus(annotations, ["0000", "0001", "0002"], CLASSES)
    found = fuse(people, opinions([[0.5, 0.5], [0.1, 0.9], None]))
    assert found.is_known.tolist() == [True, True, False]


def test_tables_of_different_items_are_refused() -> None:
    with pytest.raises(TableError, match="different items"):
        fuse(crowd(TRUTH, 0.8, 3), opinions([None]))


def test_row_order_does_not_matter() -> None:
    people, model = crowd(TRUTH, 0.75, 3), informed(TRUTH, 0.9, 0.9)
    order = np.random.default_rng(0).permutation(600)
    one, other = fuse(people, model), fuse(people.take(order), model.take(order[::-1]))
    assert one.log_odds.tobytes() == other.log_odds.tobytes()


def test_verdicts_unmask_annotators_that_are_misled_together() -> None:
    # On every third item all annotators say the same wrong thing; people alone cannot tell.
    misled = np.where(np.arange(600) % 3 == 0, 1 - TRUTH, TRUTH)
    people, model = crowd(misled, 0.95, 2), informed(TRUTH, 0.95, 0.95)
    before = fuse(people, model)
    asked = {f"{item:04}": CLASSES[TRUTH[item]] for item in range(60)}
    after = fuse(people, model, asked)
    assert before.weights.crowd == 1
    assert after.weights.crowd < 0.5
    assert (after.label == TRUTH)[60:].mean() > (before.label == TRUTH)[60:].mean() + 0.1


def test_verdicts_do_not_change_the_label_of_their_own_item() -> None:
    people, model = crowd(TRUTH, 0.9, 3), opinions([None] * 600)
    against = {"0003": CLASSES[1 - TRUTH[3]]}
    assert fuse(people, model, against).label[3] == fuse(people, model).label[3]
    taught = taught_by(people, fuse_labels(people, model), against)
    assert taught["posterior"][3].as_py()[1 - TRUTH[3]] == 1.0


def test_lessons_hold_the_joint_belief_where_there_is_something_to_go_by() -> None:
    people, model = crowd(TRUTH[:3], 0.9, 3), opinions([[0.9, 0.1], None, None])
    people = pa.concat_tables([people.slice(1), silent(people.slice(0, 1))])
    found = fuse_labels(people, model)
    taught = taught_by(people, found, {})["posterior"].to_pylist()
    assert taught[0] is None
    assert taught[1] == pytest.approx(found.parts[0].posterior[1].tolist())
    assert taught_by(people, found, {"0000": "y"})["posterior"][0].as_py() == [0.0, 1.0]


def silent(people: pa.Table) -> pa.Table:
    place = people.column_names.index("posterior")
    return people.set_column(place, "posterior", pa.nulls(people.num_rows, people["posterior"].type))


@pytest.mark.parametrize(
    ("asked", "message"),
    [({"9999": "x"}, "'9999': no such item"), ({"0001": "z"}, "'z' on item '0001': no such label")],
)
def test_a_verdict_on_nothing_known_is_an_error(asked: dict[str, str], message: str) -> None:
    with pytest.raises(TableError, match=message):
        fuse(crowd(TRUTH, 0.9, 3), opinions([None] * 600), asked)
