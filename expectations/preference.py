"""What is asked where responses are compared: do preferences run in circles, and does the place on the page decide?"""

import pyarrow as pa

from cupel.config.project import Project
from cupel.lake.step import Step
from expectations import thresholds
from expectations.suite import Check, Measured, Suite, one_row, row_of, share, view

_CYCLES = "SELECT count(*) AS responses, count(*) FILTER (is_in_cycle) AS cyclic FROM responses"
# Weighted in integers, so that the sum does not depend on the order of rows.
_BIAS = """
SELECT coalesce(sum(answers), 0)::BIGINT AS answers,
       coalesce(sum(answers * round(first_of_equals * 1e6)::BIGINT), 0)::BIGINT AS millionths
FROM habits
"""


def measure(step: Step) -> pa.Table:
    """Count the responses in a cycle, and measure how far what stands first is preferred for that alone."""
    view(step, "responses")
    view(step, "habits")
    cycles, bias = row_of(step, _CYCLES), row_of(step, _BIAS)
    first = share(bias["millionths"], 1_000_000 * bias["answers"])
    return one_row(
        {
            "cyclic_share": Measured(share(cycles["cyclic"], cycles["responses"])),
            "position_bias": Measured(None if first is None else abs(first - 0.5)),
        }
    )


def is_preference(project: Project, partition: str | None) -> bool:
    """Tell whether the project compares responses."""
    return project.labeling.kind == "preference"


SUITE = Suite(
    stage="labeling",
    table="responses",
    beside=("habits",),
    checks=(
        Check(
            thresholds.CYCLIC_SHARE,
            "What share of the responses stands in a circle of majorities (A over B over C over A), at most?",
            "Look at responses where is_in_cycle: mostly they are alike; more answers each, or ties allowed, help.",
            applies=is_preference,
        ),
        Check(
            thresholds.POSITION_BIAS,
            "How far from one half is the chance that the first of two equally good responses is preferred, at most?",
            "Show the two in random order, and deliver pairs in both orders; the consensus takes the bias off.",
            applies=is_preference,
        ),
    ),
    measure=measure,
)
