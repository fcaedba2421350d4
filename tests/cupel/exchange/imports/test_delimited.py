import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.exchange.imports.delimited import decode, delimited_rows
from cupel.sources.reasons import BadRow, Row

CELLS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r"), max_size=12)


def rows_of(text: str) -> list[Row | BadRow]:
    return list(delimited_rows("d.csv", text))


def reasons(text: str) -> list[tuple[int, str]]:
    return [(row.line, row.reason) for row in rows_of(text) if isinstance(row, BadRow)]


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8), st.sampled_from([",", ";", "\t", "|"]))
def test_what_the_csv_module_writes_is_read_back(cells: list[tuple[str, str, str]], delimiter: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("id", "label", "text"), *cells])
    found = rows_of(out.getvalue())
    assert [tuple(row.values.values()) for row in found if isinstance(row, Row)] == cells


def test_windows_line_ends_semicolons_and_a_byte_order_mark_are_read() -> None:
    content = b"\xef\xbb\xbfid;label\r\n1;caf\xc3\xa9\r\n"
    assert rows_of(decode(content).text) == [Row(2, {"id": "1", "label": "café"})]


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"'])
def test_a_first_line_that_tells_excel_the_delimiter_is_no_header(first: str) -> None:
    assert rows_of(f"{first}\nid;label\n1;a,b\n") == [Row(3, {"id": "1", "label": "a,b"})]


def test_excels_unicode_text_is_read() -> None:
    content = "id\tlabel\r\n1\tjä\r\n".encode("utf-16")
    assert rows_of(decode(content).text) == [Row(2, {"id": "1", "label": "jä"})]


def test_a_windows_code_page_is_read_only_where_it_is_asked_for() -> None:
    content = b"id,label\n1,caf\xe9\n"
    assert rows_of(decode(content, "cp1252").text) == [Row(2, {"id": "1", "label": "café"})]
    assert reasons(decode(content).text) == [(2, "wrong_encoding")]


def test_a_stray_quote_costs_one_row_and_not_the_rest_of_the_file() -> None:
    text = 'id,label\n1,"yes\n' + "".join(f"{n},no\n" for n in range(2, 1500))
    found = rows_of(text)
    assert reasons(text) == [(2, "unclosed_quote")]
    assert len(found) == 1499


def test_rows_that_cannot_be_taken_apart_are_named_with_their_reason() -> None:
    text = "id,label\n1\n\n2,a,b\n3,\0\n4,fine\n"
    assert reasons(text) == [(2, "field_count"), (3, "empty_row"), (4, "field_count"), (5, "nul_byte")]


def test_a_quoted_text_may_span_lines_and_the_row_is_named_by_its_first() -> None:
    text = 'id,text,label\n1,"one\ntwo, three",yes\n2,x,no\n'
    assert [(row.line, row.values["text"]) for row in rows_of(text) if isinstance(row, Row)] == [
        (2, "one\ntwo, three"),
        (4, "x"),
    ]
