"""How wrong labels were after each stage, estimated from the audit's random sample."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from cupel.certificate.hypergeometric import clopper_pearson_lower, clopper_pearson_upper
from cupel.tables import STAGE_ERRORS, from_rows

RESAMPLES = 2_000
SEED = 1927
_STAGES = (
    ("majority", "majority_label"),
    ("consensus", "consensus_label"),
    ("checker", "predicted_label"),
    ("people and checker", "label"),
)


def stage_errors(
    release: str, items: pa.Table, audit: pa.Table, annotations: Sequence[tuple[str, pa.Table]]
) -> pa.Table:
    """Estimate the label error of one annotator, the majority, the consensus, the checker, and all together.

    Only audited items that experts settled count, so the estimates are of the frozen items without the
    contested ones. A tie, and a checker that abstains, count as wrong: they give no label.

    Args:
        release: Name of the release.
        items: RELEASE_ITEMS.
        audit: AUDIT.
        annotations: Batch and its ANNOTATIONS, for each batch of the release.

    Returns:
        STAGE_ERRORS. Intervals are exact (Clopper-Pearson); one annotator's, whose answers on an item
        hang together, is a percentile bootstrap over items.
    """
    truth = {
        (row["batch"], row["item_id"]): row["expert_label"]
        for row in audit.to_pylist()
        if row["expert_label"] is not None
    }
    audited = [row for row in items.to_pylist() if (row["batch"], row["item_id"]) in truth]
    rows = [_one_annotator(release, truth, annotations)]
    for position, (name, column) in enumerate(_STAGES, 2):
        wrong = sum(row[column] != truth[row["batch"], row["item_id"]] for row in audited)
        rows.append(_row(release, position, name, wrong, len(audited)))
    return from_rows(rows, STAGE_ERRORS)


def _row(release: str, position: int, name: str, wrong: int, audited: int) -> dict[str, object]:
    is_known = audited > 0
    return {
        "release": release,
        "position": position,
        "decided_by": name,
        "audited": audited,
        "error": wrong / audited if is_known else None,
        "error_low": clopper_pearson_lower(wrong, audited, 0.975) if is_known else None,
        "error_high": clopper_pearson_upper(wrong, audited, 0.975) if is_known else None,
    }


def _one_annotator(
    release: str, truth: dict[tuple[str, str], str], annotations: Sequence[tuple[str, pa.Table]]
) -> dict[str, object]:
    wrong: dict[tuple[str, str], list[bool]] = {}
    for batch, table in annotations:
        for row in table.select(["item_id", "label"]).to_pylist():
            name = (batch, row["item_id"])
            if name in truth:
                wrong.setdefault(name, []).append(row["label"] != truth[name])
    shares = np.array([np.mean(wrong[name]) for name in sorted(wrong)])
    if not shares.size:
        return _row(release, 1, "one annotator", 0, 0)
    means = np.random.default_rng(SEED).choice(shares, (RESAMPLES, shares.size)).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    estimate = {"error": float(shares.mean()), "error_low": float(low), "error_high": float(high)}
    return {**_row(release, 1, "one annotator", 0, 0), "audited": int(shares.size), **estimate}
