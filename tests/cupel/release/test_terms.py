"""Terms: what they forbid on which day, how they are frozen, and how they are told."""

from datetime import date
from typing import Any

import pytest

from cupel.config.licences import Licence
from cupel.config.project import Project
from cupel.errors import ReleaseError
from cupel.release.terms import (
    LicenceTerms,
    forbidden,
    house_rules,
    in_words,
    licence_rows,
    usable_until,
)
from made_releases import make_project

BOUGHT = Licence(name="acme", contract="order 7", since="2026-01-31", until="2026-02-02", may_release=False)  # type: ignore[arg-type]
OWN, SHARED = Licence(name="own"), Licence(name="CC-BY-4.0", attribution="Wire & Co")


def terms(day: str = "2026-02-01", purpose: Any = "train") -> LicenceTerms:
    return LicenceTerms(purpose, date.fromisoformat(day), (OWN, SHARED, BOUGHT))


def named(*licences: Licence) -> Project:
    return make_project().model_copy(update={"licences": licences})


NAMED = named(OWN, BOUGHT)


@pytest.mark.parametrize(
    ("day", "why"),
    [
        ("2026-01-30", "its terms begin on 2026-01-31, after the release's day, 2026-01-30"),
        ("2026-01-31", None),
        ("2026-02-02", None),
        ("2026-02-03", "its terms ended on 2026-02-02, before the release's day, 2026-02-03"),
    ],
)
def test_terms_hold_from_their_first_day_to_their_last(day: str, why: str | None) -> None:
    assert terms(day).why_forbidden("acme") == why


def test_what_may_not_be_passed_on_is_forbidden_where_the_release_is() -> None:
    assert terms(purpose="train").why_forbidden("acme") is None
    assert "may not be passed on" in (terms(purpose="publish").why_forbidden("acme") or "")


def test_a_licence_that_was_not_frozen_with_the_release_lets_nothing_in() -> None:
    assert "is not among the project's licences" in (terms().why_forbidden("MIT") or "")


def test_each_forbidden_licence_has_its_sentence_and_its_number() -> None:
    said = forbidden(terms("2027-01-01"), {"acme": 1_200, "own": 3, "MIT": 1})
    assert len(said) == 2
    assert said[1] == ("1,200 of licence acme: its terms ended on 2026-02-02, before the release's day, 2027-01-01")


def test_a_plan_gives_its_terms_back() -> None:
    terms = LicenceTerms("publish", date(2026, 2, 1), (OWN, BOUGHT))
    assert LicenceTerms.of_project(NAMED, date(2026, 2, 1)) == terms
    assert LicenceTerms.from_plan(terms.to_plan()) == terms
    assert LicenceTerms.from_plan({"release": "a plan of before"}) is None


def test_a_project_without_licences_has_no_terms_and_needs_no_day() -> None:
    assert LicenceTerms.of_project(named(), None) is None
    with pytest.raises(ReleaseError, match="the day of the release is not recorded"):
        LicenceTerms.of_project(NAMED, None)


@pytest.mark.parametrize(
    "change",
    [{"day": None}, {"day": "soon"}, {"licences": "[{}]"}, {"licences": "{"}, {"licences": None}, {"purpose": "sell"}],
)
def test_a_plan_whose_terms_were_altered_is_refused(change: dict[str, Any]) -> None:
    plan = LicenceTerms("publish", date(2026, 2, 1), (OWN, BOUGHT)).to_plan() | change
    with pytest.raises(ReleaseError, match="are not as a release freezes them"):
        LicenceTerms.from_plan(plan)


def test_terms_are_told_in_words() -> None:
    assert in_words(BOUGHT) == "contract order 7; from 2026-01-31; until 2026-02-02; not to be passed on"
    assert in_words(SHARED) == "name: Wire & Co"
    assert in_words(OWN) == "no further terms"


def test_licences_of_a_release_come_in_their_order_and_only_those_that_it_holds() -> None:
    rows = licence_rows(terms(), {"acme": 2, "CC-BY-4.0": 1})
    assert [(row.name, row.items, row.attribution) for row in rows] == [
        ("CC-BY-4.0", 1, "Wire & Co"),
        ("acme", 2, None),
    ]
    assert [row.terms for row in licence_rows(None, {"MIT": 2})] == [""]


def test_a_release_may_be_used_until_the_first_of_its_terms_ends() -> None:
    assert usable_until(terms(), ["own", "acme"]) == date(2026, 2, 2)
    assert usable_until(terms(), ["own"]) is None
    assert house_rules(terms(), ["own"]) == [
        "It was made for training in the house, and must not be passed on to others."
    ]
    assert house_rules(terms(purpose="publish"), ["acme"]) == [
        "Terms of its items end: after 2026-02-02 it may not be used as it is."
    ]
    assert house_rules(None, ["own"]) == []
