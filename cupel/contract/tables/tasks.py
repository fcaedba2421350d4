"""Questions to annotators."""

from cupel.contract.columns import TASK_COLUMNS
from cupel.contract.table import Table

TASKS = Table("tasks", "a question put to an annotator, or to an expert before the freeze", ("task_id",), TASK_COLUMNS)
