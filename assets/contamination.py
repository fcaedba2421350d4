"""Contamination: people say what is wanted, a model learns it, an audit bounds what is left."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from assets.bench import Bench
from assets.cleaning import conclude_contamination, contamination_settings, earlier_batches
from assets.plots import scores_plot
from assets.spec import materialized, picture
from cupel.cleaning.contamination.by_source import sources
from cupel.cleaning.contamination.candidates import Candidates, Examples
from cupel.cleaning.contamination.counting import Remembered
from cupel.cleaning.contamination.designing import Designed, designed
from cupel.cleaning.contamination.earlier import earlier_examples
from cupel.config.contamination import Contamination
from cupel.lake.step import Step
from cupel.people.answers.annotations import keep_classes
from cupel.people.answers.model_answers import expert_answers_of_people
from cupel.people.answers.tasks import contamination_tasks
from cupel.release.contamination import contaminated
from cupel.versions.code_version import code_version

PURPOSES = ("contamination", "contamination_audit")
_PLANNED = ["contamination_plan", "contamination_items"]
_ANSWERED = ["contamination_answers", "rejected_contamination_answers"]


def sort_contamination_answers(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Sort the answers on whether items are wanted into those that count and those that do not."""
    with bench.step(context) as step:
        items = step.read("sifted_items", columns=["item_id"])["item_id"]
        words = _words(contamination_settings(step))
        sorted_answers = expert_answers_of_people(
            step.answers(step.partition, *PURPOSES),
            items,
            lambda labels: keep_classes(labels, words),
            [model.name for model in step.project.labeling.models],
        )
        for table, content in zip(_ANSWERED, sorted_answers, strict=True):
            yield materialized(step, step.write(table, content))


def design_contamination(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Learn from the answers so far what is unwanted; when all are in, freeze scores and cuts and draw the audit."""
    with bench.step(context) as step:
        before = [step.lake.read(t, step.partition) if step.lake.commit(t, step.partition) else None for t in _PLANNED]
        known = None if before[0] is None or before[1] is None else Designed(before[0], before[1])
        answers, settings = step.read("contamination_answers"), contamination_settings(step)
        folder = step.lake.folder / "counted" / step.partition
        count = Remembered(folder, code_version(step.project, "contamination_plan"))
        found = designed(_candidates(step), answers, known, settings, partial(_earlier, step), count)
        # The plan says that it is frozen; what it speaks of is there before it.
        yield materialized(step, step.write("contamination_items", found.items))
        yield materialized(step, step.write("contamination_plan", found.plan))
        if found.plan["status"][0].as_py() == "frozen":
            count.forget()


def ask_about_contamination(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Fill the outbox: the questions whether items are wanted, answered and open."""
    with bench.step(context) as step:
        read = [step.read(table) for table in ("contamination_items", *_ANSWERED)]
        return materialized(step, step.write("contamination_tasks", contamination_tasks(step.project.project, *read)))


def cut_contamination(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Find the loosest cut that the audit can vouch for."""
    with bench.step(context) as step:
        found, row = conclude_contamination(step)
        read = [step.read(table) for table in ("contamination_items", "contamination_answers")]
        plan = step.read("contamination_plan").to_pylist()[0]
        yield materialized(step, step.write("contamination_cuts", found.cuts))
        yield materialized(step, step.write("contamination_result", found.result))
        by_source = sources(plan, read[0], read[1], row["cut"], found.is_kept)
        yield materialized(step, step.write("contamination_sources", by_source), **_scores(step))


def _scores(step: Step) -> dict[str, Any]:
    """Return for the page how suspicious items are, and where the cut lies."""
    found = contaminated(step.lake, step.partition)
    if found is None or not found.counts:
        return {}
    return {"scores": picture(scores_plot(found, step.partition), "items by score, with the cut")}


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
    return earlier_examples(answers, texts, before, contamination_settings(step))
