"""Checking: a model's second opinion, what happens to each item next, and the labels as far as they are known."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from assets.bench import Bench
from assets.spec import materialized, spec
from cupel.answers.tasks import label_tasks
from cupel.checking.checker import second_opinion
from cupel.checking.labels import awaiting, labels
from cupel.checking.routes import routes
from cupel.release.gates import open_gate

_REJECTED = ("item_id", "annotator", "reason")


@dg.multi_asset(specs=[spec("predictions", deps=["clean_items", "consensus"], kinds=["scikitlearn"])])
def predict(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Ask the checker for its opinion of every item; one that learns is trained on the consensus of the others."""
    with bench.step(context) as step:
        items = step.read("clean_items", columns=["item_id", "text", "group_id"])
        consensus = step.read("consensus", columns=["item_id", "posterior"])
        kept = Path(str(step.lake.folder))
        found = second_opinion(step.project, step.partition, items, consensus, bench.data, kept)
        for name, sha256 in found.files.items():
            step.file(name, sha256)
        return materialized(step, step.write("predictions", found.predictions), **found.told)


@dg.multi_asset(specs=[spec("routes", deps=["consensus", "predictions", "rejected_answers"], kinds=["numpy"])])
def route(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Put people and checker together, and say what happens to each item next, and why."""
    with bench.step(context) as step:
        labeling, rejected = step.project.labeling, step.read("rejected_answers", columns=_REJECTED)
        table = routes(
            step.read("consensus"), step.read("predictions"), labeling.overlap, step.project.checking,
            labeling.classes, step.project.prices, rejected,
        )  # fmt: skip
        return materialized(step, step.write("routes", table))


@dg.multi_asset(specs=[spec("tasks", deps=["annotations", "rejected_answers", "routes"])])
def ask_annotators(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Fill the outbox: the questions to annotators, answered and open."""
    with bench.step(context) as step:
        project = step.project
        table = label_tasks(
            project.project, step.partition, step.read("routes"), step.read("annotations", columns=["item_id"]),
            step.read("rejected_answers", columns=["item_id"]), project.labeling.overlap.first,
        )  # fmt: skip
        return materialized(step, step.write("tasks", table))


@dg.multi_asset(specs=[spec("labels", deps=["consensus", "predictions", "routes"], skippable=True)])
def decide_labels(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Decide every item's label; open, and yielding nothing, while an annotator's answer is awaited."""
    with bench.step(context) as step:
        routes = step.read("routes")
        if waiting := awaiting(routes):
            context.log.info(open_gate(step, "checking", "labels", f"{len(waiting)} items await an annotator"))
            return
        table = labels(routes, step.read("consensus"), step.read("predictions"))
        yield materialized(step, step.write("labels", table))
