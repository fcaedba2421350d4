"""Labels of kind preference: which of two responses is better, by annotators of unequal skill and with a bias."""

from collections.abc import Iterator

import dagster as dg

from assets.bench import Bench
from assets.spec import materialized, spec
from cupel.preference.consensus import preference_consensus

_MADE_FROM = ["clean_items", "annotations"]


@dg.multi_asset(
    specs=[
        spec("responses", deps=_MADE_FROM, kinds=["scipy"]),
        spec("habits", deps=_MADE_FROM, kinds=["scipy"]),
        spec("consensus", deps=_MADE_FROM, kinds=["scipy"]),
    ]
)
def compare_responses(context: dg.AssetExecutionContext, bench: Bench) -> Iterator[dg.MaterializeResult[None]]:
    """Find how strong every response is and how every annotator compares; and from both, each item's label."""
    with bench.step(context) as step:
        items = step.read("clean_items", columns=["item_id", "text"])
        found = preference_consensus(step.read("annotations"), items, step.project.labeling.classes)
        yield materialized(step, step.write("responses", found.responses))
        yield materialized(step, step.write("habits", found.habits))
        yield materialized(step, step.write("consensus", found.consensus))
