"""Contamination: people say what is wanted, a model learns it, an audit bounds what is left; then items are kept."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from assets.bench import Bench
from assets.deciding import MEASURED, decided, earlier_batches, kept_pieces, linked, stream
from assets.spec import materialized, picture, spec
from cupel.answers.annotations import expert_answers
from cupel.answers.tasks import contamination_tasks
from cupel.cleaning.contamination.by_source import sources
from cupel.cleaning.contamination.candidates import Candidates, Examples
from cupel.cleaning.contamination.concluding import Concluded, concluded
from cupel.cleaning.contamination.counting import Remembered
from cupel.cleaning.contamination.designing import Designed, designed
from cupel.cleaning.contamination.earlier import earlier_examples
from cupel.cleaning.contamination.sifting import rejected_items, sifted_items, wanted
from cupel.config.contamination import Contamination
from cupel.errors import ProjectError
from cupel.release.contamination import contaminated
from cupel.release.contamination_plot import scores_plot
from cupel.release.gates import open_gate
from cupel.step import Step, code_version
from cupel.tables import CLEAN_ITEMS

PURPOSES = ("contamination", "contamination_audit")
_PLANNED = ["contamination_plan", "contamination_items"]
_ANSWERED = ["contamination_answers", "rejected_contamination_answers"]


@dg.multi_asset(specs=[spec("sifted_items", deps=MEASURED)])
def sift_items(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Decide by rules and duplicates; whether what is left is wanted, people say."""
    with bench.step(context) as step:
        decision = decided(step)
        raw = step.read("raw_items", columns=["batch", "item_id", "source_file", "line", "licence"])
        return materialized(step, step.write("sifted_items", sifted_items(raw, decision)), **linked(decision))


@dg.multi_asset(specs=[spec(table, deps=["sifted_items", "answers"]) for table in _ANSWERED])
def sort_contamination_answers(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Sort the answers on whether items are wanted into those that count and those that do not."""
    with bench.step(context) as step:
        items = step.read("sifted_items", columns=["item_id"])["item_id"]
        sorted_answers = expert_answers(step.answers(step.partition, *PURPOSES), items, _words(_settings(step)))
        for table, content in zip(_ANSWERED, sorted_answers, strict=True):
            yield materialized(step, step.write(table, content))


@dg.multi_asset(specs=[spec(table, deps=["sifted_items", "item_signals", *_ANSWERED[:1]]) for table in _PLANNED])
def design_contamination(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Learn from the answers so far what is unwanted; when all are in, freeze scores and cuts and draw the audit."""
    with bench.step(context) as step:
        before = [step.lake.read(t, step.partition) if step.lake.commit(t, step.partition) else None for t in _PLANNED]
        known = None if before[0] is None or before[1] is None else Designed(before[0], before[1])
        answers, settings = step.read("contamination_answers"), _settings(step)
        folder = Path(str(step.lake.folder)) / "counted" / step.partition
        count = Remembered(folder, code_version(step.project, "contamination"))
        found = designed(_candidates(step), answers, known, settings, partial(_earlier, step), count)
        # The plan says that it is frozen; what it speaks of is there before it.
        yield materialized(step, step.write("contamination_items", found.items))
        yield materialized(step, step.write("contamination_plan", found.plan))
        if found.plan["status"][0].as_py() == "frozen":
            count.forget()


@dg.multi_asset(specs=[spec("contamination_tasks", deps=[*_PLANNED, *_ANSWERED])])
def ask_about_contamination(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Fill the outbox: the questions whether items are wanted, answered and open."""
    with bench.step(context) as step:
        read = [step.read(table) for table in ("contamination_items", *_ANSWERED)]
        return materialized(step, step.write("contamination_tasks", contamination_tasks(step.project.project, *read)))


@dg.multi_asset(
    specs=[
        spec(f"contamination_{name}", deps=[*_PLANNED, "contamination_answers"])
        for name in ("cuts", "result", "sources")
    ]
)
def cut_contamination(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Test the cuts from strict to loose, until the first that the audit cannot vouch for."""
    with bench.step(context) as step:
        found, row = _concluded(step)
        read = [step.read(table) for table in ("contamination_items", "contamination_answers")]
        plan = step.read("contamination_plan").to_pylist()[0]
        yield materialized(step, step.write("contamination_cuts", found.cuts))
        yield materialized(step, step.write("contamination_result", found.result))
        by_source = sources(plan, read[0], read[1], row["cut"], found.is_kept)
        yield materialized(step, step.write("contamination_sources", by_source), **_scores(step))


_DECIDED = [*MEASURED, "sifted_items", *_PLANNED, "contamination_answers", "contamination_result"]


@dg.multi_asset(
    specs=[
        spec("clean_items", deps=_DECIDED, skippable=True),
        spec("rejected_items", deps=_DECIDED, skippable=True),
    ]
)
def decide_items(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Keep what rules, duplicates and people left; open, and yielding nothing, while answers are awaited."""
    with bench.step(context) as step:
        step.uses("contamination_result")
        found, row = _concluded(step)
        if row["status"] == "open":
            context.log.info(open_gate(step, "cleaning", "clean_items", row["reason"]))
            return
        sifted, items = step.read("sifted_items"), step.read("contamination_items")
        kept = stream(kept_pieces(step, wanted(sifted, items, found.is_kept)), CLEAN_ITEMS.schema)
        yield materialized(step, step.write("clean_items", kept, is_sorted=True))
        answers, good = step.read("contamination_answers"), _settings(step).good
        rejected = rejected_items(sifted, items, answers, found.is_kept, row, good)
        yield materialized(step, step.write("rejected_items", rejected))


def _scores(step: Step) -> dict[str, Any]:
    """Return for the page how suspicious items are, and where the cut lies."""
    found = contaminated(step.lake, step.partition)
    if found is None or not found.counts:
        return {}
    return {"scores": picture(scores_plot(found, step.partition), "items by score, with the cut")}


def _concluded(step: Step) -> tuple[Concluded, dict[str, Any]]:
    plan = step.read("contamination_plan").to_pylist()[0]
    found = concluded(plan, step.read("contamination_items"), step.read("contamination_answers"))
    return found, dict(found.result.to_pylist()[0])


def _settings(step: Step) -> Contamination:
    settings = step.project.cleaning.contamination
    if settings is None:  # the wiring gives these assets to projects that declare it
        raise ProjectError(f"project {step.project.project}: cleaning.contamination is missing; add it")
    return settings


def _words(settings: Contamination) -> list[str]:
    return [settings.good, settings.what]


def _candidates(step: Step) -> Candidates:
    """Return the items that rules and duplicates left, their texts to be read when they are needed."""
    sifted = step.read("sifted_items", columns=["batch", "item_id", "source_file", "group_id"])
    is_left = pc.is_valid(sifted["group_id"]).combine_chunks()
    signals = step.read("item_signals", columns=["text_sha256"])
    items = sifted.append_column("text_sha256", signals["text_sha256"]).filter(is_left).drop_columns("group_id")

    def texts() -> Iterator[pa.ChunkedArray]:
        first = 0
        for piece in step.read_batches("item_signals", columns=["text"]):
            yield piece["text"].filter(is_left.slice(first, piece.num_rows))
            first += piece.num_rows

    return Candidates(step.partition, items, texts)


def _earlier(step: Step, before: int) -> Examples:
    """Return what people said of items of earlier batches before the log held an answer."""
    batches = earlier_batches(step)
    answers = [(batch, step.answers(batch, *PURPOSES)) for batch in batches]
    texts = {name: partial(step.read_batches, "item_signals", name, ["item_id", "text"]) for name in batches}
    return earlier_examples(answers, texts, before, _settings(step))
