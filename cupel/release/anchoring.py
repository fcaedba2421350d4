"""Anchoring by the audit: what following a shown label does to the error, as experts judge items drawn at random."""

import pyarrow as pa
import pyarrow.compute as pc

from cupel.lake.cached_rows import Row
from cupel.lake.lake import Lake
from cupel.people.annotators.anchoring import ALL, measure_anchoring
from cupel.release.release_audit import ReleaseAudit

BY_AUDIT = "all, by the audit"


def judge_by_audit(lake: Lake, audit: ReleaseAudit, batch: str) -> list[Row]:
    """Return the measures of error of ANCHORING, of answers on items that experts settled in a release's audit.

    Only items that are a random sample of all count: whether a label was shown had a say in how risky an item is, and
    so in whether it was adjudicated, or audited where audits look harder at risky ones.

    Args:
        lake: The project's lake.
        audit: Of the release, with its audit and planted verdicts.
        batch: One of its deliveries; none are returned where nothing was shown, or nothing is audited yet.
    """
    if lake.commit("shown_answers", batch) is None or not audit.audit.num_rows:
        return []
    judged = audit.audit.filter(pa.array(audit.is_random))
    judged = judged.filter(pc.and_(pc.equal(judged["batch"], batch), pc.is_valid(judged["expert_label"])))
    shown = lake.read("shown_answers", batch)
    place = pc.index_in(shown["item_id"], value_set=judged["item_id"].combine_chunks())
    verdict = judged["expert_label"].combine_chunks().take(place.combine_chunks())
    column = shown.column_names.index("known_label")
    rows = measure_anchoring(shown.set_column(column, "known_label", pa.chunked_array([verdict]))).to_pylist()
    return [row | {"group": BY_AUDIT} for row in rows if row["group"] == ALL and row["measure"] != "following"]
