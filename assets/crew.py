"""Crew: what models answer beside people, and how far people follow labels that they are shown."""

from collections.abc import Iterator

import dagster as dg
import pyarrow as pa

from assets.bench import Bench
from assets.labeling import hidden_gold, make_consensus
from assets.spec import materialized
from cupel.checking.crew_answers import read_model_file, voices_of
from cupel.lake.step import Step
from cupel.people.annotators.anchoring import measure_anchoring as measure
from cupel.people.annotators.anchoring import summarise_anchoring
from cupel.people.annotators.model_ratings import rate_models as rate
from cupel.people.answers import model_answers as crew
from cupel.people.answers.guidelines import translate_answers, with_older
from cupel.people.answers.shown_labels import ShownLabelsLog, count_unknown_labels, match_shown_labels


def sort_model_answers(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Sort models' answers, in the log and in files of their own, into those that count and those that do not."""
    with bench.step(context) as step:
        kind, labeling, models = step.project.kind, step.project.labeling, step.project.labeling.models
        items = step.read("clean_items", columns=["item_id"])["item_id"]
        recorded = crew.split_answers(step.answers(step.partition, "label"), models).models
        translated = translate_answers(recorded, step.guidelines(), kind)
        kept, rejected = crew.sort_model_answers(
            translated.answers, items, lambda labels: kind.parse(labels, labeling.ontology), models
        )
        older = translated.rejected.rename_columns({"annotator": "model"})
        parts = [(kept, with_older(rejected, older))]
        for model in (one for one in models if one.file is not None):
            kept, rejected, sha256 = read_model_file(model, bench.data, step.partition, items, labeling.classes)
            step.file(str(model.file), sha256)
            parts.append((kept, rejected))
        for table, content in zip(("model_answers", "rejected_model_answers"), zip(*parts, strict=True), strict=True):
            yield materialized(step, step.write(table, pa.concat_tables(content)))


def find_people_consensus(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Aggregate people's annotations of every item, models aside: what the checker learns from."""
    with bench.step(context) as step:
        found = make_consensus(step)
        return materialized(step, step.write("people_consensus", found.tables["consensus"]), method=found.method)


def rate_models(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Say of every model of the crew how much and how well it answered, and what it cost; people judge it."""
    with bench.step(context) as step:
        labeling = step.project.labeling
        answers, items = step.read("model_answers"), step.read("clean_items", columns=["item_id"])["item_id"]
        voices = voices_of(step.read("people_consensus"), answers, labeling.models, labeling.classes)
        table = rate(
            step.read("annotations"), answers, step.read("rejected_model_answers"), items, labeling.classes,
            labeling.models, voices, hidden_gold(step, bench.data),
        )  # fmt: skip
        return materialized(step, step.write("models", table))


def measure_anchoring(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Say how far people follow the labels that they were shown, against blind answers."""
    with bench.step(context) as step:
        yield from _measure_anchoring(step, bench)


def measure_anchoring_with_models(
    context: dg.AssetExecutionContext, bench: Bench
) -> Iterator[dg.MaterializeResult[None]]:
    """Say the same where a model of the crew may have been the source of the labels."""
    with bench.step(context) as step:
        yield from _measure_anchoring(step, bench)


def _measure_anchoring(step: Step, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    labeling, partition = step.project.labeling, step.partition
    if labeling.pre_labels == "checker":
        said = step.read("predictions", columns=["item_id", "predicted_label"]).rename_columns(["item_id", "label"])
    else:
        answers = step.read("model_answers", columns=["item_id", "model", "label"])
        said = answers.filter(pa.compute.equal(answers["model"], labeling.pre_labels)).drop_columns("model")
    shown = match_shown_labels(
        step.read("annotations"), step.answers(partition, "label"), ShownLabelsLog(step.lake).read(partition),
        said, hidden_gold(step, bench.data), labeling.classes,
    )  # fmt: skip
    found, unknown = measure(shown), count_unknown_labels(shown)
    yield materialized(step, step.write("shown_answers", shown), **{"labels shown that are no class": unknown})
    yield materialized(step, step.write("anchoring", found), anchoring=summarise_anchoring(found.to_pylist()))
