"""Checks of a release's content: each recomputes a claim from the evidence and returns what is wrong, or nothing."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.answers.places import places
from cupel.certificate.result import AuditResult
from cupel.certificate.sequence import Flags
from cupel.certificate.wording import wording
from cupel.contract.tables.release import AUDIT_RESULT
from cupel.release.audit_design import first_wave, terms_of
from cupel.release.freeze import audit_seed, items_sha256
from cupel.release.layout import CONTAMINATION_FILES, LEFT_OUT_FILE, OVERLAPS_FILE
from cupel.release.names import Name, Names
from cupel.release.opened import Opened, Row
from cupel.release.planted import drawn_to_plant
from cupel.release.recheck_contamination import unwanted_items
from cupel.release.recheck_terms import licences_let_it
from cupel.release.second_audit import drawn_again

MOST_NAMED = 5
# What a released item keeps as it was frozen: always, and where no expert judged it.
_KEPT = ("source_file", "line", "split", "group_id", "licence")
_KEPT_UNLESS_JUDGED = ("label", "decided_by")


def frozen_items(opened: Opened) -> str:
    """The hash of the frozen ids, labels and risk order is the one that plan and certificate name."""
    found = items_sha256(opened.frozen)
    ranks = opened.frozen["risk_rank"].to_numpy()
    if not np.array_equal(ranks, np.arange(1, len(ranks) + 1)):
        return "the risk order has gaps or repeats"
    claims = {part: opened.certificate[part]["items_sha256"] for part in ("plan", "certificate")}
    wrong = [f"{part} says {claim}" for part, claim in claims.items() if claim != found]
    return f"the frozen items give {found}, but {'; '.join(wrong)}" if wrong else ""


def audit_draw(opened: Opened) -> str:
    """The seed is made of the frozen items; the audit is the sample that it draws, no item more or less.

    Where adjudicators are audited, what is drawn of their items, by the seed made of their verdicts, is part of it.
    """
    frozen, plan = opened.frozen, opened.certificate["plan"]
    seed = audit_seed(plan["items_sha256"], opened.certificate["project_seed"], plan["attempt"])
    if seed != plan["seed"]:
        return f"the plan's seed is {plan['seed']}, but the frozen items give {seed}"
    terms = terms_of(plan)
    is_drawn = first_wave(terms.design, Names(frozen), plan["seed"], terms)
    drawn = set(Names(frozen.filter(pa.array(is_drawn))))
    marked = set(Names(frozen.filter(frozen["is_audited"])))
    judged = set(Names(opened.evidence("audit")))
    if drawn != marked:
        return f"the seed draws other items than those marked: {_some(drawn ^ marked)}"
    drawn = set(Names(frozen.filter(pa.array(opened.drawn))))
    drawn |= set(Names(drawn_again(plan, opened.evidence("adjudications"))))
    if drawn != judged:
        return f"the audit holds other items than those drawn: {_some(drawn ^ judged)}"
    return _planted_draw(opened) if terms.planted_errors else ""


def _planted_draw(opened: Opened) -> str:
    """The items planted among the auditors' are those that the seed draws of all that are known."""
    known, plan = opened.evidence("planted_items"), opened.certificate["plan"]
    drawn = set(Names(known.filter(pa.array(drawn_to_plant(plan, opened.frozen, known)))))
    for what, table in (
        ("marked as planted", known.filter(known["is_planted"])),
        ("judged as planted", opened.evidence("planted_verdicts")),
    ):
        if found := drawn ^ set(Names(table)):
            return f"the seed plants other items than those {what}: {_some(found)}"
    return ""


def proposed_labels(opened: Opened) -> str:
    """Audit and adjudications judge the labels that were frozen, and their verdicts follow from the labels."""
    for name in ("audit", "adjudications"):
        table, numbers = opened.evidence(name), opened.numbers
        frozen = opened.frozen["label"].take(numbers.place(getattr(numbers, name), numbers.frozen))
        said = table["expert_label"]
        is_wrong = pc.not_equal(said, table["label"])
        is_contested = pc.and_(table["is_settled"], pc.is_null(said))
        row = _first(_differ(table["label"], frozen), _differ(table["is_wrong"], is_wrong),
                     _differ(table["is_contested"], is_contested))  # fmt: skip
        if row is not None:
            return f"{name}: {_misjudged(table.slice(row, 1).to_pylist()[0], frozen[row].as_py())}"
    return _planted_labels(opened) if opened.planted is not None else ""


def _planted_labels(opened: Opened) -> str:
    """What auditors said of planted items was held against the labels that are known."""
    known, planted = opened.evidence("planted_items"), opened.evidence("planted_verdicts")
    one, other = places(known, planted)
    label = known["known_label"].take(pc.index_in(pa.array(other), value_set=pa.array(one)))
    said = planted["expert_label"]
    row = _first(_differ(planted["label"], label), _differ(planted["is_wrong"], pc.not_equal(said, label)),
                 _differ(planted["is_contested"], pc.and_(planted["is_settled"], pc.is_null(said))))  # fmt: skip
    if row is None:
        return ""
    return f"planted_verdicts: {_misjudged(planted.slice(row, 1).to_pylist()[0], label[row].as_py(), 'known')}"


def _misjudged(row: Row, frozen: str | None, was: str = "frozen") -> str:
    """Return what is wrong with a row of audit, adjudications or planted_verdicts."""
    name, said = _id(_name(row)), row["expert_label"]
    if frozen != row["label"]:
        return f"{name} judges {row['label']!r}, but {frozen!r} was {was}"
    if row["is_wrong"] != (None if said is None else said != row["label"]):
        return f"{name}: is_wrong is {row['is_wrong']}, but the experts' label is {said!r}"
    return f"{name}: is_contested is {row['is_contested']}, but the label is {said!r}"


def test_of_cuts(opened: Opened) -> str:
    """The test of the cuts by the declared design, recomputed from the audit, gives the recorded cuts."""
    cuts = [cut._asdict() for cut in opened.assay.cuts]
    recorded = opened.evidence("cuts").drop_columns("release").to_pylist()
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
    result = opened.assay.result
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
    result = AuditResult(**{name: recorded.get(name) for name in _result_columns()})
    terms = terms_of(plan)
    expected = wording(result, plan["experts_description"], is_independent, terms.design, terms.adjudicators_audited)
    return "" if opened.certificate["certificate"]["wording"] == expected else "the text differs from the result's"


def nothing_lost(opened: Opened) -> str:
    """Every frozen item is either released or withheld, and no other item is."""
    numbers = opened.numbers
    there = np.concatenate([numbers.released, numbers.withheld])
    size = 1 + max(part.max(initial=-1) for part in numbers)
    times, frozen = np.bincount(there, minlength=size), np.bincount(numbers.frozen, minlength=size)
    twice = _named(opened, times > 1)
    if twice:
        return f"there more than once: {_some(twice)}"
    absent, unknown = _named(opened, (frozen > 0) & (times == 0)), _named(opened, (frozen == 0) & (times > 0))
    problems = [f"frozen, but neither released nor withheld: {_some(absent)}"] if absent else []
    problems += [f"never frozen: {_some(unknown)}"] if unknown else []
    return "; ".join(problems)


def _named(opened: Opened, is_meant: Flags) -> set[Name]:
    """Return the names of the items with these numbers, as far as they were frozen, released or withheld."""
    numbers = opened.numbers
    found: set[Name] = set()
    for table, own in (
        (opened.frozen, numbers.frozen), (opened.released, numbers.released), (opened.withheld, numbers.withheld),
    ):  # fmt: skip
        found.update(Names(table.filter(pa.array(is_meant[own]))))
    return found


def expert_labels(opened: Opened) -> str:
    """An item that experts settled carries their label; one that they contest is withheld; no other is."""
    numbers, verdicts = opened.numbers, opened.verdicts
    place = numbers.place(numbers.released, numbers.verdicts)
    said = verdicts["expert_label"].take(place)
    row = _first(pc.and_(pc.is_valid(place), _differ(opened.released["label"], said)))
    if row is not None:
        name, label = _name(opened.released.slice(row, 1).to_pylist()[0]), opened.released["label"][row].as_py()
        return f"{_id(name)} is released as {label!r}, but the experts say {said[row].as_py()!r}"
    place = numbers.place(numbers.withheld, numbers.verdicts)
    is_contested = pc.and_(pc.is_valid(place), pc.is_null(verdicts["expert_label"].take(place)))
    not_contested = set(Names(opened.withheld.filter(pc.invert(is_contested))))
    return f"withheld, but not contested: {_some(not_contested)}" if not_contested else ""


def other_labels(opened: Opened) -> str:
    """A label that no expert judged is the one that was frozen; file, line, split, group and licence too."""
    numbers, released = opened.numbers, opened.released
    place = numbers.place(numbers.released, numbers.frozen)
    is_judged = pc.is_valid(numbers.place(numbers.released, numbers.verdicts))
    problems = [pc.is_null(place)]
    for key in (*_KEPT, *_KEPT_UNLESS_JUDGED):
        differs = _differ(released[key], opened.frozen[key].take(place))
        problems.append(pc.and_not(differs, is_judged) if key in _KEPT_UNLESS_JUDGED else differs)
    row = _first(*problems)
    if row is None:
        return ""
    found = released.slice(row, 1).to_pylist()[0]
    if not place[row].is_valid:
        return f"{_id(_name(found))} was never frozen"
    item = opened.frozen.slice(place[row].as_py(), 1).to_pylist()[0]
    kept = _KEPT if is_judged[row].as_py() else (*_KEPT, *_KEPT_UNLESS_JUDGED)
    return f"{_id(_name(found))}: {_differences(found, {key: item[key] for key in kept})}"


def splits_without_leaks(opened: Opened) -> str:
    """Every item lies in the file of its split, and no group lies in two splits."""
    released = opened.released
    in_file = pc.binary_join_element_wise("data/", pc.binary_join_element_wise(released["split"], ".parquet", ""), "")
    group = released["group_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    _, first, number = np.unique(group, return_index=True, return_inverse=True)
    known = released["split"].take(pa.array(first[number]))
    row = _first(_differ(released["file"], in_file), _differ(released["split"], known))
    if row is None:
        return ""
    found, split = released.slice(row, 1).to_pylist()[0], known[row].as_py()
    if found["file"] != f"data/{found['split']}.parquet":
        return f"{_id(_name(found))} is in {found['file']}, but its split is {found['split']!r}"
    return f"group {found['group_id']!r} is in {split} and in {found['split']}"


def one_release(opened: Opened) -> str:
    """Manifest, certificate and every row speak of one release."""
    release = opened.manifest["release"]
    found = {opened.certificate[part]["release"] for part in ("certificate", "plan", "audit_result")}
    for table in opened.tables.values():
        if "release" in table.column_names:
            found |= set(table["release"].unique().to_pylist())
    others = sorted(found - {release})
    return f"the manifest is of {release}, but there are rows of {', '.join(others)}" if others else ""


def evaluation_sets(opened: Opened) -> str:
    """What is said of evaluation sets is said of all frozen items, and none of these holds too much of one.

    The texts of the sets are not in the release, so that this is no search of its own.
    """
    table = opened.tables.get(OVERLAPS_FILE)
    for row in [] if table is None else table.to_pylist():
        if row["items"] != opened.frozen.num_rows:
            return f"{row['reference_set']}: {row['items']} items were held against it, {opened.frozen.num_rows} frozen"
        if row["items_over"] or (row["largest_share"] or 0.0) > row["most_share"]:
            return f"{row['reference_set']}: {row['items_over']} items hold too much of it: {row['evidence']}"
    return ""


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
    "what is said of unwanted items, recomputed, is the same": unwanted_items,
    "licences and terms let every item in": licences_let_it,
    "no item holds too much of an evaluation set": evaluation_sets,
}

# Checks that came with a later format, and the files and keys of certificate.json that make a release of an older one
# answer for them all the same: whatever is claimed is checked.
_LATER: dict[Callable[[Opened], str], tuple[int, tuple[str, ...], tuple[str, str]]] = {
    unwanted_items: (2, tuple(CONTAMINATION_FILES), ("", "contamination")),
    licences_let_it: (3, (LEFT_OUT_FILE,), ("plan", "licences")),
    evaluation_sets: (3, (OVERLAPS_FILE,), ("", "overlaps")),
}


def is_asked(name: str, number: int, manifest: Row, opened: Opened | str) -> bool:
    """Tell whether a release has to pass a check: its format knows it, or it claims what the check is about.

    Args:
        name: One of `CONTENT_CHECKS`.
        number: The format of the release.
        manifest: Its manifest.
        opened: Its tables and certificate, or why they cannot be read.
    """
    since, files, (part, key) = _LATER.get(CONTENT_CHECKS[name], (1, (), ("", "")))
    named = {row["path"] for row in manifest["files"]}
    if number >= since or named.intersection(files):
        return True
    said: Any = None if isinstance(opened, str) else opened.certificate
    if part:
        said = said.get(part) if isinstance(said, Mapping) else None
    return isinstance(said, Mapping) and key in said


def _differ(one: pa.ChunkedArray, other: pa.ChunkedArray) -> pa.ChunkedArray:
    """Tell where two columns differ; null is equal to null."""
    one_null, other_null = pc.is_null(one), pc.is_null(other)
    return pc.or_(pc.xor(one_null, other_null), pc.fill_null(pc.not_equal(one, other), False))


def _first(*problems: pa.ChunkedArray) -> int | None:
    """Return the first row that has any of these problems; None where no row has one."""
    row = min((place for flags in problems if (place := pc.index(flags, True).as_py()) >= 0), default=None)
    return None if row is None else int(row)


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
