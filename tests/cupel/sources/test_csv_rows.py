"""CSV records to rows, against the standard library's reader where both allow the input."""

import csv
import io
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.errors import SourceError
from cupel.sources.csv_rows import csv_rows
from cupel.sources.lines import Line
from cupel.sources.reasons import BadRow, Row

LIMIT = 10_000


def rows(content: bytes, limit: int = LIMIT) -> list[Row | BadRow]:
    lines = content.split(b"\n")[: None if not content.endswith(b"\n") else -1]
    source: Iterator[Line] = (Line(place + 1, part.removesuffix(b"\r")) for place, part in enumerate(lines))
    return list(csv_rows("a.csv", source, ("text",), limit))


def outcome(row: Row | BadRow) -> tuple[int, object]:
    return (row.line, row.values["text"]) if isinstance(row, Row) else (row.line, row.reason)


def test_quotes_commas_and_line_ends_inside_quotes_are_text() -> None:
    content = b'id,text\n1,"a, ""b""\nc"\n2,plain\n3,""\n'
    assert [outcome(row) for row in rows(content)] == [(2, 'a, "b"\nc'), (4, "plain"), (5, "")]


def test_a_row_with_missing_or_extra_fields_is_rejected() -> None:
    assert [outcome(row) for row in rows(b"id,text\n1\n1,a,b\n1,a\n")] == [
        (2, "field_count"),
        (3, "field_count"),
        (4, "a"),
    ]


def test_an_unclosed_quote_costs_its_own_line_only() -> None:
    assert [outcome(row) for row in rows(b'id,text\n1,"open\n2,b\n3,c\n')] == [
        (2, "unclosed_quote"),
        (3, "b"),
        (4, "c"),
    ]


def test_an_unclosed_quote_is_given_up_at_the_limit() -> None:
    content = b'id,text\n1,"open\n' + b"2,b\n" * 100
    found = [outcome(row) for row in rows(content, limit=50)]
    assert found == [(2, "unclosed_quote"), *((number, "b") for number in range(3, 103))]


@pytest.mark.parametrize("bad", [b'1,a "quoted" word', b'1,"a"b', b'"1"2,a'])
def test_a_quote_in_the_wrong_place_is_rejected(bad: bytes) -> None:
    assert [outcome(row) for row in rows(b"id,text\n" + bad + b"\n2,b\n")] == [(2, "broken_csv"), (3, "b")]


def test_wrong_encoding_nul_bytes_and_empty_lines_are_rejected_one_by_one() -> None:
    found = [outcome(row) for row in rows(b"id,text\n1,caf\xe9\n2,a\x00\n\n3,c\n")]
    assert found == [(2, "wrong_encoding"), (3, "nul_byte"), (4, "empty_row"), (5, "c")]


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (b"id,body\n", "the file has 'id', 'body'"),
        (b"id;text\n", "commas between fields"),
        (b"text,text\n", "names text twice"),
        (b"text,caf\xe9\n", "not UTF-8"),
        (b'text,"open\n', "cannot be read"),
    ],
)
def test_a_header_that_cannot_be_used_is_an_error_that_says_what_is_there(header: bytes, problem: str) -> None:
    with pytest.raises(SourceError, match=problem):
        rows(header + b"1,a\n")


FIELDS = st.text(alphabet=st.sampled_from('ab,"\n \u00e9'), max_size=8)


@settings(deadline=None)
@given(st.lists(st.lists(FIELDS, min_size=2, max_size=2), max_size=8))
def test_what_the_standard_library_writes_is_read_back(records: list[list[str]]) -> None:
    sink = io.StringIO()
    csv.writer(sink, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([["id", "text"], *records])
    found = rows(sink.getvalue().encode())
    assert [row.values for row in found if isinstance(row, Row)] == [{"id": one, "text": two} for one, two in records]
    assert len(found) == len(records)


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from('a,"\n'), max_size=40))
def test_where_no_quote_is_out_of_place_the_standard_library_reads_the_same(body: str) -> None:
    content = ("id,text\n" + body + "\n").encode()
    found = rows(content)
    assert [row.line for row in found] == sorted({row.line for row in found})
    if any(isinstance(row, BadRow) and row.reason in ("broken_csv", "unclosed_quote") for row in found):
        return
    expected = list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))[1:]
    good = [list(row.values.values()) for row in found if isinstance(row, Row)]
    assert good == [row for row in expected if len(row) == 2]


def test_many_unclosed_quotes_take_linear_time() -> None:
    read = 0

    def lines() -> Iterator[Line]:
        nonlocal read
        for number in range(1, 20_001):
            read += 1
            yield Line(number, b"id,text" if number == 1 else (b'1,"a' if number % 2 else b'1,""'))

    found = list(csv_rows("a.csv", lines(), ("text",), 1_000_000))
    assert len(found) + 1 <= read == 20_000
