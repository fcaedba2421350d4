"""The audit of a frozen release: its terms and tables, and all that is computed from them.

The chain makes its tables with it, and `cupel verify` recomputes them with it; evidence is built nowhere else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.auditors import LAST_TIER, Planted, PlantedKinds, SecondAudit
from cupel.certificate.design import EProcess, FixedSequence, Rising
from cupel.certificate.evidence import Evidence, Plants
from cupel.certificate.hypergeometric import Integers, Reals
from cupel.certificate.result import Assay, AuditResult, assay, find_due
from cupel.certificate.sample import marks
from cupel.certificate.sequence import Flags
from cupel.certificate.slice_budgets import Slice, budgets_sentence
from cupel.certificate.wording import wording
from cupel.contract.class_places import ClassPlace, find_class_places, split_labels
from cupel.contract.columns import TEXT
from cupel.contract.item_numbers import Places
from cupel.contract.kind import Kind, Labels, are_equal
from cupel.contract.table import Table
from cupel.contract.tables.release import (
    ADJUDICATIONS,
    AUDIT,
    EXPERT_ANSWERS,
    PLANTED_ITEMS,
    PLANTED_VERDICTS,
    RELEASE_ITEMS,
)
from cupel.errors import AuditError
from cupel.lake.draw_log import DRAWS, find_draw
from cupel.lake.lake import Lake
from cupel.lake.step import Step
from cupel.people.answers.experts import verdicts
from cupel.people.answers.same_answers import replace_same
from cupel.release.audit_design import draw_first_wave
from cupel.release.frozen_terms import FrozenTerms, find_kind
from cupel.release.guidelines import guideline_sentence
from cupel.release.names import Names, find_rows
from cupel.release.nonces import WitnessedDraws, nonce_sentence
from cupel.release.planted import JUDGED_LABELS, draw_to_plant, find_tiers, hash_known_items, read_tiers
from cupel.release.second_audit import answers_for, count_to_draw, draw_again, hash_adjudications
from cupel.release.slices import HASHED, count_against, draw_for_budgets, find_slice

# Of RELEASE_ITEMS, what an audit needs: texts are left where they are.
NEEDED_ITEMS = ("release", "batch", "item_id", "label", "risk_rank", "is_audited")
_PLANTED = ("planted_items", "planted_verdicts")
# A verdict: it is there, the label differs, experts stay split.
_SAID = ("is_settled", "is_wrong", "is_contested")


class ItemRows(NamedTuple):
    """The frozen item that each row of the other tables speaks of: its row in `items`, -1 where there is none."""

    audit: Places
    adjudications: Places
    planted_items: Places
    planted_verdicts: Places


class Verdicts(NamedTuple):
    """What experts say of items: arrays of one shape, see `Evidence`."""

    is_settled: Flags
    is_wrong: Flags
    is_contested: Flags

    @classmethod
    def of(cls, table: pa.Table) -> "Verdicts":
        """Return the verdicts of the rows of AUDIT or ADJUDICATIONS."""
        return cls(*(_flags(table[name]) for name in _SAID))


@dataclass(frozen=True, eq=False)
class ReleaseAudit:
    """One frozen release: its terms and its tables, as far as they are known.

    A table that was not given is empty, as it is before anybody was asked. The items are in their order of risk; of
    them and of no other table some columns will do, those of `NEEDED_ITEMS`.
    """

    terms: FrozenTerms
    items: pa.Table = field(default_factory=RELEASE_ITEMS.schema.empty_table)
    audit: pa.Table = field(default_factory=AUDIT.schema.empty_table)
    adjudications: pa.Table = field(default_factory=ADJUDICATIONS.schema.empty_table)
    planted_items: pa.Table = field(default_factory=PLANTED_ITEMS.schema.empty_table)
    planted_verdicts: pa.Table = field(default_factory=PLANTED_VERDICTS.schema.empty_table)
    expert_answers: pa.Table = field(default_factory=EXPERT_ANSWERS.schema.empty_table)
    kind: Kind | None = None
    second_nonce: str | None = None
    second_source: str | None = None

    @classmethod
    def of(
        cls, terms: FrozenTerms, tables: Mapping[str, pa.Table], known: Iterable[Kind] = (),
        second: Mapping[str, Any] | None = None,
    ) -> "ReleaseAudit":  # fmt: skip
        """Return the audit of a release whose tables have these names.

        Those that it does not need are left out, and tables of planted items where none were declared.

        Args:
            terms: Of the release.
            tables: By name.
            known: The label kinds that there are; not looked at where the release was frozen with none by name.
            second: The event that drew which adjudicated items are judged again; None before that.

        Raises:
            AuditError: The release was frozen with another label kind.
        """
        needed = [one.name for one in fields(cls) if one.name not in _PLANTED or terms.planted_errors]
        own = {name: tables[name] for name in needed if name in tables}
        if RELEASE_ITEMS.name in tables:
            own["items"] = tables[RELEASE_ITEMS.name].sort_by("risk_rank")
        nonce, source = (None, None) if second is None else (str(second["nonce"]), str(second["source"]))
        return cls(terms, **own, kind=find_kind(terms, known), second_nonce=nonce, second_source=source)

    def is_same(self, one: Labels, other: Labels) -> pa.Array:
        """Tell which labels of two columns are the same; null is the same as nothing."""
        if self.kind is None:
            return are_equal(one, other, self.terms.ontology)
        return self.kind.is_same(one, other, self.terms.ontology)

    def find_answers(self, purpose: str) -> pa.Table:
        """Return the expert answers that count for a purpose, audit or expert; see `answers_for`."""
        return answers_for(self.terms, self.expert_answers, purpose)

    def judge(self, proposed: pa.Table, purpose: str, table: Table) -> pa.Table:
        """Hold labels against what experts say, all answers on an item that are the same having one text.

        An answer on a planted item that is the same as its label as frozen, where that is wrong, has overlooked it,
        though it be the same as the known label too: the audit would have called the frozen label right.

        Args:
            proposed: Columns release, batch, item_id and label.
            purpose: Whose answers count; see `answers_for`.
            table: AUDIT, ADJUDICATIONS or PLANTED_VERDICTS.

        Returns:
            One row an item, in the order given.
        """
        answers = self._with_overlooked(proposed) if table is PLANTED_VERDICTS else self.expert_answers
        answers = replace_same(answers, proposed, self.kind, self.terms.ontology)
        return verdicts(proposed, answers_for(self.terms, answers, purpose), self.terms.expert_answers, table)

    @cached_property
    def rows(self) -> ItemRows:
        """Which item each row of the other tables speaks of.

        Raises:
            AuditError: The items are not those that were frozen.
        """
        if self.items.num_rows != self.terms.items:
            raise AuditError(f"items: found {self.items.num_rows}; expected the {self.terms.items} that were frozen")
        return ItemRows(*find_rows(self.items, *(getattr(self, name) for name in ItemRows._fields)))

    @cached_property
    def marks(self) -> Reals:
        """The marks of the items in the draw."""
        return marks(Names(self.items), self.terms.seed)

    @cached_property
    def first_wave(self) -> Flags:
        """Which items are marked as audited whatever is found."""
        return _flags(self.items["is_audited"])

    @cached_property
    def first_draw(self) -> Flags:
        """Which items the seed draws to be audited whatever is found."""
        drawn = draw_first_wave(self.terms.design, Names(self.items), self.terms.seed, self.terms)
        if not self.terms.budgets:
            return drawn
        return drawn | draw_for_budgets(self.terms, self.items, self.places, self.classes, self.marks)

    @cached_property
    def classes(self) -> list[ClassPlace]:
        """The classes that labels may name."""
        return find_class_places(self.kind, self.terms.ontology)

    @cached_property
    def places(self) -> Integers:
        """Where the classes of the items' labels stand, see `split_labels`."""
        return split_labels(self.items["label"], self.kind, self.terms.ontology)

    def find_slices(self, said: Verdicts, expert_places: Integers) -> tuple[Slice, ...]:
        """Return the items of each budget by class or slice, with those that count against it.

        Args:
            said: What experts say of each item.
            expert_places: The classes that they name, see `split_labels`.
        """
        return tuple(
            count_against(budget, found, expert_places, *said, self.classes)
            for budget, found in zip(self.terms.budgets, self.budget_items, strict=True)
        )

    @cached_property
    def budget_items(self) -> list[tuple[Flags, Flags]]:
        """The items of each budget, and those that its share is of; see `find_slice`."""
        return [find_slice(*budget[:3], self.items, self.places, self.classes) for budget in self.terms.budgets]

    def draw(self, said: Verdicts, expert_places: Integers) -> Flags:
        """Return which items are to be audited: the first wave, and what the design adds by the verdicts on those.

        Args:
            said: What auditors say of each item; of those that are not drawn it does not count.
            expert_places: The classes that they name, see `split_labels`.
        """
        drawn = self.first_wave.copy()
        while True:
            known = Verdicts(*(flags & drawn for flags in said))
            due = find_due(self._evidence(drawn, known), self.terms, self.find_slices(known, expert_places))
            if not (due & ~drawn).any():
                return drawn
            drawn |= due

    @cached_property
    def drawn(self) -> Flags:
        """Which items the audit has to hold by what is known, those that are drawn again apart."""
        of_audit = (self.audit, self.rows.audit)
        return self.draw(self._of_items(of_audit), self._split_verdicts(of_audit))

    @cached_property
    def is_first(self) -> Flags:
        """Which rows of AUDIT the audit itself drew; the others were drawn again once adjudicated."""
        if not self.terms.adjudicators_audited:
            return np.ones(self.audit.num_rows, np.bool_)
        return _at(self.drawn, self.rows.audit)

    @cached_property
    def is_random(self) -> Flags:
        """Which rows of AUDIT are a random sample of all items, for estimates.

        Of strata, that is as many as the whole draw holds before the first item that its stratum left out; of a
        rising audit, the first wave.
        """
        if isinstance(self.terms.design, FixedSequence) and self.terms.budgets:
            return self.is_first & _at(self.terms.design.sample(self.evidence), self.rows.audit)
        if isinstance(self.terms.design, FixedSequence | EProcess):
            return self.is_first
        first = self.marks[~self.first_wave].min(initial=1.0)
        return self.is_first & _at(self.marks < first, self.rows.audit)

    @cached_property
    def drawn_again(self) -> Places:
        """Which rows of ADJUDICATIONS another expert judges again, in the order of their draw."""
        return draw_again(self.terms, self.adjudications, self.second_nonce)

    @property
    def adjudications_sha256(self) -> str:
        """The hash of all adjudications, of which is drawn what another expert judges again."""
        return hash_adjudications(self.terms, self.adjudications)

    @cached_property
    def is_again(self) -> Flags:
        """Which rows of AUDIT are settled verdicts of another expert on adjudicated items."""
        known = self.rows.adjudications[self.drawn_again]
        return np.isin(self.rows.audit, known[known >= 0]) & _flags(self.audit["is_settled"])

    @cached_property
    def second_audit(self) -> SecondAudit:
        """How many adjudicated items were drawn again and judged, and how many of them otherwise.

        A verdict is wrong where the label or contested differs.
        """
        again = self.audit.filter(pa.array(self.is_again))
        rows = self.rows.adjudications[self.drawn_again]
        place = self.drawn_again[_inverse(rows, self.items.num_rows)[self.rows.audit[self.is_again]]]
        before = self.adjudications["expert_label"].take(pa.array(place))
        is_same = pc.equal(again["expert_label"].fill_null(""), before.fill_null(""))
        return SecondAudit(
            count_to_draw(self.terms, self.adjudications),
            again.num_rows,
            again.num_rows - (pc.sum(is_same).as_py() or 0),
        )

    @cached_property
    def plants(self) -> Plants | None:
        """Planted items and their verdicts; None where there are none."""
        if not self.planted_verdicts.num_rows:
            return None
        row = _inverse(self.rows.planted_verdicts, self.items.num_rows)
        said = self.planted_verdicts.take(pa.array(row, mask=row < 0))
        is_caught = pc.equal(said["expert_label"], said["label"])
        is_ours = self.is_same(said["expert_label"], self.items["label"])
        is_overlooked = pc.and_(is_ours, pc.invert(is_caught))
        return Plants(
            row >= 0, _flags(said["is_settled"]), _flags(is_caught), _flags(is_overlooked), tier=self._tiers
        )  # fmt: skip

    @cached_property
    def item_verdicts(self) -> Verdicts:
        """What experts have said so far of each item.

        Where another expert has judged an adjudicated item again, that verdict counts.
        """
        return self._of_items(*self._judged)

    @cached_property
    def expert_places(self) -> Integers:
        """The classes that experts have named so far, see `split_labels`; shape items x parts."""
        return self._split_verdicts(*self._judged)

    @property
    def _judged(self) -> tuple[tuple[pa.Table, Places], ...]:
        """The tables of verdicts, with the items of their rows; the later count."""
        is_first, rows = self.is_first, self.rows
        return (
            (self.audit.filter(pa.array(is_first)), rows.audit[is_first]),
            (self.adjudications, rows.adjudications),
            (self.audit.filter(pa.array(self.is_again)), rows.audit[self.is_again]),
        )

    @cached_property
    def evidence(self) -> Evidence:
        """What experts have said so far, and which items were audited."""
        is_audited = self.first_wave.copy()
        is_audited[_known(self.rows.audit[self.is_first])] = True
        return self._evidence(is_audited, self.item_verdicts)

    @cached_property
    def assay(self) -> Assay:
        """What the evidence comes to: the cuts and the result."""
        return assay(
            self.evidence, self.terms, self.second_audit, self.find_slices(self.item_verdicts, self.expert_places)
        )

    def write_wording(
        self, result: AuditResult, are_auditors_independent: bool, witnessed: WitnessedDraws | None = None
    ) -> str:
        """Return the certificate's text for a result of this audit; see `wording` and `nonce_sentence`."""
        terms = self.terms
        means = "" if self.kind is None else self.kind.wrong_means(terms.ontology)
        return wording(
            result, terms.experts_description, are_auditors_independent, terms.design, terms.adjudicators_audited,
            terms.max_undecided_share, self.planted_kinds, is_older=terms.freeze_sha256 is None,
        ) + means + guideline_sentence(terms.guideline) + nonce_sentence(
            terms.nonce_source, witnessed, self.second_source
        ) + budgets_sentence(terms.budgets, result.status)  # fmt: skip

    def contested_upper(self, alpha: float) -> int:
        """Return the exact upper bound of the contested items among all, by the design of the audit.

        Args:
            alpha: Chance that the bound is below the truth.
        """
        return self.terms.design.upper(self.evidence, self.evidence.is_contested, alpha, self.terms)

    @cached_property
    def verdicts(self) -> pa.Table:
        """What experts settled; where an item was both audited and adjudicated, the audit counts.

        Columns batch, item_id, expert_label (null: contested) and decided_by; no item twice.
        """
        audited, adjudicated = _flags(self.audit["is_settled"]), _flags(self.adjudications["is_settled"])
        is_new = adjudicated & ~np.isin(self.rows.adjudications, _known(self.rows.audit[audited]))
        parts = ((self.audit, audited, "audit"), (self.adjudications, is_new, "expert"))
        return pa.concat_tables(
            table.filter(pa.array(flags)).select(["batch", "item_id", "expert_label"]).append_column(
                "decided_by", pa.repeat(pa.scalar(name, TEXT), int(flags.sum()))
            )
            for table, flags, name in parts
        )  # fmt: skip

    @cached_property
    def verdict_of(self) -> pa.Array:
        """The row of `verdicts` on each item; null where experts settled none."""
        (rows,) = find_rows(self.items, self.verdicts)
        place = _inverse(rows, self.items.num_rows)
        return pa.array(place, mask=place < 0)

    @cached_property
    def planted_draw(self) -> Flags:
        """Which rows of PLANTED_ITEMS the seed plants; the items have their log-odds."""
        return draw_to_plant(
            self._known_items, self.terms.planted_errors, self.terms.seed, read_tiers(self.planted_items)
        )

    @property
    def known_items_sha256(self) -> str:
        """The hash of the items of known label, which was frozen; the items have their log-odds."""
        return hash_known_items(self._known_items)

    @property
    def _known_items(self) -> pa.Table:
        """PLANTED_ITEMS with the log-odds of the items."""
        log_odds = self.items["log_odds"].take(_places(self.rows.planted_items))
        return self.planted_items.append_column("log_odds", log_odds)

    @cached_property
    def planted_tiers(self) -> Integers:
        """Return the kind of each row of PLANTED_ITEMS, by what crew and checker say; the items have their labels."""
        row = self.rows.planted_items
        pool = self.items.select(JUDGED_LABELS).take(pa.array(row, mask=row < 0))
        return find_tiers(pool.append_column("known_label", self.planted_items["known_label"]), self.is_same)

    @cached_property
    def planted_kinds(self) -> PlantedKinds | None:
        """How many items were planted of each kind; None where none were, or kinds were not told apart."""
        if not self.terms.planted_errors or self.plants is None or self.plants.tier is None:
            return None
        each = np.bincount(self.plants.tier[self.plants.is_planted], minlength=LAST_TIER + 1)
        erred, confused, others = (int(number) for number in each)
        counted = self.plants.counted(self.terms.sensitivity_alpha)
        return PlantedKinds(erred, confused, others, counted.planted, counted.flagged)

    @cached_property
    def planted_beside(self) -> pa.Table:
        """The planted items that the audit has not drawn: their questions are to be asked too."""
        is_drawn = np.isin(self.rows.planted_verdicts, self.rows.audit)
        return self.planted_verdicts.filter(pa.array(~is_drawn))

    @property
    def are_plants_settled(self) -> bool:
        """Whether every planted item has its verdict; so where none was planted."""
        return bool(_flags(self.planted_verdicts["is_settled"]).all())

    @property
    def caught(self) -> Planted | None:
        """How many items were planted, and how many of them were given the known label; None without any."""
        if not self.planted_verdicts.num_rows:
            return None
        right = pc.equal(self.planted_verdicts["expert_label"], self.planted_verdicts["label"])
        return Planted(self.planted_verdicts.num_rows, int(_flags(right).sum()))

    @property
    def _tiers(self) -> Integers | None:
        """The kind of each item that may be planted, the last of others; None where kinds were not told apart."""
        found = read_tiers(self.planted_items)
        if found is None:
            return None
        tier, row = np.full(self.items.num_rows, LAST_TIER), self.rows.planted_items
        tier[_known(row)] = found[row >= 0]
        return tier

    def _with_overlooked(self, known: pa.Table) -> pa.Table:
        """Return experts' answers, those that are the same as a frozen label which is wrong having its text.

        Args:
            known: Planted items with their known label.
        """
        answers = self.expert_answers
        if self.kind is None or self.kind.is_same is are_equal or not known.num_rows or not answers.num_rows:
            return answers
        (frozen,), (right,) = find_rows(self.items, answers), find_rows(known, answers)
        ours = self.items["label"].combine_chunks().take(_places(frozen))
        theirs = known["label"].combine_chunks().take(_places(right))
        said = answers["label"].combine_chunks()
        is_overlooked = _flags(self.is_same(said, ours)) & (right >= 0) & ~_flags(self.is_same(theirs, ours))
        label = pc.if_else(pa.array(is_overlooked), ours, said)
        return answers.set_column(answers.column_names.index("label"), "label", label)

    def _of_items(self, *judged: tuple[pa.Table, Places]) -> Verdicts:
        """Return what tables of verdicts say of each item, the later of which count; with the items of their rows."""
        found = Verdicts(*np.zeros((len(_SAID), self.items.num_rows), np.bool_))
        for table, rows in judged:
            for flags, said in zip(found, Verdicts.of(table), strict=True):
                flags[_known(rows)] = said[rows >= 0]
        return found

    def _split_verdicts(self, *judged: tuple[pa.Table, Places]) -> Integers:
        """Return the classes that tables of verdicts name of each item, the later of which count."""
        places = np.full(self.places.shape, -1)
        for table, rows in judged:
            said = split_labels(table["expert_label"], self.kind, self.terms.ontology)
            places[_known(rows)] = said[rows >= 0]
        return places

    def _evidence(self, is_audited: Flags, said: Verdicts) -> Evidence:
        needs_marks = isinstance(self.terms.design, EProcess | Rising) or bool(self.terms.budgets)
        of_draw = self.marks if needs_marks else None
        return Evidence(is_audited, *said, of_draw, self.plants, self.terms.undecided)


def load_release_audit(step: Step, *tables: str, columns: Sequence[str] = ()) -> ReleaseAudit:
    """Return the audit of a step's release, with these of its tables.

    Args:
        step: A step whose partition is the release's name.
        tables: Those that are read, and remembered as inputs; of planted items only where some were declared.
        columns: Of RELEASE_ITEMS, what is read beyond `NEEDED_ITEMS`.
    """
    terms = FrozenTerms.from_plan(step.read("release_plan").to_pylist()[0])
    wanted = _wanted(terms, tables)
    columns = (*columns, *(HASHED if terms.budgets else ()))
    found = {name: step.read(name, columns=_columns(name, columns)) for name in wanted}
    return ReleaseAudit.of(terms, found, [step.project.kind], _find_second(step.lake, terms))


def read_release_audit(
    lake: Lake, release: str, *tables: str, columns: Sequence[str] = (), known: Iterable[Kind] = ()
) -> ReleaseAudit:
    """Return the audit of a release in a lake, with those of its tables that are there; without items, with none.

    Args:
        lake: The project's lake.
        release: Its name.
        tables: Those that are read beside the items; of planted items only where some were declared.
        columns: Of RELEASE_ITEMS, what is read beyond `NEEDED_ITEMS`.
        known: The project's label kind; not looked at where the release was frozen with none by name.

    Raises:
        LakeError: The release was never planned.
        AuditError: The release was frozen with another label kind.
    """
    terms = FrozenTerms.from_plan(lake.read("release_plan", release).to_pylist()[0])
    if lake.commit(RELEASE_ITEMS.name, release) is None:
        return ReleaseAudit(terms)
    wanted, columns = _wanted(terms, tables), (*columns, *(HASHED if terms.budgets else ()))
    there = [RELEASE_ITEMS.name, *(name for name in wanted if lake.commit(name, release) is not None)]
    found = {name: lake.read(name, release, _columns(name, columns)) for name in there}
    return ReleaseAudit.of(terms, found, known, _find_second(lake, terms))


def _find_second(lake: Lake, terms: FrozenTerms) -> Mapping[str, Any] | None:
    """Return the event of a release's second draw; None where there is none."""
    return find_draw(lake.log(DRAWS).read(), terms.release, "adjudicators") if terms.adjudicators_audited else None


def _wanted(terms: FrozenTerms, tables: Sequence[str]) -> list[str]:
    """Return the tables to read; what is said of planted items is read with their kinds."""
    if not terms.planted_errors:
        return [name for name in tables if name not in _PLANTED]
    return list(dict.fromkeys([*tables, *(["planted_items"] if "planted_verdicts" in tables else [])]))


def _columns(table: str, more: Sequence[str]) -> list[str] | None:
    return list(dict.fromkeys((*NEEDED_ITEMS, *more))) if table == RELEASE_ITEMS.name else None


def _flags(column: pa.Array | pa.ChunkedArray) -> Flags:
    """Return a column of flags as an array; null counts as no."""
    return np.asarray(pc.fill_null(column, False), dtype=np.bool_)


def _places(rows: Places) -> pa.Array:
    """Return rows for Arrow to take; null where there is none."""
    return pa.array(rows, mask=rows < 0)


def _known(rows: Places) -> Places:
    return rows[rows >= 0]


def _at(flags: Flags, rows: Places) -> Flags:
    """Return the flags of these rows; of none, no."""
    return np.append(flags, False)[rows]


def _inverse(rows: Places, size: int) -> Places:
    """Return of each of `size` items the last place in `rows` that is its own; -1 where none is."""
    place = np.full(size, -1)
    place[_known(rows)] = np.flatnonzero(rows >= 0)
    return place
