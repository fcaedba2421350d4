"""Labeling: what people answered, what they agree on, and how good each of them is."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from assets.bench import Bench
from assets.plots import annotators_plot, vendors_plot
from assets.spec import materialized, picture
from cupel.checking.crew_answers import consensus_with_models
from cupel.contract.kind import ConsensusResult
from cupel.lake.step import Step
from cupel.people.annotators.annotators import annotators
from cupel.people.annotators.counted_answers import count_answers, state_answers
from cupel.people.annotators.findings import findings
from cupel.people.annotators.study import study
from cupel.people.annotators.vendors import vendor_of, vendors
from cupel.people.answers.annotations import annotations
from cupel.people.answers.guidelines import translate_answers, with_older
from cupel.people.answers.item_fit import find_misfits
from cupel.people.answers.known_labels import known_labels
from cupel.people.answers.model_answers import split_answers
from cupel.people.answers.sent_back import mark_answers
from cupel.people.label_studio.calibration import PURPOSE


def sort_answers(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Sort the annotators' answers in the log into those that count and those that do not."""
    with bench.step(context) as step:
        kind, labeling = step.project.kind, step.project.labeling
        items = read_items(step, step.partition)
        arrived = split_answers(step.answers(step.partition, "label"), labeling.models).people
        is_known = labeling.are_annotators_known.get(step.partition, True)
        removed = {name: action.why for name, action in step.actions(step.partition).items() if not action.weight}
        translated = translate_answers(arrived, step.guidelines(), kind)
        sent_back = step.send_backs(step.partition)
        kept, rejected = annotations(
            translated.answers, items["item_id"], lambda labels: kind.parse(labels, labeling.ontology), is_known,
            removed,
            sent_back=mark_answers(translated.answers, sent_back) if sent_back else None,
            is_misfit=find_misfits(items, kind, labeling.ontology),
        )  # fmt: skip
        yield materialized(step, step.write("annotations", kept))
        yield materialized(step, step.write("rejected_answers", with_older(rejected, translated.rejected)))


def read_items(step: Step, batch: str) -> pa.Table:
    """Return the ids of a batch's clean items, with their texts where the label kind holds answers against them."""
    return step.read("clean_items", batch, ["item_id", "text"] if step.project.kind.fits else ["item_id"])


def find_consensus(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Aggregate the annotations of every item: majority with explicit ties, and the project's method."""
    with bench.step(context) as step:
        found = make_consensus(step)
        return materialized(step, step.write("consensus", found.tables["consensus"]), method=found.method)


def find_consensus_with_models(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Add the voices of the crew's models to what people say together; votes and majority stay people's."""
    with bench.step(context) as step:
        people, answers = step.read("people_consensus"), step.read("model_answers")
        table = consensus_with_models(people, answers, step.project.labeling.models, step.project.labeling.classes)
        return materialized(step, step.write("consensus", table))


def compare_responses(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Find how strong every response is and how every annotator compares; and from both, each item's label."""
    with bench.step(context) as step:
        for name, table in make_consensus(step).tables.items():
            yield materialized(step, step.write(name, table))


def make_consensus(step: Step) -> ConsensusResult:
    """Return what the project's label kind makes of the annotations."""
    kind, light = step.project.kind, step.light(step.partition)
    items = step.read("clean_items", columns=list(kind.item_columns))
    return kind.consensus(step.read("annotations"), items, step.project.labeling, light, None)


def rate_annotators(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Say of every annotator how much, how fast and how well, and what was found; known answers only measure."""
    with bench.step(context) as step:
        labeling, gold = step.project.labeling, hidden_gold(step, bench.data)
        items = step.read("clean_items", columns=["item_id"])["item_id"]
        first = labeling.overlap.first
        given = step.read("annotations")
        counted = count_answers(given, items, gold, step.project.kind, labeling.ontology)
        measured = study(
            counted.annotations, counted.item_ids, counted.vocabulary, counted.gold, first, counted.same
        )  # fmt: skip
        people = state_answers(annotators(measured, vendor_of(labeling.vendors)), given)
        found = findings(measured, labeling.policies.least_right)
        compared = vendors(measured, labeling.vendors, found, people)
        known = [row for row in people.to_pylist() if row["quality"] is not None]
        plots = {"quality": picture(annotators_plot(known, step.partition), "annotators by quality")} if known else {}
        yield materialized(step, step.write("annotators", people), **plots)
        yield materialized(step, step.write("annotator_findings", found))
        rows = compared.to_pylist()
        plots = {"vendors": picture(vendors_plot(rows, step.partition), "vendors on equal terms")} if rows else {}
        yield materialized(step, step.write("vendors", compared), **plots)


def hidden_gold(step: Step, data: Path) -> pa.Table | None:
    """Return the known labels of a batch, without those of items that the calibration has shown already."""
    gold, live = known_labels(step, data, step.partition), step.project.label_studio
    if gold is None or live is None or live.calibration is None:
        return gold
    shown = step.answers(step.partition, PURPOSE)["item_id"].combine_chunks()
    return gold.filter(pc.invert(pc.is_in(gold["item_id"].cast(pa.string()), value_set=shown)))
