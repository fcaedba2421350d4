"""What the report says of annotators and vendors: findings, what was done, and who is better on equal terms."""

from cupel.release.facts import BatchFacts, Row
from cupel.release.figures import UNKNOWN, count, percent

FINDINGS_SHOWN = 20
ACTIONS_SHOWN = 20


def finding_rows(batch: BatchFacts) -> list[Row]:
    """Return what was found against a delivery's annotators, the least likely of an honest one first."""
    ordered = sorted(batch.annotator_findings, key=lambda row: (row["p_value"], row["annotator"], row["finding"]))
    return ordered[:FINDINGS_SHOWN]


def vendor_rows(batch: BatchFacts) -> list[Row]:
    """Return a delivery's vendors with intervals in words, the highest share on equal terms first."""
    rows = []
    for row in sorted(batch.vendors, key=lambda row: (-(row["standard_share"] or 0.0), row["vendor"])):
        gold = f"{count(row['gold_right'])} of {count(row['gold_answers'])}" if row["gold_answers"] else UNKNOWN
        rows.append(
            row
            | {
                "standard": _between(row["standard_share"], row["standard_low"], row["standard_high"]),
                "apart": _between(row["difference"], row["difference_low"], row["difference_high"]),
                "gold": gold,
            }
        )
    return rows


def _between(share: float | None, low: float | None, high: float | None) -> str:
    if share is None or low is None or high is None:
        return percent(share)
    return f"{percent(share)} ({percent(low)} to {percent(high)})"
