"""What the cleaning gate asks where contamination is declared: how much may be left, and does the audit say so?"""

from typing import Any

import pyarrow.compute as pc

from cupel.cleaning.contamination.concluding import concluded
from cupel.config.project import Project
from cupel.lake.step import Step
from expectations import thresholds
from expectations.suite import MOST_IDS, Check, Measured


def is_declared(project: Project, partition: str | None) -> bool:
    """Tell whether the project says what it does not want."""
    return project.cleaning.contamination is not None


def contamination(step: Step) -> dict[str, Measured]:
    """Conclude the audit once more from plan, ranks and answers, and hold what was kept against it."""
    plans, results = (step.read(f"contamination_{name}").to_pylist() for name in ("plan", "result"))
    items, answers = step.read("contamination_items"), step.read("contamination_answers")
    kept = step.read("clean_items", columns=["item_id"])["item_id"]
    if len(plans) != 1 or len(results) != 1 or plans[0]["status"] != "frozen":
        return {check.name: Measured(None) for check in CONTAMINATION_CHECKS}
    found = concluded(plans[0], items, answers)
    row: dict[str, Any] = found.result.to_pylist()[0]
    vouched = items["item_id"].filter(found.is_kept).combine_chunks()
    strange = sorted(kept.filter(pc.invert(pc.is_in(kept, value_set=vouched))).to_pylist())
    bound = row["bound"] if row == results[0] and len(kept) == row["kept"] else None
    return {
        "contamination_bound": Measured(row["estimate"], bound, note=row["reason"]),
        "contaminated_items_left": Measured(len(strange), item_ids=tuple(strange[:MOST_IDS])),
    }


CONTAMINATION_CHECKS = (
    Check(
        thresholds.CONTAMINATION_BOUND,
        "Up to which share of the kept items can the audit not rule out to be unwanted?",
        "The reason says how many audit answers would be expected to do; give them in the project file "
        "(cleaning.contamination.answers.audit), or more answers to learn from. Either is another attempt.",
        judges_bound=True,
        applies=is_declared,
    ),
    Check(
        thresholds.CONTAMINATED_ITEMS_LEFT,
        "How many kept items lie behind the cut, or were found to be unwanted?",
        "Run the cleaning stage again; if it stays so, report it as a bug with the ids shown.",
        applies=is_declared,
    ),
)
