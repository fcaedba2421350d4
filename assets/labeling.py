"""Labeling: what people answered, what they agree on, and how good each of them is."""

from collections.abc import Iterator

import dagster as dg
import pyarrow as pa

from assets.bench import Bench
from assets.spec import materialized, picture, spec
from cupel.answers.annotations import annotations
from cupel.answers.recorded import read_gold
from cupel.consensus.annotators import annotators
from cupel.release.plots import annotators_plot
from cupel.sources.files import file_sha256
from cupel.step import Step


@dg.multi_asset(
    specs=[
        spec("annotations", deps=["clean_items", "answers"]),
        spec("rejected_answers", deps=["clean_items", "answers"]),
    ]
)
def sort_answers(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Sort the annotators' answers in the log into those that count and those that do not."""
    with bench.step(context) as step:
        labeling = step.project.labeling
        items = step.read("clean_items", columns=["item_id"])["item_id"]
        arrived = step.answers(step.partition, "label")
        is_known = labeling.are_annotators_known.get(step.partition, True)
        kept, rejected = annotations(arrived, items, labeling.classes, is_known)
        yield materialized(step, step.write("annotations", kept))
        yield materialized(step, step.write("rejected_answers", rejected))


@dg.multi_asset(specs=[spec("annotators", deps=["annotations", "consensus"], kinds=["numpy"])])
def rate_annotators(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Say of every annotator how much, how fast and how well; known answers only measure, they never train."""
    with bench.step(context) as step:
        gold = _gold(bench, step)
        classes = step.project.labeling.classes
        table = annotators(step.read("annotations"), step.read("consensus"), classes, gold)
        known = [row for row in table.to_pylist() if row["quality"] is not None]
        plots = {"quality": picture(annotators_plot(known, step.partition), "annotators by quality")} if known else {}
        return materialized(step, step.write("annotators", table), **plots)


def _gold(bench: Bench, step: Step) -> pa.Table | None:
    name = step.project.labeling.gold
    if name is None:
        return None
    gold = read_gold(bench.data / name, step.partition)
    step.file(name, file_sha256(bench.data / name))
    return gold
