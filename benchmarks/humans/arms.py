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
from benchmarks.humans.label_by_model import ModelView
from benchmarks.humans.sample import SampleBatch
from cupel.consensus.coding import code
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
    yield _taught_by_experts(crowd, batch, budgets)
    alone = crowd._replace(features=None, model=None)
    evidence = first_evidence(alone)
    known = rankers(evidence)
    for method in (OURS, *PEERS):
        yield _candidate(CREW, method, evidence, known[method], batch, budgets)
    evidence = first_evidence(crowd)
    yield _candidate(BOTH, OURS, evidence, rankers(evidence)[OURS], batch, budgets)


def _taught_by_experts(crowd: Crowd, batch: SampleBatch, budgets: Sequence[float]) -> Candidate:
    """Return what a model labels that nobody but experts has taught; one that knows the classes is taught nothing."""
    size = 0 if crowd.model is not None else min(TAUGHT_ITEMS, len(batch.item_ids) // 2)
    places = np.random.default_rng(TAUGHT_SEED).choice(len(batch.item_ids), size, replace=False)
    taught = [batch.item_ids[place] for place in sorted(places.tolist())]
    experts = Experts(batch.gold)
    columns = (taught, [TEACHER] * size, [experts.ask_expert(item) for item in taught])
    names = ("item_id", "annotator", "label")
    answers = pa.table({name: pa.array(column, TEXT) for name, column in zip(names, columns, strict=True)})
    alone = crowd._replace(annotations=answers)
    table = consensus(answers, alone.item_ids, alone.classes, "majority")
    coded = code(answers, alone.item_ids, alone.classes)
    evidence = Evidence(alone, coded, {"majority": table}, opinions(alone, table))
    found = _candidate(MODEL, OURS, evidence, rankers(evidence)[OURS], batch, budgets, taught)
    return found._replace(
        first=_with_asked(found.first, taught),
        frozen={budget: _with_asked(one, taught) for budget, one in found.frozen.items()},
    )


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
