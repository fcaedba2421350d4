"""The consensus that predicts held-out answers best, among five candidates: frozen."""

from collections.abc import Iterator

import numpy as np

from cupel.consensus.coding import Coded, Flags, Reals
from cupel.consensus.glad import Glad
from cupel.consensus.methods import METHODS, Fitted

CANDIDATES = ("dawid_skene", "skilled_dawid_skene", "ibcc", "one_coin", "glad")
DEFAULT = "dawid_skene"
FOLDS, MANY_ANSWERS, SEED, LEAST = 5, 300_000, 0, 1e-10


def choose_by_held_out_answers(coded: Coded) -> str:
    """Return the candidate under which answers held out are likeliest, given the others; the default without any."""
    sums = dict.fromkeys(CANDIDATES, 0.0)
    is_chosen = False
    for is_kept, is_out in _hold_out(coded):
        is_chosen = True
        others, out = _keep(coded, is_kept), _keep(coded, is_out)
        for name in CANDIDATES:
            sums[name] += float(np.log(np.maximum(_chances(METHODS[name](others), out), LEAST)).sum())
    return max(CANDIDATES, key=lambda name: sums[name]) if is_chosen else DEFAULT


def _hold_out(coded: Coded) -> Iterator[tuple[Flags, Flags]]:
    rng = np.random.default_rng(SEED)
    first = rng.integers(0, FOLDS, len(coded.item_ids))
    order = np.lexsort((rng.random(len(coded.item)), coded.item))
    place = np.empty(len(coded.item), dtype=np.int64)
    place[order] = np.arange(len(coded.item))
    folds = (place + first[coded.item]) % FOLDS
    several = np.bincount(coded.item, minlength=len(coded.item_ids))[coded.item] > 1
    held = 1 if len(coded.item) > MANY_ANSWERS else FOLDS
    counted = several & (folds < held)
    for fold in range(held if counted.any() else 0):
        yield folds != fold, counted & (folds == fold)


def _keep(coded: Coded, is_in: Flags) -> Coded:
    return coded._replace(item=coded.item[is_in], annotator=coded.annotator[is_in], label=coded.label[is_in])


def _chances(fitted: Fitted, answers: Coded) -> Reals:
    if isinstance(fitted, Glad):
        right = 1 / (1 + np.exp(-fitted.skill[answers.annotator] * fitted.ease[answers.item]))
        belief = fitted.posterior[answers.item, answers.label]
        return np.asarray(belief * right + (1 - belief) * (1 - right) / max(len(answers.classes) - 1, 1))
    belief = fitted.posterior[answers.item]
    chances = np.zeros(len(answers.item))
    for true in range(len(answers.classes)):
        chances += belief[:, true] * fitted.confusion[answers.annotator, true, answers.label]
    return chances
