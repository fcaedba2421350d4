"""Dawid-Skene against another library, against its own laws, and where small crews tempt it to go astray."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from crowdkit.aggregation import DawidSkene as Oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.consensus.coding import Coded, code, vote_counts
from cupel.consensus.dawid_skene import PLAIN, SMOOTHED, DawidSkeneSettings, dawid_skene
from cupel.consensus.estimates import drawn_to, log_shares, logs_of, pooled_confusion, vote_shares
from cupel.consensus.passes import by_truth

CLASSES = ("a", "b", "c")


def crowd(seed: int, items: int = 200, annotators: int = 12, votes: int = 4, accuracy: float = 0.7) -> pa.Table:
    """Return annotations of items whose true class is their number modulo 3."""
    rng = np.random.default_rng(seed)
    skill = np.clip(rng.normal(accuracy, 0.15, annotators), 0.2, 0.98)
    rows = []
    for item in range(items):
        for annotator in rng.choice(annotators, votes, replace=False):
            is_right = rng.random() < skill[annotator]
            label = item % 3 if is_right else (item + rng.integers(1, 3)) % 3
            rows.append({"item_id": f"{item:04}", "annotator": f"w{annotator:02}", "label": CLASSES[label]})
    return pa.Table.from_pylist(rows)


def coded(table: pa.Table, items: int = 200) -> Coded:
    return code(table, [f"{item:04}" for item in range(items)], CLASSES)


def without_names(table: pa.Table) -> pa.Table:
    return table.set_column(1, "annotator", pa.nulls(table.num_rows, pa.string()))


@pytest.mark.parametrize("iterations", [1, 5, 40])
def test_without_smoothing_it_equals_crowd_kit(iterations: int) -> None:
    table = crowd(1)
    ours = dawid_skene(coded(table), DawidSkeneSettings(0.0, 0.0, tolerance=0.0, max_iterations=iterations))
    frame = pd.DataFrame(table.to_pydict()).rename(columns={"item_id": "task", "annotator": "worker"})
    oracle = Oracle(n_iter=iterations, tol=-np.inf).fit(frame)
    expected = oracle.probas_.sort_index()[list(CLASSES)].to_numpy()
    np.testing.assert_allclose(ours.posterior, expected, atol=1e-6)
    np.testing.assert_allclose(ours.class_prior, oracle.priors_[list(CLASSES)], atol=1e-6)
    errors = oracle.errors_.loc[("w03", "b")][list(CLASSES)]
    np.testing.assert_allclose(ours.confusion[3, :, 1], errors, atol=1e-6)


def test_probabilities_add_up_to_one() -> None:
    for table in (crowd(2), without_names(crowd(2))):
        found = dawid_skene(coded(table))
        np.testing.assert_allclose(found.posterior.sum(axis=1), 1)
        np.testing.assert_allclose(found.confusion.sum(axis=2), 1)
        np.testing.assert_allclose(found.class_prior.sum(), 1)
        assert found.is_converged


def test_anonymous_annotations_share_one_matrix() -> None:
    found = dawid_skene(coded(without_names(crowd(3))))
    assert found.confusion.shape == (1, 3, 3)
    assert (found.posterior.argmax(axis=1) == np.arange(200) % 3).mean() > 0.8


def test_named_and_anonymous_annotators_mix() -> None:
    table = crowd(4)
    names = [None if name in ("w00", "w01", "w02") else name for name in table["annotator"].to_pylist()]
    mixed = coded(table.set_column(1, "annotator", pa.array(names, pa.string())))
    found = dawid_skene(mixed)
    assert mixed.annotators.to_pylist()[-1] is None
    assert found.confusion.shape == (10, 3, 3)
    assert (found.posterior.argmax(axis=1) == np.arange(200) % 3).mean() > 0.8


def test_knowing_who_answered_helps_when_some_are_bad() -> None:
    table, truth = crowd(5, 600, accuracy=0.55), np.arange(600) % 3
    known = dawid_skene(coded(table, 600)).posterior.argmax(axis=1)
    unknown = dawid_skene(coded(without_names(table), 600)).posterior.argmax(axis=1)
    assert (known == truth).sum() > (unknown == truth).sum() + 20


def graded_crews(blocks: int = 100) -> tuple[pa.Table, np.ndarray]:
    """Return three ratings of each item, one crew of three per 30 items, each with a bias; and the true classes.

    The middle class is rare (8%), so a crew of its own meets it two or three times.
    """
    rng = np.random.default_rng(8)
    sign = np.where(rng.random((blocks, 30, 1)) < 0.45, -1, 1)
    quality = sign * np.abs(rng.normal(1.6, 0.8, (blocks, 30, 1)))
    ratings = quality + rng.normal(0, 0.3, (blocks, 1, 3)) + rng.normal(0, 0.4, (blocks, 30, 3))
    block, item, annotator = (index.ravel() for index in np.indices(ratings.shape))
    labels = np.digitize(ratings.ravel(), [-0.5, 0.5])
    table = pa.table({
        "item_id": [f"{number:04}" for number in block * 30 + item],
        "annotator": [f"{b}-{a}" for b, a in zip(block, annotator, strict=True)],
        "label": [CLASSES[label] for label in labels],
    })  # fmt: skip
    return table, np.digitize(quality.ravel(), [-0.5, 0.5])


def test_crews_with_few_answers_do_no_harm_when_drawn_to_the_pool() -> None:
    table, truth = graded_crews()
    crews = coded(table, len(truth))
    by_votes = (vote_shares(vote_counts(crews)).argmax(axis=1) != truth).sum()
    plain = (dawid_skene(crews, PLAIN).posterior.argmax(axis=1) != truth).sum()
    smoothed = (dawid_skene(crews, SMOOTHED).posterior.argmax(axis=1) != truth).sum()
    assert smoothed < by_votes < plain


def test_items_without_answers_get_the_class_prior() -> None:
    found = dawid_skene(coded(crowd(6), 201))
    np.testing.assert_allclose(found.posterior[200], found.class_prior, atol=1e-3)


def test_a_batch_without_answers_has_equal_chances() -> None:
    empty = pa.table({name: pa.array([], pa.string()) for name in ("item_id", "annotator", "label")})
    found = dawid_skene(coded(empty, 2))
    assert found.posterior.tolist() == [[1 / 3] * 3] * 2
    assert found.confusion.shape == (0, 3, 3)


def test_single_answers_pool_to_guarded_trust() -> None:
    np.testing.assert_allclose(np.diag(pooled_confusion(np.array([[1, 0], [0, 1]]))), [0.8, 0.8])


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.permutations(CLASSES))
def test_row_order_names_and_class_order_do_not_matter(random: object, classes: list[str]) -> None:
    table = crowd(7, items=60)
    order = list(range(table.num_rows))
    random.shuffle(order)  # type: ignore[attr-defined]
    ids = [f"{item:04}" for item in range(60)]
    plain = dawid_skene(code(table, ids, CLASSES))
    assert dawid_skene(code(table.take(order), ids[::-1], CLASSES)).posterior.tobytes() == plain.posterior.tobytes()
    renamed = table.set_column(1, "annotator", pa.array([name[::-1] for name in table["annotator"].to_pylist()]))
    np.testing.assert_allclose(dawid_skene(code(renamed, ids, CLASSES)).posterior, plain.posterior, atol=1e-9)
    columns = [classes.index(name) for name in CLASSES]
    permuted = dawid_skene(code(table, ids, classes)).posterior[:, columns]
    np.testing.assert_allclose(permuted, plain.posterior, atol=1e-9)


@given(st.lists(st.sampled_from(CLASSES), min_size=2, max_size=20), st.booleans())
def test_unanimous_annotators_are_believed(truth: list[str], is_named: bool) -> None:
    rows = [(f"{i:04}", name, label) for i, label in enumerate(truth) for name in ("p", "q", "r")]
    table = pa.table({
        "item_id": [row[0] for row in rows],
        "annotator": pa.array([row[1] if is_named else None for row in rows], pa.string()),
        "label": [row[2] for row in rows],
    })  # fmt: skip
    best = dawid_skene(coded(table, len(truth))).posterior.argmax(axis=1)
    assert [CLASSES[place] for place in best] == truth


@pytest.mark.parametrize("smoothing", [0.0, 16.0])
def test_logarithms_of_shares_are_those_of_the_confusions(smoothing: float) -> None:
    rng = np.random.default_rng(2)
    counts = rng.random((6, 3, 3)) * (rng.random((6, 3, 3)) < 0.7)
    counts[2], counts[3, :, 1] = 0, 0
    anchor = rng.dirichlet(np.ones(3), 3)
    found = log_shares(anchor, counts, smoothing)
    np.testing.assert_allclose(found, logs_of(drawn_to(anchor, by_truth(counts), smoothing)), atol=1e-12)
