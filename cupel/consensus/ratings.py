"""Ratings: answers on a scale, as one value per item. By weights where distances mean something, by ranks where not."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cupel.consensus.coding import Coded, Integers, Reals
from cupel.consensus.passes import is_answered
from cupel.consensus.skilled_dawid_skene import skilled_dawid_skene

# Below this, in squared units of the scale, ratings are as good as equal.
LEAST_VARIANCE = 1e-6


@dataclass(frozen=True)
class WeightedMeanSettings:
    """How the weighted mean is found.

    Attributes:
        smoothing: Ratings' worth of belief that an annotator is unbiased and as exact as all together.
        tolerance: Stop when no value moves by more than this, in units of the scale.
        max_iterations: Stop after this many rounds in any case.
    """

    smoothing: float = 4.0
    tolerance: float = 1e-5
    max_iterations: int = 500


BY_WEIGHT = WeightedMeanSettings()


class WeightedMean(NamedTuple):
    """What the weighted mean found.

    `value` and `error` (its standard error) have one entry per item, NaN without ratings; `bias` and
    `spread` one per annotator: how far above the value, and how far from it once the bias is taken off
    (a standard deviation), in units of the scale.
    """

    value: Reals
    error: Reals
    bias: Reals
    spread: Reals
    is_converged: bool


class Ordinal(NamedTuple):
    """What the ordinal consensus found, one entry per item.

    `label` is a place in the classes, the median of the belief, -1 without ratings (inside numpy only);
    `distance` how many classes it is expected to be off, NaN without ratings; `posterior` has shape
    items x classes.
    """

    label: Integers
    distance: Reals
    posterior: Reals


def weighted_mean(coded: Coded, scale: Reals, settings: WeightedMeanSettings = BY_WEIGHT) -> WeightedMean:
    """Return each item's mean rating, the annotators' biases taken off, exact annotators weighing more.

    A rating is the item's value, the annotator's bias and an error of the annotator's own spread. Values,
    biases and spreads are estimated in turn (expectation maximisation, the values being unknown); a spread
    counts the doubt about the value too, so that nobody gains by being rated against oneself. Biases come
    to nothing over all ratings: what all share cannot be seen. Ratings that name nobody share one bias and
    spread.

    Args:
        coded: The ratings, coded as classes.
        scale: The number that each class stands for, shape classes, increasing.
        settings: How to fit.

    Raises:
        ValueError: The scale has another length than the classes, or does not increase.

    >>> import pyarrow as pa
    >>> from cupel.consensus.coding import code
    >>> rows = {"item_id": ["a", "a", "b", "b"], "annotator": ["p", "q"] * 2, "label": ["1", "3", "2", "4"]}
    >>> found = weighted_mean(code(pa.table(rows), ["a", "b"], ("1", "2", "3", "4")), np.arange(1.0, 5.0))
    >>> found.value.round(6).tolist(), bool(found.bias[0] < 0 < found.bias[1])
    ([2.0, 3.0], True)
    """
    if len(scale) != len(coded.classes) or (np.diff(scale) <= 0).any():
        raise ValueError(f"scale {scale.tolist()}: expected {len(coded.classes)} increasing numbers, one per class")
    items, annotators = len(coded.item_ids), len(coded.annotators)
    rating = np.asarray(scale, dtype=np.float64)[coded.label]
    ratings = np.bincount(coded.annotator, minlength=annotators)
    bias, variance = np.zeros(annotators), np.ones(annotators)
    value, total = np.full(items, np.nan), np.zeros(items, dtype=np.float64)
    is_converged = False
    for _ in range(settings.max_iterations):
        weight = 1 / variance[coded.annotator]
        total = np.bincount(coded.item, weight, items).astype(np.float64)
        weighed = np.bincount(coded.item, weight * (rating - bias[coded.annotator]), items)
        new = np.divide(weighed, total, out=np.full(items, np.nan), where=total > 0)
        is_converged = bool(np.nanmax(np.abs(new - value), initial=0.0) <= settings.tolerance) and bool(
            np.isfinite(value[total > 0]).all()
        )
        value = new
        if is_converged:
            break
        off = rating - value[coded.item]
        bias = np.bincount(coded.annotator, off, annotators) / (ratings + settings.smoothing)
        # Values and biases could move against each other for ever: over all ratings biases come to nothing.
        bias -= (bias @ ratings) / max(len(rating), 1)
        # How far off a rating is from the true value, which is itself in doubt by 1 / total.
        squares = (rating - value[coded.item] - bias[coded.annotator]) ** 2 + 1 / total[coded.item]
        pooled = max(float(squares.mean()) if len(rating) else 1.0, LEAST_VARIANCE)
        sums = np.bincount(coded.annotator, squares, annotators) + settings.smoothing * pooled
        variance = np.maximum(sums / (ratings + settings.smoothing), LEAST_VARIANCE)
    error = np.sqrt(np.divide(1.0, total, out=np.full(items, np.nan), where=total > 0))
    return WeightedMean(value, error, bias, np.sqrt(variance), is_converged)


def ordinal(coded: Coded) -> Ordinal:
    """Return the class that is expected to be the fewest classes off, for scales whose steps have no size.

    The belief is skilled Dawid-Skene's, which learns who rates too high, too low or at random; its median
    is the label. (Its likeliest class may be an end of a scale that the belief is spread over.)

    Args:
        coded: The ratings; the classes' order is the scale's.

    >>> import pyarrow as pa
    >>> from cupel.consensus.coding import code
    >>> rows = {"item_id": ["a", "a", "a"], "annotator": ["p", "q", "r"], "label": ["low", "middle", "high"]}
    >>> ordinal(code(pa.table(rows), ["a"], ("low", "middle", "high"))).label.tolist()
    [1]
    """
    posterior = skilled_dawid_skene(coded).posterior
    answered = is_answered(coded)
    places = np.arange(posterior.shape[1])
    # Half, less what rounding may have taken: a belief split evenly has its lower class as median.
    median = (np.cumsum(posterior, axis=1) >= 0.5 - 1e-9).argmax(axis=1)
    distance = (posterior * np.abs(places - median[:, None])).sum(axis=1)
    return Ordinal(np.where(answered, median, -1), np.where(answered, distance, np.nan), posterior)
