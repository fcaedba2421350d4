"""Tracing one label: what every stage knows of it, gathered from the lake alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cupel.contract.kind import Kind, Part
from cupel.errors import AuditError, LakeError, ReleaseError
from cupel.release.frozen_terms import FrozenTerms, find_kind
from cupel.trace.events import Answer, answers
from cupel.trace.label_id import LabelId, find
from cupel.trace.reading import Reader, Row, equal
from cupel.trace.releases import Released, Standing, choose, released, standings
from cupel.trace.stages import (
    Checking,
    Cleaning,
    Contamination,
    Gate,
    Labeling,
    Raw,
    StageRow,
    checking,
    cleaning,
    contamination,
    gates,
    labeling,
    other_rows,
    raw,
)
from cupel.trace.used import TableUsed, tables_used

NEAREST = 5
_ROW = re.compile(r"(?P<source_file>.+):(?P<line>[0-9]{1,15})", re.DOTALL)


@dataclass(frozen=True)
class Trace:
    """All that the lake knows of one label, a field a stage.

    `classes` names the places of posteriors, None where no release of the batch tells them, `parts` those of labels
    that are more than one class, None of others; `release` is the one that was chosen, `standings` are all that hold
    the batch, the latest first; `others` are rows of stages that have no field of their own here; `problems` is what
    could not be read.
    """

    label_id: LabelId
    raw: Raw
    cleaning: Cleaning
    contamination: Contamination | None
    answers: tuple[Answer, ...]
    labeling: Labeling
    checking: Checking
    others: tuple[StageRow, ...]
    gates: tuple[Gate, ...]
    release: Released | None
    standings: tuple[Standing, ...]
    classes: tuple[str, ...] | None
    parts: tuple[Part, ...] | None
    tables: tuple[TableUsed, ...]
    problems: tuple[str, ...]

    @property
    def is_item(self) -> bool:
        """Whether the label id names an item, not a row that could not become one."""
        return self.raw.rejected is None

    def is_there(self, table: str, partition: str) -> bool:
        """Tell whether a table was there to be read."""
        return any(used.name == f"{table}@{partition}" and used.hash is not None for used in self.tables)


def trace(lake: str | Path, label: str, release: str | None = None, kinds: Sequence[Kind] = ()) -> Trace:
    """Gather how a label came to be.

    Args:
        lake: Folder of the deployment's lake.
        label: The label's id, see `label_id.find`; in place of the item's id also a row of the delivery, `file:line`.
        release: The release to tell of; None for the one that the id names, or the latest that holds the item.
        kinds: The label kinds that there are, which know the parts of their labels.

    Raises:
        LakeError: The label id is malformed, or names nothing that is in the lake; says what is there.
    """
    name, named, reader = find(Path(lake), label)
    name, rejected = _subject(reader, name)
    standing = standings(reader, name)
    chosen = choose(standing, reader, name, release or named)
    chosen_name = None if chosen is None else chosen.release
    said = answers(reader, name, chosen_name)
    found = Trace(
        label_id=name,
        raw=raw(reader, name, rejected),
        cleaning=cleaning(reader, name),
        contamination=contamination(reader, name),
        answers=said,
        labeling=labeling(reader, name, said),
        checking=checking(reader, name),
        others=other_rows(reader, name),
        gates=gates(reader, name.batch, name.item_id),
        release=None if chosen is None else released(reader, name, chosen),
        standings=standing,
        classes=_classes(standing, chosen),
        parts=_parts(standing, chosen, kinds),
        tables=tables_used(reader, chosen_name),
        problems=tuple(reader.problems),
    )
    if not _is_known(found):
        raise LakeError(_unknown_item(reader, name))
    return found


def _subject(reader: Reader, name: LabelId) -> tuple[LabelId, Row | None]:
    """Return what a label id names: an item, or a row that became none; a row that became one stands for its item."""
    place = _ROW.fullmatch(name.item_id)
    if place is None or reader.rows("raw_items", name.batch, equal(item_id=name.item_id), ["item_id"]):
        return name, None
    where = equal(source_file=place["source_file"], line=int(place["line"]))
    item = reader.one("raw_items", name.batch, where)
    if item is not None:
        return name._replace(item_id=item["item_id"]), None
    return name, reader.one("rejected_rows", name.batch, where)


def _classes(standing: tuple[Standing, ...], chosen: Standing | None) -> tuple[str, ...] | None:
    """Return the ontology as the chosen release froze it, else as another of the batch did."""
    plans = [one.plan for one in (chosen, *standing) if one is not None]
    return next((tuple(plan["classes"]) for plan in plans if plan["classes"]), None)


def _parts(standing: tuple[Standing, ...], chosen: Standing | None, kinds: Sequence[Kind]) -> tuple[Part, ...] | None:
    """Return the parts of labels as the chosen release froze them; None of plain labels, and of kinds not known."""
    for one in (chosen, *standing):
        if one is not None:
            try:
                terms = FrozenTerms.from_plan(one.plan)
                kind = find_kind(terms, kinds)
            except (ReleaseError, AuditError):
                return None
            return None if kind is None else kind.parts(terms.ontology)
    return None


def _is_known(found: Trace) -> bool:
    cleaning, labeling, checking = found.cleaning, found.labeling, found.checking
    rows = (
        found.raw.item, found.raw.rejected, cleaning.signals, cleaning.kept, cleaning.rejected,
        labeling.consensus, checking.prediction, checking.route, checking.label,
        *(one for one in found.standings if one.is_held),
    )  # fmt: skip
    return any(row is not None for row in rows) or bool(found.answers)


def _unknown_item(reader: Reader, name: LabelId) -> str:
    """Return the message for an item that nothing knows: the ids nearest to it, and how many there are."""
    table = "raw_items" if reader.commit("raw_items", name.batch) is not None else "clean_items"
    commit = reader.commit(table, name.batch)
    if commit is None:
        return f"{name.project}/{name.batch}: no item {name.item_id!r}; its items were not read yet: run the raw stage"
    asked = name.item_id.replace("'", "''")
    near = reader.ask(
        table, name.batch, "item_id", "true",
        f"ORDER BY jaro_winkler_similarity(lower(item_id), lower('{asked}')) DESC, item_id LIMIT {NEAREST}",
    )  # fmt: skip
    shown = ", ".join(repr(row["item_id"]) for row in near) or "none"
    broken = f" Could not be read: {'; '.join(reader.problems)}" if reader.problems else ""
    return (
        f"{name.project}/{name.batch}: no item {name.item_id[:200]!r} among its {commit.rows:,}; "
        f"the nearest ids: {shown}. A row of the delivery can be named as file:line.{broken}"
    )
