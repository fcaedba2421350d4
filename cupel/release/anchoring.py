"""Anchoring by the audit: what following a shown label does to the error, as experts judge items drawn at random."""

import pyarrow as pa
import pyarrow.compute as pc

from cupel.lake.cached_rows import Row
from cupel.lake.lake import Lake
from cupel.people.annotators.anchoring import ALL, measure_anchoring

BY_AUDIT = "all, by the audit"


def judge_by_audit(lake: Lake, release: str, batch: str) -> list[Row]:
    """Return the measures of error of ANCHORING, of answers on items that experts settled in a release's audit.

    Items behind the cut are left out: whether a label was shown had a say in which these are.

    Args:
        lake: The project's lake.
        release: The release.
        batch: One of its deliveries; none are returned where nothing was shown, or nothing is audited yet.
    """
    if lake.commit("shown_answers", batch) is None or lake.commit("audit", release) is None:
        return []
    audit = lake.read("audit", release, ["batch", "item_id", "expert_label"])
    audit = audit.filter(pc.and_(pc.equal(audit["batch"], batch), pc.is_valid(audit["expert_label"])))
    shown = lake.read("shown_answers", batch)
    place = pc.index_in(shown["item_id"], value_set=audit["item_id"].combine_chunks())
    verdict = audit["expert_label"].combine_chunks().take(place.combine_chunks())
    column = shown.column_names.index("known_label")
    judged = shown.set_column(column, "known_label", pa.chunked_array([verdict]))
    rows = measure_anchoring(judged).to_pylist()
    return [row | {"group": BY_AUDIT} for row in rows if row["group"] == ALL and row["measure"] != "following"]
