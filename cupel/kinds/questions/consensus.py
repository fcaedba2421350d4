"""The consensus of answers to several questions, and its fusion with the checker: each question by itself."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.checking.label_fusion import LabelFusion, fuse_parts, log_odds_of_all
from cupel.config.labeling import Labeling
from cupel.consensus.coding import Coded, Flags, Integers, Reals, code, lists_of, vectors
from cupel.contract.columns import TEXT
from cupel.contract.kind import ConsensusResult, Light
from cupel.contract.ontology import Ontology
from cupel.contract.table import conform
from cupel.contract.tables.labeling import CONSENSUS
from cupel.kinds.questions.answers import answers_to, join, kind_of, parts, parts_of, split

# Log-odds of the answer to a question that the label does not ask: there is nothing to be wrong.
CERTAIN = np.inf


def questions_consensus(
    annotations: pa.Table, items: pa.Table, labeling: Labeling, light: Light, method: str | None = None
) -> ConsensusResult:
    """Return what the annotators of every item say together, to each question of those who were asked it.

    Votes, majority and agreement are of whole labels.

    Args:
        annotations: ANNOTATIONS of one batch, with canonical texts.
        items: CLEAN_ITEMS, or any table with item_id.
        labeling: Questions and method.
        light: Nobody is weighed down here: a project file that would is refused.
        method: Another method than the project's.

    Returns:
        CONSENSUS. Its `posterior` holds the probabilities question by question; NaN where nobody who was asked a
        question answered it.
    """
    ontology, blocks, why = labeling.ontology, [], []
    labels = pc.unique(annotations["label"]).drop_null().to_pylist()
    coded = code(annotations, items["item_id"], sorted(labels) or [""])
    crowd = count_whole_labels(coded)
    for question in ontology.questions:
        kind, _ = kind_of(question)
        said = answers_to(question, annotations["label"])
        own = annotations.set_column(annotations.column_names.index("label"), "label", said)
        asked = labeling.model_copy(update={"classes": question.classes})
        found = kind.consensus(own.filter(pc.is_valid(said)), items, asked, light, method)
        width = sum(len(part.classes) for part in parts_of(question))
        blocks.append(vectors(found.tables["consensus"]["posterior"], width))
        why.append(f"{question.name}: {found.method}")
    is_answered, names = crowd.votes > 0, pa.array(coded.classes, TEXT)
    posterior = np.concatenate(blocks, axis=1)
    columns = {
        "item_id": coded.item_ids,
        "votes": pa.array(crowd.votes),
        "majority_label": names.take(pa.array(crowd.label, mask=crowd.label < 0)),
        "is_tie": pa.array(crowd.is_tie),
        "agreement": pa.array(crowd.agreement, mask=~is_answered),
        "consensus_label": join(_best(posterior, ontology), ontology),
        "posterior": lists_of(posterior, is_answered),
    }
    return ConsensusResult({"consensus": conform(pa.table(columns), CONSENSUS)}, "; ".join(why))


class WholeLabels(NamedTuple):
    """The most frequent label of each item: a place in the labels, -1 on a tie and without votes; and its share."""

    votes: Integers
    label: Integers
    is_tie: Flags
    agreement: Reals


def count_whole_labels(coded: Coded) -> WholeLabels:
    """Return the most frequent label of every item, however many different labels there are.

    Args:
        coded: The annotations, sorted by item.
    """
    items, labels = len(coded.item_ids), len(coded.classes)
    votes = np.bincount(coded.item, minlength=items).astype(np.int64)
    cell, count = np.unique(coded.item * labels + coded.label, return_counts=True)
    starts = np.flatnonzero(np.diff(cell // labels, prepend=-1))
    top, place, are_top = np.zeros(items, np.int64), np.full(items, -1, np.int64), np.zeros(items, np.int64)
    answered = np.unique(coded.item)
    if len(answered):
        top[answered] = np.maximum.reduceat(count, starts)
        is_top = count == top[cell // labels]
        are_top[answered] = np.add.reduceat(is_top.astype(np.int64), starts)
        place[(cell // labels)[is_top]] = (cell % labels)[is_top]
    is_tie = are_top > 1
    agreement = np.divide(top, votes, out=np.full(items, np.nan), where=votes > 0)
    return WholeLabels(votes, np.where(is_tie, -1, place), is_tie, agreement)


def fuse(
    consensus: pa.Table, predictions: pa.Table, ontology: Ontology, verdicts: Mapping[str, str] | None
) -> LabelFusion:
    """Return what people and checker believe together; a label is right where all questions that it asks are."""
    found = fuse_parts(
        consensus, predictions, parts(ontology), lambda labels: split(labels, ontology),
        lambda places: join(places, ontology), verdicts,
    )  # fmt: skip
    answered = split(found.label, ontology) >= 0
    odds = [np.where(answered[:, place], part.log_odds, CERTAIN) for place, part in enumerate(found.parts)]
    return found._replace(log_odds=log_odds_of_all(odds))


def _best(posterior: np.ndarray, ontology: Ontology) -> np.ndarray:
    """Return the likeliest class of each part, -1 where nothing is known of it; shape items x parts."""
    best, end = [], 0
    for part in parts(ontology):
        start, end = end, end + len(part.classes)
        is_known = ~np.isnan(posterior[:, start])
        best.append(np.where(is_known, np.nan_to_num(posterior[:, start:end]).argmax(axis=1), -1))
    return np.column_stack(best)
