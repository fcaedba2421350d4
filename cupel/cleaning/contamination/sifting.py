"""Sifting: what rules and duplicates left, and what of it is kept once people have had their say."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.cleaning.contamination.answered import said_of
from cupel.cleaning.contamination.learning import Flags
from cupel.cleaning.decide import Decision
from cupel.contract.columns import TEXT
from cupel.contract.table import conform
from cupel.contract.tables.cleaning import REJECTED_ITEMS, SIFTED_ITEMS
from cupel.errors import TableError

CONTAMINATED = "contaminated"
WHY = ("reason", "value", "threshold", "evidence")


def sifted_items(raw: pa.Table, decision: Decision) -> pa.Table:
    """Return what rules and duplicates decided, one row an item.

    Args:
        raw: Columns batch, item_id, source_file, line and licence of `raw_items`.
        decision: What was decided on them.

    Returns:
        SIFTED_ITEMS, in the order of the decision.
    """
    ids = decision.decided["item_id"]
    raw = raw.take(pc.index_in(ids, value_set=raw["item_id"].combine_chunks()))
    place = pc.index_in(ids, value_set=decision.rejected_items["item_id"].combine_chunks())
    columns = {name: raw[name] for name in ("batch", "item_id", "source_file", "line", "licence")}
    columns |= {"group_id": decision.decided["group_id"]}
    columns |= {name: decision.rejected_items[name].take(place) for name in WHY}
    return conform(pa.table(columns), SIFTED_ITEMS)


def wanted(sifted: pa.Table, items: pa.Table, is_kept: Flags) -> pa.Table:
    """Return item_id and group_id of SIFTED_ITEMS, the group null where an item is not kept.

    Args:
        sifted: SIFTED_ITEMS.
        items: CONTAMINATION_ITEMS: those of them that have a group.
        is_kept: Which of the latter are kept.

    Raises:
        TableError: The two speak of different items.
    """
    place = _places(sifted, items)
    kept = pa.array(is_kept).take(place).fill_null(False)
    return pa.table({"item_id": sifted["item_id"], "group_id": pc.if_else(kept, sifted["group_id"], None)})


def rejected_items(
    sifted: pa.Table, items: pa.Table, answers: pa.Table, is_kept: Flags, result: dict[str, Any], good: str
) -> pa.Table:
    """Return the items that are not kept, with the reason.

    Args:
        sifted: SIFTED_ITEMS.
        items: CONTAMINATION_ITEMS.
        answers: CONTAMINATION_ANSWERS.
        is_kept: Which of the items are kept.
        result: The row of CONTAMINATION_RESULT.
        good: The answer that says that an item is wanted.

    Returns:
        REJECTED_ITEMS: what rules and duplicates dropped, and what is contaminated, its score and that of the cut.
    """
    dropped = np.flatnonzero(~is_kept)
    unkept = items.take(pa.array(dropped))
    place = pc.index_in(unkept["item_id"], value_set=sifted["item_id"].combine_chunks())
    said = said_of(unkept["item_id"], answers, good)
    is_told = said.is_answered & said.is_unwanted
    ranks = unkept["rank"].to_pylist()
    evidence = [
        f"answer {sequence} does not say {good}" if told else f"rank {rank} is behind the cut at {result['cut']}"
        for told, sequence, rank in zip(is_told, said.sequence, ranks, strict=True)
    ]
    contaminated = {name: sifted[name].take(place) for name in ("batch", "item_id", "source_file", "line")} | {
        "reason": pa.repeat(pa.scalar(CONTAMINATED, TEXT), len(dropped)),
        "value": unkept["score"],
        "threshold": pa.repeat(pa.scalar(result["cut_score"], pa.float64()), len(dropped)),
        "evidence": pa.array(evidence, TEXT),
    }
    by_rule = sifted.filter(pc.is_null(sifted["group_id"])).select(REJECTED_ITEMS.schema.names)
    return pa.concat_tables(
        [conform(by_rule, REJECTED_ITEMS), conform(pa.table(contaminated), REJECTED_ITEMS)]
    ).sort_by("item_id")


def _places(sifted: pa.Table, items: pa.Table) -> pa.ChunkedArray:
    place = pc.index_in(sifted["item_id"], value_set=items["item_id"].combine_chunks())
    if not pc.equal(place.is_valid(), sifted["group_id"].is_valid()).combine_chunks().false_count == 0:
        raise TableError("table contamination_items: holds other items than sifted_items left; run the batch again")
    return place
