"""Checks of a release's content: each recomputes a claim from the evidence and returns what is wrong, or nothing."""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.attempts import attempt_alpha
from cupel.certificate.result import AuditResult
from cupel.certificate.sequence import Flags
from cupel.checking.labels import LAST_LOG_ODDS
from cupel.contract.format_numbers import RELEASE
from cupel.contract.item_numbers import Places
from cupel.contract.tables.release import AUDIT_RESULT
from cupel.people.answers.signed_answers import SIGNED_ANSWERS
from cupel.release.freeze import items_sha256, items_sha256_without_content
from cupel.release.frozen_terms import GUIDELINE, SLICES
from cupel.release.guidelines import find_guideline_problem
from cupel.release.layout import (
    CONTAMINATION_FILES,
    GUIDELINE_FILE,
    IMAGES_FILE,
    LEFT_OUT_FILE,
    OVERLAPS_FILE,
    SLICE_BOUNDS_FILE,
    WITNESSED,
    is_image_copy,
)
from cupel.release.names import Name, Names, find_rows
from cupel.release.planted import name_sources
from cupel.release.probabilities import DECIMALS, find_probabilities
from cupel.release.recheck_contamination import unwanted_items
from cupel.release.recheck_draws import find_second_problem, find_seed_problem, is_drawn_by_nonce, witnessed_draws
from cupel.release.recheck_terms import licences_let_it
from cupel.release.recheck_verdicts import are_answers_there, expert_verdicts
from cupel.release.release_audit import ReleaseAudit
from cupel.release.release_content import ReleaseContent, Row
from cupel.release.signed_share import count_share, find_signed_problem, signed_sentence
from cupel.release.slice_bounds import bound_slices
from cupel.release.slices import hash_slices

MOST_NAMED = 5
_NAME = ["batch", "item_id"]
# What a released item keeps as it was frozen: always, and where no expert judged it.
_KEPT = ("source_file", "line", "split", "group_id", "licence")
_KEPT_UNLESS_JUDGED = ("label", "decided_by")

# How far chances may differ that other processors and library versions computed.
LAST_DIGITS = 1e-9


def frozen_items(content: ReleaseContent) -> str:
    """The hash of the frozen ids, contents, labels and risk order is the one that plan and certificate name.

    Up to format 3 it is that of ids, labels and risk order.
    """
    items = content.audit.items
    hash_items = items_sha256 if is_drawn_by_nonce(content) else items_sha256_without_content
    found, ranks, sliced = hash_items(items), items["risk_rank"].to_numpy(), content.audit.terms.slices_sha256
    if sliced is not None and (by := hash_slices(items)) != sliced:
        return f"what items are sliced by gives {by}, but {sliced} was frozen"
    if not np.array_equal(ranks, np.arange(1, len(ranks) + 1)):
        return "the risk order has gaps or repeats"
    claims = {part: content.certificate[part]["items_sha256"] for part in ("plan", "certificate")}
    wrong = [f"{part} says {claim}" for part, claim in claims.items() if claim != found]
    return f"the frozen items give {found}, but {'; '.join(wrong)}" if wrong else ""


def audit_draw(content: ReleaseContent) -> str:
    """The seed is made of all that was frozen and the nonce; the audit is the sample that it draws, no more, no less.

    Where adjudicators are audited, what is drawn of their items, by the seed made of their verdicts, is part of it.
    """
    audit, terms = content.audit, content.audit.terms
    if problem := find_seed_problem(content):
        return problem
    if (wrong := audit.first_draw ^ audit.first_wave).any():
        return f"the seed draws other items than those marked: {_some(_names(audit.items, wrong))}"
    if problem := find_second_problem(content):
        return problem
    drawn = _names(audit.items, audit.drawn)
    drawn |= set(Names(audit.adjudications.take(pa.array(audit.drawn_again))))
    judged = set(Names(audit.audit))
    if drawn != judged:
        return f"the audit holds other items than those drawn: {_some(drawn ^ judged)}"
    if (size := int(audit.first_wave.sum())) != terms.audit_size:
        return f"the plan's audit_size is {terms.audit_size}, but {size} items are marked"
    return _planted_draw(audit) if terms.planted_errors else ""


def _planted_draw(audit: ReleaseAudit) -> str:
    """The items planted among the auditors' are those that the seed draws of all that are known."""
    known = audit.planted_items
    if strange := _names(known, audit.rows.planted_items < 0) | _find_repeated(known):
        return f"planted_items: there more than once, or never frozen: {_some(strange)}"
    if problem := _planted_kinds(audit):
        return problem
    if audit.terms.known_items_sha256 not in (None, sha256 := audit.known_items_sha256):
        return f"the known labels give {sha256}, but {audit.terms.known_items_sha256} was frozen"
    drawn, declared = _names(known, audit.planted_draw), audit.terms.planted_errors
    if len(drawn) != declared:
        return f"{declared} planted items were declared, but only {len(drawn)} of known label are there"
    for what, table in (
        ("marked as planted", known.filter(known["is_planted"])),
        ("judged as planted", audit.planted_verdicts),
    ):
        if found := drawn ^ set(Names(table)):
            return f"the seed plants other items than those {what}: {_some(found)}"
    return ""


def _planted_kinds(audit: ReleaseAudit) -> str:
    """What is said of why items are planted follows from the labels that were frozen with them."""
    known, terms = audit.planted_items, audit.terms
    if terms.freeze_sha256 is None:  # frozen before kinds were told apart
        told = known.filter(pc.is_valid(known["source"]))
        return f"planted_items: of a release that had no kinds: {_some(set(Names(told)))}" if told.num_rows else ""
    expected = pa.chunked_array([name_sources(audit.planted_tiers)])
    row = _first(_differ(known["source"], expected))
    if row is None:
        return ""
    name = _id(_name(known.slice(row, 1).to_pylist()[0]))
    return f"planted_items: {name}: source is {known['source'][row].as_py()!r}, expected {expected[row].as_py()!r}"


def proposed_labels(content: ReleaseContent) -> str:
    """Audit and adjudications judge each the labels that were frozen, once, and verdicts follow from the labels.

    None is settled by fewer answers than the plan asks for: of those a share may be called signed.
    """
    audit = content.audit
    for name in ("audit", "adjudications", "planted_verdicts"):
        table: pa.Table = getattr(audit, name)
        if repeated := _find_repeated(table):
            return f"{name}: judged more than once: {_some(repeated)}"
        is_short = pc.and_(table["is_settled"], pc.less(table["answers"], audit.terms.expert_answers))
        if short := set(Names(table.filter(is_short))):
            return f"{name}: settled by fewer than {audit.terms.expert_answers} answers: {_some(short)}"
    for name, table, rows in (
        ("audit", audit.audit, audit.rows.audit),
        ("adjudications", audit.adjudications, audit.rows.adjudications),
    ):
        frozen = audit.items["label"].take(_places(rows))
        if row := _first_misjudged(table, frozen):
            return f"{name}: {_misjudged(row[0], row[1])}"
    if not audit.terms.planted_errors:
        return ""
    (rows,) = find_rows(audit.planted_items, audit.planted_verdicts)
    known = audit.planted_items["known_label"].take(_places(rows))
    row = _first_misjudged(audit.planted_verdicts, known)
    return f"planted_verdicts: {_misjudged(row[0], row[1], 'known')}" if row else ""


def _first_misjudged(table: pa.Table, labels: pa.ChunkedArray) -> tuple[Row, str | None] | None:
    """Return the first verdict that does not judge its label, or does not follow from it, with that label."""
    said = table["expert_label"]
    is_contested = pc.and_(table["is_settled"], pc.is_null(said))
    row = _first(_differ(table["label"], labels), _differ(table["is_wrong"], pc.not_equal(said, table["label"])),
                 _differ(table["is_contested"], is_contested))  # fmt: skip
    return None if row is None else (table.slice(row, 1).to_pylist()[0], labels[row].as_py())


def _misjudged(row: Row, frozen: str | None, was: str = "frozen") -> str:
    """Return what is wrong with a row of audit, adjudications or planted_verdicts."""
    name, said = _id(_name(row)), row["expert_label"]
    if frozen != row["label"]:
        return f"{name} judges {row['label']!r}, but {frozen!r} was {was}"
    if row["is_wrong"] != (None if said is None else said != row["label"]):
        return f"{name}: is_wrong is {row['is_wrong']}, but the experts' label is {said!r}"
    return f"{name}: is_contested is {row['is_contested']}, but the label is {said!r}"


def test_of_cuts(content: ReleaseContent) -> str:
    """The test of the cuts by the declared design, recomputed from the audit, gives the recorded cuts."""
    cuts = [cut._asdict() for cut in content.audit.assay.cuts]
    recorded = content.tables["evidence/cuts.parquet"].drop_columns("release").to_pylist()
    recorded.sort(key=lambda row: int(row["accepted"]))
    if len(cuts) != len(recorded):
        return f"{len(recorded)} cuts are recorded, recomputing gives {len(cuts)}"
    for cut, row in zip(cuts, recorded, strict=True):
        different = _differences(row, {name: _as_recorded(value, row.get(name)) for name, value in cut.items()})
        if different:
            return f"cut at {cut['accepted']} items: {different}"
    return ""


def _as_recorded(computed: Any, recorded: Any) -> Any:
    """Return a recorded number in place of one that differs from it in the last digits: processors add otherwise.

    Whether a cut passed, and every count, must be the same.
    """
    is_close = (
        isinstance(computed, float)
        and isinstance(recorded, float)
        and math.isclose(computed, recorded, rel_tol=LAST_DIGITS)
    )
    return recorded if is_close else computed


def certified_result(content: ReleaseContent) -> str:
    """Status, bounds and counts of the certificate follow from the evidence."""
    terms, result = content.audit.terms, content.audit.assay.result
    fixed = {"status": "frozen", "alpha": attempt_alpha(terms.attempt)}
    if different := _differences(content.certificate["plan"], fixed):
        return f"plan: {different}"
    if result.status != "certified":
        return f"the evidence gives {result.status}, not certified: {result.reason}"
    computed = vars(result)
    different = _differences(content.certificate["audit_result"], {k: computed[k] for k in _result_columns()})
    if different:
        return f"audit_result: {different}"
    named = ("status", "error_budget", "confidence", "error_bound", "error_bound_with_contested", "items")
    shared = (*named, "experts_seen_share")
    different = _differences(content.certificate["certificate"], {key: computed[key] for key in shared})
    return f"certificate: {different}" if different else ""


def bounds_by_slice(content: ReleaseContent) -> str:
    """The bounds by class and slice, recomputed from the evidence, are those that are told."""
    table = content.tables.get(SLICE_BOUNDS_FILE)
    if table is None:
        return f"{SLICE_BOUNDS_FILE} is missing, though the plan says that classes and slices are bounded"
    expected = bound_slices(content.audit).to_pylist()
    found = {(row["by"], row["value"]): row for row in table.to_pylist()}
    if len(found) != len(expected):
        return f"{SLICE_BOUNDS_FILE}: {len(found)} classes and slices are told, recomputing gives {len(expected)}"
    for row in expected:
        if different := _differences(found.get((row["by"], row["value"]), {}), row):
            return f"{SLICE_BOUNDS_FILE}: {row['by']} {row['value']}: {different}"
    return ""


def certificate_wording(content: ReleaseContent) -> str:
    """The certificate's text says what the result says."""
    terms, recorded = content.audit.terms, content.certificate["audit_result"]
    is_independent = content.certificate["certificate"]["are_auditors_independent"]
    if is_independent and not terms.are_auditors_independent:
        return "it calls the auditors independent, but the plan does not"
    result = AuditResult(**{name: recorded.get(name) for name in _result_columns()})
    told, witnessed = content.certificate.get(SIGNED_ANSWERS), content.certificate.get(WITNESSED)
    share = None if told is None else count_share(told, content.audit)
    expected = content.audit.write_wording(result, is_independent, witnessed) + signed_sentence(share)
    return "" if content.certificate["certificate"]["wording"] == expected else "the text differs from the result's"


def nothing_lost(content: ReleaseContent) -> str:
    """Every frozen item is either released or withheld, and no other item is."""
    there = pa.concat_tables([content.released.select(_NAME), content.withheld.select(_NAME)])
    rows = np.concatenate(content.rows)
    times = np.bincount(rows[rows >= 0], minlength=content.audit.items.num_rows)
    unknown = Counter(Names(there.filter(pa.array(rows < 0))))
    twice = _names(content.audit.items, times > 1) | {name for name, number in unknown.items() if number > 1}
    if twice:
        return f"there more than once: {_some(twice)}"
    absent = _names(content.audit.items, times == 0)
    problems = [f"frozen, but neither released nor withheld: {_some(absent)}"] if absent else []
    problems += [f"never frozen: {_some(set(unknown))}"] if unknown else []
    return "; ".join(problems)


def expert_labels(content: ReleaseContent) -> str:
    """An item that experts settled carries their label; one that they contest is withheld; no other is."""
    audit, (released, withheld) = content.audit, content.rows
    place = audit.verdict_of.take(_places(released))
    said = audit.verdicts["expert_label"].take(place)
    row = _first(pc.and_(pc.is_valid(place), _differ(content.released["label"], said)))
    if row is not None:
        name, label = _name(content.released.slice(row, 1).to_pylist()[0]), content.released["label"][row].as_py()
        return f"{_id(name)} is released as {label!r}, but the experts say {said[row].as_py()!r}"
    place = audit.verdict_of.take(_places(withheld))
    is_contested = pc.and_(pc.is_valid(place), pc.is_null(audit.verdicts["expert_label"].take(place)))
    not_contested = set(Names(content.withheld.filter(pc.invert(is_contested))))
    return f"withheld, but not contested: {_some(not_contested)}" if not_contested else ""


def other_labels(content: ReleaseContent) -> str:
    """A label that no expert judged is the one that was frozen; file, line, split, group and licence too."""
    audit, released = content.audit, content.released
    place = _places(content.rows[0])
    is_judged = pc.is_valid(audit.verdict_of.take(place))
    problems = [pc.is_null(place)]
    for key in (*_KEPT, *_KEPT_UNLESS_JUDGED):
        differs = _differ(released[key], audit.items[key].take(place))
        problems.append(pc.and_not(differs, is_judged) if key in _KEPT_UNLESS_JUDGED else differs)
    row = _first(*problems)
    if row is None:
        return ""
    found = released.slice(row, 1).to_pylist()[0]
    if not place[row].is_valid:
        return f"{_id(_name(found))} was never frozen"
    item = audit.items.slice(place[row].as_py(), 1).to_pylist()[0]
    kept = _KEPT if is_judged[row].as_py() else (*_KEPT, *_KEPT_UNLESS_JUDGED)
    return f"{_id(_name(found))}: {_differences(found, {key: item[key] for key in kept})}"


def frozen_probabilities(content: ReleaseContent) -> str:
    """A probability is what the frozen log-odds give, and stands where no expert judged the label."""
    audit, released = content.audit, content.released
    place = _places(content.rows[0])
    is_judged = pc.is_valid(audit.verdict_of.take(place))
    expected = find_probabilities(pc.fill_null(audit.items["log_odds"].take(place), LAST_LOG_ODDS), is_judged)
    found = released["probability"].combine_chunks()
    # Another machine may round the last decimal otherwise.
    is_far = pc.greater(pc.abs(pc.subtract(found, expected)), 1.5 * 10.0**-DECIMALS)
    row = _first(pc.xor(pc.is_null(found), pc.is_null(expected)), pc.fill_null(is_far, False))
    if row is None:
        return ""
    name = _id(_name(released.slice(row, 1).to_pylist()[0]))
    return f"{name}: its probability is {found[row].as_py()}, but what was frozen gives {expected[row].as_py()}"


def released_content(content: ReleaseContent) -> str:
    """Every released text, and every image, is the one that was frozen: its hash was in what drew the audit."""
    frozen = content.audit.items["content_sha256"]
    table = content.tables.get(IMAGES_FILE)
    found, rows = content.released, content.rows[0]
    if table is not None:
        found = table.rename_columns({"sha256": "content_sha256"})
        (rows,) = find_rows(content.audit.items, table)
    row = _first(_differ(found["content_sha256"], frozen.take(_places(rows))), pc.is_null(found["content_sha256"]))
    if row is None:
        return ""
    name = _id(_name(found.slice(row, 1).to_pylist()[0]))
    return f"{name}: its content has the SHA-256 {found['content_sha256'][row]}, which is not what was frozen"


def splits_without_leaks(content: ReleaseContent) -> str:
    """Every item lies in the file of its split, and no group lies in two splits."""
    released = content.released
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


def one_release(content: ReleaseContent) -> str:
    """Manifest, certificate and every row speak of one release."""
    release = content.manifest["release"]
    found = {content.certificate[part]["release"] for part in ("certificate", "plan", "audit_result")}
    for table in content.tables.values():
        if "release" in table.column_names:
            found |= set(table["release"].unique().to_pylist())
    if others := sorted(found - {release}):
        return f"the manifest is of {release}, but there are rows of {', '.join(others)}"
    batches = set(content.audit.terms.batches)
    if set(told := content.manifest.get("batches", batches)) != batches:
        return f"the plan is of the batches {', '.join(sorted(batches))}, but the manifest of {', '.join(told)}"
    if others := sorted(set(content.audit.items["batch"].unique().to_pylist()) - batches):
        return f"the plan is of the batches {', '.join(sorted(batches))}, but there are items of {', '.join(others)}"
    return ""


def evaluation_sets(content: ReleaseContent) -> str:
    """What is said of evaluation sets is said of all frozen items, and none of these holds too much of one.

    The texts of the sets are not in the release, so that this is no search of its own.
    """
    table, frozen = content.tables.get(OVERLAPS_FILE), content.audit.items.num_rows
    for row in [] if table is None else table.to_pylist():
        if row["items"] != frozen:
            return f"{row['reference_set']}: {row['items']} items were held against it, {frozen} frozen"
        if row["items_over"] or (row["largest_share"] or 0.0) > row["most_share"]:
            return f"{row['reference_set']}: {row['items_over']} items hold too much of it: {row['evidence']}"
    return ""


def released_images(content: ReleaseContent) -> str:
    """Every released item that is an image has its file, and every file in the folder is one of theirs."""
    table = content.tables.get(IMAGES_FILE)
    files = {row["path"]: row for row in content.manifest["files"] if is_image_copy(row["path"])}
    if table is None:
        return f"{IMAGES_FILE} cannot be read"
    if repeated := _find_repeated(table):
        return f"{IMAGES_FILE}: there more than once: {_some(repeated)}"
    if other := set(Names(table)) ^ set(Names(content.released)):
        return f"{IMAGES_FILE}: speaks of other items than the training set: {_some(other)}"
    for row in table.to_pylist():
        copied = files.get(row["file"])
        said = None if copied is None else (copied["sha256"], copied.get("size_bytes"))
        if row["file"] is not None and said != (row["sha256"], row["size_bytes"]):
            return f"{_id(_name(row))}: its image {row['file']} is missing, or another than {IMAGES_FILE} says"
    unnamed = sorted(files.keys() - set(table["file"].to_pylist()))
    return f"of no item: {', '.join(unnamed[:MOST_NAMED])}" if unnamed else ""


def guideline_hash(content: ReleaseContent) -> str:
    """The version of the guideline is the hash of the text in the folder, and of question, kind and classes."""
    terms, told = content.audit.terms, content.certificate.get(GUIDELINE)
    hashes = {row["path"]: row["sha256"] for row in content.manifest["files"]}
    return find_guideline_problem(told, terms.guideline, terms.ontology, hashes.get(GUIDELINE_FILE))


def signed_answers(content: ReleaseContent) -> str:
    """Every answer that is called signed is one that its signature names; whose the keys are, others must say."""
    return find_signed_problem(content.certificate[SIGNED_ANSWERS], content.audit)


CONTENT_CHECKS: dict[str, Callable[[ReleaseContent], str]] = {
    "everything is of one release": one_release,
    "the frozen items have the certificate's hash": frozen_items,
    "the audit is the sample that its seed draws": audit_draw,
    "experts judged the labels that were frozen": proposed_labels,
    "verdicts are what the experts' answers come to": expert_verdicts,
    "the test of the cuts, recomputed, is the same": test_of_cuts,
    "the certificate, recomputed, is the same": certified_result,
    "the bounds by class and slice, recomputed, are the same": bounds_by_slice,
    "the certificate's text says what the result says": certificate_wording,
    "every frozen item is released or withheld": nothing_lost,
    "labels that experts judged are theirs": expert_labels,
    "labels that no expert judged are as frozen": other_labels,
    "probabilities are those of the frozen labels": frozen_probabilities,
    "every content is the one that was frozen": released_content,
    "no group is in two splits": splits_without_leaks,
    "what is said of unwanted items, recomputed, is the same": unwanted_items,
    "licences and terms let every item in": licences_let_it,
    "no item holds too much of an evaluation set": evaluation_sets,
    "every image is that of a released item": released_images,
    "the guideline, hashed again, is the certificate's": guideline_hash,
    "answers called signed are those that the signatures name": signed_answers,
    "each draw that was witnessed follows from the receipt": witnessed_draws,
}

# Checks that came with a later format, and the files and keys of certificate.json that make a release of an older one
# answer for them all the same: whatever is claimed is checked.
_LATER: dict[Callable[[ReleaseContent], str], tuple[int, tuple[str, ...], tuple[str, str]]] = {
    unwanted_items: (2, tuple(CONTAMINATION_FILES), ("", "contamination")),
    licences_let_it: (3, (LEFT_OUT_FILE,), ("plan", "licences")),
    released_content: (4, (), ("plan", "freeze_sha256")),
    frozen_probabilities: (6, (), ("", "")),
    evaluation_sets: (3, (OVERLAPS_FILE,), ("", "overlaps")),
    signed_answers: (RELEASE + 1, (), ("", SIGNED_ANSWERS)),  # of no format: asked where it is claimed
    witnessed_draws: (RELEASE + 1, (), ("", WITNESSED)),  # of no format: asked where it is claimed
    released_images: (RELEASE + 1, (IMAGES_FILE,), ("", "")),  # of no format: asked where items are images
}


def is_asked(name: str, number: int, manifest: Row, content: ReleaseContent | str) -> bool:
    """Tell whether a release has to pass a check: its format knows it, or it claims what the check is about.

    Args:
        name: One of `CONTENT_CHECKS`.
        number: The format of the release.
        manifest: Its manifest.
        content: Its tables and certificate, or why they cannot be read.
    """
    if CONTENT_CHECKS[name] is guideline_hash and not has_guideline(manifest, content):
        return False
    named = {row["path"] for row in manifest["files"]}
    if CONTENT_CHECKS[name] is bounds_by_slice:
        return SLICE_BOUNDS_FILE in {row["path"] for row in manifest["files"]} or _says_of_design(content, SLICES)
    if CONTENT_CHECKS[name] is expert_verdicts:
        return are_answers_there(named, content)
    since, files, (part, key) = _LATER.get(CONTENT_CHECKS[name], (1, (), ("", "")))
    if number >= since or named.intersection(files):
        return True
    said: Any = None if isinstance(content, str) else content.certificate
    if part:
        said = said.get(part) if isinstance(said, Mapping) else None
    return isinstance(said, Mapping) and key in said


def has_guideline(manifest: Row, content: ReleaseContent | str) -> bool:
    """Tell whether a release says anywhere that it was made under a guideline: then it has to hold all of it."""
    if GUIDELINE_FILE in {row["path"] for row in manifest["files"]} or isinstance(content, str):
        return GUIDELINE_FILE in {row["path"] for row in manifest["files"]}
    told = content.certificate if isinstance(content.certificate, Mapping) else {}
    return GUIDELINE in told or _says_of_design(content, GUIDELINE)


def _says_of_design(content: ReleaseContent | str, key: str) -> bool:
    """Tell whether a key stands beside the design in the certificate's plan."""
    told = content.certificate if isinstance(content, ReleaseContent) else None
    plan = told.get("plan") if isinstance(told, Mapping) else None
    return isinstance(plan, Mapping) and f'"{key}"' in str(plan.get("design"))


def _differ(one: pa.ChunkedArray, other: pa.ChunkedArray) -> pa.ChunkedArray:
    """Tell where two columns differ; null is equal to null."""
    one_null, other_null = pc.is_null(one), pc.is_null(other)
    return pc.or_(pc.xor(one_null, other_null), pc.fill_null(pc.not_equal(one, other), False))


def _first(*problems: pa.ChunkedArray) -> int | None:
    """Return the first row that has any of these problems; None where no row has one."""
    row = min((place for flags in problems if (place := pc.index(flags, True).as_py()) >= 0), default=None)
    return None if row is None else int(row)


def _places(rows: Places) -> pa.Array:
    """Return rows of the frozen items for Arrow to take; null where there is none."""
    return pa.array(rows, mask=rows < 0)


def _names(table: pa.Table, is_meant: Flags) -> set[Name]:
    """Return the names of some rows of a table."""
    return set(Names(table.filter(pa.array(is_meant))))


def _find_repeated(table: pa.Table) -> set[Name]:
    """Return the names that stand in a table more than once."""
    return {name for name, number in Counter(Names(table)).items() if number > 1}


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
