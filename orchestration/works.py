"""What a job does, in the order of the chain."""

from typing import NamedTuple

import dagster as dg


class Work(NamedTuple):
    """What is done at once: the tables that it writes, and those that they are made from."""

    tables: tuple[str, ...]
    made_from: tuple[str, ...]


def job_works(definitions: dg.Definitions, job: str) -> list[Work]:
    """Return what a job does, in the order of the chain."""
    layer = definitions.resolve_job_def(job).asset_layer
    graph = layer.asset_graph
    ours = layer.selected_asset_keys
    works: dict[frozenset[dg.AssetKey], Work] = {}
    for key in graph.toposorted_asset_keys:
        if key in ours:
            together = frozenset(graph.get(key).execution_set_asset_keys) or frozenset([key])
            tables = sorted(other.path[-1] for other in together)
            parents = {parent for other in together for parent in graph.get(other).parent_keys}
            works.setdefault(together, Work(tuple(tables), tuple(sorted(p.path[-1] for p in parents & ours))))
    return list(works.values())
