"""Crews: two or three people an item out of a real crowd, and models that never saw the item that they judge."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from benchmarks.double_check.folder import Crowd
from cupel.checking.features import scaled
from cupel.checking.fitting import fit, score
from cupel.checking.folds import folds_of
from cupel.checking.linear import features as text_features
from cupel.config.checking import Checking
from cupel.consensus.coding import Integers, Reals, code, vote_counts
from cupel.contract.columns import TEXT

SETTINGS = Checking()
# Of fewer items there are answers left that the crew did not give; then models learn from the crew's.
LEFT_SHARE = 0.5
# A version of the same maker differs on this share of its answers.
CHANGED = 0.05


class Crew(NamedTuple):
    """The answers of a crew; what each model says, a place in the classes or -1; and the first model's scores.

    `is_independent` tells whether the models learned nothing from the crew itself.
    """

    annotations: pa.Table
    models: dict[str, Integers]
    scores: Reals
    is_independent: bool


def draw_crew(crowd: Crowd, people: int, rng: np.random.Generator) -> Crew:
    """Return so many answers of each item, drawn at random, and models that learned from the answers of others.

    Models are `linear` (or the external one that a folder brings), `other`, which learns in another way, and
    `next`, a version of the same maker as the first: the same answers but for a few.

    Args:
        crowd: Who answered what.
        people: Answers of each item, at most.
        rng: Draws.
    """
    given = crowd.annotations.take(pa.array(rng.permutation(crowd.annotations.num_rows)))
    item = given["item_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    order = np.argsort(item, kind="stable")
    start = np.searchsorted(item[order], np.arange(item.max() + 1))
    rank = np.empty(len(item), np.int64)
    rank[order] = np.arange(len(item)) - start[item[order]]
    crew, rest = given.filter(pa.array(rank < people)), given.filter(pa.array(rank >= people))
    is_independent = crowd.model is not None or len(rest["item_id"].unique()) >= LEFT_SHARE * len(crowd.item_ids)
    first, other = _models(crowd, rest if is_independent else crew)
    models = {"linear": _best(first), "other": _best(other)}
    changed = rng.random(len(first)) < CHANGED
    models["next"] = np.where(changed, rng.integers(0, len(crowd.classes), len(first)), models["linear"])
    models = {name: said for name, said in models.items() if (said >= 0).any()}
    return Crew(crew, models, first, is_independent)


def _models(crowd: Crowd, answers: pa.Table) -> tuple[Reals, Reals]:
    """Return the log-probabilities of two models out of fold, shape items x classes; NaN rows: no opinion."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.neighbors import KNeighborsClassifier

    silent = np.full((len(crowd.item_ids), len(crowd.classes)), np.nan)
    if crowd.model is not None:
        return np.log(np.maximum(crowd.model, 1e-6)), silent
    counts = vote_counts(code(answers, list(crowd.item_ids), crowd.classes)).astype(np.float64)
    votes = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, votes, out=np.full(counts.shape, np.nan), where=votes > 0)
    if crowd.texts is not None:
        seen = text_features(crowd.texts.fill_null("").to_pylist())
        dense = TruncatedSVD(100, random_state=0).fit_transform(seen)
    else:
        seen = dense = scaled(np.nan_to_num(np.asarray(crowd.features)), True)
    items = pa.table({"item_id": pa.array(crowd.item_ids, TEXT), "group_id": pa.nulls(len(votes), TEXT)})
    fold = folds_of(items, SETTINGS)
    first, other = silent.copy(), silent.copy()
    for held_out in range(SETTINGS.folds):
        test, train = np.flatnonzero(fold == held_out), np.flatnonzero((fold != held_out) & (votes[:, 0] > 0))
        model = fit(seen, shares, train, SETTINGS.regularisation)
        if model is not None:
            first[test] = score(model, seen[test], len(crowd.classes))
        near = KNeighborsClassifier(15).fit(dense[train], shares[train].argmax(axis=1))
        other[test] = np.log(1e-6)
        other[np.ix_(test, near.classes_)] = np.log(np.maximum(near.predict_proba(dense[test]), 1e-6))
    return first, other


def _best(scores: Reals) -> Integers:
    return np.where(np.isnan(scores[:, 0]), -1, np.nan_to_num(scores).argmax(axis=1))
