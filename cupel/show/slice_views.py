"""A release by class and slice, as report and card show it: rows of text."""

from cupel.figures import bound, count, setting
from cupel.release.facts import ReleaseFacts, Row

UNPROVEN = "unproven"
# What the first screen shows; the table `slice_bounds` has all.
MOST_SHOWN = 20


def slice_rows(facts: ReleaseFacts) -> list[dict[str, str]]:
    """Return a row for each class and slice that is bounded, classes first, the largest first.

    Args:
        facts: Of a release; one of an older version has none.
    """
    order = {"class": 0, "part": 1, "language": 2, "source": 3}
    rows = sorted(facts.slice_bounds, key=lambda row: (order.get(row["by"], 4), row["audited"] is None, -row["items"]))
    return [
        {
            "by": row["by"],
            "value": row["value"],
            "items": count(row["items"] if row["items_left"] is None else row["items_left"]),
            "audited": "" if row["audited"] is None else count(row["audited"]),
            "found": "" if row["wrong"] is None else count(row["wrong"]),
            "wrong": _bound(row["wrong_upper"], row["wrong_budget"]),
            "missed": _bound(row["missed_upper"], row["missed_budget"]) if row["by"] == "class" else "",
        }
        for row in rows
    ]


def slice_lead(facts: ReleaseFacts) -> str:
    """Return what the rows are of, and what their bounds hold for, in a paragraph."""
    is_left = bool(facts.result and facts.result["status"] == "certified")
    what = "as released" if is_left else "as they were frozen, for nothing was released"
    return (
        f"Upper bounds of the labels {what}: all of them and the certificate hold together with 95% confidence, "
        "however often the items are put to an audit. Wrong: of the items labelled so, the share that is not. "
        "Missed: of the items that are of the class, the share that is labelled otherwise. Unproven: too few were "
        "audited, or experts may leave too many undecided, to say anything; a budget has more of them audited."
    )


def _bound(share: float | None, budget: float | None) -> str:
    said = UNPROVEN if share is None else f"≤ {bound(share)}"
    return said if budget is None else f"{said} (budget {setting(budget)})"


def worst_class(facts: ReleaseFacts) -> Row | None:
    """Return the class with the highest bound, one that is unproven first; None where there is one class alone."""
    rows = [row for row in facts.slice_bounds if row["by"] == "class" and row["audited"] is not None]
    if len(rows) < 2 or not facts.result or facts.result["status"] == "open":
        return None
    return max(rows, key=lambda row: (row["wrong_upper"] is None, row["wrong_upper"] or 0.0, row["value"]))
