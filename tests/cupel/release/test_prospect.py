"""What a project is told before anybody is asked: that its audit could not pass, and what would let it pass."""

import re
from typing import Any

import pytest

from cupel.certificate.flawless_audit import passes_always
from cupel.config.project import Project
from cupel.release.audit_design import design_of
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.prospect import explain_hopeless
from made_releases import make_project, make_terms


def freeze(items: int, **release: Any) -> tuple[Project, FrozenTerms]:
    project = make_project(error_budget=0.02, max_experts_seen_share=0.3, **release)
    settings = project.release
    terms = make_terms(
        items, error_budget=settings.error_budget, max_experts_seen_share=settings.max_experts_seen_share,
        design=design_of(settings, items, 1), bounds_slices=True,
        max_undecided_share=settings.certificate.max_undecided_share,
    )  # fmt: skip
    return project, terms


def test_one_item_fewer_is_refused_with_numbers_and_one_more_is_asked_about() -> None:
    assert explain_hopeless(*freeze(1334, audit_size=400)) is None
    said = explain_hopeless(*freeze(1333, audit_size=400))
    assert said is not None
    assert said.startswith(
        "nobody is asked, for its audit could not pass if experts found nothing wrong: the audit of 400 found 0 wrong "
        "and 0 contested: to keep 2%, experts would have to see 30.1% of the items, at most 30% are allowed (60 draws "
        "tried). 400 answers of experts and USD 240 would be spent for nothing. To pass, audit_size of "
    )
    assert said.endswith(
        " To have it audited all the same, which counts as an attempt, set release.certificate.audit_anyway: true"
    )
    assert "to 399 instead of 400" in said
    assert "; or max_experts_seen_share of 31% (then from USD 240 of experts)" in said
    assert "; or a delivery of 1,334 items instead of 1,333 (then from USD 240 of experts)" in said


def test_who_insists_is_asked_about_all_the_same() -> None:
    assert explain_hopeless(*freeze(300, audit_size=400, certificate={"audit_anyway": True})) is None


def test_each_way_that_is_named_does_pass_and_a_step_less_does_not() -> None:
    project, terms = freeze(300, audit_size=400)
    said = explain_hopeless(project, terms) or ""
    found = re.search(r"audit_size of (\d+) with max_experts_seen_share of (\d+)%", said)
    assert found, said
    size, share = int(found[1]), int(found[2]) / 100
    settings = project.release.model_copy(update={"audit_size": size, "max_experts_seen_share": share})
    changed = project.model_copy(update={"release": settings})
    fits = freeze(300, audit_size=size)[1].__class__(
        **{**terms.__dict__, "design": design_of(settings, 300, 1), "max_experts_seen_share": share}
    )
    assert explain_hopeless(changed, fits) is None
    less = freeze(300, audit_size=size - 1)[1]
    assert not passes_always(
        less.__class__(**{**less.__dict__, "max_experts_seen_share": (size - 1) / 300}), 300, draws=20
    ).can_pass


@pytest.mark.parametrize(
    ("certificate", "audit_size"),
    [
        ({"method": "rising"}, 1),
        ({"method": "stratified", "strata": [{"share": 0.5, "audited": 60}, {"share": 0.5, "audited": 60}]}, 1),
        ({"method": "e_process", "look_every": 50}, 90),
    ],
)
def test_every_design_that_shows_too_much_of_a_small_delivery_is_told(
    certificate: dict[str, Any], audit_size: int
) -> None:
    said = explain_hopeless(*freeze(300, audit_size=audit_size, certificate=certificate)) or ""
    assert "experts would have to see" in said
    assert ". To pass, " in said


def test_without_prices_it_still_says_how_many_answers_are_saved() -> None:
    project, terms = freeze(300, audit_size=400)
    free = project.model_copy(update={"prices": project.prices.model_copy(update={"expert_answer": 0.0})})
    assert "300 answers of experts" in (explain_hopeless(free, terms) or "")
