import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from cupel.accept.delivery import read_delivery
from cupel.accept.folder import load_plan
from cupel.accept.sheet import Filled, csv_bytes, read_sheet
from cupel.errors import AuditError
from cupel.store.local import LocalStore


@pytest.fixture
def sheet(make_buyer: Callable[..., Any]) -> Any:
    buyer = make_buyer(0)
    buyer.run(budget=0.05, audit=40, seed=3)
    plan, looks = load_plan(LocalStore(buyer.folder), read_delivery(buyer.delivery))

    class Sheet:
        path = buyer.fill()
        right = buyer.right

        def rows(self) -> list[list[str]]:
            return [line.split(",") for line in self.path.read_text(encoding="utf-8-sig").splitlines()]

        def write(self, rows: list[list[str]], delimiter: str = ",", encoding: str = "utf-8") -> None:
            self.path.write_bytes("\r\n".join(delimiter.join(row) for row in rows).encode(encoding))

        def read(self) -> Filled:
            return read_sheet(self.path, plan, looks)._replace(sha256="")

    return Sheet()


def test_a_filled_sheet_gives_an_answer_for_each_row(sheet: Any) -> None:
    answers = sheet.read().answers
    assert list(answers.values()) == [sheet.right[row[1]] for row in sheet.rows()[1:]]


@pytest.mark.parametrize(("delimiter", "encoding"), [(";", "cp1252"), ("\t", "utf-16"), (",", "utf-8-sig")])
def test_what_spreadsheets_make_of_it_reads_the_same(sheet: Any, delimiter: str, encoding: str) -> None:
    before = sheet.read()
    rows = sheet.rows()
    shouted = [rows[0], *([*row[:-1], row[-1].upper()] for row in rows[1:]), ["", "", ""]]
    sheet.write(shouted, delimiter, encoding)
    assert sheet.read() == before


def test_the_order_of_the_rows_does_not_matter(sheet: Any) -> None:
    before, rows = sheet.read(), sheet.rows()
    sheet.write([rows[0], *rows[:0:-1]])
    assert sheet.read() == before


@pytest.mark.parametrize("word", ["?", "Cannot be decided", "undecided"])
def test_what_cannot_be_decided_is_null(sheet: Any, word: str) -> None:
    rows = sheet.rows()
    rows[1][-1] = word
    sheet.write(rows)
    assert sheet.read().answers[rows[1][0]] is None


def test_a_half_filled_sheet_names_how_many_rows_are_open(sheet: Any) -> None:
    rows = sheet.rows()
    for row in rows[1:8]:
        row[-1] = ""
    sheet.write(rows)
    with pytest.raises(AuditError, match=rf"row without a label: 7 of them: {rows[1][0]}, .*Nothing was written"):
        sheet.read()


def test_an_untouched_sheet_is_no_error(sheet: Any) -> None:
    sheet.write([[*row[:-1], "" if number else "label"] for number, row in enumerate(sheet.rows())])
    assert sheet.read() == Filled(1, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[:-2], "row missing: 2 of them"),
        (lambda rows: [*rows, rows[1]], "row code more than once"),
        (lambda rows: [*rows, ["r000000-0001", "x", "bad"]], "unknown row code"),
        (lambda rows: [rows[0], *([f"r0{row[0][2:]}x", *row[1:]] for row in rows[1:])], "sheet of|unknown row"),
        (lambda rows: [rows[0], *(["zz-1", *row[1:]] for row in rows[1:])], "a sheet of another audit"),
        (lambda rows: [*rows[:-1], [*rows[-1][:-1], "goood"]], "label 'goood' is none of the classes: bad, good"),
        (lambda rows: [["a", "b", "c"], *rows[1:]], "not an audit sheet"),
        (lambda rows: [], "Expected an audit sheet"),
        (lambda rows: [*rows, ["only one cell"]], "field_count"),
    ],
)
def test_a_sheet_that_does_not_fit_is_one_clear_error(sheet: Any, change: Callable[..., Any], message: str) -> None:
    sheet.write(change(sheet.rows()))
    with pytest.raises(AuditError, match=message):
        sheet.read()


def test_no_spreadsheet_runs_a_cell() -> None:
    text = csv_bytes([["=1+1", "+2", "-3", "@a", "\tb", "plain", None]]).decode("utf-8-sig")
    assert text.startswith("'=1+1,'+2,'-3,'@a,'\tb,plain,")


def test_the_sheet_shows_no_id_no_label_and_no_annotator(make_buyer: Callable[..., Any]) -> None:
    buyer = make_buyer(100)
    buyer.run(budget=0.05, audit=40)
    header, *rows = [line.split(",") for line in (buyer.folder / "sheet.csv").read_text("utf-8-sig").splitlines()]
    assert header == ["row", "text", "label"]
    assert all(row[-1] == "" for row in rows)
    page = (buyer.folder / "sheet.html").read_text()
    assert "ann" not in re.findall(r'"(\w+)"', _data(page))
    assert not re.search(r'"i\d+"', _data(page))


def test_the_page_holds_hostile_text_as_data_only(make_buyer: Callable[..., Any]) -> None:
    buyer = make_buyer(0, labels=40)
    hostile = '</script><script>alert(1)</script><!-- "\u2028'
    buyer.delivery.write_text(
        "text,label\n" + "".join(f'"{hostile.replace(chr(34), chr(34) * 2)} {n}",{"ab"[n % 2]}\n' for n in range(40)),
        encoding="utf-8",
    )
    buyer.run(budget=0.05)
    page = (buyer.folder / "sheet.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert page.count("</script>") == 2
    assert json.loads(_data(page))["rows"][0]["text"].startswith(hostile)


def test_the_page_asks_no_network_for_anything(make_buyer: Callable[..., Any]) -> None:
    buyer = make_buyer(0)
    buyer.run(budget=0.05)
    page = (buyer.folder / "sheet.html").read_text(encoding="utf-8")
    assert not re.search(r"""(?:src|href)=["']|@import|url\(|fetch\(|XMLHttp""", page)
    assert "default-src 'none'" in page


def _data(page: str) -> str:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return found[1]
