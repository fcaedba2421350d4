"""The log of answers."""

from cupel.contract.columns import ANNOTATOR, ANSWERED_AT, BATCH, INTEGER, ITEM, SECONDS_SPENT, TEXT, Column
from cupel.contract.table import Table

ANSWERS = Table(
    "answers", "an answer, as it arrived; never changed", ("sequence",), (
        Column("sequence", INTEGER, "Place in the log; the first is 1."),
        Column("answer_id", TEXT, "Id given by who brought it; the same answer brought twice is kept once."),
        Column("task_id", TEXT, "Task that it answers; null for answers that came unasked.", True),
        BATCH, ITEM,
        Column("purpose", TEXT, "label, round, audit, expert, contamination or contamination_audit."),
        ANNOTATOR,
        Column("label", TEXT, "The answer; null where the annotator could not decide.", True),
        SECONDS_SPENT,
        ANSWERED_AT,
        Column("source", TEXT, "Workforce or file that brought it."),
        Column("hash", TEXT, "SHA-256 of the record before it and of this one."),
    ),
)  # fmt: skip
