"""Checks of a release's content: each recomputes a claim from the evidence and returns what is wrong, or nothing."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from cupel.certificate.result import Assay, AuditResult, Terms, assay, wording
from cupel.certificate.sample import draw
from cupel.release import layout
from cupel.release.freeze import audit_seed, items_sha256
from cupel.release.proof import evidence
from cupel.tables import AUDIT_RESULT

MOST_NAMED = 5

Row = dict[str, Any]
Name = tuple[str, str]


@dataclass(frozen=True)
class Opened:
    """A release's manifest, certificate.json and tables, by their path in the folder."""

    manifest: Row
    certificate: Row
    tables: Mapping[str, pa.Table]

    def evidence(self, name: str) -> list[Row]:
        """Return the rows of a table of the evidence."""
        return list(self.tables[f"evidence/{name}.parquet"].to_pylist())

    @cached_property
    def frozen(self) -> list[Row]:
        """The frozen items, in their order of risk."""
        return sorted(self.evidence("release_items"), key=lambda row: int(row["risk_rank"]))

    @cached_property
    def released(self) -> list[Row]:
        """The released items of all splits, with the file that each lies in as `file`."""
        return [{**row, "file": name} for name in layout.DATA_FILES for row in self.tables[name].to_pylist()]

    @property
    def withheld(self) -> list[Row]:
        """The items that were held back."""
        return list(self.tables[layout.WITHHELD_FILE].to_pylist())


def frozen_items(opened: Opened) -> str:
    """The hash of the frozen ids, labels and risk order is the one that plan and certificate name."""
    found = items_sha256(opened.tables["evidence/release_items.parquet"])
    ranks = [row["risk_rank"] for row in opened.frozen]
    if ranks != list(range(1, len(ranks) + 1)):
        return "the risk order has gaps or repeats"
    claims = {part: opened.certificate[part]["items_sha256"] for part in ("plan", "certificate")}
    wrong = [f"{part} says {claim}" for part, claim in claims.items() if claim != found]
    return f"the frozen items give {found}, but {'; '.join(wrong)}" if wrong else ""


def audit_draw(opened: Opened) -> str:
    """The seed is made of the frozen items; the audit is the sample that it draws, no item more or less."""
    frozen, plan = opened.frozen, opened.certificate["plan"]
    seed = audit_seed(plan["items_sha256"], opened.certificate["project_seed"], plan["attempt"])
    if seed != plan["seed"]:
        return f"the plan's seed is {plan['seed']}, but the frozen items give {seed}"
    names = [_name(row) for row in frozen]
    drawn = {names[place] for place in draw(names, plan["audit_size"], plan["seed"])}
    marked = {_name(row) for row in frozen if row["is_audited"]}
    judged = {_name(row) for row in opened.evidence("audit")}
    if drawn != marked:
        return f"the seed draws other items than those marked: {_some(drawn ^ marked)}"
    return f"the audit holds other items than those drawn: {_some(drawn ^ judged)}" if drawn != judged else ""


def proposed_labels(opened: Opened) -> str:
    """Audit and adjudications judge the labels that were frozen, and their verdicts follow from the labels."""
    labels = {_name(row): row["label"] for row in opened.frozen}
    for table in ("audit", "adjudications"):
        for row in opened.evidence(table):
            name, said = _name(row), row["expert_label"]
            if labels.get(name) != row["label"]:
                return f"{table}: {_id(name)} judges {row['label']!r}, but {labels.get(name)!r} was frozen"
            if row["is_wrong"] != (None if said is None else said != row["label"]):
                return f"{table}: {_id(name)}: is_wrong is {row['is_wrong']}, but the experts' label is {said!r}"
            if row["is_contested"] != (row["is_settled"] and said is None):
                return f"{table}: {_id(name)}: is_contested is {row['is_contested']}, but the label is {said!r}"
    return ""


def test_of_cuts(opened: Opened) -> str:
    """The fixed-sequence test, recomputed from the audit, gives the recorded cuts."""
    cuts = [cut._asdict() for cut in _assay(opened).cuts]
    recorded = [{key: row[key] for key in row if key != "release"} for row in opened.evidence("cuts")]
    recorded.sort(key=lambda row: int(row["accepted"]))
    if len(cuts) != len(recorded):
        return f"{len(recorded)} cuts are recorded, recomputing gives {len(cuts)}"
    for cut, row in zip(cuts, recorded, strict=True):
        different = _differences(row, cut)
        if different:
            return f"cut at {cut['accepted']} items: {different}"
    return ""


def certified_result(opened: Opened) -> str:
    """Status, bounds and counts of the certificate follow from the evidence."""
    result = _assay(opened).result
    if result.status != "certified":
        return f"the evidence gives {result.status}, not certified: {result.reason}"
    computed = vars(result)
    different = _differences(opened.certificate["audit_result"], {k: computed[k] for k in _result_columns()})
    if different:
        return f"audit_result: {different}"
    named = ("status", "error_budget", "confidence", "error_bound", "error_bound_with_contested", "items")
    shared = (*named, "experts_seen_share")
    different = _differences(opened.certificate["certificate"], {key: computed[key] for key in shared})
    return f"certificate: {different}" if different else ""


def certificate_wording(opened: Opened) -> str:
    """The certificate's text says what the result says."""
    plan, recorded = opened.certificate["plan"], opened.certificate["audit_result"]
    is_independent = opened.certificate["certificate"]["are_auditors_independent"]
    result = AuditResult(**{name: recorded[name] for name in _result_columns()})
    expected = wording(result, plan["experts_description"], is_independent)
    return "" if opened.certificate["certificate"]["wording"] == expected else "the text differs from the result's"


def nothing_lost(opened: Opened) -> str:
    """Every frozen item is either released or withheld, and no other item is."""
    frozen = {_name(row) for row in opened.frozen}
    released, withheld = [_name(row) for row in opened.released], [_name(row) for row in opened.withheld]
    twice = {name for name, times in Counter([*released, *withheld]).items() if times > 1}
    if twice:
        return f"there more than once: {_some(twice)}"
    absent, unknown = frozen - {*released, *withheld}, {*released, *withheld} - frozen
    problems = [f"frozen, but neither released nor withheld: {_some(absent)}"] if absent else []
    problems += [f"never frozen: {_some(unknown)}"] if unknown else []
    return "; ".join(problems)


def expert_labels(opened: Opened) -> str:
    """An item that experts settled carries their label; one that they contest is withheld; no other is."""
    verdicts = _verdicts(opened)
    for row in opened.released:
        said = verdicts.get(_name(row), row["label"])
        if row["label"] != said:
            return f"{_id(_name(row))} is released as {row['label']!r}, but the experts say {said!r}"
    not_contested = [_name(row) for row in opened.withheld if verdicts.get(_name(row), "unseen") is not None]
    return f"withheld, but not contested: {_some(set(not_contested))}" if not_contested else ""


def other_labels(opened: Opened) -> str:
    """A label that no expert judged is the one that was frozen; file, line, split, group and licence too."""
    verdicts, frozen = _verdicts(opened), {_name(row): row for row in opened.frozen}
    for row in opened.released:
        item = frozen.get(_name(row))
        if item is None:
            return f"{_id(_name(row))} was never frozen"
        kept = ["source_file", "line", "split", "group_id", "licence"]
        kept += [] if _name(row) in verdicts else ["label", "decided_by"]
        different = _differences(row, {key: item[key] for key in kept})
        if different:
            return f"{_id(_name(row))}: {different}"
    return ""


def splits_without_leaks(opened: Opened) -> str:
    """Every item lies in the file of its split, and no group lies in two splits."""
    split_of: dict[str, str] = {}
    for row in opened.released:
        if row["file"] != f"data/{row['split']}.parquet":
            return f"{_id(_name(row))} is in {row['file']}, but its split is {row['split']!r}"
        if split_of.setdefault(row["group_id"], row["split"]) != row["split"]:
            return f"group {row['group_id']!r} is in {split_of[row['group_id']]} and in {row['split']}"
    return ""


def one_release(opened: Opened) -> str:
    """Manifest, certificate and every row speak of one release."""
    release = opened.manifest["release"]
    found = {opened.certificate[part]["release"] for part in ("certificate", "plan", "audit_result")}
    for table in opened.tables.values():
        if "release" in table.column_names:
            found |= set(table["release"].unique().to_pylist())
    others = sorted(found - {release})
    return f"the manifest is of {release}, but there are rows of {', '.join(others)}" if others else ""


CONTENT_CHECKS: dict[str, Callable[[Opened], str]] = {
    "everything is of one release": one_release,
    "the frozen items have the certificate's hash": frozen_items,
    "the audit is the sample that its seed draws": audit_draw,
    "experts judged the labels that were frozen": proposed_labels,
    "the test of the cuts, recomputed, is the same": test_of_cuts,
    "the certificate, recomputed, is the same": certified_result,
    "the certificate's text says what the result says": certificate_wording,
    "every frozen item is released or withheld": nothing_lost,
    "labels that experts judged are theirs": expert_labels,
    "labels that no expert judged are as frozen": other_labels,
    "no group is in two splits": splits_without_leaks,
}


def _assay(opened: Opened) -> Assay:
    plan, tables = opened.certificate["plan"], opened.tables
    terms = Terms(plan["error_budget"], plan["attempt"], plan["max_experts_seen_share"])
    items, audit, adjudicated = (
        tables[f"evidence/{name}.parquet"] for name in ("release_items", "audit", "adjudications")
    )
    return assay(evidence(items, audit, adjudicated), terms)


def _verdicts(opened: Opened) -> dict[Name, str | None]:
    rows = (*opened.evidence("adjudications"), *opened.evidence("audit"))
    return {_name(row): row["expert_label"] for row in rows if row["is_settled"]}


def _result_columns() -> list[str]:
    return [column.name for column in AUDIT_RESULT.columns if column.name != "release"]


def _differences(found: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    different = [
        f"{key} is {found.get(key)!r}, expected {value!r}" for key, value in expected.items() if found.get(key) != value
    ]
    return "; ".join(different)


def _name(row: Row) -> Name:
    return str(row["batch"]), str(row["item_id"])


def _id(name: Name) -> str:
    return f"{name[0]}/{name[1]}"


def _some(names: set[Name]) -> str:
    """Return the first few ids of a set, and how many there are."""
    shown = ", ".join(_id(name) for name in sorted(names)[:MOST_NAMED])
    return shown if len(names) <= MOST_NAMED else f"{shown} and {len(names) - MOST_NAMED} more"
