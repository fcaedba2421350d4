"""What gates said."""

from cupel.contract.columns import REAL, TEXT, TEXTS, Column
from cupel.contract.table import Table

GATE_RESULTS = Table(
    "gate_results", "a check of a stage on a partition", ("check",), (
        Column("stage", TEXT, "Stage that was judged."),
        Column("partition", TEXT, "Batch or release that was judged."),
        Column("check", TEXT, "Name of the check."),
        Column("outcome", TEXT, "pass, fail or open."),
        Column("severity", TEXT, "critical (blocks) or warning."),
        Column("observed", REAL, "What was measured; null where there was no evidence.", True),
        Column("bound", REAL, "Upper or lower confidence bound, where the check judges one.", True),
        Column("threshold", REAL, "What is allowed.", True),
        Column("comparison", TEXT, "at most, at least, or expectation (a team's own)."),
        Column("reason", TEXT, "Why the threshold is what it is; for open, what is awaited."),
        Column("table_name", TEXT, "Table that was judged."),
        Column("table_hash", TEXT, "Content hash of that table."),
        Column("item_ids", TEXTS, "Up to 20 ids of items that break it; never text."),
    ),
)  # fmt: skip
