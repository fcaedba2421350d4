"""Evidence where the only annotator is a model: its confidence stands for what a consensus believes."""

from collections.abc import Mapping

import numpy as np

from benchmarks.double_check.folder import Crowd
from benchmarks.double_check.opinions import opinions
from benchmarks.double_check.rankers import Evidence, Ranking, has_model
from cupel.checking.label_fusion import lessons
from cupel.consensus.coding import Coded, Reals, by_item, code, lists_of, vectors
from cupel.consensus.consensus import consensus
from cupel.consensus.passes import is_answered
from cupel.contract.ontology import Ontology
from cupel.kinds.category import CATEGORY

CONFIDENCE = "confidence"
# Confidence is nobody's probability before experts have spoken: it is held this far from 0 and 1.
MARGIN = 1e-3
TINY = 1e-300


def model_evidence(crowd: Crowd) -> Evidence:
    """Return evidence in which the consensus is the annotator's label, believed as much as it is confident.

    A checker of the texts, where there are any, is trained on these labels; verdicts weigh confidence and checker, and
    are lessons, as in any crowd.
    """
    coded = code(crowd.annotations, crowd.item_ids, crowd.classes)
    table = consensus(crowd.annotations, crowd.item_ids, crowd.classes, "majority")
    belief = confidence_beliefs(coded, crowd.confidence)
    column = table.column_names.index("posterior")
    table = table.set_column(column, "posterior", lists_of(belief, is_answered(coded)))
    return Evidence(crowd, coded, {CONFIDENCE: table}, opinions(crowd, table))


def confidence_beliefs(coded: Coded, confidence: Reals | None) -> Reals:
    """Return what is believed of each class: the confidence for the label, the rest in equal parts for the others.

    The label stays the likeliest class where the confidence is below even odds; the order by confidence is kept.

    Args:
        coded: One answer for each item at most.
        confidence: By item, 0 to 1.

    Returns:
        Shape items x classes; even odds where there is no answer.
    """
    classes = len(coded.classes)
    belief = np.full((len(coded.item_ids), classes), 1 / classes)
    if confidence is None:
        return belief
    known = confidence[coded.item]
    high = np.clip(known, 1 / classes, 1 - MARGIN) + MARGIN / classes * known
    belief[coded.item] = ((1 - high) / (classes - 1))[:, None]
    belief[coded.item, coded.label] = high
    return belief


def cupel_of_model(evidence: Evidence, verdicts: Mapping[str, str]) -> Ranking:
    """Rank the model's labels by its confidence and a checker of the texts, weighed as verdicts bear out.

    Without texts verdicts teach nothing, and there are no rounds. No consensus method reads the answers, so that
    none is named, and none learns from verdicts whom to believe.
    """
    ontology = Ontology(tuple(evidence.crowd.classes))
    found = CATEGORY.fuse(evidence.consensus, evidence.predictions, ontology, verdicts)
    label = found.parts[0].label
    next_lessons = None
    if has_model(evidence):
        next_lessons = lessons(evidence.consensus, found, lambda labels: CATEGORY.split(labels, ontology), verdicts)
    return Ranking(
        np.where(found.is_known, label, -1),
        np.where(found.is_known, found.log_odds, -np.inf),
        next_lessons,
    )


def confidence_order(evidence: Evidence, verdicts: Mapping[str, str]) -> Ranking:
    """Rank the model's labels by its confidence alone; it learns nothing from verdicts."""
    belief = vectors(by_item(evidence.consensus)["posterior"], len(evidence.crowd.classes))
    is_known = ~np.isnan(belief[:, 0])
    label = np.where(is_known, np.nan_to_num(belief).argmax(axis=1), -1)
    best = np.nan_to_num(belief).max(axis=1)
    log_odds = np.where(is_known, np.log(np.maximum(best, TINY)) - np.log(np.maximum(1 - best, TINY)), -np.inf)
    return Ranking(label, log_odds, None)
