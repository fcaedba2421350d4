"""Learning what junk is: a linear model, and which documents it asks people about."""

from collections.abc import Callable, Generator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Places = NDArray[np.int64]
Reals = NDArray[np.float64]
Ask = Callable[[Places], Flags]


class LearningSettings(NamedTuple):
    """How the model learns.

    The first `pilot` documents are drawn at random, and go on being drawn until `fewest` are junk; then `step` at a
    time from the `doubtful` that the model knows least about, until `answers` have been given. `regularisation` is
    scikit-learn's C.
    """

    answers: int = 400
    pilot: int = 150
    fewest: int = 3
    step: int = 50
    doubtful: int = 150
    regularisation: float = 30.0


class Learned(NamedTuple):
    """What came of learning.

    `asked` are the places of the documents that were asked about, `is_junk` what was said of each; the first `pilot`
    of them were drawn at random. `score` has one entry per document: the higher, the likelier it is junk.
    """

    asked: Places
    is_junk: Flags
    pilot: int
    score: Reals


class Given(NamedTuple):
    """Answers that are known beforehand, such as those of earlier batches: features and what was said."""

    features: Any
    is_junk: Flags


def learn(features: Any, ask: Ask, rng: np.random.Generator, settings: LearningSettings) -> Learned:
    """Learn what junk is from the answers of people, who are asked where the model doubts.

    Args:
        features: Sparse matrix, shape documents x features.
        ask: Says of some documents, by their places, whether each is junk; every answer is paid for.
        rng: Draws the documents.
        settings: How many answers, and which.

    Returns:
        Answers and scores. The scores are all 0 where no document, or every one, was said to be junk.
    """
    asking = course(features, rng, settings)
    wanted = next(asking)
    while True:
        try:
            wanted = asking.send(ask(wanted))
        except StopIteration as end:
            learned: Learned = end.value
            return learned


def course(
    features: Any, rng: np.random.Generator, settings: LearningSettings, given: Given | None = None
) -> Generator[Places, Flags, Learned]:
    """Yield the documents that are asked about next, be sent what people said of them, and return what was learned.

    It may be left where answers are awaited, and begun anew with a generator in the same state: then it asks the same.
    Arguments are those of `learn`; `given` answers train besides, and are never in the pilot.
    """
    order = rng.permutation(features.shape[0])
    most = min(settings.answers, len(order))
    asked = order[: min(settings.pilot, most)]
    is_junk = yield asked
    while (is_junk.sum() < settings.fewest or is_junk.all()) and len(asked) < most:
        more = order[len(asked) : min(len(asked) + settings.step, most)]
        said = yield more
        asked, is_junk = np.concatenate([asked, more]), np.concatenate([is_junk, said])
    pilot = len(asked)
    while len(asked) < most:
        doubt = np.abs(scores(features, asked, is_junk, settings, given))
        doubt[asked] = np.inf
        nearest = np.argsort(doubt, kind="stable")[: min(settings.doubtful, len(doubt) - len(asked))]
        more = rng.permutation(nearest)[: min(settings.step, most - len(asked))]
        said = yield more
        asked, is_junk = np.concatenate([asked, more]), np.concatenate([is_junk, said])
    return Learned(asked, is_junk, pilot, scores(features, asked, is_junk, settings, given))


def scores(
    features: Any, asked: Places, is_junk: Flags, settings: LearningSettings, given: Given | None = None
) -> Reals:
    """Return how likely each document is junk, as log-odds, by a model of the answers given."""
    return scored(fitted(features[asked], is_junk, settings, given), features)


def fitted(features: Any, is_junk: Flags, settings: LearningSettings, given: Given | None = None) -> Any:
    """Return a model of the documents that were asked about; None where there is but one kind of answer."""
    from scipy.sparse import vstack
    from sklearn.linear_model import LogisticRegression

    if given is not None and len(given.is_junk):
        features, is_junk = vstack([features, given.features]).tocsr(), np.concatenate([is_junk, given.is_junk])
    if is_junk.all() or not is_junk.any():
        return None
    # Its solver draws nothing at random: the same answers give the same scores.
    model = LogisticRegression(C=settings.regularisation, solver="liblinear", tol=1e-2, random_state=0)
    return model.fit(features, is_junk)


def scored(model: Any, features: Any) -> Reals:
    """Return how likely each document is junk, as log-odds; all 0 by a model that is None."""
    if model is None:
        return np.zeros(features.shape[0])
    return np.asarray(model.decision_function(features), np.float64)


def pilot_scores(
    features: Any, learned: Learned, settings: LearningSettings, given: Given | None = None, folds: int = 5
) -> Reals:
    """Return the scores of the pilot's documents by models that did not see their answers, one entry each."""
    found = np.zeros(learned.pilot)
    fold = np.arange(learned.pilot) % folds
    for held_out in range(folds):
        test = np.flatnonzero(fold == held_out)
        is_seen = np.ones(len(learned.asked), np.bool_)
        is_seen[test] = False
        model = fitted(features[learned.asked[is_seen]], learned.is_junk[is_seen], settings, given)
        found[test] = scored(model, features[learned.asked[test]]) if len(test) else 0.0
    return found
