"""Tasks: the questions to annotators and, where the project has rounds, to experts before the freeze."""

import dagster as dg
import pyarrow as pa

from assets.bench import Bench
from assets.spec import materialized
from cupel.checking.labels import awaiting
from cupel.people.answers.guidelines import task_suffix
from cupel.people.answers.sent_back import rework_by_item
from cupel.people.answers.tasks import label_tasks, round_tasks

ANSWERED = ("item_id", "sequence")


def ask_annotators(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Fill the outbox: the questions to annotators, answered and open."""
    with bench.step(context) as step:
        project, guideline = step.project, task_suffix(step.guidelines())
        table = label_tasks(
            project.project, step.partition, step.read("routes"), step.read("annotations", columns=ANSWERED),
            step.read("rejected_answers", columns=ANSWERED), project.labeling.overlap.first, guideline,
            rework_by_item(step.send_backs(step.partition)),
        )  # fmt: skip
        return materialized(step, step.write("tasks", table))


def ask_people(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Fill the outbox: the questions to annotators and, once these are answered, to experts before the freeze."""
    with bench.step(context) as step:
        project, routes, guideline = step.project, step.read("routes"), task_suffix(step.guidelines())
        to_annotators = label_tasks(
            project.project, step.partition, routes, step.read("annotations", columns=ANSWERED),
            step.read("rejected_answers", columns=ANSWERED), project.labeling.overlap.first, guideline,
            rework_by_item(step.send_backs(step.partition)),
        )  # fmt: skip
        to_experts = round_tasks(
            project.project, step.partition, step.read("round_items"), step.read("rejected_round_answers"),
            project.labeling.experts.answers, is_ready=not awaiting(routes), guideline=guideline,
        )  # fmt: skip
        return materialized(step, step.write("tasks", pa.concat_tables([to_annotators, to_experts])))
