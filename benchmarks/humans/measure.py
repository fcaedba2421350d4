"""Measure: all figures of the page, from the sample's deliveries and what a model makes of them."""

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.double_check.pac_labels import ALPHA as ALPHA_PAC
from benchmarks.double_check.rankers import OURS
from benchmarks.humans.arms import ARMS, MODEL, PEERS, TAUGHT_ITEMS, make_candidates
from benchmarks.humans.by_class import ALPHA_CLASSES
from benchmarks.humans.label_by_model import ModelView
from benchmarks.humans.replay import SEED, count_false, price_items, replay_candidate, replay_pac_labels
from benchmarks.humans.sample import SampleBatch
from cupel.certificate.attempts import attempt_alpha
from cupel.config.project import Project

BUDGETS = (0.1, 0.07, 0.05, 0.03, 0.02, 0.01)
# Candidates of a delivery: three arms, and the crew's answers ranked by each peer.
CANDIDATES = len(ARMS) + len(PEERS)

Row = dict[str, Any]


def steps_of(deliveries: int, budgets: int) -> int:
    """Return how often `measure_sample` calls `advance`."""
    return deliveries * (CANDIDATES + (CANDIDATES + len(ARMS)) * budgets)


def budgets_of(project: Project) -> tuple[float, ...]:
    """Return the error budgets of the curves, the project's own among them, the highest first."""
    return tuple(sorted({*BUDGETS, project.release.error_budget}, reverse=True))


def measure_sample(
    batches: Sequence[tuple[SampleBatch, ModelView]],
    project: Project,
    replays: int,
    advance: Callable[[], object] = lambda: None,
) -> Row:
    """Return all figures; the same sample, model and replays give the same ones.

    Args:
        batches: Deliveries, each with what the model makes of its texts; the first one is the page's headline.
        project: Says classes, prices and error budget.
        replays: Audits drawn of each candidate at each budget.
        advance: Called after each step; see `steps_of`.
    """
    budgets, view = budgets_of(project), batches[0][1]
    sets = [_measure_batch(batch, one, project, budgets, replays, advance) for batch, one in batches]
    rows = [row for one in sets for row in one["rows"]]
    bounded = [row for row in rows if "class_bounds_broken" in row]
    return {
        "error_budget": project.release.error_budget,
        "budgets": list(budgets),
        "replays": replays,
        "seed": SEED,
        "alpha": attempt_alpha(1),
        "alpha_classes": ALPHA_CLASSES,
        "alpha_pac": ALPHA_PAC,
        "model": view.name,
        "model_role": _role(view),
        "prices": project.prices.model_dump(),
        "sets": sets,
        "false_certificates": {
            method: count_false([row for row in rows if row["method"] == method])
            for method in dict.fromkeys(row["method"] for row in rows)
        },
        "class_bounds": {
            "broken": sum(row["class_bounds_broken"] for row in bounded),
            "replays": sum(row["replays"] for row in bounded),
        },
    }


def _measure_batch(
    batch: SampleBatch,
    view: ModelView,
    project: Project,
    budgets: Sequence[float],
    replays: int,
    advance: Callable[[], object],
) -> Row:
    classes, prices = project.labeling.classes, project.prices
    answers_per_item = batch.annotations.num_rows / len(batch.item_ids)
    rows = []
    for candidate in make_candidates(batch, view, classes, budgets):
        advance()
        found = replay_candidate(candidate, batch.gold, classes, replays, advance)
        if candidate.method == OURS:
            found += replay_pac_labels(candidate, found, batch.gold, replays, advance)
        for row in found:
            answers = 0.0 if candidate.arm == MODEL else answers_per_item
            price = price_items(row, answers, prices.annotator_answer, prices.expert_answer)
            rows.append(row | {"price": price})
    return {
        "name": batch.name,
        "items": len(batch.item_ids),
        "contested": batch.contested,
        "repeated": batch.repeated,
        "answers_per_item": answers_per_item,
        "rows": rows,
    }


def _role(view: ModelView) -> str:
    if view.probabilities is not None:
        return "is asked for the class of each sentence; alone, it teaches a linear model of words that reads beside it"
    return (
        f"knows no classes: alone it is taught by {TAUGHT_ITEMS} items drawn at random that experts read and are paid "
        "for, and by what they read in further rounds; with the crew, by its answers too"
    )
