"""A batch too large to train on whole: the sample is fixed, and nobody is judged by a model that saw it."""

import hashlib

import numpy as np
import pyarrow as pa
import pytest

from cupel.checking import linear, sampled
from cupel.checking.folds import folds
from cupel.checking.linear import model_version, predictions
from cupel.checking.sampled import drawn, must_be_sampled
from cupel.config.checking import Checking
from cupel.consensus.consensus import consensus

CLASSES = ("bad", "good")
WORDS = (("dull", "poor", "boring", "weak"), ("fine", "bright", "lovely", "strong"))
SETTINGS = Checking()


def batch(items: int = 600, accuracy: float = 0.85) -> tuple[pa.Table, pa.Table]:
    """Return clean items and their consensus; the class of an item is its number modulo 2, and its words tell it."""
    rng = np.random.default_rng(0)
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
    return pa.table({"item_id": ids, "text": texts, "group_id": ids}), consensus(annotations, ids, CLASSES)


@pytest.fixture
def small_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled, "SAMPLED_ITEMS", 200)


def share_right(clean: pa.Table, people: pa.Table) -> float:
    named = predictions(clean, people, CLASSES, SETTINGS)["predicted_label"].to_pylist()
    return float(np.mean([CLASSES[item % 2] == label for item, label in enumerate(named)]))


@pytest.mark.usefixtures("small_sample")
def test_a_sample_teaches_what_words_tell() -> None:
    clean, people = batch()
    found = predictions(clean, people, CLASSES, SETTINGS)
    assert share_right(clean, people) > 0.97
    posterior = np.array(found["posterior"].to_pylist())
    np.testing.assert_allclose(posterior.sum(axis=1), 1, atol=1e-8)
    assert set(found["model_version"].to_pylist()) == {model_version(CLASSES, SETTINGS, True)}
    assert model_version(CLASSES, SETTINGS, True) != model_version(CLASSES, SETTINGS)


def test_the_sample_says_what_the_whole_says(monkeypatch: pytest.MonkeyPatch) -> None:
    clean, people = batch()
    whole = np.array(predictions(clean, people, CLASSES, SETTINGS)["posterior"].to_pylist())
    monkeypatch.setattr(linear, "must_be_sampled", lambda texts: True)
    part = np.array(predictions(clean, people, CLASSES, SETTINGS)["posterior"].to_pylist())
    # All 600 are in the sample of 50,000, so that only the features' rounding differs.
    np.testing.assert_allclose(part, whole, atol=5e-3)


@pytest.mark.usefixtures("small_sample")
def test_copies_in_one_group_tell_nothing_about_each_other() -> None:
    clean, people = batch()
    rng = np.random.default_rng(5)
    copies = ["".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 30)) for _ in range(60)]
    # Twenty copies of each text, all of one class, of which some are in the sample.
    texts = pa.array([copies[item // 20 * 2 + item % 2] for item in range(600)])
    leaky = clean.set_column(1, "text", texts)
    tight = leaky.set_column(2, "group_id", texts)
    assert share_right(leaky, people) > 0.9
    assert share_right(tight, people) < 0.65


@pytest.mark.usefixtures("small_sample")
def test_no_item_is_scored_by_a_model_that_saw_its_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    clean, people = batch()
    fold = folds(clean["item_id"].to_pylist(), clean["group_id"].to_pylist(), SETTINGS)
    trained: list[np.ndarray] = []
    fit = sampled.fit
    monkeypatch.setattr(sampled, "fit", lambda *args: trained.append(args[2]) or fit(*args))
    predictions(clean, people, CLASSES, SETTINGS)
    sample = drawn(clean["item_id"].combine_chunks(), clean["text"], np.arange(600), SETTINGS.seed)
    assert len(sample) == 200
    for held_out, places in enumerate(trained):
        assert set(fold[sample[places]]) == set(range(SETTINGS.folds)) - {held_out}


@pytest.mark.usefixtures("small_sample")
def test_the_sample_is_the_answered_items_of_the_lowest_hash() -> None:
    ids = [f"i{number}" for number in range(500)]
    candidates = np.arange(0, 500, 2)
    hashes = {number: hashlib.sha256(f"7:sample:i{number}".encode()).digest()[:8] for number in candidates.tolist()}
    expected = sorted(sorted(hashes, key=lambda number: hashes[number])[:200])
    texts = pa.chunked_array([["some"] * 500])
    assert drawn(pa.array(ids), texts, candidates, 7).tolist() == expected
    assert drawn(pa.array(ids), texts, candidates, 8).tolist() != expected
    assert drawn(pa.array(ids), texts, np.arange(3), 7).tolist() == [0, 1, 2]


def test_long_texts_make_a_sample_of_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    ids, texts = pa.array([f"i{number}" for number in range(50)]), pa.chunked_array([["é" * 100] * 50])
    monkeypatch.setattr(sampled, "SAMPLED_CHARACTERS", 5_000)
    assert not must_be_sampled(texts)
    assert len(drawn(ids, texts, np.arange(50), 7)) == 50
    monkeypatch.setattr(sampled, "SAMPLED_CHARACTERS", 4_999)
    assert must_be_sampled(texts)
    assert len(drawn(ids, texts, np.arange(50), 7)) == 49


def test_a_batch_is_sampled_from_50_001_items_on() -> None:
    assert not must_be_sampled(pa.chunked_array([["a"] * 50_000]))
    assert must_be_sampled(pa.chunked_array([["a"] * 50_001]))


@pytest.mark.usefixtures("small_sample")
def test_items_without_answers_are_scored_and_not_trained_on() -> None:
    clean, people = batch()
    posterior = [value if item >= 60 else None for item, value in enumerate(people["posterior"].to_pylist())]
    partly = people.set_column(6, "posterior", pa.array(posterior, pa.list_(pa.float64())))
    found = predictions(clean, partly, CLASSES, SETTINGS)["predicted_label"].to_pylist()
    assert np.mean([CLASSES[item % 2] == found[item] for item in range(60)]) > 0.95
    nobody = people.set_column(6, "posterior", pa.array([None] * 600, pa.list_(pa.float64())))
    assert predictions(clean, nobody, CLASSES, SETTINGS)["predicted_label"].null_count == 600


@pytest.mark.usefixtures("small_sample")
def test_it_is_silent_when_only_one_class_came_up() -> None:
    clean, people = batch()
    agreed = people.set_column(6, "posterior", pa.array([[1.0, 0.0]] * 600, pa.list_(pa.float64())))
    assert predictions(clean, agreed, CLASSES, SETTINGS)["predicted_label"].null_count == 600


@pytest.mark.usefixtures("small_sample")
def test_neither_another_run_nor_row_order_changes_a_byte() -> None:
    clean, people = batch()
    order = np.random.default_rng(1).permutation(600)
    first = predictions(clean, people, CLASSES, SETTINGS)
    assert predictions(clean, people, CLASSES, SETTINGS).equals(first)
    assert predictions(clean.take(order), people.take(order[::-1]), CLASSES, SETTINGS).equals(first)
