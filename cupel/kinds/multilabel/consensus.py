"""The consensus of a batch of answers that are sets: the likeliest set of each item, and the chance of each class."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from cupel.config.labeling import Labeling
from cupel.consensus.chooser import AUTO
from cupel.consensus.coding import Integers, ItemIds, Reals, lists_of
from cupel.contract.kind import ConsensusResult, Light
from cupel.contract.table import conform
from cupel.contract.tables.labeling import CONSENSUS
from cupel.kinds.multilabel.coded_sets import CodedSets, code_sets, count_yes, sum_by_item
from cupel.kinds.multilabel.label_sets import join_sets
from cupel.kinds.multilabel.set_chooser import choose_set_model
from cupel.kinds.multilabel.set_models import SetModel, class_by_class


def multilabel_consensus(
    annotations: pa.Table, items: pa.Table, labeling: Labeling, light: Light, method: str | None = None
) -> ConsensusResult:
    """Return what annotators say together of every item; see `find_sets`.

    Args:
        annotations: ANNOTATIONS of one batch.
        items: CLEAN_ITEMS, or any table with item_id.
        labeling: Classes and method.
        light: Nobody is weighed down here: a project file that would is refused.
        method: Another method than the project's.
    """
    table, why = find_sets(annotations, items["item_id"], labeling.classes, method or labeling.consensus)
    return ConsensusResult({"consensus": table}, why)


def find_sets(
    annotations: pa.Table, item_ids: ItemIds, classes: Sequence[str], method: str = AUTO
) -> tuple[pa.Table, str]:
    """Return what the annotators of every item say together, and by which method and why.

    The majority's set holds the classes that more than half of the answers hold. A class that exactly half of them
    hold is a tie, and an item with one has no majority.

    Args:
        annotations: ANNOTATIONS of one batch with canonical texts, any order.
        item_ids: All items of the batch; those without answers get a row too.
        classes: The ontology.
        method: `auto`, the model of sets that predicts held-out answers best, or a name in METHODS for each class.

    Returns:
        CONSENSUS, one row per item, by item id. `agreement` is the share of answers that equal the set of classes
        that more than half of them hold; `posterior` the chances of no and yes, class by class.

    Raises:
        TableError: An item id stands twice, or an annotation's item is not known.

    >>> rows = {"item_id": ["1", "1"], "annotator": ["p", "q"], "label": ['["a","b"]', '["a"]']}
    >>> found, _ = find_sets(pa.table(rows), ["1", "2"], ("a", "b"), "majority")
    >>> found.select(["votes", "majority_label", "is_tie", "consensus_label"]).to_pylist()[0]
    {'votes': 2, 'majority_label': None, 'is_tie': True, 'consensus_label': '["a"]'}
    """
    answers = code_sets(annotations, item_ids, classes)
    if method != AUTO:
        return make_table(answers, class_by_class([method] * len(classes))), f"{method} a class: set"
    choice = choose_set_model(answers)
    return make_table(answers, choice.model), choice.why


def make_table(answers: CodedSets, model: SetModel) -> pa.Table:
    """Return CONSENSUS under a model of sets, by item id."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    votes, yes = count_yes(answers)
    is_answered = votes > 0
    with threadpool_limits(limits=1):
        belief = model.fit(answers)
    majority = (2 * yes > votes[:, None]).astype(np.int64)
    is_tie = is_answered & (2 * yes == votes[:, None]).any(axis=1)
    columns = {
        "item_id": answers.coded.item_ids,
        "votes": pa.array(votes),
        "majority_label": join_sets(np.where((is_answered & ~is_tie)[:, None], majority, -1), answers.classes),
        "is_tie": pa.array(is_tie),
        "agreement": pa.array(_share_equal(answers, majority, votes), mask=~is_answered),
        "consensus_label": join_sets(np.where(is_answered[:, None], belief.sets, -1), answers.classes),
        "posterior": lists_of(by_parts(belief.posterior), is_answered),
    }
    return conform(pa.table(columns), CONSENSUS)


def by_parts(posterior: Reals) -> Reals:
    """Return the chances of no and yes of each class side by side, shape items x twice the classes.

    >>> by_parts(np.array([[0.25, 1.0]])).tolist()
    [[0.75, 0.25, 0.0, 1.0]]
    """
    return np.stack([1 - posterior, posterior], axis=2).reshape(len(posterior), -1)


def _share_equal(answers: CodedSets, majority: Integers, votes: Integers) -> Reals:
    """Return the share of each item's answers that equal the majority's set."""
    coded = answers.coded
    is_equal = (answers.is_yes == majority[coded.item]).all(axis=1)
    equal = sum_by_item(coded, is_equal[:, None].astype(np.float64))[:, 0]
    return np.asarray(equal / np.maximum(votes, 1))
