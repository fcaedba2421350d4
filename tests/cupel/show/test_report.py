import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cupel.people.annotators.undecided import UndecidedFinding
from cupel.show.report import render_report
from cupel.show.report_facts import ReportFacts, report_facts
from cupel.show.report_views import check_groups, funnel, key_figures

VOID = {"meta", "br", "img", "path", "use", "rect"}


class Outline(HTMLParser):
    """Collects the tags, texts and unclosed elements of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.stack: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def page(certified: Any) -> str:
    return render_report(certified.facts, report_facts(certified.lake, certified.facts))


@pytest.fixture(scope="module")
def refusal(refused: Any) -> str:
    return render_report(refused.facts, report_facts(refused.lake, refused.facts))


def check(name: str, observed: float | None, comparison: str = "at most", **more: Any) -> dict[str, Any]:
    row = {
        "stage": "cleaning", "partition": "movies", "check": name, "outcome": "pass", "severity": "critical",
        "observed": observed, "bound": None, "threshold": 0.05, "comparison": comparison, "reason": "why",
        "table_name": "t", "table_hash": "h", "item_ids": [],
    }  # fmt: skip
    return {**row, **more}


def only_row(facts: Any, row: dict[str, Any]) -> Any:
    bare = dataclasses.replace(facts, gates=[row], batches=[dataclasses.replace(facts.batches[0], gates=[])])
    ((_, rows),) = check_groups(bare)
    return rows[0]


def test_the_same_facts_give_the_same_page(certified: Any, page: str) -> None:
    again = render_report(certified.facts, report_facts(certified.lake, certified.facts))
    assert again == page


def test_the_page_needs_no_network_and_runs_no_script(page: str, refusal: str) -> None:
    for text in (page, refusal):
        outline = Outline(text)
        assert not {"script", "link", "iframe", "img", "object"} & {tag for tag, _ in outline.tags}
        links = [
            value for _, attrs in outline.tags for key, value in attrs.items() if key in ("src", "href", "xlink:href")
        ]
        assert all(value and value.startswith("#") for value in links)
        assert "url(http" not in text
        assert "default-src 'none'" in text


def test_every_element_is_closed_and_ids_are_unique(page: str, refusal: str) -> None:
    for text in (page, refusal):
        outline = Outline(text)
        assert outline.stack == []
        ids = [attrs["id"] for _, attrs in outline.tags if "id" in attrs]
        assert len(ids) == len(set(ids))


def test_plots_have_a_text_and_tables_have_headers(page: str) -> None:
    outline = Outline(page)
    plots = [attrs for tag, attrs in outline.tags if tag == "svg"]
    assert len(plots) == 4
    assert all(attrs["role"] == "img" and attrs["aria-label"] for attrs in plots)
    assert page.count("<table") == page.count("<thead")
    assert all("scope" in attrs for tag, attrs in outline.tags if tag == "th")


def test_texts_of_items_are_shown_and_escaped(page: str, refusal: str) -> None:
    assert "&lt;b&gt;of&lt;/b&gt; a film &amp; more" in page
    assert "<b>of" not in page
    assert "<b>of" not in refusal
    assert "Tiny &lt;films&gt; &amp; | papers" in page


def test_all_that_comes_from_outside_is_escaped(certified: Any) -> None:
    evil = "<script>alert(1)</script>\"'"
    batch = dataclasses.replace(
        certified.facts.batches[0], batch=evil, rejected={evil: 20}, rejected_answers={evil: 1},
        annotators=[{**row, "annotator": evil} for row in certified.facts.batches[0].annotators],
        gates=[check(evil, 0.1, reason=evil, partition=evil, outcome="fail", item_ids=[evil])],
    )  # fmt: skip
    facts = dataclasses.replace(
        certified.facts, release=evil, batches=[batch], worst=[{**row, "text": evil} for row in certified.facts.worst]
    )
    page = render_report(facts)
    assert "<script" not in page
    Outline(page)


def test_the_first_screen_says_verdict_reason_wording_and_bounds(page: str, certified: Any) -> None:
    text = Outline(page).text
    certificate = certified.facts.certificate
    assert text.index("PASS: certified and released") < text.index(certificate["wording"][:40])
    assert certified.facts.reason[1:] in text
    assert 5 <= len(key_figures(certified.facts)) <= 7


def test_a_refusal_says_what_would_be_needed_and_what_to_relabel(refusal: str, refused: Any) -> None:
    text = Outline(refusal).text
    assert "REFUSED: not released" in text
    assert "What would be needed" in text
    assert f"experts would have to see {refused.facts.result['experts_seen']}" in text
    assert "What to relabel next" in text
    assert "wrong: the experts say" in text
    assert "They were repaired" not in text


def test_a_pass_does_not_ask_for_relabelling(page: str) -> None:
    assert "What would be needed" not in page


def test_before_the_audit_the_page_is_open_and_claims_nothing(unaudited: Any) -> None:
    text = Outline(render_report(unaudited.facts, report_facts(unaudited.lake, unaudited.facts))).text
    assert "OPEN: not decided yet" in text
    assert "at most" not in text.split("Every check")[0]
    assert "drawn at random" not in text


def test_a_release_refused_by_its_checks_says_which(unaudited: Any) -> None:
    reason = "movies: cleaning gate: checks failed: kept_share"
    terms = dataclasses.replace(unaudited.facts.terms, status="refused", reason=reason)
    text = Outline(render_report(dataclasses.replace(unaudited.facts, terms=terms))).text
    assert "REFUSED: not released" in text
    assert "cleaning gate: checks failed: kept_share" in text


def test_anonymous_annotators_are_said_to_be(certified: Any) -> None:
    batch = certified.facts.batches[0]
    nameless = dataclasses.replace(batch, annotators=[])
    text = Outline(render_report(dataclasses.replace(certified.facts, batches=[nameless]))).text
    assert "annotators are anonymous here" in text


def test_agreement_names_its_statistics(page: str) -> None:
    text = Outline(page).text
    assert "Krippendorff's alpha" in text
    assert "Gwet's AC1" in text


def test_the_page_of_a_release_says_which_moment_it_tells_of_and_nothing_else_is_other(
    certified: Any, page: str
) -> None:
    released = render_report(
        certified.facts, report_facts(certified.lake, certified.facts), answers_known=12_345
    ).splitlines()
    (said,) = [line for line in released if line not in page.splitlines()]
    assert "answers up to number 12,345" in said
    assert [line for line in released if line != said] == page.splitlines()


def test_rows_that_do_not_add_up_are_not_hidden(certified: Any) -> None:
    batch = dataclasses.replace(certified.facts.batches[0], rows_in=421)
    text = Outline(render_report(dataclasses.replace(certified.facts, batches=[batch]))).text
    assert "do not add up" in text
    assert "Every row delivered is accounted for" not in text


def test_the_funnel_of_several_deliveries_adds_them_up(certified: Any) -> None:
    batches = [certified.facts.batches[0], dataclasses.replace(certified.facts.batches[0], batch="newspaper")]
    rows = {row.name: row for row in funnel(dataclasses.replace(certified.facts, batches=batches))}
    assert (rows["rows delivered"].numbers, rows["rows delivered"].total) == ([420, 420], 840)
    assert rows["rejected: near duplicate"].total == 26
    assert rows["released"].numbers == [None, None]


def test_parts_of_the_funnel_add_up_to_the_items(certified: Any) -> None:
    parts = [row.total for row in funnel(certified.facts) if row.kind == "part"]
    assert sum(part or 0 for part in parts) == certified.facts.result["items"]


@pytest.mark.parametrize(
    ("row", "margin"),
    [
        (check("dirty_share", 0.03), "2.0% to spare"),
        (check("dirty_share", 0.08, outcome="fail"), "3.0% over"),
        (check("dirty_share", 0.03, bound=0.06, outcome="fail"), "1.00% over"),
        (check("kept_share", 0.03, "at least", outcome="fail"), "2.0% short"),
        (check("rows_lost", 0.0, threshold=0.0), "0 to spare"),
        (check("labels_awaited", None, outcome="open"), "\N{EN DASH}"),
        (check("dirty_share", float("nan"), outcome="fail"), "\N{EN DASH}"),
        (check("ExpectColumnToExist", None, "expectation"), "\N{EN DASH}"),
    ],
)
def test_each_check_says_how_close_it_came(certified: Any, row: dict[str, Any], margin: str) -> None:
    assert only_row(certified.facts, row).margin == margin


def test_bars_keep_inside_their_frame(certified: Any) -> None:
    for value in (-0.5, 0.0, 0.049, 0.05, 7.0):
        found = only_row(certified.facts, check("agreement_floor", value, "at least"))
        assert 0 <= found.fill <= 100
        assert 0 <= found.mark <= 100


def test_nothing_gathered_leaves_parts_out_but_not_the_page(certified: Any) -> None:
    outline = Outline(render_report(certified.facts, more=ReportFacts.nothing()))
    assert "Krippendorff" not in outline.text
    assert len([tag for tag, _ in outline.tags if tag == "svg"]) == 2


def test_no_path_of_this_machine_is_in_the_page(page: str) -> None:
    assert not re.search(rf"{re.escape(str(Path.cwd()))}|/tmp/|/home/", page)


def test_experts_who_leave_undecided_what_others_decide_are_shown_and_nobody_where_there_are_none(
    certified: Any, page: str
) -> None:
    heading = "Experts who leave undecided what others decide"
    assert certified.facts.undecided == []
    assert heading not in page
    found = UndecidedFinding("<eve>", "the same items", 15, 41, 3, 41, 0.0075)
    facts = dataclasses.replace(certified.facts, undecided=[found._asdict()])
    text = Outline(render_report(facts, None, report_facts(certified.lake, facts))).text
    assert heading in text
    assert "<eve> the same items 15 of 41 3 of 41 0.0075" in text
