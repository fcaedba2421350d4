"""Small releases made from the schemas: a lake with one delivery, taken through freeze, audit and verdict."""

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest

from cupel.certificate.attempts import attempt_alpha
from cupel.certificate.sample import marks
from cupel.certificate.slice_budgets import SliceBudget
from cupel.config.project import Project
from cupel.config.release import Certificate
from cupel.contract.class_places import find_class_places, split_labels
from cupel.contract.kind import Kind
from cupel.contract.table import empty, from_rows
from cupel.contract.tables import TABLES
from cupel.kinds import projects
from cupel.lake.lake import Lake
from cupel.people.answers.tasks import expert_tasks
from cupel.release.audit_design import design_of, draw_first_wave, limits_of, make_budgets
from cupel.release.audit_tables import (
    adjudicate_items,
    conclude_audit,
    draw_audit,
    find_cuts,
    judge_planted_items,
    write_certificate,
)
from cupel.release.facts import ReleaseFacts, release_facts
from cupel.release.folder import Provenance, ReleaseTables
from cupel.release.freeze import Frozen, freeze, hash_content
from cupel.release.frozen_terms import FrozenTerms, name_kind
from cupel.release.names import Names
from cupel.release.nonces import draw_nonce, make_seed
from cupel.release.outcome import released, withheld
from cupel.release.plan import find_same
from cupel.release.planted import find_known_items, hash_known_items, planted_items
from cupel.release.release_audit import ReleaseAudit
from cupel.release.second_audit import count_to_draw, hash_adjudications
from cupel.release.slice_bounds import bound_slices
from cupel.release.slices import draw_for_budgets, hash_slices
from cupel.release.stage_errors import stage_errors

NONCE = "made for a test"
CLASSES = ("negative", "neutral", "positive")
PROVENANCE = Provenance({"labels@movies": "ab" * 32}, "cd" * 32, "0.1.0", "ef" * 32)


class Made(NamedTuple):
    """A release in a lake, its facts and its tables."""

    lake: Lake
    project: Project
    facts: ReleaseFacts
    tables: ReleaseTables | None


def make_project(**release: Any) -> Project:
    settings = {"error_budget": 0.05, "audit_size": 200, "max_experts_seen_share": 0.8, **release}
    # So small an audit shows little of what experts leave undecided, even where they leave nothing.
    settings["certificate"] = {"max_undecided_share": 0.2, **settings.get("certificate", {})}
    return projects.make_project(
        {
            "project": "tiny",
            "title": "Tiny <films> & | papers",
            "owner": "data@cupel.example",
            "raw": {"deliveries": {"movies": {"files": ["movies.jsonl"], "licence": "MIT"}}},
            "labeling": {
                "question": "What does the writer feel?",
                "classes": list(CLASSES),
                "overlap": {"first": 3, "most": 3},
                "answers": ["answers.parquet"],
                "experts": {"answers": 1, "description": "a panel of critics"},
                "gold": "gold.csv",
            },
            "release": {"description": "Sentences about films.", "citation": "Nobody (2026).", **settings},
            "prices": {"annotator_answer": 0.04, "expert_answer": 0.6},
        }
    )


def make_terms(items: int, **terms: Any) -> FrozenTerms:
    """Return terms of a release of so many items, a fixed sequence if nothing else is given."""
    usual = {
        "release": "r", "batches": ("one",), "status": "frozen", "reason": None, "attempt": 1, "alpha": 0.04,
        "error_budget": 0.02, "audit_size": 50, "seed": 1, "answers_until": 1, "items_sha256": "f",
        "classes": ("a", "b"), "expert_answers": 1, "experts_description": "", "max_experts_seen_share": 0.9,
        "are_auditors_independent": False,
    }  # fmt: skip
    return FrozenTerms(**{**usual, "items": items, **terms})


class Items(NamedTuple):
    """Items of one delivery with a true label, a label, a risk, and whether experts stay split."""

    ids: list[str]
    texts: list[str]
    truth: list[str]
    labels: list[str]
    log_odds: list[float]
    contested: set[str]


def make_items(size: int, wrong_share: float, contested_share: float, seed: int = 3) -> Items:
    """Make items whose wrong labels are nearly all among the riskiest."""
    random = np.random.default_rng(seed)
    ids = [f"i{place:04d}" for place in range(size)]
    truth = [CLASSES[place] for place in random.integers(0, 3, size)]
    log_odds = np.round(np.sort(random.exponential(3.0, size))[::-1], 3)
    labels = list(truth)
    for place in range(size):
        if random.random() < 2 * wrong_share * (place / size) ** 1.0 and place > size * 0.4:
            labels[place] = CLASSES[(CLASSES.index(truth[place]) + 1) % 3]
    contested = {ids[place] for place in np.flatnonzero(random.random(size) < contested_share)}
    texts = [f"sentence number {place} <b>of</b> a film & more" for place in range(size)]
    texts[0] = "<script>alert('x')</script>"
    return Items(ids, texts, truth, labels, log_odds.tolist(), contested)


def make_release(
    root: Path, *, size: int = 400, wrong_share: float = 0.12, contested_share: float = 0.02, is_audited: bool = True,
    anonymous: bool = False, kind: Kind | None = None, **settings: Any,
) -> Made:  # fmt: skip
    """Take one delivery from clean items to a verdict, writing each table into a lake."""
    lake, project = Lake(root / "lake", "tiny"), make_project(**settings)
    if kind is not None:
        project._kind = kind
    items = make_items(size, wrong_share, contested_share)
    tables = _batch_tables(items, anonymous)
    for name, rows in tables.items():
        lake.write(name, "movies", rows)
    _gate(lake, "cleaning", "movies", "kept_share", 0.95, 0.5, "at least")
    _gate(lake, "labeling", "movies", "largest_answer_share", 0.4, 0.5, "at most")
    clean = tables["clean_items"]
    hashes = pa.array(map(hash_content, clean["text"].to_pylist()))
    clean = clean.append_column("content_sha256", hashes).append_column("text_sha256", hashes)
    frozen = freeze("movies-r1", [tables["labels"]], [clean], project.release)
    terms, frozen_items = draw_first_wave_of(_terms(project, frozen, items), frozen.items, project)
    lake.write("release_items", "movies-r1", frozen_items)
    lake.write("release_plan", "movies-r1", from_rows([terms.to_plan()], TABLES["release_plan"]))
    if not is_audited:
        return Made(lake, project, release_facts(lake, project, "movies-r1"), None)
    audit = ReleaseAudit.of(terms, {"release_items": frozen_items}, [project.kind])
    return _judged(lake, project, items, audit, tables["annotations"])


def draw_first_wave_of(terms: FrozenTerms, items: pa.Table, project: Project) -> tuple[FrozenTerms, pa.Table]:
    """Draw the audit of frozen items, by a nonce that tests know."""
    sha256 = terms.hash_freeze()
    seed = make_seed(sha256, NONCE)
    flags = draw_first_wave(terms.design, Names(items), seed, limits_of(project.release, 1))
    places = split_labels(items["label"], project.kind, terms.ontology)
    classes = find_class_places(project.kind, terms.ontology)
    flags |= draw_for_budgets(terms, items, places, classes, marks(Names(items), seed))
    drawn = replace(
        terms, freeze_sha256=sha256, nonce=NONCE, nonce_source="project file", seed=seed, audit_size=int(flags.sum())
    )
    return drawn, items.append_column("is_audited", pa.array(flags))


def expert_rows(items: Items, names: list[str], purpose: str, first: int) -> list[dict[str, Any]]:
    """Return one expert's answers on the named items: the truth, or none where experts stay split."""
    truth = dict(zip(items.ids, items.truth, strict=True))
    return [
        {
            "sequence": first + place, "batch": "movies", "item_id": name, "purpose": purpose, "annotator": "expert-1",
            "label": None if name in items.contested else truth[name],
        }
        for place, name in enumerate(names)
    ]  # fmt: skip


def gold(items: Items) -> pa.Table:
    """Return the known labels of every second item that experts do not stay split on."""
    names = [name for name in items.ids[::2] if name not in items.contested]
    truth = dict(zip(items.ids, items.truth, strict=True))
    return pa.table({"item_id": names, "label": [truth[name] for name in names]})


def judge(audit: ReleaseAudit) -> ReleaseAudit:
    """Take a release with its items and expert answers through planted items, audit and adjudications."""
    audit = replace(audit, planted_verdicts=judge_planted_items(audit), second_nonce=NONCE)
    audit = replace(audit, audit=draw_audit(audit, lambda frozen_sha256: NONCE))
    return replace(audit, adjudications=adjudicate_items(audit))


def _judged(lake: Lake, project: Project, items: Items, audit: ReleaseAudit, annotations: pa.Table) -> Made:
    release, experts = "movies-r1", project.labeling.experts
    said = expert_rows(items, items.ids, "audit", 10_000)
    if project.release.certificate.adjudicators_audited:
        said += expert_rows(items, items.ids, "expert", 20_000)
    audit = replace(audit, expert_answers=from_rows(said, TABLES["expert_answers"]))
    if number := project.release.certificate.planted_errors:
        known = planted_items(audit.items, {"movies": gold(items)}, number, audit.terms.seed, audit.is_same)
        lake.write("planted_items", release, known)
        audit = replace(audit, planted_items=known)
    audit = judge(audit)
    if count_to_draw(audit.terms, audit.adjudications):
        frozen_sha256 = hash_adjudications(audit.terms, audit.adjudications)
        second = draw_nonce(lake, release, "adjudicators", frozen_sha256, Certificate(nonce=NONCE))
        audit = replace(audit, second_source=second.source)
    result, rejected = conclude_audit(audit), empty(TABLES["rejected_expert_answers"])
    asked = pa.concat_tables([audit.audit, audit.planted_beside])
    written = {
        "planted_verdicts": audit.planted_verdicts,
        "audit": audit.audit,
        "cuts": find_cuts(audit),
        "adjudications": audit.adjudications,
        "audit_result": result,
        "slice_bounds": bound_slices(audit),
        "stage_errors": stage_errors(audit, [("movies", annotations)]),
        "certificate": write_certificate(audit, result),
        "release_tasks": expert_tasks(project.project, asked, audit.adjudications, rejected, experts.answers),
    }
    if audit.assay.result.status == "certified":
        written["training_set"], written["withheld_items"] = released(audit.items, audit), withheld(audit.items, audit)
    if audit.terms.kind is not None:
        written["expert_answers"] = audit.expert_answers
    for name, rows in written.items():
        lake.write(name, release, rows)
    bound = audit.assay.result.error_bound
    _gate(lake, "release", release, "error_bound", bound, project.release.error_budget, "at most")
    facts = release_facts(lake, project, release)
    return Made(lake, project, facts, tables_of(lake, facts) if facts.released else None)


def tables_of(lake: Lake, facts: ReleaseFacts) -> ReleaseTables:
    """Return a release's tables as its folder wants them."""
    names = ["training_set", "withheld_items", "release_items", "audit", "adjudications", "cuts"]
    names += ["slice_bounds"] if facts.terms.bounds_slices else []
    names += ["planted_items", "planted_verdicts"] if facts.terms.planted_errors else []
    names += ["expert_answers"] if facts.terms.kind is not None else []
    gates = [row for batch in facts.batches for row in batch.gates] + facts.gates
    tables = {name: lake.read(name, facts.release) for name in names}
    return ReleaseTables(**tables, gate_results=pa.Table.from_pylist(gates, schema=TABLES["gate_results"].schema))


def _batch_tables(items: Items, anonymous: bool) -> dict[str, pa.Table]:
    random = np.random.default_rng(5)
    names = {name: {"batch": "movies", "item_id": name} for name in items.ids}
    where = {name: {"source_file": "movies.jsonl", "line": place + 1} for place, name in enumerate(items.ids)}
    clean = [
        {
            **names[name],
            **where[name],
            "text": text,
            "group_id": f"g{place // 2}",
            "licence": "MIT",
            "language": "eng_Latn",
        }
        for place, (name, text) in enumerate(zip(items.ids, items.texts, strict=True))
    ]
    labels = [
        {
            "item_id": name, "label": label, "log_odds": odds, "decided_by": "people and checker",
            "route": "accept" if odds > 2 else "expert", "reason": "made for a test",
            "majority_label": None if odds < 0.2 else label, "consensus_label": label, "predicted_label": label,
        }
        for name, label, odds in zip(items.ids, items.labels, items.log_odds, strict=True)
    ]  # fmt: skip
    annotations = [
        {
            "item_id": name, "sequence": 3 * place + slot + 1,
            "annotator": None if anonymous else f"person {(place + slot) % 12:02d}",
            "label": true if random.random() < 0.85 else CLASSES[(CLASSES.index(true) + 1) % 3],
        }
        for place, (name, true) in enumerate(zip(items.ids, items.truth, strict=True))
        for slot in range(3)
    ]  # fmt: skip
    rejected = [
        {**names[items.ids[0]], "item_id": f"r{place}", **where[items.ids[0]], "line": len(clean) + place + 1,
         "reason": "near duplicate" if place % 3 else "too short", "value": 0.9, "threshold": 0.8, "evidence": "i0001"}
        for place in range(20)
    ]  # fmt: skip
    delivery = {
        "batch": "movies", "source_file": "movies.jsonl", "format": "jsonl", "sha256": "ab" * 32, "size_bytes": 10_000,
        "rows_in": len(clean) + 20, "rows_read": len(clean) + 20, "rows_rejected": 0, "licence": "MIT",
    }  # fmt: skip
    rows = {
        "deliveries": [delivery], "clean_items": clean, "rejected_items": rejected, "labels": labels,
        "annotations": annotations, "annotators": [] if anonymous else _annotators(annotations),
        "rejected_rows": [], "rejected_answers": [],
    }  # fmt: skip
    return {name: from_rows(content, TABLES[name]) for name, content in rows.items()}


def _annotators(annotations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    people = sorted({row["annotator"] for row in annotations})
    return [
        {
            "annotator": person, "answers": len(annotations) // len(people), "answer_share": 1 / len(people),
            "agreement_share": 0.8, "quality": round(0.7 + 0.02 * place, 3), "seconds_spent": 5.0, "gold_answers": 0,
            "gold_right": 0, "comparable": len(people) - 1,
        }
        for place, person in enumerate(people)
    ]  # fmt: skip


def _terms(project: Project, frozen: Frozen, items: Items) -> FrozenTerms:
    limits, experts, known = limits_of(project.release, 1), project.labeling.experts, None
    if number := project.release.certificate.planted_errors:
        known = hash_known_items(find_known_items(frozen.items, {"movies": gold(items)}, number, find_same(project)))
    return FrozenTerms(
        **vars(limits), design=design_of(project.release, frozen.items.num_rows, 1),
        release="movies-r1", batches=("movies",), status="frozen", reason=None,
        alpha=attempt_alpha(1), audit_size=0, seed=0,
        answers_until=3 * frozen.items.num_rows, items=frozen.items.num_rows, items_sha256=frozen.sha256,
        classes=tuple(project.labeling.classes), expert_answers=experts.answers,
        experts_description=experts.description, are_auditors_independent=experts.are_auditors_independent,
        kind=name_kind(project.kind, project.labeling.ontology), known_items_sha256=known,
        slices_sha256=hash_slices(frozen.items), budgets=_budgets(project, frozen.items),
    )  # fmt: skip


def _budgets(project: Project, items: pa.Table) -> tuple[SliceBudget, ...]:
    ontology = project.labeling.ontology
    places = split_labels(items["label"], project.kind, ontology)
    classes = find_class_places(project.kind, ontology)
    return make_budgets(project.release, limits_of(project.release, 1), items, places, classes)


def _gate(
    lake: Lake, stage: str, partition: str, check: str, observed: float | None, threshold: float, comparison: str
) -> None:
    is_met = observed is not None and (observed <= threshold if comparison == "at most" else observed >= threshold)
    row = {
        "stage": stage, "partition": partition, "check": check, "outcome": "pass" if is_met else "fail",
        "severity": "critical", "observed": observed, "bound": None, "threshold": threshold, "comparison": comparison,
        "reason": "made for a test", "table_name": "labels", "table_hash": "ab", "item_ids": [],
    }  # fmt: skip
    lake.write("gate_results", f"{stage}--{partition}", from_rows([row], TABLES["gate_results"]))


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Made:
    made = make_release(tmp_path_factory.mktemp("certified"))
    assert made.facts.verdict == "PASS", made.facts.reason
    return made


@pytest.fixture(scope="session")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Made:
    made = make_release(tmp_path_factory.mktemp("refused"), wrong_share=0.3, max_experts_seen_share=0.6)
    assert made.facts.verdict == "REFUSED", made.facts.reason
    return made


@pytest.fixture(scope="session")
def unaudited(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_release(tmp_path_factory.mktemp("unaudited"), is_audited=False)


@pytest.fixture(scope="session")
def provenance() -> Provenance:
    return PROVENANCE
