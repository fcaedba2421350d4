"""Tasks: the questions to annotators and, where the project has rounds, to experts before the freeze."""

import dagster as dg
import pyarrow as pa

from assets.bench import Bench
from assets.spec import materialized
from cupel.checking.labels import awaiting
from cupel.people.answers.tasks import label_tasks, round_tasks


def ask_annotators(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Fill the outbox: the questions to annotators, answered and open."""
    with bench.step(context) as step:
        project = step.project
        table = label_tasks(
            project.project, step.partition, step.read("routes"), step.read("annotations", columns=["item_id"]),
            step.read("rejected_answers", columns=["item_id"]), project.labeling.overlap.first,
        )  # fmt: skip
        return materialized(step, step.write("tasks", table))


def ask_people(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Fill the outbox: the questions to annotators and, once these are answered, to experts before the freeze."""
    with bench.step(context) as step:
        project, routes = step.project, step.read("routes")
        to_annotators = label_tasks(
            project.project, step.partition, routes, step.read("annotations", columns=["item_id"]),
            step.read("rejected_answers", columns=["item_id"]), project.labeling.overlap.first,
        )  # fmt: skip
        to_experts = round_tasks(
            project.project, step.partition, step.read("round_items"), step.read("rejected_round_answers"),
            project.labeling.experts.answers, is_ready=not awaiting(routes),
        )  # fmt: skip
        return materialized(step, step.write("tasks", pa.concat_tables([to_annotators, to_experts])))
