"""How wrong labels were after each stage, estimated from the audit's random sample."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.hypergeometric import clopper_pearson_lower, clopper_pearson_upper
from cupel.contract.table import from_rows
from cupel.contract.tables.release import STAGE_ERRORS
from cupel.release.release_audit import ReleaseAudit

RESAMPLES = 2_000
SEED = 1927
_STAGES = (
    ("majority", "majority_label"),
    ("consensus", "consensus_label"),
    ("checker", "predicted_label"),
    ("people and checker", "label"),
)
# Of RELEASE_ITEMS and ANNOTATIONS, what is needed here.
NEEDED_ITEMS = tuple(column for _, column in _STAGES)
NEEDED_ANNOTATIONS = ("item_id", "label")


def stage_errors(audit: ReleaseAudit, annotations: Sequence[tuple[str, pa.Table]]) -> pa.Table:
    """Estimate the label error of one annotator, the majority, the consensus, the checker, and all together.

    Only audited items that experts settled count, so the estimates are of the frozen items without the
    contested ones. A tie, and a checker that abstains, count as wrong: they give no label.

    Args:
        audit: With its items, audit and planted verdicts; of the items with the columns `NEEDED_ITEMS`.
        annotations: Batch and its ANNOTATIONS, for each batch of the release; `NEEDED_ANNOTATIONS` will do.

    Returns:
        STAGE_ERRORS. Intervals are exact (Clopper-Pearson); one annotator's, whose answers on an item
        hang together, is a percentile bootstrap over items.
    """
    release = audit.terms.release
    is_said = pa.array(audit.is_random & pc.is_valid(audit.audit["expert_label"]).to_numpy())
    said = audit.audit.filter(is_said)
    rows = [_one_annotator(audit, said, annotations)]
    audited, truth = audit.items.take(pa.array(audit.rows.audit).filter(is_said)), said["expert_label"]
    for position, (name, column) in enumerate(_STAGES, 2):
        right = pc.sum(audit.is_same(audited[column], truth)).as_py() or 0
        rows.append(_row(release, position, name, audited.num_rows - right, audited.num_rows))
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
    audit: ReleaseAudit, said: pa.Table, annotations: Sequence[tuple[str, pa.Table]]
) -> dict[str, object]:
    release = audit.terms.release
    wrong: dict[tuple[str, str], list[bool]] = {}
    for batch, table in annotations:
        own = said.filter(pc.equal(said["batch"], batch))
        items = own["item_id"].combine_chunks()
        known = table.filter(pc.is_in(table["item_id"], value_set=items))
        truth = own["expert_label"].take(pc.index_in(known["item_id"], value_set=items))
        is_right = audit.is_same(known["label"], truth).to_pylist()
        for item, right in zip(known["item_id"].to_pylist(), is_right, strict=True):
            wrong.setdefault((batch, item), []).append(not right)
    shares = np.array([np.mean(wrong[name]) for name in sorted(wrong)])
    if not shares.size:
        return _row(release, 1, "one annotator", 0, 0)
    means = np.random.default_rng(SEED).choice(shares, (RESAMPLES, shares.size)).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    estimate = {"error": float(shares.mean()), "error_low": float(low), "error_high": float(high)}
    return {**_row(release, 1, "one annotator", 0, 0), "audited": int(shares.size), **estimate}
