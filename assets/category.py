"""Labels of kind category: what the annotators of every item say together."""

import dagster as dg

from assets.bench import Bench
from assets.spec import materialized, spec
from cupel.annotators.weights import weighed, without
from cupel.consensus.chooser import chosen
from cupel.consensus.coding import code
from cupel.consensus.consensus import consensus


@dg.multi_asset(specs=[spec("consensus", deps=["clean_items", "annotations"], kinds=["numpy"])])
def find_consensus(context: dg.AssetExecutionContext, bench: Bench) -> dg.MaterializeResult[None]:
    """Aggregate the annotations of every item: majority with explicit ties, and the project's method."""
    with bench.step(context) as step:
        items = step.read("clean_items", columns=["item_id"])["item_id"]
        given, classes = step.read("annotations"), step.project.labeling.classes
        light = {name: action.weight for name, action in step.actions(step.partition).items() if action.weight}
        full = without(given, light)
        choice = chosen(step.project.labeling.consensus, code(full, items, classes))
        table = weighed(consensus(full, items, classes, choice.method), given, light, classes)
        return materialized(step, step.write("consensus", table), method=choice.why)
