import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from cupel.certificate.design import EProcess, FixedSequence, Rising, Stratified, design_text
from cupel.config.release import Release
from cupel.release import layout, proof
from cupel.release.audit_design import (
    design_of,
    frozen_design,
    frozen_settings,
    limits_of,
    settings_now,
    terms_of,
)
from cupel.release.folder import write_release
from cupel.release.report import render_report
from cupel.release.report_facts import report_facts
from cupel.release.verify import verify_release
from tests.cupel.release.conftest import Made, make_project, make_release
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
    write_release(tmp_path / "movies-r1", made.facts, made.tables, provenance)
    return tmp_path / "movies-r1"


def test_a_release_of_each_design_is_certified_and_recomputed(made: Made, folder: Path) -> None:
    assert made.facts.verdict == "PASS"
    verification = verify_release(folder)
    assert failed(verification) == set()
    plan = json.loads((folder / layout.CERTIFICATE_FILE).read_bytes())["plan"]
    assert json.loads(plan["design"])["method"] == made.project.release.certificate.method
    assert plan["design"] == design_text(terms_of(plan).design)


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
    page = render_report(made.facts, None, report_facts(made.lake, made.facts))
    assert "PASS: certified and released" in page


def test_what_is_estimated_rests_on_a_random_part_of_the_audit(made: Made) -> None:
    plan, items, audit = (made.lake.read(name, "movies-r1") for name in ("release_plan", "release_items", "audit"))
    part = proof.random_audit(plan, items, audit)
    assert 0 < part.num_rows <= audit.num_rows
    if made.project.release.certificate.method == "rising":
        assert part.num_rows == items["is_audited"].to_pylist().count(True) < audit.num_rows
    ranks = dict(zip(items["item_id"].to_pylist(), items["risk_rank"].to_pylist(), strict=True))
    places = [ranks[name] for name in part["item_id"].to_pylist()]
    assert np.mean(places) == pytest.approx(200, abs=5 * 115 / len(places) ** 0.5)


def test_a_report_of_contested_items_has_a_bound_by_each_design(made: Made) -> None:
    plan, items, audit = (made.lake.read(name, "movies-r1") for name in ("release_plan", "release_items", "audit"))
    upper = proof.contested_upper(plan, items, audit, 0.05)
    contested = audit["is_contested"].to_pylist().count(True)
    assert contested <= upper < 100


def test_nothing_is_adjudicated_while_the_audit_grows(made: Made) -> None:
    names = ("release_plan", "release_items", "audit", "cuts", "certificate")
    plan, items, audit, cuts, _ = (made.lake.read(name, "movies-r1") for name in names)
    nobody = pa.table({"sequence": pa.array([], pa.int64()), "batch": pa.array([], pa.string()),
                       "item_id": pa.array([], pa.string()), "purpose": pa.array([], pa.string()),
                       "annotator": pa.array([], pa.string()), "label": pa.array([], pa.string())})  # fmt: skip
    first = proof.audit(plan, items, nobody)
    assert first.num_rows == items["is_audited"].to_pylist().count(True)
    assert proof.audit_result(plan, items, first, audit.slice(0, 0))["status"].to_pylist() == ["open"]
    assert proof.adjudications(plan, items, first, cuts, nobody).num_rows == 0


def test_the_default_says_no_more_than_it_always_did(certified: Made, provenance: Any, tmp_path: Path) -> None:
    assert certified.tables is not None
    write_release(tmp_path / "movies-r1", certified.facts, certified.tables, provenance)
    assert "design" not in json.loads((tmp_path / "movies-r1" / layout.CERTIFICATE_FILE).read_bytes())["plan"]
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
def test_a_project_that_says_what_a_release_was_frozen_with_freezes_it_alike(declared: dict[str, Any]) -> None:
    settings = make_project(certificate=declared, audit_size=200).release
    limits = limits_of(settings, 2)
    design = design_of(settings, 500, 2)
    size = design.size if isinstance(design, FixedSequence) else 77
    plan = {
        "design": frozen_design(design, limits), "audit_size": size, "items": 500, "attempt": 2,
        "error_budget": settings.error_budget, "max_experts_seen_share": settings.max_experts_seen_share,
    }  # fmt: skip
    now = settings_now(settings, plan)
    assert {key: now.get(key) for key in frozen_settings(plan)} == frozen_settings(plan)
    said: dict[str, Any] = {"certificate": {}}
    for key, value in frozen_settings(plan).items():
        section, _, name = key.rpartition(".")
        (said[section] if section else said)[name] = value
    again = make_project(**said).release
    assert frozen_design(design_of(again, 500, 2), limits_of(again, 2)) == plan["design"]
    other = make_project(certificate={"method": "rising", "gain": 3.0, "steps": 2, "planted_errors": 9}).release
    now = settings_now(other, plan)
    assert {key: now.get(key) for key in frozen_settings(plan)} != frozen_settings(plan)
