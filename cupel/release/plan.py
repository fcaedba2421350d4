"""Planning a release: which batches it holds, whether their gates let it be, which attempt it is."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.attempts import attempt_alpha
from cupel.certificate.families import are_known
from cupel.certificate.hypergeometric import Integers, Reals
from cupel.certificate.outlook import BudgetOutlook
from cupel.certificate.sample import marks
from cupel.certificate.slice_budgets import Slice
from cupel.checking.labels import LAST_LOG_ODDS
from cupel.config.project import Project
from cupel.contract.class_places import find_class_places, split_labels
from cupel.contract.columns import TEXT
from cupel.contract.stages import stage_of
from cupel.contract.table import empty
from cupel.contract.tables.release import PLANTED_ITEMS, RELEASE_ITEMS
from cupel.errors import ReleaseError, WitnessError
from cupel.lake.cached_rows import rows_of
from cupel.lake.gates import GateState, batch_state
from cupel.lake.lake import Lake
from cupel.lake.step import Step
from cupel.release.audit_design import design_of, draw_first_wave, limits_of, make_budgets
from cupel.release.carried_columns import check_carried
from cupel.release.contamination import tables_of
from cupel.release.copies import without
from cupel.release.earlier_audits import AuditedBefore, build_families, count_shared, read_earlier_audits
from cupel.release.freeze import FOLDED, NEEDED_ITEMS, NEEDED_LABELS, Frozen, freeze, hash_content, with_carried
from cupel.release.frozen_terms import FrozenTerms, name_kind
from cupel.release.guidelines import is_replaced
from cupel.release.holding import check_terms
from cupel.release.names import Names
from cupel.release.nonces import draw_nonce, make_seed
from cupel.release.outlook import outlook_budgets
from cupel.release.pieces import reader
from cupel.release.planted import IsSame, find_known_items, hash_known_items, plant_items
from cupel.release.prospect import explain_hopeless
from cupel.release.release_audit import ReleaseAudit
from cupel.release.release_images import released_hashes
from cupel.release.similar_audits import NewItems, find_similar_audits, read_item_keys
from cupel.release.slices import SLICED, draw_for_budgets, find_unasked_slices, hash_slices
from cupel.release.terms import LicenceTerms
from cupel.versions.code_version import code_version

ALL = "all"
# What is refused before its audit spends nothing.
FIRST = AuditedBefore(1, 0, 0, ())
_NAME = re.compile(r"(?P<holds>.+)-r(?P<number>[1-9][0-9]*)")


def release_name(holds: str, number: int) -> str:
    """Return the name of a batch's (or `all` batches') release.

    >>> release_name("movies", 2)
    'movies-r2'
    """
    return f"{holds}-r{number}"


def batches_of(release: str, project: Project) -> list[str]:
    """Return the batches that a release is to hold, in the order of the register.

    Raises:
        ReleaseError: The name is not that of a release, or names no batch of the project.
    """
    holds = _parse(release)["holds"]
    if holds == ALL:
        return list(project.raw.deliveries)
    if holds not in project.raw.deliveries:
        raise ReleaseError(
            f"release {release!r}: the project has no batch {holds!r}; it has {', '.join(project.raw.deliveries)}"
        )
    return [holds]


def next_release(lake: Lake, holds: str) -> str:
    """Return the name of the next release of a batch, or of `all`."""
    numbers = [
        int(_parse(name)["number"]) for name in lake.partitions("release_plan") if _parse(name)["holds"] == holds
    ]
    return release_name(holds, max(numbers, default=0) + 1)


def find_audited_before(step: Step, items: pa.Table, batches: list[str], audits_in: Lake) -> AuditedBefore:
    """Return which attempt an audit of some items is: what counts is their content, whatever brought them.

    Args:
        step: A step whose partition is the release's name.
        items: Columns batch and item_id of the release's items.
        batches: The release's batches.
        audits_in: The lake in which earlier audits were drawn.

    Raises:
        ReleaseError: The tables of an earlier release are gone.
    """
    audits, keys = read_earlier_audits(audits_in, step.partition), read_item_keys(step, items, batches)
    families = build_families(audits)
    new = NewItems(items, ~are_known(families, keys))
    similar = find_similar_audits(step, new, batches, audits, audits_in)
    return count_shared(keys, similar, audits, families)


def is_finished(lake: Lake, release: str) -> bool:
    """Tell whether a release has come to its end: handed over, or refused. It is never computed again.

    So has one whose guideline was replaced before its audit ended: nobody answers under that any more.
    """
    plan = lake.commit("release_plan", release)
    if plan is not None and rows_of(lake, "release_plan", release)[0]["status"] == "refused":
        return True
    if plan is not None and is_replaced(lake, rows_of(lake, "release_plan", release)[0]):
        return True
    certificate = lake.commit("certificate", release)
    if certificate is not None and rows_of(lake, "certificate", release)[0]["status"] == "refused":
        return lake.commit("gate_results", f"release--{release}") is not None
    return lake.commit("manifest", release) is not None


class Planned(NamedTuple):
    """A planned release: its terms, its items unless it was refused; or what is awaited before it can be planned.

    The items come in the order of their key, a piece at a time. `log_odds` of the labels, in any order, are for the
    audit's outlook, `budgets` is that of budgets by class and slice. `planted` is PLANTED_ITEMS, `left_out`
    LEFT_OUT_ITEMS; `forbidden` counts the items for whose terms it was refused.
    """

    terms: FrozenTerms | None
    items: pa.RecordBatchReader | None
    awaited: str | None
    log_odds: Reals | None = None
    planted: pa.Table | None = None
    left_out: pa.Table | None = None
    forbidden: int = 0
    budgets: tuple[BudgetOutlook, ...] = ()


def plan_release(
    step: Step,
    known_labels: Callable[[str], pa.Table | None] = lambda batch: None,
    day: Callable[[], date] | None = None,
    audits_in: Lake | None = None,
    data: Path | None = None,
    *,
    is_again: bool = False,
) -> Planned:
    """Freeze a release; refuse it where a gate has failed; wait where one is open, or where its audit cannot pass.

    Args:
        step: A step whose partition is the release's name.
        known_labels: Returns the known labels of a batch, columns item_id and label; asked where some are planted.
        day: Returns the recorded day of the release; asked where the project names licences.
        audits_in: The lake in which earlier audits were drawn; None: the step's own.
        data: The folder that the witness's certificates are named relative to.
        is_again: A release is rebuilt that was frozen before: its audit was asked for, whether it could pass or not.

    Returns:
        Terms and RELEASE_ITEMS; no items when refused; neither while something is awaited.

    Raises:
        ReleaseError: The release was frozen before: what has been audited is never frozen anew. Or fewer labels
            are known than are to be planted, or a column of the deliveries is to be handed over that is not there.
    """
    release = step.partition
    if all(step.lake.commit(table, release) is not None for table in ("release_plan", "release_items")):
        raise ReleaseError(
            f"release {release}: frozen already, and its audit may have been seen; put the batches to a new audit "
            f"with `make release BATCH={_parse(release)['holds']}`"
        )
    wanted = batches_of(release, step.project)
    states = {batch: _state(step, batch) for batch in wanted}
    passed = [batch for batch in wanted if states[batch].outcome == "pass"]
    reason = "; ".join(f"{batch}: {state.stage} gate: {state.reason}" for batch, state in states.items())
    if any(state.outcome in ("open", "missing") for state in states.values()):
        return Planned(None, None, reason)
    terms = LicenceTerms.of_project(step.project, day() if day is not None and step.project.licences else None)
    if not passed:
        return Planned(_terms(step, wanted, FIRST, reason, None, 0, terms), None, None)
    check_carried(step, passed)
    own = check_terms(step, passed, terms)
    if own.problems:
        reason = f"terms forbid {own.forbidden:,} of its items: {'; '.join(own.problems)}"
        refused = _terms(step, passed, FIRST, reason, None, 0, terms)
        return Planned(refused, None, None, forbidden=own.forbidden)
    with_slices = [without(_items_with_content(step, batch), batch, own.left_out) for batch in passed]
    frozen = freeze(
        release,
        [step.read("labels", batch, NEEDED_LABELS) for batch in passed],
        with_slices,
        step.project.release,
        [(batch, step.read("similar_items", batch)) for batch in passed],
    )
    for batch in passed:
        for table in tables_of(step.project):
            step.uses(table, batch)
    until = max(_last_answer(step, batch) for batch in passed)
    before = find_audited_before(step, frozen.items, passed, audits_in or step.lake)
    known = _find_known(step, frozen, passed, known_labels)
    planned_terms = _terms(step, passed, before, before.sentence, frozen, until, terms)
    if known is not None:
        planned_terms = replace(planned_terms, known_items_sha256=hash_known_items(known))
    if not is_again:
        slices = _find_slices(step.project, planned_terms, frozen.items)
        if (hopeless := explain_hopeless(step.project, planned_terms, slices)) is not None:
            return Planned(None, None, hopeless)
    try:
        frozen_terms, items = _draw(step, planned_terms, frozen.items, data)
    except WitnessError as error:
        return Planned(None, None, str(error))
    whole = with_carried(items.drop_columns(list(SLICED)), ((batch, _carried(step, batch)) for batch in sorted(passed)))
    number, planted = frozen_terms.planted_errors, empty(PLANTED_ITEMS)
    if known is not None:
        planted = plant_items(known, number, frozen_terms.seed)
    log_odds = items["log_odds"].to_numpy()
    budgets = outlook_budgets(step.project, ReleaseAudit(frozen_terms, items, kind=step.project.kind))
    found = reader(whole, RELEASE_ITEMS)
    return Planned(frozen_terms, found, None, log_odds, planted, own.left_out, budgets=tuple(budgets))


def _find_known(
    step: Step, frozen: Frozen, batches: list[str], known_labels: Callable[[str], pa.Table | None]
) -> pa.Table | None:
    """Return the items of known label, before anything is drawn; None where none are to be planted."""
    number = step.project.release.certificate.planted_errors
    if number is None:
        return None
    found = {batch: rows for batch in batches if (rows := known_labels(batch)) is not None}
    return find_known_items(frozen.items, found, number, find_same(step.project))


def find_same(project: Project) -> IsSame:
    """Return what tells which labels of two columns of a project are the same."""
    return lambda one, other: project.kind.is_same(one, other, project.labeling.ontology)


def _state(step: Step, batch: str) -> GateState:
    """Return where a batch stands; tables that are not what they would be now are as good as missing."""
    state = batch_state(step.lake, batch, step.project)
    for table in ("annotations", "consensus", "predictions", "routes", "labels"):
        version = code_version(step.project, table, batch)
        if state.outcome == "pass" and not step.lake.is_fresh(table, batch, version):
            return GateState("missing", stage_of(table).name, f"{table} is out of date; run the batch again")
    return state


def _terms(
    step: Step, batches: list[str], before: AuditedBefore, reason: str | None, frozen: Frozen | None, until: int,
    licence_terms: LicenceTerms | None,
) -> FrozenTerms:  # fmt: skip
    settings, labeling, attempt = step.project.release, step.project.labeling, before.attempt
    refused = FrozenTerms(
        settings.error_budget, attempt, settings.max_experts_seen_share,
        release=step.partition, batches=tuple(batches), status="refused", reason=reason, alpha=attempt_alpha(attempt),
        audit_size=0, seed=0, answers_until=until, items=0, items_sha256="", classes=tuple(labeling.classes),
        expert_answers=labeling.experts.answers, experts_description=labeling.experts.description,
        are_auditors_independent=labeling.experts.are_auditors_independent, licence_terms=licence_terms,
        kind=name_kind(step.project.kind, labeling.ontology), questions=labeling.ontology.questions,
        least_overlap=labeling.least_overlap, models=tuple(model.name for model in labeling.models),
        guideline=next((one.version for one in reversed(step.guidelines())), None),
    )  # fmt: skip
    if frozen is None:
        return refused
    limits, items = limits_of(settings, attempt), frozen.items
    classes, places = find_class_places(step.project.kind, labeling.ontology), _places(step.project, items)
    return replace(
        refused, status="frozen", audited_before=before.to_text(),
        design=design_of(settings, frozen.items.num_rows, attempt),
        items=frozen.items.num_rows, items_sha256=frozen.sha256,
        max_undecided_share=settings.certificate.max_undecided_share,
        adjudicators_audited=limits.adjudicators_audited, planted_errors=limits.planted_errors,
        undecided=int((items["log_odds"].to_numpy() <= LAST_LOG_ODDS).sum()),
        bounds_slices=True, slices_sha256=hash_slices(items),
        budgets=make_budgets(settings, limits, items, places, classes),
    )  # fmt: skip


def _draw(step: Step, terms: FrozenTerms, items: pa.Table, data: Path | None) -> tuple[FrozenTerms, pa.Table]:
    """Draw the audit of frozen items, by a nonce that comes after them; return the terms and the items with it."""
    sha256, settings = terms.hash_freeze(), step.project.release
    nonce = draw_nonce(step.lake, terms.release, "audit", sha256, settings.certificate, data)
    seed = make_seed(sha256, nonce.nonce)
    names = Names(items)
    flags = draw_first_wave(terms.design, names, seed, limits_of(settings, terms.attempt))
    if terms.budgets:
        classes = find_class_places(step.project.kind, terms.ontology)
        flags |= draw_for_budgets(terms, items, _places(step.project, items), classes, marks(names, seed))
    drawn = replace(
        terms,
        freeze_sha256=sha256,
        nonce=nonce.nonce,
        nonce_source=nonce.source,
        seed=seed,
        audit_size=int(flags.sum()),
    )
    return drawn, items.append_column("is_audited", pa.array(flags))


def _find_slices(project: Project, terms: FrozenTerms, items: pa.Table) -> list[Slice]:
    if not terms.budgets:
        return []
    classes = find_class_places(project.kind, terms.ontology)
    return find_unasked_slices(terms, items, _places(project, items), classes)


def _places(project: Project, items: pa.Table) -> Integers:
    return split_labels(items["label"], project.kind, project.labeling.ontology)


def _items_with_content(step: Step, batch: str) -> pa.Table:
    """Return the clean items of a batch with the hash of their content; texts and lines are left out."""
    items = step.read("clean_items", batch, (*NEEDED_ITEMS, *SLICED))
    if step.project.modality.has_text:
        pieces = step.read_batches("clean_items", batch, ["text"])
        hashes = [pa.array([hash_content(text) for text in piece["text"].to_pylist()], TEXT) for piece in pieces]
        return items.append_column("content_sha256", pa.chunked_array(hashes, TEXT))
    files = step.read("image_files", batch, ["item_id", "sha256", "stripped_sha256"])
    files = files.append_column("content_sha256", released_hashes(files, step.project.images))
    return items.join(files.select(["item_id", "content_sha256"]), "item_id", join_type="left outer")


def _carried(step: Step, batch: str) -> Iterator[pa.Table]:
    """Yield the clean items of a batch in pieces, with the hash by which cleaning tells them apart."""
    signed, kept = step.read("signatures", batch, ["item_id", FOLDED]), step.read("clean_items", batch, ["item_id"])
    # Both are in the order of their ids, and every clean item was signed.
    hashes = signed.filter(pc.is_in(signed["item_id"], value_set=kept["item_id"].combine_chunks()))[FOLDED]
    start = 0
    for piece in step.read_batches("clean_items", batch):
        yield piece.append_column(FOLDED, hashes.slice(start, piece.num_rows))
        start += piece.num_rows


def _last_answer(step: Step, batch: str) -> int:
    names = ["annotations", "rejected_answers"]
    if step.project.checking.rounds:
        names += ["round_answers", "rejected_round_answers"]
    tables = [step.read(table, batch, ["sequence"]) for table in names]
    return max(pc.max(table["sequence"]).as_py() or 0 for table in tables)


def _parse(release: str) -> dict[str, str]:
    match = _NAME.fullmatch(release)
    if match is None:
        raise ReleaseError(f"release {release!r}: expected <batch>-r<number> or {ALL}-r<number>, such as movies-r1")
    return match.groupdict()
