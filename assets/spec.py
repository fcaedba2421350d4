"""Assets as Dagster has them: made of the stages' records; described by row, columns and a preview, never a text."""

import base64
import html
from importlib import import_module
from typing import Any

import dagster as dg

from assets.behind_gates import hold_behind_gates
from assets.bench import BENCH, at_bench
from cupel.config.project import Project
from cupel.contract.stages import Stage, StageStep, stage_of
from cupel.contract.tables import TABLES
from cupel.lake.lake import Commit
from cupel.lake.step import Step
from cupel.printable import printable

PREVIEW_ROWS = 5
PREVIEW_CHARACTERS = 60
PREVIEW_COLUMNS = 8

# The page shows ids, labels and numbers. Texts and what quotes them stay in the lake.
PRIVATE_COLUMNS = {"text", "fields", "evidence", "removed_lines", "shingles", "bands"}

# Markdown would make links, pictures, emphasis or cells of these.
_MARKDOWN = {ord(sign): f"&#{ord(sign)};" for sign in "\\`*_[]|~#!"}


def stage_assets(stage: Stage, project: Project, bench: str = BENCH) -> list[dg.AssetsDefinition]:
    """Return a stage's assets, one for each step that a project has.

    Args:
        stage: Its record names the functions, the tables that each writes, and what they are made from.
        project: The project; its name is the first part of every key, the table's the second.
        bench: Name of the bench that they work at.

    Raises:
        AttributeError: The stage's module has no function of a step's name.
    """
    module = import_module(stage.module)
    assets = []
    for step in (step for step in stage.steps if step.when(project)):
        specs = [_spec(stage, step, table, project) for table in step.tables]
        # Of several projects on one page each has a function of its own.
        define = dg.multi_asset(name=f"{project.project}__{step.name}", specs=specs)
        work = hold_behind_gates(getattr(module, step.name), step.may_wait)
        assets.append(define(at_bench(work, bench)))
    return assets


def _spec(stage: Stage, step: StageStep, table: str, project: Project) -> dg.AssetSpec:
    about = TABLES[table]
    columns = [
        dg.TableColumn(
            column.name,
            str(column.type),
            description=column.meaning,
            constraints=dg.TableColumnConstraints(nullable=column.is_optional),
        )
        for column in about.columns
    ]
    return dg.AssetSpec(
        [project.project, table],
        deps=[_dep(stage, other, project) for other in step.made_from],
        description=f"A row is {about.row}. Key: {', '.join(about.key)}.",
        group_name=stage.name,
        kinds=set(step.technology),
        skippable=True,  # behind a closed gate nothing is written
        metadata={"dagster/column_schema": dg.TableSchema(columns=columns)},
    )


def _dep(stage: Stage, table: str, project: Project) -> dg.AssetDep:
    """Return a table as another's dependency.

    A release holds batches, and a batch is another kind of partition: the page shows the lineage, the lake knows which
    batches they were.
    """
    other = stage_of(table).partition
    mapping = dg.AllPartitionMapping() if other not in (None, stage.partition) else None
    return dg.AssetDep([project.project, table], partition_mapping=mapping)


def materialized(step: Step, commit: Commit, **metadata: Any) -> dg.MaterializeResult[None]:
    """Return what Dagster is told of a written table: its content hash, rows, place and a preview.

    Args:
        step: The step that wrote it.
        commit: What the write returned.
        **metadata: More to show, such as plots.
    """
    folder = step.lake.partition_folder(commit.table, commit.partition)
    return dg.MaterializeResult(
        asset_key=dg.AssetKey([step.project.project, commit.table]),
        data_version=dg.DataVersion(commit.hash),
        metadata={
            "dagster/row_count": commit.rows,
            "dagster/uri": str(folder),
            "content hash": commit.hash,
            "made from": dg.MetadataValue.json(commit.inputs),
            "preview": dg.MetadataValue.md(preview(step, commit)),
            **metadata,
        },
    )


def picture(svg: str, words: str) -> dg.MarkdownMetadataValue:
    """Return a plot as the page shows it: an image inside Markdown, with a text for those who cannot see it."""
    image = base64.b64encode(svg.encode()).decode()
    return dg.MetadataValue.md(f"![{words}](data:image/svg+xml;base64,{image})")


def preview(step: Step, commit: Commit) -> str:
    """Return the first rows as a Markdown table, without texts; everything in it is escaped."""
    if not commit.rows:
        return "No rows."
    names = [column.name for column in TABLES[commit.table].columns if column.name not in PRIVATE_COLUMNS]
    relation = step.lake.relation(commit.table, commit.partition).limit(PREVIEW_ROWS)
    rows = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    shown = names[:PREVIEW_COLUMNS]
    lines = [f"| {' | '.join(shown)} |", f"|{' --- |' * len(shown)}"]
    lines += [f"| {' | '.join(_cell(row[name]) for name in shown)} |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        value = f"{value:.4g}"
    if isinstance(value, list):
        value = ", ".join(f"{part:.3g}" if isinstance(part, float) else str(part) for part in value)
    text = "" if value is None else str(value)
    shortened = text if len(text) <= PREVIEW_CHARACTERS else text[: PREVIEW_CHARACTERS - 1] + "…"
    return html.escape(printable(" ".join(shortened.split()))).translate(_MARKDOWN)
