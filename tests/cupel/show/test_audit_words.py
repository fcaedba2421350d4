from typing import Any

import pytest

from cupel.certificate.design import method_name
from cupel.kinds import projects
from cupel.show.audit_words import audit_lead, cut_names, cuts_caption, planted_rows
from cupel.show.report import render_report
from cupel.show.report_facts import report_facts
from cupel.show.report_views import funnel
from cupel.show.wording import limits, steps
from made_releases import Made, make_project, make_release

METHODS: dict[str, dict[str, Any]] = {
    "fixed_sequence": {},
    "rising": {"method": "rising", "gain": 1.0, "steps": 6},
    "stratified": {
        "method": "stratified", "strata": [{"share": 0.5, "audited": 100}, {"share": 0.5, "audited": 100}],
    },
    "e_process": {"method": "e_process", "look_every": 50},
}  # fmt: skip


@pytest.fixture(scope="module", params=METHODS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    declared = {**METHODS[request.param], "planted_errors": 60}
    found = make_release(tmp_path_factory.mktemp(request.param), size=500, error_budget=0.1, certificate=declared)
    assert method_name(found.facts.terms.design) == request.param
    return found


def page(made: Made) -> str:
    return render_report(made.facts, more=report_facts(made.lake, made.facts))


def test_the_report_speaks_of_the_audit_as_it_was_held(made: Made) -> None:
    text, method = page(made), method_name(made.facts.terms.design)
    assert audit_lead(made.facts).replace("'", "&#39;") in text
    assert cuts_caption(made.facts).replace("'", "&#39;") in text
    for name in cut_names(made.facts.terms.design)[:1]:
        assert name in text
    assert ("A cut passes" in text) == (method in ("fixed_sequence", "stratified"))
    assert ("cut passed" in text) == (method != "rising")
    assert ("Behind the cut" in text) == (method != "rising")
    assert ("Behind the audit&#39;s end" in text) == (method == "rising")
    assert ("each error found raising the share" in " ".join(steps(made.facts))) == (method == "rising")


def test_the_report_says_what_auditors_notice_at_least(made: Made) -> None:
    text = page(made)
    rows = dict(planted_rows(made.facts))
    assert len(rows) == 5
    for name, value in rows.items():
        assert name.replace("'", "&#39;") in text
        assert value in text
    assert rows["Wrong labels that auditors notice, at confidence 99%"].startswith("at least 8")
    said = " ".join(limits(made.facts))
    assert "known label of 60 of 60 planted items" in said
    assert "not measured here" not in said


def test_the_funnel_counts_planted_items_once(made: Made) -> None:
    rows, result = {row.name: row.total for row in funnel(made.facts)}, made.facts.result
    assert result is not None
    parts = [row.total or 0 for row in funnel(made.facts) if row.kind == "part"]
    assert sum(parts) == result["items"]
    assert 0 < (rows["planted among their questions, known labels"] or 0) <= 60


def test_a_release_without_planted_items_says_nothing_of_them(certified: Made) -> None:
    assert planted_rows(certified.facts) == []
    assert "planted" not in page(certified)
    assert any("not measured here" in sentence for sentence in limits(certified.facts))


def test_planted_errors_need_known_labels() -> None:
    content = make_project().model_dump(mode="json", exclude_unset=True)
    content["release"]["certificate"] = {"planted_errors": 10}
    content["labeling"].pop("gold", None)
    with pytest.raises(ValueError, match=r"planted_errors: .* labeling\.gold"):
        projects.make_project(content)
    content["labeling"]["gold"] = "gold.csv"
    assert projects.make_project(content).release.certificate.planted_errors == 10


@pytest.mark.parametrize("number", [0, -3, 0.1])
def test_planted_errors_are_a_count(number: float) -> None:
    with pytest.raises(ValueError, match="planted_errors"):
        make_project(certificate={"planted_errors": number})
