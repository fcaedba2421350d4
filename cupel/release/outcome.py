"""What a certified release holds: labels repaired where experts spoke, contested items held back."""

from typing import Any

import pyarrow as pa

from cupel.tables import TRAINING_SET, WITHHELD_ITEMS, from_rows

CONTESTED = "contested: experts stay split on it"

_COPIED = ("release", "batch", "item_id", "source_file", "line", "text", "split", "group_id", "licence")


def release_rows(items: pa.Table, audit: pa.Table, adjudications: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Divide the frozen items into those released and those held back.

    Args:
        items: RELEASE_ITEMS.
        audit: AUDIT of the release, all settled.
        adjudications: ADJUDICATIONS of the release, all settled.

    Returns:
        TRAINING_SET and WITHHELD_ITEMS; every frozen item is in exactly one of them.
    """
    experts = {**_verdicts(adjudications, "expert"), **_verdicts(audit, "audit")}
    released: list[dict[str, Any]] = []
    withheld: list[dict[str, Any]] = []
    for item in items.to_pylist():
        label, decided_by = experts.get((item["batch"], item["item_id"]), (item["label"], item["decided_by"]))
        if label is None:
            names = ("release", "batch", "item_id", "source_file", "line")
            withheld.append({**{name: item[name] for name in names}, "reason": CONTESTED})
        else:
            kept = {name: item[name] for name in _COPIED}
            released.append({**kept, "label": label, "decided_by": decided_by})
    return from_rows(released, TRAINING_SET), from_rows(withheld, WITHHELD_ITEMS)


def _verdicts(table: pa.Table, decided_by: str) -> dict[tuple[str, str], tuple[str | None, str]]:
    return {
        (row["batch"], row["item_id"]): (row["expert_label"], decided_by)
        for row in table.to_pylist()
        if row["is_settled"]
    }
