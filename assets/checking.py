"""Checking: a model's second opinion, what happens to each item next, and the labels as far as they are known.

Where the project has rounds (`checking.rounds`), experts decide the riskiest items before labels are frozen.
"""

from collections.abc import Iterator
from functools import cache

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from assets.bench import Bench
from assets.spec import materialized
from cupel.checking.before_freeze import Learn, hold_rounds, labels_after, round_items, routes_after
from cupel.checking.by_verdicts import fuse_by_verdicts
from cupel.checking.checker import LEARNING, second_opinion
from cupel.checking.fuse_models import fuse_beside_models
from cupel.checking.labels import awaiting, labels
from cupel.checking.routes import routes
from cupel.consensus.chooser import affordable
from cupel.consensus.coding import code
from cupel.consensus.methods import METHODS
from cupel.consensus.with_verdicts import consensus_with_verdicts
from cupel.lake.gates import open_gate
from cupel.lake.step import Step
from cupel.people.annotators.weights import without
from cupel.people.answers.annotations import expert_answers
from cupel.people.answers.experts import decisions
from cupel.people.answers.guidelines import translate_answers, with_older
from cupel.people.answers.same_answers import nothing_proposed, replace_same

_REJECTED = ("item_id", "annotator", "reason")


def predict(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Ask the checker for its opinion of every item; one that learns is trained on the consensus of the others."""
    with bench.step(context) as step:
        return _predict(step, bench, "consensus")


def predict_beside_models(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Ask the checker for its opinion of every item; what it learns is people's consensus, without the crew's models.

    So that no model's word is counted twice, as its own and as what the checker learned from it.
    """
    with bench.step(context) as step:
        return _predict(step, bench, "people_consensus")


def _predict(step: Step, bench: Bench, taught: str) -> dg.MaterializeResult[None]:
    items = _items(step)
    consensus = step.read(taught, columns=["item_id", "posterior"])
    kept = step.lake.folder
    found = second_opinion(step.project, step.partition, items, consensus, bench.data, kept)
    for name, sha256 in found.files.items():
        step.file(name, sha256)
    return materialized(step, step.write("predictions", found.predictions), **found.told)


def sort_round_answers(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Sort what experts answered before the freeze into what counts and what does not."""
    with bench.step(context) as step:
        items = step.read("clean_items", columns=["item_id"])["item_id"]
        kind, ontology = step.project.kind, step.project.labeling.ontology
        translated = translate_answers(step.answers(step.partition, "round"), step.guidelines(), kind)
        kept, rejected = expert_answers(translated.answers, items, lambda labels: kind.parse(labels, ontology))
        yield materialized(step, step.write("round_answers", kept))
        yield materialized(step, step.write("rejected_round_answers", with_older(rejected, translated.rejected)))


def predict_with_experts(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Ask the checker, teach it what experts decided, and choose what they are asked next, where that pays."""
    with bench.step(context) as step:
        project, kept = step.project, step.lake.folder
        items = _items(step)
        consensuses = _consensuses(step)
        answers = step.read("round_answers")
        first = second_opinion(project, step.partition, items, next(iter(consensuses.values())), bench.data, kept)
        for name, sha256 in first.files.items():
            step.file(name, sha256)

        def teach(lessons: pa.Table) -> pa.Table:
            return second_opinion(project, step.partition, items, lessons, bench.data, kept).predictions

        kind, ontology = project.kind, project.labeling.ontology
        said = replace_same(answers, nothing_proposed(), kind, ontology, ("item_id",))
        decided = decisions(said, project.labeling.experts.answers)
        rounds = hold_rounds(
            consensuses, first.predictions, kind, ontology, decided,
            teach if project.checking.checker in LEARNING else None, project.release.error_budget, _answers(step),
            _learner(step),
        )  # fmt: skip
        yield materialized(step, step.write("predictions", rounds.predictions), **first.told)
        yield materialized(step, step.write("round_items", round_items(rounds, decided, answers)))


def route(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Put people and checker together, and say what happens to each item next, and why."""
    with bench.step(context) as step:
        labeling, rejected = step.project.labeling, step.read("rejected_answers", columns=_REJECTED)
        table = routes(
            step.read("consensus"), step.read("predictions"), labeling.overlap, step.project.checking,
            step.project.kind, labeling.ontology, step.project.prices, rejected,
        )  # fmt: skip
        return materialized(step, step.write("routes", table))


def route_beside_models(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Put people, the crew's models and the checker together, and say what happens to each item next, and why."""
    with bench.step(context) as step:
        labeling, rejected = step.project.labeling, step.read("rejected_answers", columns=_REJECTED)
        consensus, predictions = step.read("consensus"), step.read("predictions")
        believed = fuse_beside_models(step.read("people_consensus"), consensus, predictions, labeling.classes)
        table = routes(
            consensus, predictions, labeling.overlap, step.project.checking, step.project.kind, labeling.ontology,
            step.project.prices, rejected, believed,
        )  # fmt: skip
        return materialized(step, step.write("routes", table))


def route_by_verdicts(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Put people and checker together as experts' verdicts weigh them; say what happens to each item next, and why."""
    with bench.step(context) as step:
        labeling, asked = step.project.labeling, step.read("round_items")
        own, predictions = step.read("consensus"), step.read("predictions")
        counted = asked.filter(pc.and_(asked["is_counted"], pc.is_valid(asked["expert_label"])))
        verdicts = dict(zip(counted["item_id"].to_pylist(), counted["expert_label"].to_pylist(), strict=True))
        consensuses = {**_consensuses(step), labeling.consensus: _learner(step)(verdicts)}
        method, believed = fuse_by_verdicts(
            consensuses, predictions, step.project.kind, labeling.ontology, verdicts, _answers(step)
        )  # fmt: skip
        table = routes(
            own,
            predictions,
            labeling.overlap,
            step.project.checking,
            step.project.kind,
            labeling.ontology,
            step.project.prices,
            step.read("rejected_answers", columns=_REJECTED),
            believed,
        )
        return materialized(step, step.write("routes", routes_after(table, asked)), answers_read_by=method)


def decide_labels(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Decide every item's label; open, and yielding nothing, while an annotator's answer is awaited."""
    with bench.step(context) as step:
        routes = step.read("routes")
        if waiting := awaiting(routes):
            context.log.info(open_gate(step, "checking", "labels", f"{len(waiting)} items await an annotator"))
            return
        table = _labels(step, routes)
        yield materialized(step, step.write("labels", table))


def decide_labels_after_rounds(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Decide every item's label; open, and yielding nothing, while an annotator's or expert's answer is awaited."""
    with bench.step(context) as step:
        routes, asked = step.read("routes"), step.read("round_items")
        annotators, experts = len(awaiting(routes)), asked["is_settled"].to_pylist().count(False)
        if annotators or experts:
            number, whom = (annotators, "annotator") if annotators else (experts, "expert")
            context.log.info(open_gate(step, "checking", "labels", f"{number} items await an {whom}"))
            return
        table = labels_after(_labels(step, routes), asked)
        yield materialized(step, step.write("labels", table))


def _items(step: Step) -> pa.Table:
    """Return the items as checkers see them: an image has features beside the place where it lies."""
    items = step.read("clean_items", columns=["item_id", "text", "group_id"])
    if step.project.modality.has_text:
        return items
    signals = step.read("image_signals", columns=["item_id", "features"])
    places = pc.index_in(items["item_id"], signals["item_id"].combine_chunks())
    return items.append_column("features", signals["features"].take(places))


def _labels(step: Step, routes: pa.Table) -> pa.Table:
    project = step.project
    return labels(
        routes, step.read("consensus"), step.read("predictions"), project.kind, project.labeling.ontology
    )  # fmt: skip


def _answers(step: Step) -> pa.Table:
    """Return the answers that the consensus is made of."""
    return without(step.read("annotations"), step.light(step.partition))


def _learner(step: Step) -> Learn:
    """Return a function that returns the project's consensus, annotators being estimated with experts' verdicts too."""
    kind, labeling, light = step.project.kind, step.project.labeling, step.light(step.partition)
    items, given = step.read("clean_items", columns=list(kind.item_columns)), step.read("annotations")

    @cache
    def method() -> str:
        # What was chosen without verdicts is not chosen anew with them.
        if labeling.consensus in METHODS:
            return labeling.consensus
        name = kind.consensus(given, items, labeling, light, None).method.partition(":")[0]
        return name if name in METHODS else labeling.consensus

    def read(answers: pa.Table) -> pa.Table:
        return kind.consensus(answers, items, labeling, light, method()).tables["consensus"]

    return lambda verdicts: consensus_with_verdicts(given, step.read("consensus"), verdicts, read)


def _consensuses(step: Step) -> dict[str, pa.Table]:
    """Return the project's consensus, and what other methods make of the same answers."""
    kind, labeling, light = step.project.kind, step.project.labeling, step.light(step.partition)
    items, given = step.read("clean_items", columns=list(kind.item_columns)), step.read("annotations")
    names = affordable(code(_answers(step), items["item_id"], labeling.classes))
    own = step.read("consensus")
    others = {
        name: kind.consensus(given, items, labeling, light, name).tables["consensus"]
        for name in names if name != labeling.consensus
    }  # fmt: skip
    # The one that `auto` chose is among them, and has its say once.
    apart = {name: table for name, table in others.items() if not table["posterior"].equals(own["posterior"])}
    return {labeling.consensus: own} | apart
