"""Rankers: each turns what a method may see into a label and a place in the risk order for every item."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.double_check.folder import Crowd
from benchmarks.double_check.opinions import opinions
from cupel.checking.by_verdicts import AS_MEASURED, VerdictSettings, fuse_by_verdicts, has_opinion
from cupel.checking.fusion import TINY
from cupel.checking.label_fusion import lessons
from cupel.consensus.chooser import affordable, choose
from cupel.consensus.coding import (
    Coded,
    Integers,
    Reals,
    by_item,
    code,
    lists_of,
    vectors,
    vote_counts,
)
from cupel.consensus.consensus import consensus
from cupel.consensus.methods import METHODS, Fitted
from cupel.consensus.passes import is_answered
from cupel.consensus.with_verdicts import consensus_with_verdicts
from cupel.contract.ontology import Ontology
from cupel.kinds.category import CATEGORY

OURS = "cupel"

Flags = NDArray[np.bool_]


class Ranking(NamedTuple):
    """A method's answer, in the order of the crowd's `item_ids`.

    `label` are places in the classes, -1 where it has none; `log_odds` of the label against the others, the
    higher the safer, -inf where there is no label. `lessons` is what the model may
    be trained on next; None for a method that learns nothing from verdicts. `method` is the consensus that it read
    answers by.
    """

    label: Integers
    log_odds: Reals
    lessons: pa.Table | None
    method: str = ""


class Evidence(NamedTuple):
    """What rankers work with: answers, their consensus, and what the model made of its last lessons.

    `consensuses` are CONSENSUS by method, the one first that predicts held-out answers best.
    """

    crowd: Crowd
    coded: Coded
    consensuses: dict[str, pa.Table]
    predictions: pa.Table

    @property
    def chosen(self) -> str:
        """The method that was chosen without experts."""
        return next(iter(self.consensuses))

    @property
    def consensus(self) -> pa.Table:
        """Its consensus."""
        return self.consensuses[self.chosen]


Ranker = Callable[[Evidence, Mapping[str, str]], Ranking]


def first_evidence(crowd: Crowd) -> Evidence:
    """Return answers and consensus, and a model that is trained on the consensus that was chosen."""
    coded = code(crowd.annotations, crowd.item_ids, crowd.classes)
    methods = dict.fromkeys((choose(coded).method, *affordable(coded)))
    tables = {name: consensus(crowd.annotations, crowd.item_ids, crowd.classes, name) for name in methods}
    return Evidence(crowd, coded, tables, opinions(crowd, next(iter(tables.values()))))


def taught(evidence: Evidence, lessons: pa.Table | None) -> Evidence:
    """Return the evidence with a model that had these lessons; an external model learns nothing."""
    if evidence.crowd.model is not None or lessons is None or not has_model(evidence):
        return evidence
    return evidence._replace(predictions=opinions(evidence.crowd, lessons))


def learn_annotators(evidence: Evidence, plain: Evidence, verdicts: Mapping[str, str]) -> Evidence:
    """Return the evidence with the chosen consensus estimated with experts' verdicts.

    Args:
        evidence: Of the round.
        plain: Evidence whose consensuses know no verdicts.
        verdicts: Experts' labels by item id.
    """
    crowd, name = evidence.crowd, evidence.chosen

    def read(answers: pa.Table) -> pa.Table:
        return consensus(answers, crowd.item_ids, crowd.classes, name)

    found = consensus_with_verdicts(crowd.annotations, plain.consensus, verdicts, read)
    return evidence._replace(consensuses={**evidence.consensuses, name: found})


def has_model(evidence: Evidence) -> bool:
    """Tell whether any model says anything."""
    return has_opinion(evidence.predictions)


def rankers(evidence: Evidence) -> dict[str, Ranker]:
    """Return the rankers that the folder has the input for, ours first."""
    found: dict[str, Ranker] = {OURS: cupel, "majority": majority_margin}
    found |= {name: partial(by_posterior, method) for name, method in METHODS.items() if name != "majority"}
    if has_model(evidence):
        found["model"] = model_alone
        if len(evidence.coded.annotators) > 1:
            found["crowdlab"] = crowdlab_once
            found["crowdlab_in_rounds"] = crowdlab
    return found


def cupel(evidence: Evidence, verdicts: Mapping[str, str], settings: VerdictSettings = AS_MEASURED) -> Ranking:
    """Rank by what people and model believe together, read and weighed as experts' verdicts so far bear out.

    Without a model verdicts teach whom of the annotators to believe.
    """
    ontology = Ontology(tuple(evidence.crowd.classes))
    method, found = fuse_by_verdicts(
        evidence.consensuses, evidence.predictions, CATEGORY, ontology, verdicts, evidence.crowd.annotations, settings
    )
    lessons_next = lessons(evidence.consensus, found, lambda labels: CATEGORY.split(labels, ontology), verdicts)
    return _ranking(found.parts[0].label, found.log_odds, found.is_known, lessons_next)._replace(method=method)


def majority_margin(evidence: Evidence, verdicts: Mapping[str, str]) -> Ranking:
    """Rank by how many votes the first class is ahead of the second, then by how many there are."""
    votes = vote_counts(evidence.coded)
    ordered = np.sort(votes, axis=1)
    total = votes.sum(axis=1)
    # Log-odds of a vote share with half a vote of doubt on either side, so that a margin reads as an error.
    log_odds = np.log((ordered[:, -1] + 0.5) / (ordered[:, -2] + 0.5)) + 1e-6 * total
    return _ranking(votes.argmax(axis=1), log_odds, total > 0, None)


def by_posterior(method: Callable[[Coded], Fitted], evidence: Evidence, verdicts: Mapping[str, str]) -> Ranking:
    """Rank by the posterior of a consensus method."""
    label, log_odds = _top(method(evidence.coded).posterior)
    return _ranking(label, log_odds, is_answered(evidence.coded), None)


def model_alone(evidence: Evidence, verdicts: Mapping[str, str]) -> Ranking:
    """Rank by the model's own posterior."""
    said = vectors(by_item(evidence.predictions)["posterior"], len(evidence.crowd.classes))
    return _ranking(*_top(said), ~np.isnan(said[:, 0]), None)


def crowdlab_once(evidence: Evidence, verdicts: Mapping[str, str]) -> Ranking:
    """Rank by cleanlab's CROWDLAB as it comes: with the first predictions, trained on the same consensus as ours."""
    return crowdlab(evidence, verdicts)._replace(lessons=None)


def crowdlab(evidence: Evidence, verdicts: Mapping[str, str]) -> Ranking:
    """Rank by cleanlab's CROWDLAB in rounds: its labels and experts' verdicts train the next model.

    Source: Goh, Tkachenko and Mueller (2022), CROWDLAB.
    """
    import pandas as pd
    from cleanlab.multiannotator import get_label_quality_multiannotator

    coded, classes = evidence.coded, evidence.crowd.classes
    said = vectors(by_item(evidence.predictions)["posterior"], len(classes))
    votes = np.full((len(said), len(coded.annotators)), np.nan)
    votes[coded.item, coded.annotator] = coded.label
    has_answers = is_answered(coded)
    known = np.where(np.isnan(said), 1 / len(classes), said)[has_answers]
    found = get_label_quality_multiannotator(
        pd.DataFrame(votes[has_answers]), known, verbose=False, return_detailed_quality=False,
        return_annotator_stats=False,
    )["label_quality"]  # fmt: skip
    label, quality = np.zeros(len(said), np.int64), np.full(len(said), 0.5)
    label[has_answers] = found["consensus_label"].to_numpy(np.int64)
    quality[has_answers] = np.clip(found["consensus_quality_score"].to_numpy(np.float64), 1e-12, 1 - 1e-12)
    belief = np.zeros(said.shape)
    belief[np.arange(len(said)), label] = 1.0
    is_taught = has_answers.copy()
    places = {item: place for place, item in enumerate(evidence.crowd.item_ids)}
    for item, verdict in verdicts.items():
        belief[places[item]] = np.eye(len(classes))[classes.index(verdict)]
        is_taught[places[item]] = True
    column = evidence.consensus.column_names.index("posterior")
    lessons_next = by_item(evidence.consensus).set_column(column, "posterior", lists_of(belief, is_taught))
    return _ranking(label, np.log(quality) - np.log1p(-quality), has_answers, lessons_next)


def _top(posterior: Reals) -> tuple[Integers, Reals]:
    label = np.nan_to_num(posterior).argmax(axis=1)
    best = posterior[np.arange(len(label)), label]
    others = posterior.copy()
    others[np.arange(len(label)), label] = 0.0
    return label, np.log(np.maximum(best, TINY)) - np.log(np.maximum(others.sum(axis=1), TINY))


def _ranking(label: Integers, log_odds: Reals, is_known: Flags, lessons_next: pa.Table | None) -> Ranking:
    return Ranking(
        np.where(is_known, label, -1),
        np.where(is_known, log_odds, -np.inf),
        lessons_next,
    )
