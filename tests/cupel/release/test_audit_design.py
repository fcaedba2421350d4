import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from cupel.certificate.design import EProcess, FixedSequence, Rising, Stratified, design_text
from cupel.config.release import Release
from cupel.contract.table import from_rows
from cupel.contract.tables.release import RELEASE_PLAN
from cupel.errors import ReleaseError
from cupel.release import layout
from cupel.release.audit_design import design_of, frozen_settings, limits_of, settings_now
from cupel.release.audit_tables import adjudicate_items, draw_audit
from cupel.release.folder import write_release
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.release_audit import read_release_audit
from cupel.release.verify import verify_release
from cupel.show.release_documents import describe_release
from cupel.show.report import render_report
from cupel.show.report_facts import report_facts
from cupel.store.local import LocalStore
from made_releases import Made, make_project, make_release
from tests.cupel.release.test_verify import failed, rewrite

DECLARED: dict[str, dict[str, Any]] = {
    "rising": {"method": "rising"},
    "stratified": {
        "method": "stratified",
        "strata": [{"share": 0.4, "audited": 80}, {"share": 0.3, "audited": 60}, {"share": 0.3, "audited": 90}],
    },
    "e_process": {"method": "e_process", "look_every": 50},
}
SETTINGS: dict[str, Any] = {"error_budget": 0.05, "audit_size": 250, "max_experts_seen_share": 0.75}


@pytest.fixture(scope="module", params=DECLARED)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_release(tmp_path_factory.mktemp(request.param), certificate=DECLARED[request.param], **SETTINGS)


@pytest.fixture
def folder(made: Made, provenance: Any, tmp_path: Path) -> Path:
    assert made.tables is not None
    write_release(LocalStore(tmp_path), "movies-r1", made.facts, made.tables, provenance, describe_release)
    return tmp_path / "movies-r1"


def test_a_release_of_each_design_is_certified_and_recomputed(made: Made, folder: Path) -> None:
    assert made.facts.verdict == "PASS"
    verification = verify_release(folder)
    assert failed(verification) == set()
    plan = json.loads((folder / layout.CERTIFICATE_FILE).read_bytes())["plan"]
    assert json.loads(plan["design"])["method"] == made.project.release.certificate.method
    declared = json.loads(plan["design"])
    declared.pop("slices_sha256")
    assert declared == json.loads(design_text(FrozenTerms.from_plan(plan).design))


def test_an_audited_item_too_few_is_found(folder: Path) -> None:
    rewrite(folder, "evidence/audit.parquet", lambda rows: rows[1:])
    assert "the audit is the sample that its seed draws" in failed(verify_release(folder))


def test_a_verdict_turned_right_is_found(folder: Path) -> None:
    def turn(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        row = next(row for row in rows if row["is_wrong"])
        row.update(is_wrong=False, expert_label=row["label"])
        return rows

    rewrite(folder, "evidence/audit.parquet", turn)
    assert failed(verify_release(folder)) - {"the certificate's hash"}


def test_the_report_tells_of_each_design(made: Made) -> None:
    page = render_report(made.facts, report_facts(made.lake, made.facts))
    assert "PASS: certified and released" in page


def test_what_is_estimated_rests_on_a_random_part_of_the_audit(made: Made) -> None:
    audit = read_release_audit(made.lake, "movies-r1", "audit")
    places = audit.rows.audit[audit.is_random] + 1
    assert 0 < len(places) <= audit.audit.num_rows
    if made.project.release.certificate.method == "rising":
        assert len(places) == audit.first_wave.sum() < audit.audit.num_rows
    assert np.mean(places) == pytest.approx(200, abs=5 * 115 / len(places) ** 0.5)


def test_a_report_of_contested_items_has_a_bound_by_each_design(made: Made) -> None:
    audit = read_release_audit(made.lake, "movies-r1", "audit")
    contested = audit.audit["is_contested"].to_pylist().count(True)
    assert contested <= audit.contested_upper(0.05) < 100


def test_nothing_is_adjudicated_while_the_audit_grows(made: Made) -> None:
    audit = read_release_audit(made.lake, "movies-r1")  # nobody has answered
    audit = replace(audit, audit=draw_audit(audit))
    assert audit.audit.num_rows == audit.first_wave.sum()
    assert audit.assay.result.status == "open"
    assert adjudicate_items(audit).num_rows == 0


def test_the_default_says_no_more_than_it_always_did(certified: Made, provenance: Any, tmp_path: Path) -> None:
    assert certified.tables is not None
    write_release(LocalStore(tmp_path), "movies-r1", certified.facts, certified.tables, provenance, describe_release)
    plan = json.loads((tmp_path / "movies-r1" / layout.CERTIFICATE_FILE).read_bytes())["plan"]
    assert json.loads(plan["design"]).keys() == {"method", "size", "slices_sha256"}
    assert "design" not in pq.read_schema(tmp_path / "movies-r1/evidence/audit.parquet").names


def test_a_project_declares_its_design() -> None:
    def of(**certificate: Any) -> Any:
        settings = Release(error_budget=0.01, audit_size=900, max_experts_seen_share=0.5, certificate=certificate)
        return design_of(settings, 5_000, 1)

    assert of() == FixedSequence(900)
    assert of(method="e_process", look_every=60) == EProcess(60, 900)
    assert of(method="rising", gain=2.0, steps=3) == Rising(2.0, 3)
    assert isinstance(of(method="rising"), Rising)
    strata = [{"share": 0.75, "audited": 500}, {"share": 0.25, "audited": 300}]
    assert of(method="stratified", strata=strata) == Stratified((0.75, 0.25), (500, 300))


@pytest.mark.parametrize(
    "certificate",
    [{"method": "stratified"}, {"strata": [{"share": 1, "audited": 3}]}, {"method": "rising", "gain": 1.0},
     {"method": "stratified", "strata": [{"share": 0.5, "audited": 3}]}, {"method": "guess"}],
)  # fmt: skip
def test_a_design_that_is_not_whole_is_an_error(certificate: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Release.model_validate(
            {"error_budget": 0.01, "audit_size": 9, "max_experts_seen_share": 0.5, "certificate": certificate}
        )


@pytest.mark.parametrize("declared", [*DECLARED.values(), {}, {"adjudicators_audited": 20, "planted_errors": 30}])
def test_a_project_that_says_what_a_release_was_frozen_with_freezes_it_alike(
    declared: dict[str, Any], unaudited: Made
) -> None:
    settings = make_project(certificate=declared, audit_size=200).release
    terms = as_frozen(unaudited.facts.terms, settings)
    now = settings_now(settings, terms)
    assert {key: now.get(key) for key in frozen_settings(terms)} == frozen_settings(terms)
    said: dict[str, Any] = {"certificate": {}}
    for key, value in frozen_settings(terms).items():
        section, _, name = key.rpartition(".")
        (said[section] if section else said)[name] = value
    assert as_frozen(terms, make_project(**said).release).to_plan() == terms.to_plan()
    other = make_project(certificate={"method": "rising", "gain": 3.0, "steps": 2, "planted_errors": 9}).release
    now = settings_now(other, terms)
    assert {key: now.get(key) for key in frozen_settings(terms)} != frozen_settings(terms)


def as_frozen(terms: FrozenTerms, settings: Release) -> FrozenTerms:
    """Return the terms as a project freezes a release of 500 items at its second attempt."""
    design = design_of(settings, 500, 2)
    size = design.size if isinstance(design, FixedSequence) else 77
    return replace(terms, **vars(limits_of(settings, 2)), design=design, audit_size=size, items=500)


@pytest.mark.parametrize("declared", [*DECLARED.values(), {}, {"adjudicators_audited": 20, "planted_errors": 30}])
def test_terms_come_back_from_the_plan_that_they_are_stored_as(declared: dict[str, Any], unaudited: Made) -> None:
    terms = as_frozen(unaudited.facts.terms, make_project(certificate=declared, audit_size=200).release)
    terms = replace(terms, undecided=7 if declared else 0)
    plan = from_rows([terms.to_plan()], RELEASE_PLAN).to_pylist()[0]
    assert FrozenTerms.from_plan(plan) == terms
    assert FrozenTerms.from_plan(plan).to_plan() == plan


@pytest.mark.parametrize("change", [{"batches": None}, {"attempt": "gone"}, {"audit_size": "gone"}])
def test_a_plan_that_lacks_a_term_is_refused(change: dict[str, Any], unaudited: Made) -> None:
    plan = {name: value for name, value in (unaudited.facts.terms.to_plan() | change).items() if value != "gone"}
    with pytest.raises(ReleaseError, match="the plan is not as a release is frozen with"):
        FrozenTerms.from_plan(plan)
