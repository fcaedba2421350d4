"""What the report says of annotators and vendors: findings, what was done, and who is better on equal terms."""

import math

from cupel.figures import UNKNOWN, count, percent, plural
from cupel.people.annotators.anchoring import ALL
from cupel.release.facts import BatchFacts, Row
from cupel.release.rework import VENDOR, ReworkCount

FINDINGS_SHOWN = 20
ACTIONS_SHOWN = 20
ANCHORING_SHOWN = 20
REWORK_SHOWN = 20
SEND_BACKS_SHOWN = 20
# How sure a text may sound: a million times.
MOST_DIGITS = 6


def finding_rows(batch: BatchFacts) -> list[Row]:
    """Return what was found against a delivery's annotators, with `strength` in words, the strongest first."""
    ordered = sorted(batch.annotator_findings, key=lambda row: (-_digits(row), row["annotator"], row["finding"]))
    return [row | {"strength": strength(row)} for row in ordered[:FINDINGS_SHOWN]]


def strength(row: Row) -> str:
    """Return what a finding rests on: how many times likelier it makes the answers, or the chance of the like.

    >>> strength({"p_value": None, "log10_ratio": 1.5})
    '32 times likelier'
    >>> strength({"p_value": 0.0012, "log10_ratio": None})
    'chance 0.0012'
    """
    if row["log10_ratio"] is None:
        return f"chance {row['p_value']:.2g}"
    ratio = 10 ** min(row["log10_ratio"], MOST_DIGITS)
    return f"{ratio:.1f} times likelier" if ratio < 10 else f"{ratio:,.0f} times likelier"


def _digits(row: Row) -> float:
    """Return the power of ten that a finding is strong by."""
    return float(-math.log10(max(row["p_value"], 1e-300)) if row["log10_ratio"] is None else row["log10_ratio"])


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


def model_rows(batch: BatchFacts) -> list[Row]:
    """Return the models of a delivery's crew with their quality in words, by name."""
    return [row | {"right": _between(row["quality"], row["quality_low"], row["quality_high"])} for row in batch.models]


def anchoring_rows(batch: BatchFacts) -> list[Row]:
    """Return how far a delivery's people follow what they are shown, those of all together first."""
    ordered = sorted(batch.anchoring, key=lambda row: (not row["group"].startswith(ALL), row["group"]))
    return [
        row | {"apart": _between(row["difference"], row["difference_low"], row["difference_high"])}
        for row in ordered[:ANCHORING_SHOWN]
        if row["shown_answers"]
    ]


def rework_rows(batch: BatchFacts, most: int | None = REWORK_SHOWN) -> list[Row]:
    """Return rework and first-time acceptance in words: vendors, then annotators, those with the most sent back first.

    Beside each stands its quality: of an annotator as `annotators` has it, of a vendor its share on equal terms.
    """
    quality = {row["annotator"]: _between(row["quality"], row["quality_low"], row["quality_high"])
               for row in batch.annotators}  # fmt: skip
    standard = {row["vendor"]: _between(row["standard_share"], row["standard_low"], row["standard_high"])
                for row in batch.vendors}  # fmt: skip
    ordered = sorted(batch.rework, key=lambda one: (one.who != VENDOR, -one.sent_back, -one.audited, one.name))
    return [
        {
            "who": one.name,
            "is_vendor": one.who == VENDOR,
            "quality": (standard if one.who == VENDOR else quality).get(one.name, UNKNOWN),
            "accepted": describe_acceptance(one),
            "adjudicated": _part(one.adjudicated_accepted, one.adjudicated),
            "sent_back": f"{count(one.sent_back)} ({plural(one.answers_sent_back, 'answer')})"
            if one.sent_back
            else "0",
            "reworked": _part(one.reworked, one.sent_back),
            "right": _part(one.rework_right, one.rework_checked),
        }
        for one in ordered[:most]
    ]


def describe_acceptance(one: ReworkCount) -> str:
    """Return first-time acceptance with its interval, and of how many items."""
    if not one.audited:
        return UNKNOWN
    return f"{_between(one.accepted_share, one.accepted_low, one.accepted_high)}, {_part(one.accepted, one.audited)}"


def send_back_rows(batch: BatchFacts) -> list[Row]:
    """Return what was sent back, the last first: when, how many items, of whom, to whom, why, and by whom."""
    return [
        {
            "at": one.at[:10],
            "items": count(len(one.item_ids)),
            "of": ", ".join(one.annotators) or "everybody",
            "to": ", ".join(one.to) or "anybody",
            "reason": one.reason,
            "by": one.sent_by,
        }
        for one in reversed(batch.send_backs[-SEND_BACKS_SHOWN:])
    ]


def _part(some: int, of: int) -> str:
    return f"{count(some)} of {count(of)}" if of else UNKNOWN


def _between(share: float | None, low: float | None, high: float | None) -> str:
    if share is None or low is None or high is None:
        return percent(share)
    return f"{percent(share)} ({percent(low)} to {percent(high)})"
