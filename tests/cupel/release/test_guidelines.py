import dataclasses
from pathlib import Path
from typing import Any

import pytest

from cupel.certificate.design import FixedSequence
from cupel.contract.ontology import Ontology
from cupel.contract.table import from_rows
from cupel.contract.tables.release import RELEASE_PLAN
from cupel.errors import AuditError
from cupel.lake.guideline_log import (
    GUIDELINES,
    GuidelineVersion,
    bring_versions,
    format_ontology,
    hash_guideline,
    hash_text,
)
from cupel.lake.lake import Lake
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.guidelines import find_guideline, find_guideline_problem, is_replaced
from cupel.release.plan import is_finished

ONTOLOGY = Ontology(("a", "b"))
TEXT = hash_text("Say a.")
VERSION = hash_guideline(TEXT, "Which?", "category", ONTOLOGY)
TOLD = {
    "version": VERSION, "text_sha256": TEXT, "question": "Which?", "kind": "category",
    "ontology": format_ontology(ONTOLOGY),
}  # fmt: skip
TERMS = FrozenTerms(
    0.05, 1, 0.9, design=FixedSequence(100), release="one-r1", batches=("one",), status="frozen", reason=None,
    alpha=0.05, audit_size=100, seed=1, answers_until=3, items=10, items_sha256="0" * 64, classes=("a", "b"),
    expert_answers=1, experts_description="one", are_auditors_independent=False, guideline=VERSION,
)  # fmt: skip


def version(name: str, text: str | None = "Say a.") -> GuidelineVersion:
    return GuidelineVersion(name, text, "Which?", "category", ONTOLOGY, 1, None)


def lake_of(folder: Path, *versions: GuidelineVersion) -> Lake:
    lake = Lake(folder, "small")
    bring_versions(lake.log(GUIDELINES), versions)
    lake.write("release_plan", "one-r1", from_rows([TERMS.to_plan()], RELEASE_PLAN))
    return lake


def test_the_plan_holds_the_guideline_and_gives_it_back() -> None:
    assert FrozenTerms.from_plan(TERMS.to_plan()) == TERMS
    without = dataclasses.replace(TERMS, guideline=None)
    assert without.to_plan()["design"] is None
    assert FrozenTerms.from_plan(without.to_plan()).guideline is None


def test_a_guideline_in_the_plan_that_is_no_text_is_refused() -> None:
    plan = TERMS.to_plan() | {"design": '{"guideline":3,"method":"fixed_sequence","size":100}'}
    with pytest.raises(AuditError, match="guideline: found 3"):
        FrozenTerms.from_plan(plan)


def test_what_a_release_says_of_its_guideline_is_hashed_again() -> None:
    assert find_guideline_problem(TOLD, VERSION, ONTOLOGY, TEXT) == ""
    assert find_guideline_problem(None, None, ONTOLOGY, None) == ""


@pytest.mark.parametrize(
    ("told", "frozen", "ontology", "text", "why"),
    [
        (TOLD, None, ONTOLOGY, None, "frozen without a guideline"),
        (None, None, ONTOLOGY, TEXT, "frozen without a guideline"),
        (None, VERSION, ONTOLOGY, TEXT, "certificate.json tells of none"),
        (TOLD, VERSION, ONTOLOGY, None, "not in the folder"),
        (TOLD, VERSION, ONTOLOGY, hash_text("Say b."), "the guideline's text gives"),
        (TOLD, VERSION, Ontology(("a", "c")), TEXT, "but the plan of"),
        (TOLD | {"question": "What?"}, VERSION, ONTOLOGY, TEXT, "question, kind and ontology give"),
        (TOLD | {"version": "0" * 64}, VERSION, ONTOLOGY, TEXT, "certificate.json says 000"),
        (TOLD, "0" * 64, ONTOLOGY, TEXT, "plan says 000"),
        (["x"], VERSION, ONTOLOGY, TEXT, "tells of none"),
    ],
)
def test_every_altered_claim_of_a_guideline_is_found(
    told: Any, frozen: str | None, ontology: Ontology, text: str | None, why: str
) -> None:
    assert why in find_guideline_problem(told, frozen, ontology, text)


def test_an_audit_ends_when_its_guideline_is_replaced(tmp_path: Path) -> None:
    lake = lake_of(tmp_path / "before", version(VERSION))
    plan = lake.read("release_plan", "one-r1").to_pylist()[0]
    assert not is_finished(lake, "one-r1")
    assert not is_replaced(lake, plan)
    lake = lake_of(tmp_path / "after", version(VERSION), version("f" * 64))
    assert is_finished(lake, "one-r1")
    found = find_guideline(lake, TERMS)
    assert found is not None
    assert found.lapse == f"made under guideline {VERSION[:12]}, which ffffffffffff has replaced"


def test_a_release_without_a_guideline_does_not_lapse(tmp_path: Path) -> None:
    lake, without = lake_of(tmp_path, version(VERSION)), dataclasses.replace(TERMS, guideline=None)
    assert find_guideline(lake, without) is None
    assert not is_replaced(lake, without.to_plan())
