"""Arms: who labels at first. A model that experts teach, the crew, or both; each ends in labels that can be frozen."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from benchmarks.double_check.deployed import Frozen, has_rounds_left, rounds
from benchmarks.double_check.experts import Experts
from benchmarks.double_check.folder import Crowd
from benchmarks.double_check.opinions import opinions
from benchmarks.double_check.rankers import OURS, Evidence, Ranker, first_evidence, rankers
from benchmarks.double_check.single_model import cupel_of_model, model_evidence
from benchmarks.humans.label_by_model import ModelView
from benchmarks.humans.sample import SampleBatch
from cupel.consensus.coding import Reals, code
from cupel.consensus.consensus import consensus
from cupel.contract.columns import TEXT

# Who labels at first, and the methods that the crew's answers are also ranked by; these ask no model.
MODEL, CREW, BOTH = "model", "crew", "both"
ARMS = (MODEL, CREW, BOTH)
PEERS = ("majority", "dawid_skene")
# A sentence model knows no classes: experts teach it with so many items, drawn at random, and are paid for them.
TAUGHT_ITEMS, TAUGHT_SEED = 200, 18
TEACHER = "experts"


class Candidate(NamedTuple):
    """Labels that wait for their audit: by whom, how they were ranked, and what is frozen at each error budget.

    `first` is the order before experts had any say beyond what they taught.
    """

    arm: str
    method: str
    first: Frozen
    frozen: dict[float, Frozen]


def make_candidates(
    batch: SampleBatch, view: ModelView, classes: Sequence[str], budgets: Sequence[float]
) -> Iterator[Candidate]:
    """Yield the labels of each arm, ranked by Cupel, and those of the crew, ranked by its peers.

    Args:
        batch: What was delivered.
        view: What the model makes of the texts.
        classes: The ontology.
        budgets: Error budgets.
    """
    crowd = Crowd(
        batch.name, batch.item_ids, tuple(classes), batch.annotations, None, view.features, view.probabilities
    )
    if view.probabilities is None:
        yield _taught_by_experts(crowd, batch, budgets)
    else:
        yield _labelled_by_model(crowd, view.probabilities, batch, budgets)
    alone = crowd._replace(features=None, model=None)
    evidence = first_evidence(alone)
    known = rankers(evidence)
    for method in (OURS, *PEERS):
        yield _candidate(CREW, method, evidence, known[method], batch, budgets)
    evidence = first_evidence(crowd)
    yield _candidate(BOTH, OURS, evidence, rankers(evidence)[OURS], batch, budgets)


def _taught_by_experts(crowd: Crowd, batch: SampleBatch, budgets: Sequence[float]) -> Candidate:
    """Return what a model labels that knows no classes, and that nobody but experts has taught."""
    size = min(TAUGHT_ITEMS, len(batch.item_ids) // 2)
    places = np.random.default_rng(TAUGHT_SEED).choice(len(batch.item_ids), size, replace=False)
    taught = [batch.item_ids[place] for place in sorted(places.tolist())]
    experts = Experts(batch.gold)
    alone = crowd._replace(annotations=_answers_of(TEACHER, taught, [experts.ask_expert(item) for item in taught]))
    table = consensus(alone.annotations, alone.item_ids, alone.classes, "majority")
    coded = code(alone.annotations, alone.item_ids, alone.classes)
    evidence = Evidence(alone, coded, {"majority": table}, opinions(alone, table))
    found = _candidate(MODEL, OURS, evidence, rankers(evidence)[OURS], batch, budgets, taught)
    return found._replace(
        first=_with_asked(found.first, taught),
        frozen={budget: _with_asked(one, taught) for budget, one in found.frozen.items()},
    )


def _labelled_by_model(crowd: Crowd, probabilities: Reals, batch: SampleBatch, budgets: Sequence[float]) -> Candidate:
    """Return what a model labels that knows the classes: it is the only annotator, believed as far as it is confident.

    The linear checker reads the texts beside it, and both are weighed by what experts say in rounds.
    """
    is_known = ~np.isnan(probabilities[:, 0])
    places = np.flatnonzero(is_known)
    said = [crowd.classes[place] for place in probabilities[places].argmax(axis=1)]
    alone = crowd._replace(
        annotations=_answers_of(MODEL, [crowd.item_ids[place] for place in places], said),
        texts=pa.array(batch.texts, TEXT),
        features=None,
        model=None,
        confidence=np.where(is_known, np.nan_to_num(probabilities).max(axis=1), np.nan),
    )
    evidence = model_evidence(alone)
    return _candidate(MODEL, OURS, evidence, cupel_of_model, batch, budgets)


def _answers_of(who: str, items: Sequence[str], labels: Sequence[str]) -> pa.Table:
    columns = {"item_id": items, "annotator": [who] * len(items), "label": labels}
    return pa.table({name: pa.array(column, TEXT) for name, column in columns.items()})


def _candidate(
    arm: str,
    method: str,
    evidence: Evidence,
    ranker: Ranker,
    batch: SampleBatch,
    budgets: Sequence[float],
    left_out: Sequence[str] = (),
) -> Candidate:
    """Return what is frozen at each budget: rounds with experts go on as long as the library's rule says."""
    items = sorted(set(batch.item_ids) - set(left_out))
    states: list[Frozen] = []
    kept: dict[float, Frozen] = {}
    for frozen in rounds(evidence, ranker, Experts(batch.gold), items):
        states.append(frozen)
        for budget in budgets:
            if budget not in kept and not has_rounds_left(frozen, budget):
                kept[budget] = frozen
        if len(kept) == len(budgets):
            break
    return Candidate(arm, method, states[0], {budget: kept[budget] for budget in budgets})


def _with_asked(frozen: Frozen, taught: Sequence[str]) -> Frozen:
    """Count the items that taught the model among those that experts decided before the freeze."""
    return frozen._replace(asked=(*taught, *frozen.asked))
