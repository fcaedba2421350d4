"""Routes: what happens to each item next (one more annotator, accept, expert), and why."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.checking.label_fusion import LabelFusion
from cupel.checking.worth import answer_accuracy, is_annotator_worth_more
from cupel.config.checking import Checking
from cupel.config.labeling import Overlap
from cupel.config.prices import Prices
from cupel.consensus.coding import by_item
from cupel.contract.columns import TEXT
from cupel.contract.kind import Kind
from cupel.contract.ontology import Ontology
from cupel.contract.table import conform
from cupel.contract.tables.checking import ROUTES

Flags = NDArray[np.bool_]

FREE = Prices()

# Route and reason; of those that hold for an item, the first counts.
UNDECIDED = ("expert", "annotators cannot decide it")
AWAITS_FIRST = ("annotator", "awaits its first answers")
ANNOTATORS_DISAGREE = ("annotator", "annotators disagree")
CHECKER_DISAGREES = ("annotator", "annotators and checker disagree")
ALL_AGREE = ("accept", "annotators and checker agree")
ENOUGH_EVIDENCE = ("accept", "opinions differ, the evidence is strong")
UNCHECKED = ("accept", "annotators are sure enough, the checker has no opinion")
TIED = ("expert", "annotators are tied")
EXPERT_IS_CHEAPER = ("expert", "an expert removes more error per price than one more annotator")
CHECKER_AGAINST_PEOPLE = ("expert", "checker against people")
WEAK_EVIDENCE = ("expert", "the evidence is weak")


def routes(
    consensus: pa.Table,
    predictions: pa.Table,
    overlap: Overlap,
    settings: Checking,
    kind: Kind,
    ontology: Ontology,
    prices: Prices = FREE,
    rejected: pa.Table | None = None,
    believed: LabelFusion | None = None,
) -> pa.Table:
    """Return what happens to every item next.

    A route says what the evidence suggests. What a release accepts is decided by its audit, in the order
    of the log-odds.

    Args:
        consensus: CONSENSUS of one batch.
        predictions: PREDICTIONS of the same items.
        overlap: Annotators asked at first, and at most; the share of items from which on a round is worth it.
        settings: Log-odds from which on an item is accepted.
        kind: The label kind.
        ontology: What a label may say.
        prices: Of an annotator's and an expert's answer; they count where `settings.route_by_price` is set.
        rejected: REJECTED_ANSWERS of the batch: items skipped or flagged too often are asked no more. None: no item is.
        believed: What people and checker believe together, where experts' verdicts have weighed them; None: without.

    Returns:
        ROUTES, one row per item, by item id.

    Raises:
        TableError: The two tables hold different items.
    """
    found = kind.fuse(consensus, predictions, ontology, None) if believed is None else believed
    is_stuck = _is_undecided(found.item_ids, rejected, overlap.most_undecided)
    # Where nobody knows anything, the likeliest class of all stands in until experts have spoken.
    label = pc.if_else(pa.array(found.is_known | is_stuck), found.label, pa.scalar(None, TEXT))
    consensus, predictions = by_item(consensus), by_item(predictions)
    votes = consensus["votes"].to_numpy()
    majority, predicted = consensus["majority_label"], predictions["predicted_label"]
    is_unanimous = _flags(pc.equal(consensus["agreement"], 1.0))
    is_predicted = _flags(pc.is_valid(predicted))
    is_opposed = is_predicted & ~_flags(kind.is_same(predicted, majority, ontology))
    may_ask = votes < overlap.most
    is_strong = found.log_odds >= settings.accept_log_odds
    awaits_first, is_split = votes < overlap.first, may_ask & ~is_unanimous
    is_doubted = may_ask & is_opposed & ~is_strong
    is_dear = np.zeros(len(votes), np.bool_)
    if settings.route_by_price:
        is_dear = (is_split | is_doubted) & ~_is_worth_asking(found, consensus, label, prices)
        is_split, is_doubted = is_split & ~is_dear, is_doubted & ~is_dear
    is_worth_a_round = ((awaits_first | is_split | is_doubted) & ~is_stuck).sum() >= overlap.least_share * len(votes)
    rules = [
        (is_stuck, UNDECIDED),
        (awaits_first, AWAITS_FIRST),
        (is_split, ANNOTATORS_DISAGREE),
        (is_doubted & is_worth_a_round, CHECKER_DISAGREES),
        (is_strong & ~is_predicted, UNCHECKED),
        (is_strong & is_unanimous & ~is_opposed, ALL_AGREE),
        (is_strong, ENOUGH_EVIDENCE),
        (is_dear, EXPERT_IS_CHEAPER),
        (_flags(consensus["is_tie"]), TIED),
        (is_opposed, CHECKER_AGAINST_PEOPLE),
        (np.ones(len(votes), dtype=np.bool_), WEAK_EVIDENCE),
    ]
    first = np.argmax(np.stack([holds for holds, _ in rules]), axis=0)
    columns = {
        "item_id": found.item_ids,
        "route": pa.array([route for _, (route, _) in rules], TEXT).take(pa.array(first)),
        "reason": pa.array([reason for _, (_, reason) in rules], TEXT).take(pa.array(first)),
        "votes": consensus["votes"],
        "label": label,
        "log_odds": pa.array(found.log_odds, mask=~found.is_known),
    }
    return conform(pa.table(columns), ROUTES)


def _is_undecided(item_ids: pa.Array, rejected: pa.Table | None, most: int | None) -> Flags:
    """Tell which items annotators skipped or flagged as often as is allowed."""
    if rejected is None or most is None:
        return np.zeros(len(item_ids), np.bool_)
    said = rejected.filter(pc.equal(rejected["reason"], "undecided")).select(["item_id", "annotator"])
    # A person counts once, however often; of those who are not named each answer counts.
    named = said.filter(pc.is_valid(said["annotator"])).group_by(["item_id", "annotator"]).aggregate([])
    names = pa.concat_tables([named, said.filter(pc.is_null(said["annotator"]))])["item_id"]
    place = pc.index_in(names, value_set=item_ids).drop_null().to_numpy()
    return np.asarray(np.bincount(place, minlength=len(item_ids)) >= most)


def _is_worth_asking(found: LabelFusion, consensus: pa.Table, label: pa.Array, prices: Prices) -> Flags:
    """Tell where one more annotator removes at least as much expected error per price as an expert."""
    is_with = _flags(pc.or_(consensus["is_tie"], pc.fill_null(pc.equal(consensus["majority_label"], label), False)))
    votes, agreement = consensus["votes"].to_numpy(), consensus["agreement"].to_numpy()
    (part,) = found.parts
    accuracy = answer_accuracy(part.posterior, part.label, votes, agreement, is_with)
    return is_annotator_worth_more(part.posterior, accuracy, prices)


def _flags(values: pa.Array | pa.ChunkedArray) -> Flags:
    """Return booleans; null is false."""
    return np.asarray(pc.fill_null(values, False), dtype=np.bool_)
