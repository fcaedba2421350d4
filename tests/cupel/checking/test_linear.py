"""The built-in checker: out of sample, groups in one fold, calibrated, and silent where it knows nothing."""

import numpy as np
import pyarrow as pa
import pytest

from cupel.checking.fitting import MIN_TRAINING_ITEMS
from cupel.checking.folds import folds
from cupel.checking.linear import model_version, predictions
from cupel.config.checking import Checking
from cupel.consensus.consensus import consensus
from cupel.errors import TableError
from cupel.tables import PREDICTIONS

CLASSES = ("bad", "good")
WORDS = (("dull", "poor", "boring", "weak"), ("fine", "bright", "lovely", "strong"))
SETTINGS = Checking()


def batch(items: int = 300, accuracy: float = 0.85, seed: int = 0) -> tuple[pa.Table, pa.Table]:
    """Return clean items and their consensus; the class of an item is its number modulo 2, and its words tell it."""
    rng = np.random.default_rng(seed)
    ids = [f"{item:04}" for item in range(items)]
    texts = [
        " ".join(rng.choice(WORDS[item % 2], 2).tolist() + rng.choice(["film", "plot", "cast", "scene"], 3).tolist())
        for item in range(items)
    ]
    answers = [(item, item % 2 if rng.random() < accuracy else 1 - item % 2) for item in range(items) for _ in range(3)]
    annotations = pa.table({
        "item_id": [ids[item] for item, _ in answers],
        "annotator": pa.nulls(len(answers), pa.string()),
        "label": [CLASSES[label] for _, label in answers],
    })  # fmt: skip
    clean = pa.table({"item_id": ids, "text": texts, "group_id": ids})
    return clean, consensus(annotations, ids, CLASSES)


def test_it_learns_what_words_tell() -> None:
    clean, people = batch()
    found = predictions(clean, people, CLASSES, SETTINGS)
    assert found.schema.equals(PREDICTIONS.schema)
    right = [CLASSES[item % 2] == label for item, label in enumerate(found["predicted_label"].to_pylist())]
    assert np.mean(right) > 0.97
    posterior = np.array(found["posterior"].to_pylist())
    np.testing.assert_allclose(posterior.sum(axis=1), 1, atol=1e-8)


def test_an_item_never_meets_its_own_answers() -> None:
    # Each text is one of a kind, so a model that had seen an item would know its label.
    rng = np.random.default_rng(3)
    clean, people = batch(400)
    texts = ["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 30)) for _ in range(400)]
    found = predictions(clean.set_column(1, "text", pa.array(texts)), people, CLASSES, SETTINGS)
    right = [CLASSES[item % 2] == label for item, label in enumerate(found["predicted_label"].to_pylist())]
    assert 0.35 < np.mean(right) < 0.65


def test_a_group_is_never_split_over_folds() -> None:
    groups = [f"g{item % 40}" for item in range(400)]
    found = folds([str(item) for item in range(400)], groups, SETTINGS)
    for group in set(groups):
        assert len({fold for fold, name in zip(found, groups, strict=True) if name == group}) == 1
    assert set(found.tolist()) == set(range(SETTINGS.folds))


def test_copies_in_one_group_tell_nothing_about_each_other() -> None:
    clean, people = batch(400)
    # Pairs of copies share a text found nowhere else; ungrouped, each would give the other's label away.
    rng = np.random.default_rng(5)
    copies = ["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 30)) for _ in range(200)]
    texts = pa.array([copies[item // 4 * 2 + item % 2] for item in range(400)])
    leaky = clean.set_column(1, "text", texts)
    tight = leaky.set_column(2, "group_id", texts)

    def share_right(items: pa.Table) -> float:
        named = predictions(items, people, CLASSES, SETTINGS)["predicted_label"].to_pylist()
        return float(np.mean([CLASSES[item % 2] == label for item, label in enumerate(named)]))

    assert share_right(leaky) > 0.75
    assert share_right(tight) < 0.65


def test_it_is_silent_with_too_few_items() -> None:
    clean, people = batch(MIN_TRAINING_ITEMS - 1)
    found = predictions(clean, people, CLASSES, SETTINGS)
    for column in ("predicted_label", "posterior", "fold"):
        assert found[column].null_count == clean.num_rows


def test_it_is_silent_when_only_one_class_came_up() -> None:
    clean, people = batch()
    agreed = people.set_column(6, "posterior", pa.array([[1.0, 0.0]] * 300, pa.list_(pa.float64())))
    assert predictions(clean, agreed, CLASSES, SETTINGS)["predicted_label"].null_count == 300


def test_items_without_answers_are_predicted_but_not_trained_on() -> None:
    clean, people = batch()
    posterior = [value if item >= 50 else None for item, value in enumerate(people["posterior"].to_pylist())]
    partly = people.set_column(6, "posterior", pa.array(posterior, pa.list_(pa.float64())))
    found = predictions(clean, partly, CLASSES, SETTINGS)["predicted_label"].to_pylist()
    assert np.mean([CLASSES[item % 2] == found[item] for item in range(50)]) > 0.95


def test_texts_that_share_nothing_are_no_error() -> None:
    clean, people = batch(60)
    texts = pa.array([chr(0x4E00 + item) for item in range(60)])
    found = predictions(clean.set_column(1, "text", texts), people, CLASSES, SETTINGS)
    assert found.num_rows == 60


def test_its_claims_come_true() -> None:
    clean, people = batch(1500, accuracy=0.8, seed=9)
    rng = np.random.default_rng(2)
    # A third of the texts are given words of the other class, so the best claim is two thirds.
    texts = clean["text"].to_pylist()
    swapped = rng.random(1500) < 1 / 3
    mixed = [texts[item ^ 1] if swap else texts[item] for item, swap in enumerate(swapped)]
    found = predictions(clean.set_column(1, "text", pa.array(mixed)), people, CLASSES, SETTINGS)
    posterior = np.array(found["posterior"].to_pylist())
    right = posterior.argmax(axis=1) == np.arange(1500) % 2
    assert posterior.max(axis=1).mean() == pytest.approx(right.mean(), abs=0.05)


def test_another_consensus_of_other_items_is_refused() -> None:
    clean, people = batch()
    with pytest.raises(TableError, match="different items"):
        predictions(clean, people.slice(1), CLASSES, SETTINGS)


def test_the_version_changes_with_what_changes_predictions() -> None:
    versions = {
        model_version(CLASSES, settings)
        for settings in (SETTINGS, Checking(seed=8), Checking(folds=4), Checking(regularisation=1))
    }
    assert len(versions) == 4
    assert model_version(CLASSES, Checking(accept_log_odds=9)) == model_version(CLASSES, SETTINGS)


def test_neither_another_run_nor_row_order_changes_a_byte() -> None:
    clean, people = batch(200)
    order = np.random.default_rng(1).permutation(200)
    first = predictions(clean, people, CLASSES, SETTINGS)
    assert predictions(clean, people, CLASSES, SETTINGS).equals(first)
    assert predictions(clean.take(order), people.take(order[::-1]), CLASSES, SETTINGS).equals(first)


def test_a_class_that_nobody_used_is_possible_and_never_named() -> None:
    classes = ("bad", "good", "unheard of")
    clean, _ = batch()
    annotations = pa.table({
        "item_id": clean["item_id"], "annotator": pa.nulls(300, pa.string()),
        "label": [CLASSES[item % 2] for item in range(300)],
    })  # fmt: skip
    found = predictions(clean, consensus(annotations, clean["item_id"], classes), classes, SETTINGS)
    assert set(found["predicted_label"].to_pylist()) == {"bad", "good"}
    assert 0 < np.array(found["posterior"].to_pylist())[:, 2].max() < 0.1


def test_one_annotator_alone_is_learnt_from_too() -> None:
    rng = np.random.default_rng(4)
    clean, _ = batch(600)
    said = [CLASSES[item % 2 if rng.random() < 0.8 else 1 - item % 2] for item in range(600)]
    annotations = pa.table({"item_id": clean["item_id"], "annotator": ["ann"] * 600, "label": said})
    found = predictions(clean, consensus(annotations, clean["item_id"], CLASSES), CLASSES, SETTINGS)
    right = [CLASSES[item % 2] == label for item, label in enumerate(found["predicted_label"].to_pylist())]
    assert np.mean(right) > 0.95
    assert np.array(found["posterior"].to_pylist()).max(axis=1).mean() > 0.85, "surer than the one who taught it"
