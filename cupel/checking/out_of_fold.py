"""Out of fold: what models trained on the consensus of other items say of each item, whatever they see of it."""

from typing import Any

import numpy as np

from cupel.checking.fitting import MIN_TRAINING_ITEMS, fit, score
from cupel.checking.opinions import Batch, Opinions, reasons
from cupel.config.checking import Checking
from cupel.consensus.coding import Reals

TOO_LITTLE_TO_LEARN = f"fewer than {MIN_TRAINING_ITEMS} other answered items to learn from, or of one class only"


def out_of_fold(features: Any, batch: Batch, settings: Checking) -> Opinions:
    """Return what a multinomial logistic regression says of every item, trained on the other folds.

    It is trained on the consensus, never on gold: an item counts for each class as much as the consensus
    believes in it.

    Args:
        features: What the model sees, dense or sparse, shape items x features, in the batch's order.
        batch: The batch.
        settings: Folds and regularisation.

    Returns:
        Its opinions; silent where fewer than 50 items with answers, or a single class among them, are in
        the other folds.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    scores = np.full(batch.crowd.shape, np.nan)
    is_answered = ~np.isnan(batch.crowd[:, 0])
    # Sums that several threads share differ in the last digits from run to run.
    with threadpool_limits(limits=1):
        for held_out in range(settings.folds):
            test = np.flatnonzero(batch.fold == held_out)
            train = np.flatnonzero(is_answered & (batch.fold != held_out))
            model = fit(features, batch.crowd, train, settings.regularisation) if len(test) else None
            if model is not None:
                scores[test] = score(model, features[test], len(batch.classes))
    return opinions_of(scores)


def opinions_of(scores: Reals) -> Opinions:
    """Return scores with the reason for those rows that no model could be trained for."""
    return Opinions(scores, reasons(np.isnan(scores[:, 0]), TOO_LITTLE_TO_LEARN))
