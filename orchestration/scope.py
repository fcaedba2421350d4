"""Scope: which tables of which batches and releases `make gate` is asked about."""

import re
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import dagster as dg

from assets.asset_tags import STAGE
from cupel.config.project import Project
from cupel.contract.stages import STAGES, stage_of
from cupel.contract.tables import TABLES
from cupel.errors import CupelError
from cupel.intake.collect_inputs import releases_of
from cupel.lake.lake import Lake
from cupel.release.plan import ALL, batches_of, release_name
from cupel.release.proposals import is_ready, proposed

# A stage over all projects, in the words of a group.
_STAGE_GROUP = re.compile(rf'\bgroup:"?({"|".join(STAGES)})"?(?![\w"])')


class ScopeError(CupelError):
    """A selection, partition or project that is not there to be judged."""


class Partition(NamedTuple):
    """A batch or a release, and the batches that it holds."""

    name: str
    is_release: bool
    batches: tuple[str, ...]


class Partitions(NamedTuple):
    """The batches and releases that are judged, and in words those that are left out."""

    judged: list[Partition]
    left_out: list[str]


def selected_tables(definitions: dg.Definitions, selection: str) -> dict[str, frozenset[str]]:
    """Return the tables that a selection names, by project.

    Args:
        definitions: Definitions of all projects that are judged.
        selection: In Dagster's syntax, such as `group:cleaning` or `key:"sentiment/clean_items"+`; `*` is everything.
            A group that is named as a stage means the stage of all projects, `tag:cupel/stage=cleaning`; on the page a
            group is one project's, such as `sentiment_cleaning`.

    Raises:
        ScopeError: It cannot be read, or names no table of these projects.
    """
    graph = definitions.resolve_asset_graph()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        try:
            keys = dg.AssetSelection.from_string(_STAGE_GROUP.sub(rf"tag:{STAGE}=\1", selection)).resolve(graph)
        except Exception as error:  # Dagster raises errors of many classes for what cannot be parsed or found
            raise ScopeError(f"--select {selection}: not a selection of assets: {error}") from None
    tables: dict[str, set[str]] = {}
    for project, table in (key.path for key in keys):
        if table in TABLES and stage_of(table).partition is not None:
            tables.setdefault(project, set()).add(table)
    if not tables:
        raise ScopeError(f"--select {selection}: names no table of these projects; try group:cleaning")
    return {project: frozenset(names) for project, names in tables.items()}


def partitions_of(project: Project, lake: Lake, named: Sequence[str], all_releases: bool) -> Partitions:
    """Return the batches and releases of a project that are judged.

    Args:
        project: The project, its registered deliveries among them.
        lake: Its lake.
        named: Batches and releases; a batch's releases belong to it. None: all.
        all_releases: Releases that were followed by another one too.

    Returns:
        The batches in the order of the register, then the releases: those there are, and the first of what
        is ready for one.
    """
    batches = [Partition(batch, False, (batch,)) for batch in project.raw.deliveries]
    names = _releases(project, lake)
    releases = [Partition(name, True, _held(project, lake, name)) for name in names]
    latest = {name.rpartition("-r")[0]: name for name in names}
    old = [] if all_releases else [name for name in names if latest[name.rpartition("-r")[0]] != name]
    wanted = set(named)
    judged = [
        partition
        for partition in [*batches, *releases]
        if (not wanted and partition.name not in old)
        or partition.name in wanted
        or (partition.name not in old and wanted.intersection(partition.batches))
    ]
    names_judged = {partition.name for partition in judged}
    gone = sorted(set(lake.partitions("raw_items")) - set(project.raw.deliveries))
    left_out = [f"{name}: not named" for name in (p.name for p in [*batches, *releases])
                if name not in names_judged and name not in old]  # fmt: skip
    left_out += [f"{name}: {latest[name.rpartition('-r')[0]]} followed" for name in old if name not in names_judged]
    left_out += [f"{batch}: no delivery of the project any more" for batch in gone]
    return Partitions(judged, left_out)


def check_named(named: Sequence[str], projects: Sequence[tuple[Project, Lake]]) -> None:
    """Make sure that every named batch or release is one of some project.

    Raises:
        ScopeError: One is not.
    """
    known = [name for project, lake in projects for name in (*project.raw.deliveries, *_releases(project, lake))]
    for name in named:
        if name not in known:
            raise ScopeError(f"--partition {name}: no batch or release of these projects; there are {', '.join(known)}")


def _releases(project: Project, lake: Lake) -> list[str]:
    """Return the releases that were proposed or frozen, and those that `make run` would propose now, by number."""
    known = {name.rpartition("-r")[0] for name in proposed(lake)}
    holds = [ALL] if project.release.holds == "all_batches" else list(project.raw.deliveries)
    first = [release_name(part, 1) for part in holds if part not in known]
    due = [name for name in first if project.operation.release is None and is_ready(lake, project, name)]
    names = [*releases_of(lake, project), *due]
    return sorted(names, key=lambda name: (name.rpartition("-r")[0], int(name.rpartition("-r")[2])))


def _held(project: Project, lake: Lake, release: str) -> tuple[str, ...]:
    if lake.commit("release_plan", release) is not None:
        return tuple(lake.read("release_plan", release)["batches"][0].as_py())
    return tuple(batches_of(release, project))
