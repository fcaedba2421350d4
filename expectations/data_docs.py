"""Data Docs: a page for each gate's latest outcome, made of `gate_results`, and an index of them."""

import shlex
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import jinja2

from cupel.config.project import Project
from cupel.contract.stages import STAGES, stage_of
from cupel.contract.tables import TABLES
from cupel.lake.cached_rows import Row, rows_of
from cupel.lake.gates import gate_partition, is_left_over
from cupel.lake.lake import Lake
from expectations.suite import Check
from expectations.suites import project_suites
from expectations.team import TeamCheck, team_checks

FOLDER = "data_docs"
INDEX = f"{FOLDER}/index.html"
TEAMS_REMEDY = "Look at the rows below and mend them, or change the expectation in the project file."

# In the order in which a reader wants them.
STATES = ("REFUSED", "WARNING", "OPEN", "PASSED")
HEADINGS = {"REFUSED": "Refused by", "WARNING": "Warnings", "OPEN": "Open: somebody is awaited", "PASSED": "Passed"}
PLURALS = {"REFUSED": "refused", "WARNING": "warnings", "OPEN": "open", "PASSED": "passed"}


class CheckView(NamedTuple):
    """One check as its page shows it."""

    name: str
    state: str
    severity: str
    expectation: str
    observed: str
    allowed: str
    reason: str
    remedy: str
    item_ids: tuple[str, ...]
    commands: tuple[str, ...]
    sql: str


class GateView(NamedTuple):
    """One gate of one batch or release as its page shows it; `page` is its name in the lake's store."""

    kind: str
    partition: str
    gate: str
    table: str
    page: str
    state: str
    lead: str
    is_of_now: bool
    checks: tuple[CheckView, ...]

    @property
    def sections(self) -> list[tuple[str, list[CheckView]]]:
        """The checks by state, the refused ones first, each under its heading."""
        found = [(HEADINGS[state], [check for check in self.checks if check.state == state]) for state in STATES]
        return [(heading, checks) for heading, checks in found if checks]

    @property
    def counts(self) -> str:
        """How many checks are in which state, in words."""
        counts = [(state, sum(check.state == state for check in self.checks)) for state in STATES]
        return ", ".join(
            f"{number} {PLURALS[state] if number > 1 else state.lower()}" for state, number in counts if number
        )


class DocumentedChecks(NamedTuple):
    """What a project asks, by table and check; empty where its file is not there."""

    own: dict[tuple[str, str], Check]
    team: dict[tuple[str, str], TeamCheck]


def data_docs_page(lake: Lake, partition: str, gate: str, check: str | None = None) -> str:
    """Return where a gate's page is, relative to the deployment's lake; with a check, its place on the page.

    >>> data_docs_page(Lake("lake", "sentiment"), "movies", "raw", "items_read")
    'sentiment/data_docs/movies/raw.html#items_read'
    """
    return f"{lake.project}/{_page(partition, gate)}{f'#{check}' if check else ''}"


def write_data_docs(lake: Lake, project: Project | None) -> list[GateView]:
    """Write the pages of all gates of a project's lake and their index; pages of what is gone are removed.

    Args:
        lake: The lake; only its `gate_results` is read. What is on the pages changes only with that and the project.
        project: Its file says what the checks ask, and what helps; None where there is no file any more.

    Returns:
        What was written, in the order of the index.
    """
    asked = _asked(project)
    views = sorted(
        (view for name in lake.partitions("gate_results") for view in _views(lake, name, asked)),
        key=lambda view: (view.kind, view.partition, list(STAGES).index(_stage(view.gate)), view.gate),
    )
    title = lake.project if project is None else project.title
    written = {view.page: _render("gate", view=view, title=title, docs=views) for view in views}
    written[INDEX] = _render("index", project=lake.project, title=title, docs=views)
    for name, content in written.items():
        lake.store.put(name, content.encode())
    for stat in list(lake.store.list(FOLDER)):
        if stat.name not in written:
            lake.store.delete(stat.name)
    return views


def _page(partition: str, gate: str) -> str:
    return f"{FOLDER}/{partition}/{gate}.html"


def _stage(gate: str) -> str:
    return gate if gate in STAGES else stage_of(gate).name


def _asked(project: Project | None) -> DocumentedChecks:
    if project is None:
        return DocumentedChecks({}, {})
    own = {(suite.table, check.name): check for suite in project_suites(project) for check in suite.checks}
    team = {(table, check.name): check for table, checks in team_checks(project).items() for check in checks}
    return DocumentedChecks(own, team)


def _views(lake: Lake, name: str, asked: DocumentedChecks) -> list[GateView]:
    """Return the page of a partition of `gate_results`; none where the gate asks nothing, or is over."""
    gate, _, partition = name.partition("--")
    if gate not in {*STAGES, *TABLES} or gate_partition(gate, partition) != name or is_left_over(lake, gate, partition):
        return []
    rows = rows_of(lake, "gate_results", name)
    if not rows:
        return []
    checks = tuple(_check(lake, row, asked) for row in rows)
    states = {check.state for check in checks}
    state = next((state for state in ("REFUSED", "OPEN") if state in states), "PASSED")
    kind, lead = str(STAGES[_stage(gate)].partition), _lead(state, checks)
    place = (kind, partition, gate, rows[0]["table_name"], _page(partition, gate))
    return [GateView(*place, state, lead, _is_of_now(lake, rows), checks)]


def _is_of_now(lake: Lake, rows: Sequence[Row]) -> bool:
    """Tell whether the tables that were judged are those that are there now."""
    for table, partition, judged in {(row["table_name"], row["partition"], row["table_hash"]) for row in rows}:
        commit = lake.commit(table, partition)
        if judged != ("" if commit is None else commit.hash):
            return False
    return True


def _lead(state: str, checks: Sequence[CheckView]) -> str:
    """Return what a reader must know, in a sentence."""
    named = [check for check in checks if check.state == state]
    if state == "REFUSED":
        return f"Nothing that comes after it is made: {', '.join(check.name for check in named)}."
    if state == "OPEN":
        return f"Not judged yet: {named[0].reason}"
    warnings = [check.name for check in checks if check.state == "WARNING"]
    return f"It blocks nothing; look at {', '.join(warnings)}." if warnings else "Every check has passed."


def _check(lake: Lake, row: Row, asked: DocumentedChecks) -> CheckView:
    own, team = (found.get((row["table_name"], row["check"])) for found in asked)
    state = _state(row)
    remedy = TEAMS_REMEDY if row["comparison"] == "expectation" else own.remedy if isinstance(own, Check) else ""
    ids = tuple(row["item_ids"])
    labels = [f"{lake.project}/{row['partition']}/{item_id}" for item_id in ids]
    return CheckView(
        row["check"], state, row["severity"], _expectation(row, own, team), _observed(row), _allowed(row),
        row["reason"], remedy if state in ("REFUSED", "WARNING") else "", ids,
        tuple(f"cupel trace {shlex.quote(label)}" for label in labels), _sql(row),
    )  # fmt: skip


def _state(row: Row) -> str:
    if row["outcome"] == "fail":
        return "REFUSED" if row["severity"] == "critical" else "WARNING"
    return "OPEN" if row["outcome"] == "open" else "PASSED"


def _expectation(row: Row, own: Any, team: Any) -> str:
    """Return what is asked: the check's question, a team's expectation, or what is expected of the number."""
    from expectations.expectation_words import describe_expectation, describe_number

    if own is not None:
        return str(own.question)
    if team is not None:
        return f"The team's own: {describe_expectation(team.expectation)}"
    if row["comparison"] == "expectation" or row["threshold"] is None:
        return ""
    return describe_number(row["check"], row["comparison"], row["threshold"])


def _observed(row: Row) -> str:
    if row["observed"] is None and row["bound"] is None:
        return "nothing was measured"
    if row["comparison"] == "expectation":
        return f"{row['observed']:.6g}"
    limit = row["threshold"]
    observed = "no estimate" if row["observed"] is None else _number(row["observed"], limit)
    if row["bound"] is None:
        return observed
    about = "a bound" if row["bound"] == row["observed"] else f"a bound; the estimate is {observed}"
    return f"{_number(row['bound'], limit)} ({about})"


def _number(value: float, threshold: float | None) -> str:
    """Return a number with as many digits as tell it from its threshold.

    >>> _number(0.25, 0.2), _number(0.02000001, 0.02), _number(4104, 0)
    ('0.25', '0.02000001', '4,104')
    """
    if value == int(value):
        return f"{int(value):,}"
    short = f"{value:.6g}"
    return repr(value) if threshold is not None and value != threshold and float(short) == threshold else short


def _allowed(row: Row) -> str:
    if row["comparison"] == "expectation":
        return "as expected of every row, or of the column"
    return "" if row["threshold"] is None else f"{row['comparison']} {row['threshold']:.15g}"


def _sql(row: Row) -> str:
    """Return the query of `catalog.duckdb` that shows the rows with these ids; empty where the table has no items."""
    names = {column.name for column in TABLES[row["table_name"]].columns}
    if not row["item_ids"] or "item_id" not in names or stage_of(row["table_name"]).partition != "batch":
        return ""
    partition = "table_partition" if "partition" in names else "partition"
    ids = ", ".join(_quoted(item_id) for item_id in row["item_ids"])
    return f"SELECT * FROM {row['table_name']} WHERE {partition} = {_quoted(row['partition'])} AND item_id IN ({ids})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _render(name: str, **content: Any) -> str:
    return _environment().get_template(f"{name}.html.j2").render(content)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("expectations", "data_docs_templates"),
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
