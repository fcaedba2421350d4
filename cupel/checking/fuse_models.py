"""Fusing beside models: people, the models of the crew and the checker become one belief, nobody counted twice."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from cupel.checking.fusion import DECIMALS, TINY, Fusion, top_log_odds
from cupel.checking.label_fusion import LabelFusion
from cupel.checking.weights import Weights, choose_weight
from cupel.consensus.coding import by_item, sorted_ids, vectors
from cupel.consensus.estimates import class_prior
from cupel.consensus.passes import softmax
from cupel.contract.columns import TEXT
from cupel.errors import TableError


def fuse_beside_models(
    people: pa.Table, consensus: pa.Table, predictions: pa.Table, classes: Sequence[str]
) -> LabelFusion:
    """Return what people, models of the crew and the checker believe together.

    As `cupel.checking.fusion.fuse_beliefs`, but for the checker's weight: it is the one under which people's answers
    are likeliest, given what the models have said. A checker that only says what the models say adds nothing to that
    and gets little, and no model's answer judges it.

    Args:
        people: CONSENSUS of people alone (PEOPLE_CONSENSUS).
        consensus: CONSENSUS of the same items, with the models' voices.
        predictions: PREDICTIONS of the same items, by a checker that learned from people alone.
        classes: The ontology.

    Raises:
        TableError: The tables hold different items.
    """
    ids = sorted_ids(consensus["item_id"])
    for table, name in ((people, "people_consensus"), (predictions, "predictions")):
        if not ids.equals(sorted_ids(table["item_id"])):
            raise TableError(f"tables consensus and {name} hold different items; make both of the same batch")
    tables = (people, consensus, predictions)
    alone, joint, model = (vectors(by_item(table)["posterior"], len(classes)) for table in tables)
    is_answered, is_predicted = ~np.isnan(alone[:, 0]), ~np.isnan(model[:, 0])
    prior = np.log(class_prior(alone[is_answered]))
    logs = [np.where(is_answered[:, None], np.log(np.maximum(one, TINY)), prior) for one in (alone, joint)]
    answers, voices = logs[0] - prior, logs[1] - logs[0]
    opinion = np.zeros(model.shape)
    if is_predicted.any():
        known = np.maximum(model[is_predicted], TINY)
        opinion[is_predicted] = np.log(known) - np.log(known.mean(axis=0))
    judges = is_answered & is_predicted
    weight = choose_weight(answers[judges], opinion[judges], prior + voices[judges])
    scores = prior + answers + voices + weight * opinion
    label, log_odds = top_log_odds(scores)
    is_known = is_answered | is_predicted
    found = Fusion(ids, label, np.round(log_odds, DECIMALS), softmax(scores), is_known, Weights(1.0, weight), 0.0)
    return LabelFusion(ids, pa.array(classes, TEXT).take(pa.array(label)), found.log_odds, is_known, (found,))
