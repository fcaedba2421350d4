"""The overview of a project since a day: what came, what was released, what broke, and what awaits a person now.

Days are those of files and of alerts; they are shown and decide nothing. A copy of a lake that did not keep the times
of its files shows its own.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import duckdb
import pyarrow as pa

from cupel.config.project import Project
from cupel.contract.tables import TABLES
from cupel.errors import CupelError
from cupel.figures import UNKNOWN, bound, plural, setting
from cupel.intake.alerts import read_alerts
from cupel.lake.answer_segments import summary as sum_up
from cupel.lake.lake import COMMIT, TABLES_FOLDER, Lake
from cupel.people.answers.outbox import count_open_tasks
from cupel.release.facts import ReleaseFacts, batch_facts, release_facts
from cupel.release.places import report_file, report_folder
from cupel.release.plan import is_finished
from cupel.release.proposals import has_changed
from cupel.sources.inbox import REFUSED
from cupel.store.files import find_files, read_file, stat_file

BROKEN = (CupelError, OSError, ValueError, LookupError, TypeError, AttributeError, duckdb.Error, pa.ArrowException)
Found = TypeVar("Found")
# Before anything can have happened; asked for by who wants to see all.
THE_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class ToDo(NamedTuple):
    """What awaits a person, and the command for it, or where to look."""

    what: str
    command: str


class DeliveryNews(NamedTuple):
    """A delivery: when it came, its rows, how many were rejected, and how far it is."""

    name: str
    at: str
    rows: int | None
    rejected: int | None
    state: str


class ReleaseNews(NamedTuple):
    """A release: when it came to where it is, its verdict with the bound, why, and where its report is."""

    name: str
    at: str
    verdict: str
    bound: str
    reason: str
    report: str


class Breakage(NamedTuple):
    """What broke: how often it was told, when last, and whether the batch or release has moved on since."""

    partition: str
    happened: str
    times: int
    at: str
    is_over: bool
    to_do: str


class Overview(NamedTuple):
    """All that a person should know who was away since a moment."""

    project: str
    title: str
    since: str
    until: str
    to_do: list[ToDo]
    deliveries: list[DeliveryNews]
    releases: list[ReleaseNews]
    troubles: list[Breakage]
    actions: list[str]
    answers: int
    answers_before: int
    damage: list[str]


def gather_overview(
    lake: Lake, project: Project, since: datetime, inbox: Path | None = None, now: datetime | None = None
) -> Overview:
    """Gather what happened in a project since a moment, and what awaits a person.

    What is damaged is told as such, and the rest all the same.

    Args:
        lake: The project's lake.
        project: The project, its registered deliveries among them.
        since: From when on.
        inbox: The project's inbox; None: nothing arrives by itself.
        now: The end; None for now.
    """
    return _Gathering(lake, project, since, inbox).gather(now or datetime.now(UTC))


class _Gathering:
    """The work: each part is gathered by itself, and one that cannot be read is told as damage."""

    def __init__(self, lake: Lake, project: Project, since: datetime, inbox: Path | None) -> None:
        self.lake, self.project, self.since, self.inbox = lake, project, since, inbox
        self.name = project.project
        self.to_do: list[ToDo] = []
        self.damage: list[str] = []

    def gather(self, now: datetime) -> Overview:
        """Return the overview; what awaits a person is collected on the way."""
        parts = self._try(lambda: list(_missing_parts(self.lake))) or []
        self.damage += parts
        known = self._try(self._count_answers) or (0, 0)
        refused = self._try(self._refused_files) or []
        deliveries = [*self._each(self.project.raw.deliveries, self._delivery), *refused]
        planned = self._try(lambda: self.lake.partitions("release_plan")) or []
        releases = self._each(planned, self._release)
        self._try(self._open_questions)
        troubles = self._try(self._troubles) or []
        actions = self._try(self._actions) or []
        if self.damage:
            count = plural(len(self.damage), "file or table", "files or tables")
            self.to_do.insert(
                0, ToDo(f"{count} of the lake cannot be read as it should be", f"cupel check {self.name}")
            )
        return Overview(
            self.name, self.project.title, _day(self.since), _day(now), self.to_do, deliveries, releases, troubles,
            actions, *known, self.damage,
        )  # fmt: skip

    def _try(self, work: Callable[[], Found]) -> Found | None:
        try:
            return work()
        except BROKEN as error:
            words = f"{error}" if isinstance(error, CupelError) else f"{type(error).__name__}: {error}"
            if words not in self.damage:
                self.damage.append(words)
            return None

    def _each(self, names: Iterable[str], tell: Callable[[str], Found | None]) -> list[Found]:
        found = [self._try(partial(tell, name)) for name in names]
        return [one for one in found if one is not None]

    def _delivery(self, batch: str) -> DeliveryNews | None:
        at = _when(self.lake, "raw_items", batch, is_first=True)
        if at is None:
            return DeliveryNews(batch, "", None, None, "not taken up yet; the daemon or `make run` does it")
        facts = batch_facts(self.lake, batch)
        state = {"pass": "passed its gates", "fail": "refused", "open": "waits"}[facts.gate]
        if facts.gate == "fail":
            failed = [row for row in facts.gates if row["outcome"] == "fail" and row["severity"] == "critical"]
            checks = ", ".join(sorted(row["check"] for row in failed))
            why = f"the {failed[0]['stage']} gate refuses it ({checks})"
            self.to_do.append(ToDo(f"delivery {batch}: {why}", f"make gate PROJECT={self.name} BATCH={batch}"))
        if at < self.since and facts.gate != "open":
            return None
        return DeliveryNews(batch, _day(at), facts.rows_in, sum(facts.rejected.values()), state)

    def _release(self, name: str) -> ReleaseNews | None:
        facts = release_facts(self.lake, self.project, name)
        at = max(
            (when for table in ("release_plan", "certificate", "manifest") if (when := _when(self.lake, table, name))),
            default=self.since,
        )
        self._what_a_release_awaits(facts)
        if at < self.since and facts.verdict != "OPEN":
            return None
        bounds = UNKNOWN
        if facts.result is not None and facts.result["error_bound"] is not None:
            bounds = f"{bound(facts.result['error_bound'])} of {setting(facts.terms.error_budget)}"
        is_there = self.lake.store.stat(report_file(name, "report.html")) is not None
        shown = os.path.relpath(report_folder(self.lake, name) / "report.html") if is_there else ""
        verdict = {"PASS": "certified", "REFUSED": "refused", "OPEN": "open"}[facts.verdict]
        return ReleaseNews(name, _day(at), verdict, bounds, facts.reason, shown)

    def _what_a_release_awaits(self, facts: ReleaseFacts) -> None:
        holds, _, number = facts.release.rpartition("-r")
        later = [name for name in self.lake.partitions("release_plan") if name.rpartition("-r")[0] == holds]
        if any(int(name.rpartition("-r")[2]) > int(number) for name in later):
            return
        again = f"cupel release {self.name} {holds}"
        if facts.verdict == "PASS" and facts.guideline is not None and facts.guideline.lapse is not None:
            self.to_do.append(ToDo(f"{facts.release} is certified, but was {facts.guideline.lapse}", again))
        elif facts.verdict == "REFUSED":
            self.to_do.append(
                ToDo(f"release {facts.release} is refused: {facts.reason}; when that is mended, release it anew", again)
            )
        elif facts.verdict == "PASS" and has_changed(self.lake, self.project, facts.release):
            self.to_do.append(ToDo(f"{holds} has other labels than {facts.release} froze", again))

    def _refused_files(self) -> list[DeliveryNews]:
        found = []
        for note in find_files(self.inbox, f"*{REFUSED}") if self.inbox is not None else ():
            name, why = note.name.removesuffix(REFUSED), read_file(note).decode(errors="replace")
            why = (why.splitlines() or [""])[0]
            found.append(DeliveryNews(name, _day(_changed_at(note)), None, None, f"refused: {why}"))
            self.to_do.append(
                ToDo(f"{name} in the inbox is refused: {why}", f"mend it, or take it out of {self.inbox}")
            )
        return found

    def _open_questions(self) -> None:
        unfinished = [name for name in self.lake.partitions("release_plan") if not is_finished(self.lake, name)]
        batches = count_open_tasks(self.lake, self.project.raw.deliveries, ())
        experts = count_open_tasks(self.lake, (), unfinished)
        where = "answer them in Label Studio"
        if self.project.labeling.workforce == "recorded":
            where = f"drop a file of answers in inbox/{self.name}/answers/"
        if batches:
            self.to_do.append(ToDo(f"{plural(batches, 'question')} to annotators without an answer", where))
        if experts:
            names = ", ".join(unfinished)
            self.to_do.append(ToDo(f"{plural(experts, 'question')} to experts without an answer, for {names}", where))

    def _troubles(self) -> list[Breakage]:
        told: dict[tuple[str, str], list[dict[str, str]]] = {}
        for row in read_alerts(self.lake):
            if row.get("kind") in ("broken", "gate_failed") and datetime.fromisoformat(row["at"]) >= self.since:
                told.setdefault((row["partition"], row["happened"]), []).append(row)
        found = []
        for (partition, happened), rows in told.items():
            at = datetime.fromisoformat(rows[-1]["at"])
            is_over = (moved := self._moved_at(partition)) is not None and moved > at
            found.append(Breakage(partition, happened, len(rows), _day(at), is_over, rows[-1]["to_do"]))
            if not is_over and rows[-1]["kind"] == "broken":
                self.to_do.append(ToDo(f"{partition} broke: {happened}", f"make run PROJECT={self.name}"))
        return sorted(found, key=lambda one: one.is_over)

    def _moved_at(self, partition: str) -> datetime | None:
        """Return when a table of a batch or release was last written."""
        times = (_when(self.lake, table, partition) for table in TABLES)
        return max((at for at in times if at is not None), default=None)

    def _actions(self) -> list[str]:
        sent_back = [
            f"{_day(one.sent_at)}  {plural(len(one.item_ids), 'item')} of {one.batch} sent back by {one.sent_by}: "
            f"{one.reason}"
            for one in self.lake.send_backs.read()
            if one.sent_at >= self.since
        ]
        return sent_back + [
            f"{_day(at)}  {action.annotator} in {action.batch}: {action.deed}, {action.why}"
            for action, at in self.lake.actions.read_with_times()
            if at is not None and at >= self.since
        ]

    def _count_answers(self) -> tuple[int, int]:
        new = before = 0
        for segment in self.lake.answers.segments():
            count = sum(kind.records for kind in sum_up(segment).kinds.values())
            is_new = datetime.fromtimestamp(segment.state().changed_at, UTC) >= self.since
            new, before = (new + count, before) if is_new else (new, before + count)
        return new, before


def _missing_parts(lake: Lake) -> Iterator[str]:
    """Yield what is missing at first sight; `cupel check` looks at every byte."""
    there = {one.name for one in lake.store.list(TABLES_FOLDER)}
    for table, partition in sorted({tuple(name.split("/")[1:3]) for name in there if name.count("/") > 2}):
        folder = f"{TABLES_FOLDER}/{table}/{partition}"
        if f"{folder}/{COMMIT}" not in there:
            yield f"{lake.folder / folder}: its commit is gone"
            continue
        commit = lake.commit(table, partition)
        missing = [part for part in (commit.parts if commit else ()) if f"{folder}/{part}" not in there]
        yield from (f"{lake.folder / folder / part}: gone" for part in missing)


def _when(lake: Lake, table: str, partition: str, *, is_first: bool = False) -> datetime | None:
    """Return when a table was written: its commit, or the first of its parts."""
    folder = lake.partition_name(table, partition)
    if is_first:
        found = [one for one in lake.store.list(folder) if one.name.endswith(".parquet")]
    else:
        found = [one for one in (lake.store.stat(f"{folder}/{COMMIT}"),) if one is not None]
    return datetime.fromtimestamp(min(one.changed_at for one in found), UTC) if found else None


def _changed_at(path: Path) -> datetime:
    stat = stat_file(path)
    return datetime.now(UTC) if stat is None else datetime.fromtimestamp(stat.changed_ns / 1e9, UTC)


def _day(moment: datetime) -> str:
    return "the beginning" if moment <= THE_BEGINNING else moment.strftime("%Y-%m-%d")
