"""Rework: what was sent back to each annotator and vendor, what became of it, and what experts accepted at first.

Counted when it is asked, and kept in no table: experts judge items after the tables of their batch were made, and their
verdicts must not make a batch anew that releases were frozen of.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.design import method_name
from cupel.certificate.hypergeometric import clopper_pearson_lower, clopper_pearson_upper
from cupel.config.project import Project
from cupel.contract.columns import TEXT
from cupel.lake.cached_rows import rows_of
from cupel.lake.lake import Lake
from cupel.people.annotators.annotators import ANONYMOUS
from cupel.people.answers.sent_back import SENT_BACK
from cupel.release.frozen_terms import FrozenTerms

SIDE_CONFIDENCE = 0.975
ANNOTATOR, VENDOR = "annotator", "vendor"


class ReworkCount(NamedTuple):
    """The rework of an annotator or vendor in one batch; items unless it says answers.

    Attributes:
        who: annotator, or vendor.
        name: Its name; `anonymous` for all whom the source does not name.
        answers_sent_back: Answers that do not count any more because their items were sent back.
        sent_back: Items of these.
        reworked: Those that the same annotator, or somebody of the vendor, has answered anew.
        rework_checked: Those of the reworked on whose label experts agree, before or after.
        rework_right: Those of the checked whose new answers say what the experts say.
        audited: Items answered by then that an audit drew, with a verdict.
        accepted: Those of the audited whose first answers said what the experts say.
        accepted_low: Lower end of the exact 95% interval of the share accepted among the audited; null where none is,
            or where the audit was no plain random sample.
        accepted_high: Upper end.
        adjudicated: Items that experts checked first because the audit had not accepted them: no random sample.
        adjudicated_accepted: Those of the adjudicated whose first answers said what the experts say.
    """

    who: str
    name: str
    answers_sent_back: int
    sent_back: int
    reworked: int
    rework_checked: int
    rework_right: int
    audited: int
    accepted: int
    accepted_low: float | None
    accepted_high: float | None
    adjudicated: int
    adjudicated_accepted: int

    @property
    def accepted_share(self) -> float | None:
        """First-time acceptance: the share of the audited items that were right at first; null without any."""
        return self.accepted / self.audited if self.audited else None


class _Check(NamedTuple):
    """The first verdict of experts on an item: what they said, about answers up to which, and how it was chosen."""

    label: str
    answers_until: int
    is_audit: bool
    is_random: bool


class _Answer(NamedTuple):
    """An annotator's answer on an item: its number in the log, by whom, its label, and whether it still counts."""

    sequence: int
    item_id: str
    annotator: str | None
    label: str | None
    counts: bool


def count_rework(lake: Lake, project: Project, batch: str, release: str | None = None) -> list[ReworkCount]:
    """Return the rework of each annotator, then of each vendor that the project names, by name.

    An item is accepted at first where more than half of the answers that somebody had given when experts first checked
    it say what the experts say: of an annotator, who answers once, that answer. Items on which experts stay split, and
    items that experts have not checked, count in neither number.

    Args:
        lake: The project's lake.
        project: The project.
        batch: The batch.
        release: Count what this release's experts said alone, as its report does: it is made again of its own tables.
            None: what those of all releases said.

    Returns:
        A row for each who has an item that was checked or sent back; none of a batch without annotations.
    """
    if lake.commit("annotations", batch) is None:
        return []
    checks, truth = _read_checks(lake, batch, release)
    answers = _read_answers(lake, project, batch, set(checks) | set(truth))
    is_right = _comparer(project, answers, (*(check.label for check in checks.values()), *truth.values()))
    people = _group(answers, lambda one: one.annotator or ANONYMOUS)
    whose = {name: vendor for vendor, names in project.labeling.vendors.items() for name in names}
    vendors = _group((one for one in answers if one.annotator in whose), lambda one: whose[str(one.annotator)])
    return [
        _count(who, name, theirs, checks, truth, is_right)
        for who, groups in ((ANNOTATOR, people), (VENDOR, vendors))
        for name, theirs in sorted(groups.items())
    ]


def _read_checks(lake: Lake, batch: str, release: str | None) -> tuple[dict[str, _Check], dict[str, str]]:
    """Return the first check of each item of a batch, and what experts agreed on last.

    An item that any audit drew counts as audited, whatever was adjudicated before: samples drawn one after another are
    together one random sample, and without those that an earlier release adjudicated the risky ones would be missing.
    """
    checks, truth = dict[str, _Check](), dict[str, str]()
    names = lake.partitions("release_plan") if release is None else [release]
    plans = [rows_of(lake, "release_plan", name)[0] for name in names]
    frozen = [FrozenTerms.from_plan(plan) for plan in plans if plan["status"] == "frozen"]
    for terms in sorted(frozen, key=lambda one: (one.answers_until, one.release)):
        for table in ("audit", "adjudications"):
            if batch not in terms.batches or lake.commit(table, terms.release) is None:
                continue
            for row in lake.read(table, terms.release, ["batch", "item_id", "expert_label"]).to_pylist():
                if row["batch"] == batch and row["expert_label"] is not None:
                    check = _Check(row["expert_label"], terms.answers_until, table == "audit", _is_random(terms))
                    first = checks.setdefault(row["item_id"], check)
                    if check.is_audit and not first.is_audit:
                        checks[row["item_id"]] = first._replace(is_audit=True, is_random=check.is_random)
                    truth[row["item_id"]] = row["expert_label"]
    return checks, truth


def _is_random(terms: FrozenTerms) -> bool:
    """Tell whether an audit is one simple random sample of the release: an interval of a share takes it for one."""
    return method_name(terms.design) == "fixed_sequence" and not terms.budgets


def _read_answers(lake: Lake, project: Project, batch: str, checked: set[str]) -> list[_Answer]:
    """Return the answers that count or were sent back, of items that were checked or sent back; earliest first."""
    rejected = lake.read("rejected_answers", batch, ["sequence", "item_id", "reason"])
    gone = rejected.filter(pc.equal(rejected["reason"], SENT_BACK))
    wanted = pa.array(sorted(checked | set(gone["item_id"].to_pylist())), TEXT)
    names = ["sequence", "item_id", "annotator", "label"]
    kept = lake.read("annotations", batch, names)
    kept = kept.filter(pc.is_in(kept["item_id"], value_set=wanted))
    found = [_Answer(**row, counts=True) for row in kept.to_pylist()]
    if gone.num_rows:
        log = lake.answers.read(batch, ["label"], names)
        lost = log.filter(pc.is_in(log["sequence"], value_set=gone["sequence"].combine_chunks()))
        labels = project.kind.parse(lost["label"], project.labeling.ontology)
        lost = lost.set_column(lost.column_names.index("label"), "label", labels)
        found += [_Answer(**row, counts=False) for row in lost.select(names).to_pylist()]
    return sorted(found)


def _comparer(project: Project, answers: Sequence[_Answer], said: Iterable[str]) -> Callable[[str | None, str], bool]:
    """Return what tells whether an answer says what the experts say, by the project's kind."""
    given = sorted({one.label for one in answers if one.label is not None})
    pairs = [(label, truth) for label in given for truth in sorted(set(said))] if len(given) < 1_000 else []
    known: dict[tuple[str, str], bool] = {}

    def compare(some: Sequence[tuple[str, str]]) -> None:
        ours, theirs = (pa.array([pair[at] for pair in some], TEXT) for at in (0, 1))
        known.update(zip(some, project.kind.is_same(ours, theirs, project.labeling.ontology).to_pylist(), strict=True))

    compare(pairs)

    def is_right(label: str | None, truth: str) -> bool:
        if label is None:
            return False
        if (label, truth) not in known:
            compare([(label, truth)])
        return bool(known[label, truth])

    return is_right


def _group(answers: Iterable[_Answer], name: Callable[[_Answer], str]) -> dict[str, list[_Answer]]:
    found: dict[str, list[_Answer]] = {}
    for one in answers:
        found.setdefault(name(one), []).append(one)
    return found


def _count(
    who: str, name: str, answers: Sequence[_Answer], checks: Mapping[str, _Check], truth: Mapping[str, str],
    is_right: Callable[[str | None, str], bool],
) -> ReworkCount:  # fmt: skip
    by_item = _group(answers, lambda one: one.item_id)
    audited, adjudicated = list[bool](), list[bool]()
    is_random = True
    for item, check in checks.items():
        first = _first_answers(by_item.get(item, ()), check.answers_until)
        if not first:
            continue
        is_accepted = 2 * sum(is_right(one.label, check.label) for one in first) > len(first)
        (audited if check.is_audit else adjudicated).append(is_accepted)
        is_random &= check.is_random or not check.is_audit
    gone = [one for one in answers if not one.counts]
    sent = {one.item_id: one.sequence for one in gone}
    anew = {
        item: new
        for item, last in sent.items()
        if (new := [one for one in by_item[item] if one.counts and one.sequence > last])
    }
    checked = {item: new for item, new in anew.items() if item in truth}
    right = sum(
        2 * sum(is_right(one.label, truth[item]) for one in new) > len(new) for item, new in checked.items()
    )  # fmt: skip
    has_interval = is_random and audited
    return ReworkCount(
        who, name, len(gone), len(sent), len(anew), len(checked), right, len(audited), sum(audited),
        clopper_pearson_lower(sum(audited), len(audited), SIDE_CONFIDENCE) if has_interval else None,
        clopper_pearson_upper(sum(audited), len(audited), SIDE_CONFIDENCE) if has_interval else None,
        len(adjudicated), sum(adjudicated),
    )  # fmt: skip


def _first_answers(answers: Sequence[_Answer], until: int) -> list[_Answer]:
    """Return the answers given by then, of each annotator the first; of those without a name all."""
    found: dict[str | int, _Answer] = {}
    for one in answers:
        if one.sequence <= until and one.label is not None:
            found.setdefault(one.annotator if one.annotator is not None else one.sequence, one)
    return list(found.values())
