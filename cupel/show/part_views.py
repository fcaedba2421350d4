"""The errors of a release part by part, as the report shows them: rows of text."""

from cupel.figures import bound, count
from cupel.release.facts import ReleaseFacts


def part_rows(facts: ReleaseFacts) -> list[dict[str, str]]:
    """Return a row for each part of a label, none where a label has one."""
    return [
        {
            "part": row["part"],
            "audited": count(row["audited"]),
            "wrong": count(row["wrong"]),
            "frozen": bound(row["frozen_upper"]),
            "left": bound(row["left_upper"]),
        }
        for row in facts.part_errors
    ]
