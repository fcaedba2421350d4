"""Assets as Dagster has them: made of the stages' records; described by row, columns and a preview, never a text."""

import html
import inspect
import os
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg

from assets.asset_tags import group_name, project_tags
from assets.behind_gates import hold_behind_gates
from assets.bench import BENCH, at_bench
from assets.page_links import plot_file, plot_link, report_link
from cupel.config.project import Project
from cupel.contract.lineage import trace_columns
from cupel.contract.stages import Stage, StageStep, find_step, stage_of
from cupel.contract.tables import TABLES
from cupel.lake.lake import Commit
from cupel.lake.step import Step
from cupel.printable import printable

REPOSITORY = Path(__file__).resolve().parent.parent
# Where the code can be read, such as https://git.example/cupel/blob/main; else the page names files of this machine.
CODE_URL = "CUPEL_CODE_URL"

PREVIEW_ROWS = 5
PREVIEW_CHARACTERS = 60
PREVIEW_COLUMNS = 8
# Longer Markdown is behind a button.
SHOWN_INLINE = 999

# The page shows ids, labels and numbers. Texts and what quotes them stay in the lake.
PRIVATE_COLUMNS = {"text", "fields", "evidence", "removed_lines", "shingles", "bands"}
# What a table of one row says first.
FIGURES = {
    "release_plan": ("status", "reason", "attempt", "items", "audit_size"),
    "audit_result": ("status", "reason", "error_bound", "audited", "audit_wrong", "experts_seen_share"),
    "certificate": ("status", "error_bound", "error_bound_with_contested", "experts_seen_share", "items"),
    "contamination_result": ("status", "reason", "bound", "kept", "audited"),
}
WITH_REPORT = {"certificate", "audit_result", "stage_errors", "manifest"}

# Markdown would make links, pictures, emphasis or cells of these.
_MARKDOWN = {ord(sign): f"&#{ord(sign)};" for sign in "\\`*_[]|~#!"}


class Plot(NamedTuple):
    """A plot for the page, as SVG, and its text for those who cannot see it."""

    svg: str
    words: str


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
        function = getattr(module, step.name)
        specs = [_spec(stage, step, table, project, function) for table in step.tables]
        # Of several projects on one page each has a function of its own.
        define = dg.multi_asset(name=f"{project.project}__{step.name}", specs=specs)
        work = hold_behind_gates(function, step.may_wait)
        assets.append(define(at_bench(work, bench)))
    return assets


def code_reference(function: Callable[..., Any]) -> dg.CodeReferencesMetadataValue:
    """Return where a function is written, as a link where CUPEL_CODE_URL says where the code can be read."""
    code = inspect.unwrap(function).__code__
    file, line = Path(code.co_filename), code.co_firstlineno
    base = os.environ.get(CODE_URL, "").rstrip("/")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        place: dg.UrlCodeReference | dg.LocalFileCodeReference
        if base and file.is_relative_to(REPOSITORY):
            place = dg.UrlCodeReference(url=f"{base}/{file.relative_to(REPOSITORY).as_posix()}#L{line}")
        else:
            place = dg.LocalFileCodeReference(file_path=str(file), line_number=line)
        return dg.CodeReferencesMetadataValue(code_references=[place])


def _spec(stage: Stage, step: StageStep, table: str, project: Project, function: Callable[..., Any]) -> dg.AssetSpec:
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
        group_name=group_name(project.project, stage.name),
        kinds=set(step.technology),
        tags=project_tags(project, stage.name),
        skippable=True,  # behind a closed gate nothing is written
        metadata={
            "dagster/column_schema": dg.TableSchema(columns=columns),
            "dagster/code_references": code_reference(function),
        },
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
    """Return what Dagster is told of a written table, in the order in which a reader needs it.

    First what it says, its figures, plots and first rows, then where it lies and what it was made from. What is for
    readers begins with a capital, hashes and places do not, so that they come last where names are sorted, too.

    Args:
        step: The step that wrote it.
        commit: What the write returned.
        **metadata: More to show, such as plots, which are kept in the lake for the page to show.
    """
    folder = step.lake.partition_folder(commit.table, commit.partition)
    report = {"Report": dg.MetadataValue.url(report_link(step.project.project, commit.partition))}
    return dg.MaterializeResult(
        asset_key=dg.AssetKey([step.project.project, commit.table]),
        data_version=dg.DataVersion(commit.hash),
        metadata={
            **_figures(step, commit),
            **(report if commit.table in WITH_REPORT else {}),
            **{_title(name): _shown(step, commit, value, name) for name, value in metadata.items()},
            "Preview": dg.MetadataValue.md(preview(step, commit)),
            "dagster/row_count": commit.rows,
            "dagster/column_lineage": _lineage(step.project, commit.table),
            "dagster/uri": str(folder),
            "made from": dg.MetadataValue.json(commit.inputs),
            "content hash": commit.hash,
        },
    )


def picture(svg: str, words: str) -> Plot:
    """Return a plot as the page shows it, with a text for those who cannot see it."""
    return Plot(svg, words)


def kept_plots(step: Step, plots: Mapping[str, tuple[str, str]]) -> dict[str, dg.MarkdownMetadataValue]:
    """Return for the page the plots of other tables of the step's batch or release that are there.

    Args:
        step: The step.
        plots: Of each title the table and its plot's name.
    """
    project, partition = step.project.project, step.partition
    return {
        title: _image(title, plot_link(project, table, partition, name))
        for title, (table, name) in plots.items()
        if step.lake.store.stat(plot_file(table, partition, name)) is not None
    }


def preview(step: Step, commit: Commit) -> str:
    """Return the first rows as a Markdown table, without texts, so small that the page shows it at once.

    Everything in it is escaped. Where a row is wide, columns are left out from the last on.
    """
    if not commit.rows:
        return "No rows."
    names = [column.name for column in TABLES[commit.table].columns if column.name not in PRIVATE_COLUMNS]
    relation = step.lake.relation(commit.table, commit.partition).limit(PREVIEW_ROWS)
    rows = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    shown = names[:PREVIEW_COLUMNS]
    while len(table := _table(shown, rows)) > SHOWN_INLINE and len(shown) > 1:
        shown = shown[:-1]
    return table


def _table(names: list[str], rows: list[dict[str, Any]]) -> str:
    lines = [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
    lines += [f"| {' | '.join(_cell(row[name]) for name in names)} |" for row in rows]
    return "\n".join(lines)


def _figures(step: Step, commit: Commit) -> dict[str, Any]:
    """Return what a table of one row says: its verdict, and the figures that it rests on."""
    columns = FIGURES.get(commit.table, ())
    if not columns or commit.rows != 1:
        return {}
    row = step.lake.read(commit.table, commit.partition, columns).to_pylist()[0]
    titles = {"status": "Verdict", "reason": "Why"}
    return {titles.get(name, _title(name)): value for name, value in row.items() if value is not None}


def _shown(step: Step, commit: Commit, value: Any, name: str) -> Any:
    """Return a value as the page shows it; a plot is put in the lake, and shown by its link."""
    if not isinstance(value, Plot):
        return value
    step.lake.store.put(plot_file(commit.table, commit.partition, name), value.svg.encode())
    return _image(value.words, plot_link(step.project.project, commit.table, commit.partition, name))


def _lineage(project: Project, table: str) -> dg.TableColumnLineage:
    """Return which columns a table's columns come from; the page looks for it at what was written, not at the asset."""
    made_from = () if (own := find_step(project, table)) is None else own.made_from
    return dg.TableColumnLineage({
        column: [dg.TableColumnDep(dg.AssetKey([project.project, one.table]), one.column) for one in sources]
        for column, sources in trace_columns(table, made_from).items()
    })  # fmt: skip


def _image(words: str, link: str) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md(f"![{words}]({link})")


def _title(name: str) -> str:
    """Return a name as words that begin with a capital.

    >>> _title("error_bound")
    'Error bound'
    """
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        value = f"{value:.4g}"
    if isinstance(value, list):
        value = ", ".join(f"{part:.3g}" if isinstance(part, float) else str(part) for part in value)
    text = "" if value is None else str(value)
    shortened = text if len(text) <= PREVIEW_CHARACTERS else text[: PREVIEW_CHARACTERS - 1] + "…"
    return html.escape(printable(" ".join(shortened.split()))).translate(_MARKDOWN)
