"""Before the freeze: what experts decided in rounds, what it teaches, and whom they are asked about next."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.hypergeometric import Reals
from cupel.checking.by_verdicts import fuse_by_verdicts, has_opinion
from cupel.checking.label_fusion import LabelFusion, lessons
from cupel.checking.labels import LAST_LOG_ODDS
from cupel.checking.rounds import NO_ROUND, LastRound, Standing, complete, next_end, pays, round_ends
from cupel.contract.columns import TEXT
from cupel.contract.kind import Kind
from cupel.contract.ontology import Ontology
from cupel.contract.table import Table, conform
from cupel.contract.tables.checking import LABELS, ROUND_ITEMS, ROUTES
from cupel.people.answers.experts import DECIDED, SPLIT, Decision

DECIDED_REASON, SPLIT_REASON = "experts have decided it", "experts stay split on it"

Teach = Callable[[pa.Table], pa.Table]
# Returns the project's CONSENSUS, estimated with experts' labels by item id.
Learn = Callable[[Mapping[str, str]], pa.Table]


class Rounds(NamedTuple):
    """Where the rounds of a batch stand.

    `predictions` are those of the checker as complete rounds have taught it, `believed` what people and checker
    believe together by the verdicts of these; `counted` the items decided in them, `wanted` those that experts
    are asked about next, the riskiest last: empty where no further round pays.
    """

    predictions: pa.Table
    believed: LabelFusion
    counted: tuple[str, ...]
    wanted: tuple[str, ...]


def hold_rounds(
    consensuses: Mapping[str, pa.Table],
    predictions: pa.Table,
    kind: Kind,
    ontology: Ontology,
    decided: Sequence[Decision],
    teach: Teach | None,
    error_budget: float,
    annotations: pa.Table | None = None,
    learn: Learn | None = None,
) -> Rounds:
    """Go through all complete rounds once more, and say whether another one pays, and of which items.

    The rounds are gone through from the start, so that the result hangs on answers alone. Verdicts of a round
    that is not complete yet wait: those who are being asked are not asked about other items meanwhile.

    Args:
        consensuses: CONSENSUS of one batch by method, the project's first; see `fuse_by_verdicts`.
        predictions: PREDICTIONS of a checker that was trained on the project's consensus alone.
        kind: The label kind.
        ontology: What a label may say.
        decided: What experts settled, in the order in which they did.
        teach: Returns PREDICTIONS of a checker that was trained on lessons; None for one that does not learn.
        error_budget: Highest share of wrong labels that the release may have.
        annotations: ANNOTATIONS that the consensuses are made from; verdicts judge annotators by them where no model
            speaks. None: verdicts teach nothing there, and no round is held.
        learn: See `with_verdicts.consensus_with_verdicts`; None leaves the project's consensus as it is.

    Returns:
        Where the rounds stand.

    Raises:
        TableError: Tables hold different items, or a verdict speaks of an item or label not known.
    """
    first, own = next(iter(consensuses.items()))
    verdicts: dict[str, str] = {}
    _, believed = fuse_by_verdicts(consensuses, predictions, kind, ontology, verdicts, annotations)
    size, start, last = len(believed.item_ids), 0, NO_ROUND
    counted = complete(len(decided), size)
    for end in [end for end in round_ends(size) if end <= counted]:
        said = {one.item_id: one.label for one in decided[start:end] if one.label is not None}
        last = _judged(believed, kind, ontology, said)
        verdicts |= said
        if learn is not None:
            consensuses = {**consensuses, first: learn(verdicts)}
        _, believed = fuse_by_verdicts(consensuses, predictions, kind, ontology, verdicts, annotations)
        if teach is not None:
            predictions = teach(lessons(own, believed, lambda labels: kind.split(labels, ontology), verdicts))
            _, believed = fuse_by_verdicts(consensuses, predictions, kind, ontology, verdicts, annotations)
        start = end
    names = tuple(one.item_id for one in decided[:counted])
    rest = _in_risk_order(believed, names)
    standing = Standing(size, counted, _log_odds(believed)[rest], last)
    wanted: tuple[str, ...] = ()
    can_learn = annotations is not None or has_opinion(predictions)
    if (end_next := next_end(standing)) is not None and can_learn and pays(standing, error_budget):
        wanted = tuple(believed.item_ids.take(pa.array(rest[counted - end_next :])).to_pylist())
    return Rounds(predictions, believed, names, wanted)


def round_items(rounds: Rounds, decided: Sequence[Decision], answers: pa.Table) -> pa.Table:
    """Return the items that experts decided before the freeze, or are asked about.

    Args:
        rounds: Where the rounds stand.
        decided: What experts settled.
        answers: ROUND_ANSWERS of the batch.

    Returns:
        ROUND_ITEMS, by item id.
    """
    label = {one.item_id: one.label for one in decided}
    counted = set(rounds.counted)
    given = answers.group_by("item_id").aggregate([("sequence", "count")])
    number = dict(zip(given["item_id"].to_pylist(), given["sequence_count"].to_pylist(), strict=True))
    names = sorted({*label, *rounds.wanted})
    columns = {
        "item_id": pa.array(names, TEXT),
        "answers": pa.array([number.get(name, 0) for name in names], pa.int64()),
        "is_settled": pa.array([name in label for name in names], pa.bool_()),
        "expert_label": pa.array([label.get(name) for name in names], TEXT),
        "is_counted": pa.array([name in counted for name in names], pa.bool_()),
    }
    return conform(pa.table(columns), ROUND_ITEMS)


def routes_after(routes: pa.Table, items: pa.Table) -> pa.Table:
    """Return the routes of a batch, those items being with the experts on which they have spoken.

    Args:
        routes: ROUTES of the batch.
        items: ROUND_ITEMS of the batch.
    """
    label, is_settled = _settled(routes, items)
    reason = pc.if_else(pc.is_valid(label), pa.scalar(DECIDED_REASON, TEXT), pa.scalar(SPLIT_REASON, TEXT))
    return _replaced(
        routes, {
            "route": pc.if_else(is_settled, pa.scalar("expert", TEXT), routes["route"]),
            "reason": pc.if_else(is_settled, reason, routes["reason"]),
            "label": pc.coalesce(label, routes["label"]),
        }, ROUTES,
    )  # fmt: skip


def labels_after(labels: pa.Table, items: pa.Table) -> pa.Table:
    """Return the labels of a batch, with who decided them where experts have spoken: these are last in the risk order.

    Args:
        labels: LABELS of the batch, made of routes as `routes_after` returns them.
        items: ROUND_ITEMS of the batch, all settled.
    """
    label, is_settled = _settled(labels, items)
    by_experts = pc.if_else(pc.is_valid(label), pa.scalar(DECIDED, TEXT), pa.scalar(SPLIT, TEXT))
    return _replaced(
        labels, {
            "decided_by": pc.if_else(is_settled, by_experts, labels["decided_by"]),
            "log_odds": pc.if_else(is_settled, LAST_LOG_ODDS, labels["log_odds"]),
        }, LABELS,
    )  # fmt: skip


def _settled(table: pa.Table, items: pa.Table) -> tuple[pa.Array, pa.Array]:
    """Return for each row of a table the experts' label, and whether the item is settled."""
    settled = items.filter(items["is_settled"])
    row = pc.index_in(table["item_id"], value_set=settled["item_id"].combine_chunks())
    row = row.combine_chunks() if isinstance(row, pa.ChunkedArray) else row
    return settled["expert_label"].combine_chunks().take(row), pc.is_valid(row)


def _replaced(table: pa.Table, columns: Mapping[str, pa.Array], like: Table) -> pa.Table:
    for name, column in columns.items():
        table = table.set_column(table.column_names.index(name), name, column)
    return conform(table, like)


def _judged(believed: LabelFusion, kind: Kind, ontology: Ontology, said: Mapping[str, str]) -> LastRound:
    """Return what experts said of the labels that there were."""
    row = {item: number for number, item in enumerate(believed.item_ids.to_pylist())}
    places = np.array([row[item] for item in said], np.int64)
    is_right = kind.is_same(believed.label.take(pa.array(places)), pa.array(said.values(), TEXT), ontology)
    wrong = ~(believed.is_known[places] & np.asarray(is_right.to_numpy(zero_copy_only=False), np.bool_))
    return LastRound(_log_odds(believed)[places], wrong)


def _log_odds(believed: LabelFusion) -> Reals:
    """Return the log-odds of all items, -inf where nothing is known."""
    return np.where(believed.is_known, believed.log_odds, -np.inf)


def _in_risk_order(believed: LabelFusion, left_out: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the places of the other items, the safest first; a hash of the id decides among equals."""
    is_out = pc.is_in(believed.item_ids, value_set=pa.array(list(left_out), TEXT)).to_numpy(zero_copy_only=False)
    odds = _log_odds(believed)
    names = believed.item_ids.to_pylist()
    key = [hashlib.sha256(name.encode()).digest() for name in names]
    order = sorted(np.flatnonzero(~is_out).tolist(), key=lambda place: (-odds[place], key[place]))
    return np.array(order, np.int64)
