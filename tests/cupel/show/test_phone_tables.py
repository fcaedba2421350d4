import re
from typing import Any

import pytest

from cupel.show.phone_tables import fit_phone
from cupel.show.report import render_report
from cupel.show.report_facts import report_facts

HEAD = "<thead><tr><th>Item</th><th>Found <b>wrong</b></th><th></th></tr></thead>"


def fit(table: str) -> str:
    return fit_phone(f"<style></style>{table}").partition("</style>")[2]


def test_each_cell_of_a_wide_table_says_its_column_and_a_row_head_needs_no_name() -> None:
    row = '<tr><th scope="row">a</th><td class="number">3</td><td>x</td></tr>'
    assert fit(f'<table class="narrow">{HEAD}<tbody>{row}</tbody></table>') == (
        f'<table class="narrow cards">{HEAD}<tbody><tr><th scope="row">a</th>'
        '<td class="number" data-label="Found wrong">3</td><td>x</td></tr></tbody></table>'
    )


@pytest.mark.parametrize(
    "table",
    [
        "<table><tr><th>Name</th><th>Items</th></tr><tr><td>a</td><td>3</td></tr></table>",
        "<table><tbody><tr><td>a</td><td>3</td><td>4</td></tr></tbody></table>",
        "<table></table>",
    ],
)
def test_a_table_of_two_columns_or_without_headings_stays_as_it_is(table: str) -> None:
    assert fit(table) == table


def test_the_style_of_narrow_screens_is_in_the_page_once() -> None:
    page = fit_phone("<style>a</style><style>b</style>")
    assert page.count("max-width: 44rem") == 1
    assert page.endswith("</style><style>b</style>")


def test_every_wide_table_of_a_report_is_cards_on_a_phone_and_below_the_first_screen_all_is_folded(
    refused: Any,
) -> None:
    page = render_report(refused.facts, report_facts(refused.lake, refused.facts))
    for table in re.findall(r"<table\b.*?</table>", page, re.DOTALL):
        head = re.search(r"<thead>.*?</thead>", table, re.DOTALL)
        is_wide = head is not None and head[0].count("<th ") > 2
        assert is_wide == ("cards" in table.partition(">")[0]), table[:200]
    sections = re.findall(r"<section>\s*(?=(<\w+)).*?<h2>(.*?)</h2>", page, re.DOTALL)
    assert len(sections) > 8
    assert [title for tag, title in sections if tag != "<details"] == ["What would be needed"]
    assert "<script" not in page
