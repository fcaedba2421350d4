"""Licences: their terms as they stand in a project file, and what is wrong with them said plainly."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from cupel.config.licences import Licence, explain_forbidden_purpose, explain_unknown_licence
from cupel.errors import ProjectError
from cupel.kinds.projects import load_project
from small_project import write_project

OWN = {"name": "own"}
BOUGHT = {
    "name": "acme-2026", "contract": "Acme order 4711", "since": "2026-01-01", "until": "2027-12-31",
    "may_release": False, "attribution": "Texts by Acme",
}  # fmt: skip
DELIVERIES = {"one": {"files": ["small/one.jsonl"], "licence": "own", "licence_field": "rights"}}


def loaded(folder: Path, licences: list[dict[str, Any]], **changes: Any) -> Any:
    changes = {"raw": {"deliveries": DELIVERIES}, **changes}
    deployment = write_project(folder, items=1, licences=licences, **changes)
    return load_project(deployment.projects / "small.yaml")


def test_the_order_of_the_licences_is_that_of_the_file(tmp_path: Path) -> None:
    project = loaded(tmp_path, [OWN, BOUGHT])
    assert project.licence_names == ("own", "acme-2026")
    assert project.licences[1].until.isoformat() == "2027-12-31"


def test_a_day_may_stand_there_without_quotes(tmp_path: Path) -> None:
    project = loaded(tmp_path, [OWN, {"name": "b", **yaml.safe_load("until: 2027-12-31")}])
    assert project.licences[1].until.isoformat() == "2027-12-31"


@pytest.mark.parametrize(
    ("licences", "changes", "said"),
    [
        ([OWN, BOUGHT | {"until": "2025-12-31"}], {}, "it ends on 2025-12-31, before it begins on 2026-01-01"),
        ([OWN, BOUGHT | {"until": 2027}], {}, "it is no day; write it as 2026-01-31"),
        ([OWN, BOUGHT | {"until": "2027-02-30"}], {}, "key licences.1.until: found '2027-02-30'"),
        ([OWN, BOUGHT | {"until": "next year"}], {}, "it is no day"),
        ([OWN, BOUGHT | {"may_sell": True}], {}, "key licences.1.may_sell: not known in licences.1"),
        ([OWN, {"contract": "x"}], {}, "key licences.1.name: missing; add it"),
        ([OWN, BOUGHT | {"name": " own"}], {}, "has space around it"),
        ([OWN, BOUGHT, OWN], {}, "'own' stands there twice"),
        ([OWN, {"name": "OWN"}], {}, "'OWN' stands there twice, upper and lower case aside"),
        ([BOUGHT], {}, "raw, one: licence: 'own' is not among the project's licences; mend it, or add it"),
        ([{"name": "Own"}], {}, "raw, one: licence: 'own' is not among the project's licences; write it 'Own'"),
        ([OWN], {"cleaning": {"allowed_licences": ["MIT"]}}, "cleaning.allowed_licences: 'MIT' is not among"),
        (
            [OWN, BOUGHT], {"cleaning": {"allowed_licences": ["own", "acme-2026"]}},
            "lets 'acme-2026' through, but its items may not be passed on (may_release: false), and release.purpose is "
            "publish",
        ),
        (
            [OWN], {"raw": {"deliveries": {"one": {**DELIVERIES["one"], "licence_field": "text"}}}},
            "raw, one: licence_field names a field of the text",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_what_to_do(
    tmp_path: Path, licences: list[dict[str, Any]], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ProjectError) as error:
        loaded(tmp_path, licences, **changes)
    assert said in str(error.value)


def test_what_is_let_through_may_be_trained_on_in_the_house(tmp_path: Path) -> None:
    release = {"error_budget": 0.05, "audit_size": 10, "max_experts_seen_share": 0.9, "purpose": "train"}
    project = loaded(tmp_path, [OWN, BOUGHT], cleaning={"allowed_licences": ["acme-2026"]}, release=release)
    assert project.release.purpose == "train"


@pytest.mark.parametrize(
    ("may_release", "may_train", "publish", "train"),
    [(True, True, True, True), (False, True, False, True), (True, False, False, False), (False, False, False, False)],
)
def test_a_purpose_needs_its_rights(may_release: bool, may_train: bool, publish: bool, train: bool) -> None:
    licence = Licence(name="x", may_release=may_release, may_train=may_train)
    assert (
        explain_forbidden_purpose(licence, "publish") is None,
        explain_forbidden_purpose(licence, "train") is None,
    ) == (publish, train)


def test_any_licence_is_known_where_none_is_named() -> None:
    assert explain_unknown_licence("whatever", []) is None
    assert explain_unknown_licence("whatever", ["own"]) is not None


def test_terms_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Licence(name="x").may_train = False  # type: ignore[misc]
