"""Labels as they were frozen: chosen, fused, and ranked anew after each round of verdicts."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.double_check.before.chooser import CANDIDATES, choose_by_held_out_answers
from benchmarks.double_check.before.fusion import FusedBefore, Verdicts, fuse_before
from benchmarks.double_check.before.rounds import StandingBefore, next_end_before
from benchmarks.double_check.experts import Experts
from benchmarks.double_check.folder import Crowd
from benchmarks.double_check.opinions import opinions
from benchmarks.double_check.orders import FrozenOrder, differ
from cupel.consensus.coding import Reals, by_item, code, lists_of, vectors
from cupel.consensus.consensus import consensus


def rounds_before(
    crowd: Crowd, tables: Mapping[str, pa.Table], experts: Experts, item_ids: Sequence[str]
) -> Iterator[tuple[FrozenOrder, StandingBefore | None]]:
    """Yield labels as they could be frozen, round after round, and where the rounds stand; None where there are none.

    Args:
        crowd: What a method may see.
        tables: CONSENSUS by method, the chosen first; see `consensuses_before`.
        experts: Who is asked in the rounds.
        item_ids: Items that can be scored.
    """
    first, width, size = next(iter(tables.values())), len(crowd.classes), len(item_ids)
    beliefs = {name: vectors(by_item(table)["posterior"], width) for name, table in tables.items()}
    places = {item: place for place, item in enumerate(crowd.item_ids)}
    predictions = opinions(crowd, first)
    has_model = predictions["posterior"].null_count < predictions.num_rows
    verdicts: dict[str, str] = {}
    last = np.empty(0), np.empty(0, np.bool_)
    while True:
        said = vectors(by_item(predictions)["posterior"], width)
        found = _fuse(beliefs, said, verdicts, places, crowd)
        log_odds = np.where(found.is_known, found.log_odds, -np.inf)
        rest = (item for item in item_ids if item not in verdicts)
        # Equal log-odds are ordered by a hash of the id.
        order = sorted(rest, key=lambda item: (-log_odds[places[item]], hashlib.sha256(item.encode()).digest()))
        here = np.array([places[item] for item in order], np.int64)
        labels = tuple(crowd.classes[found.label[place]] if found.is_known[place] else None for place in here)
        standing = StandingBefore(size, len(verdicts), log_odds[here], *last)
        yield FrozenOrder(tuple(verdicts), tuple(order), labels, log_odds[here]), standing if has_model else None
        end = next_end_before(size, len(verdicts))
        if end is None or not has_model:
            return
        more = end - len(verdicts)
        answers = [experts.ask_expert(item) for item in order[-more:]]
        last = log_odds[here[-more:]], differ(answers, labels[-more:])
        verdicts |= dict(zip(order[-more:], answers, strict=True))
        if crowd.model is None:
            taught = _fuse(beliefs, said, verdicts, places, crowd)
            predictions = opinions(crowd, _lessons(first, taught, _by_place(verdicts, places, crowd)))


def consensuses_before(crowd: Crowd) -> dict[str, pa.Table]:
    """Return CONSENSUS by candidate, the one first that predicts held-out answers best."""
    chosen = choose_by_held_out_answers(code(crowd.annotations, crowd.item_ids, crowd.classes))
    names = dict.fromkeys((chosen, *CANDIDATES))
    return {name: consensus(crowd.annotations, crowd.item_ids, crowd.classes, name) for name in names}


def _fuse(
    beliefs: Mapping[str, Reals], said: Reals, verdicts: Mapping[str, str], places: Mapping[str, int], crowd: Crowd
) -> FusedBefore:
    return fuse_before(beliefs, said, _by_place(verdicts, places, crowd) if verdicts else None)[1]


def _by_place(verdicts: Mapping[str, str], places: Mapping[str, int], crowd: Crowd) -> Verdicts:
    names = sorted(verdicts)
    item = np.array([places[name] for name in names], np.int64)
    return item, np.array([crowd.classes.index(verdicts[name]) for name in names], np.int64)


def _lessons(first: pa.Table, found: FusedBefore, verdicts: Verdicts) -> pa.Table:
    """Return the joint belief, and verdicts as certain, as the posterior that the next model is trained on."""
    item, label = verdicts
    table, posterior = by_item(first), found.posterior.copy()
    posterior[item], posterior[item, label] = 0.0, 1.0
    is_taught = np.asarray(pc.is_valid(table["posterior"]).to_numpy(), np.bool_).copy()
    is_taught[item] = True
    return table.set_column(table.column_names.index("posterior"), "posterior", lists_of(posterior, is_taught))
