"""What is asked of annotators where a project knows some labels: how often are they right on gold items?"""

import pyarrow as pa

from cupel.certificate.hypergeometric import clopper_pearson_lower
from cupel.config.project import Project
from cupel.lake.step import Step
from expectations import thresholds
from expectations.suite import Check, Measured, Suite, one_row, row_of, view

_GOLD = """
SELECT coalesce(sum(gold_answers), 0)::BIGINT AS answers, coalesce(sum(gold_right), 0)::BIGINT AS "right"
FROM annotators
"""


def measure(step: Step) -> pa.Table:
    """Count the answers on gold items, and those that were right."""
    view(step, "annotators")
    found = row_of(step, _GOLD)
    answers, right = found["answers"], found["right"]
    accuracy = Measured(right / answers, clopper_pearson_lower(right, answers)) if answers else Measured(None)
    return one_row({"gold_accuracy": accuracy}, gold_answers=answers)


def awaited(metrics: pa.Table) -> str | None:
    """Say that no gold item has been answered yet."""
    answers = metrics["gold_answers"][0].as_py()
    return None if answers else "answers on gold items are awaited: no item with a known label has one"


def has_gold(project: Project, partition: str | None) -> bool:
    """Tell whether the project knows labels to hold annotators against."""
    return project.labeling.gold is not None


# It hangs on `annotators`, which is made whatever the labeling gate says: it shows why that gate is closed.
SUITE = Suite(
    stage="labeling",
    table="annotators",
    checks=(
        Check(
            thresholds.GOLD_ACCURACY,
            "How often are annotators right on items with a known label, at least (exact 95% lower bound)?",
            "Look at gold_right by annotator: retrain those who fail, or look at the gold if all of them do.",
            judges_bound=True,
            applies=has_gold,
        ),
    ),
    measure=measure,
    awaited=awaited,
)
