"""What a plan says of labels beside the design of its audit."""

import json
from dataclasses import replace
from typing import Any

import pytest

from cupel.contract.ontology import Ontology
from cupel.contract.table import from_rows
from cupel.contract.tables.release import RELEASE_PLAN
from cupel.errors import AuditError
from cupel.kinds import KINDS
from cupel.kinds.category import CATEGORY
from cupel.kinds.preference import PREFERENCE
from cupel.release.frozen_terms import FrozenTerms, find_kind, find_models, name_kind
from made_releases import make_terms
from toy_kind import NUMBER, TOY

CLASSES = Ontology(("1", "2", "3"))


@pytest.mark.parametrize("kind", [CATEGORY, PREFERENCE])
def test_a_kind_of_equal_texts_and_one_part_is_not_named_so_that_plans_stay_as_they_were(kind: Any) -> None:
    assert name_kind(kind, CLASSES) is None
    assert make_terms(items=3).to_plan()["design"] is None


def test_a_kind_with_a_tolerance_or_with_parts_is_named() -> None:
    assert name_kind(NUMBER, CLASSES) == "number"
    assert name_kind(CATEGORY._replace(parts=lambda ontology: CATEGORY.parts(ontology) * 2), CLASSES) == "category"


@pytest.mark.parametrize("design", [{}, {"adjudicators_audited": 5, "undecided": 2}])
def test_a_named_kind_comes_back_from_the_plan(design: dict[str, Any]) -> None:
    terms = make_terms(items=3, kind="number", **design)
    (row,) = from_rows([terms.to_plan()], RELEASE_PLAN).to_pylist()
    assert json.loads(row["design"])["kind"] == "number"
    assert FrozenTerms.from_plan(row).kind == "number"
    assert FrozenTerms.from_plan(row).design == terms.design
    assert FrozenTerms.from_plan(make_terms(items=3).to_plan()).kind is None


def test_a_kind_that_is_no_name_is_refused() -> None:
    plan = make_terms(items=3, kind="number").to_plan()
    with pytest.raises(AuditError, match="kind: found 7; expected the name of a label kind"):
        FrozenTerms.from_plan(plan | {"design": plan["design"].replace('"number"', "7")})


def test_the_kind_is_found_by_its_name_and_an_unknown_one_refused_with_a_sentence() -> None:
    terms = make_terms(items=3, kind="number")
    assert find_kind(terms, TOY.kinds) is NUMBER
    assert find_kind(make_terms(items=3), ()) is None
    with pytest.raises(AuditError, match=r"release r: its labels are of the kind 'number'; known here: category, "):
        find_kind(terms, KINDS)


def test_an_expert_whom_the_project_calls_a_model_later_is_an_expert_still() -> None:
    frozen = make_terms(10, freeze_sha256="f" * 64, models=("gpt",))
    assert FrozenTerms.from_plan(frozen.to_plan()) == frozen
    assert find_models(frozen, ["gpt", "eve"]) == ("gpt",)
    assert find_models(frozen, []) == ("gpt",)
    assert find_models(replace(frozen, freeze_sha256=None), ["eve"]) == ["eve"]


@pytest.mark.parametrize("models", ['"gpt"', "[1]"])
def test_models_that_are_no_names_are_an_error(models: str) -> None:
    plan = make_terms(10, models=("gpt",)).to_plan()
    with pytest.raises(AuditError, match="design: models"):
        FrozenTerms.from_plan({**plan, "design": plan["design"].replace('["gpt"]', models)})
