"""The label buyer's command: deliveries and sheets of any make are judged as they stand, or refused by name and row."""

import csv
import io
import json
import random
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
from hostile.cases import cases, is_clear
from hostile.nonsense import COLUMNS, HOSTILE, any_texts, damaged, parquet, texts
from hostile.shapes import html_shape
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

from cupel.accept.delivery import LABEL_REASONS, read_delivery
from cupel.accept.folder import load_plan, read_plan
from cupel.accept.judging import Prices
from cupel.accept.looks import Drawn
from cupel.accept.plan import Plan
from cupel.accept.scores import ScoreLog
from cupel.accept.sheet import CANNOT, Filled, guarded, read_sheet
from cupel.commands.accept_delivery import Request, accept_delivery
from cupel.errors import AuditError, CupelError
from cupel.sources.reasons import REASONS
from cupel.store.local import LocalStore

CLASSES = ("=sum", "good", "Bad", "1")
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
OBEYED = ("\x1b", "\x07", "\x9b", "\x00", "\x08")


class Audit(NamedTuple):
    """An audit that awaits its first sheet."""

    plan: Plan
    looks: list[Drawn]
    sheet: list[list[str]]


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    folder = tmp_path_factory.mktemp("audit")
    path = folder / "delivery.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "text", "label"))
        writer.writerows((f"i{n}", f"text {n}", CLASSES[n % 4]) for n in range(60))
    accept_delivery(
        Request(path, budget=0.2, audit=12, seed=1, record=folder / "record", is_suspicious_wanted=False),
        Console(file=io.StringIO()),
    )
    plan = read_plan(LocalStore(folder / "delivery.audit"))
    plan, looks = load_plan(LocalStore(folder / "delivery.audit"), read_delivery(path))
    return Audit(plan, looks, rows_of((folder / "delivery.audit" / "sheet.csv").read_bytes()))


ACCEPTED = {
    "=sum": "=sum", "'=sum": "=sum", "=SUM": "=sum", "good": "good", " GOOD ": "good", "Bad": "Bad", "bad": "Bad",
    "1": "1", "1.0": "1", "1,0": "1", "?": None, CANNOT: None, "Cannot be decided": None,
}  # fmt: skip
labels = st.one_of(st.sampled_from(sorted(ACCEPTED)), st.just("good"))
changes = st.lists(
    st.tuples(
        st.sampled_from(["shuffle", "drop", "add", "double", "blank", "label", "code", "text", "empty row", "column"]),
        st.integers(0, 11),
        st.one_of(texts(8), st.sampled_from(["r000000-0001", "good", "", "2"])),
    ),
    max_size=3,
)


@cases(600)
@given(
    st.lists(labels, min_size=12, max_size=12), changes, st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.sampled_from(["\n", "\r\n"]), st.booleans(),
    st.integers(0, 99),
)  # fmt: skip
def test_a_sheet_says_what_stands_in_it_or_is_refused(
    audit: Audit, tmp_path: Path, said: list[str], changed: list[tuple[str, int, str]], delimiter: str, encoding: str,
    end: str, is_quoted: bool, seed: int,
) -> None:  # fmt: skip
    header, *rows = [list(row) for row in audit.sheet]
    for row, label in zip(rows, said, strict=True):
        row[-1] = label
    for number, (kind, place, text) in enumerate(changed):
        if kind == "column":
            header, rows = [f"note {number}", *header], [[text, *row] for row in rows]
        elif kind == "empty row":
            rows.insert(place, [""] * len(header))
        else:
            alter(rows, kind, place % max(1, len(rows)), text, random.Random(seed))
    out = io.StringIO()
    quoting = csv.QUOTE_ALL if is_quoted else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows([header, *rows])
    path = tmp_path / "sheet.csv"
    path.write_bytes(out.getvalue().encode(encoding, "replace"))
    cells = [(row[header.index("row")].strip(), row[-1].strip()) for row in rows if any(map(str.strip, row))]
    holds_what_it_says(audit, path, "\0" in out.getvalue(), cells)


def alter(rows: list[list[str]], kind: str, place: int, text: str, rng: random.Random) -> None:
    """Change a sheet as people and spreadsheets do."""
    if kind == "shuffle":
        rng.shuffle(rows)
    elif not rows:
        return
    elif kind == "drop":
        del rows[place]
    elif kind == "double":
        rows.append(list(rows[place]))
    elif kind == "add":
        rows.append([text] * len(rows[0]))
    else:
        column = {"blank": -1, "label": -1, "code": -3, "text": -2}[kind]
        rows[place][column] = "" if kind == "blank" else text


def holds_what_it_says(audit: Audit, path: Path, has_nul: bool, cells: list[tuple[str, str]]) -> None:
    """Hold the answers that are read against the cells that were written."""
    codes = sorted(row[0] for row in audit.sheet[1:])
    known = {key.strip().casefold(): value for key, value in ACCEPTED.items()} | {
        "cannot decide": None,
        "undecided": None,
        "undecidable": None,
    }
    try:
        filled = read_sheet(path, audit.plan, audit.looks)
    except AuditError as error:
        is_clear(error, str(path))
        is_whole = sorted(code for code, _ in cells) == codes and not has_nul
        assert not (is_whole and all(label.casefold() in known for _, label in cells))
        return
    assert sorted(code for code, _ in cells) == codes
    if filled.answers is None:
        assert not any(label for _, label in cells)
        return
    for code, label in cells:
        key = label.removeprefix("'").casefold()
        assert filled.answers[code] == known.get(label.casefold(), known.get(key, "not an answer"))


@cases(600)
@given(st.integers(0, 2**32), st.sampled_from(["utf-8-sig", "utf-16", "cp1252"]))
def test_a_damaged_sheet_is_read_whole_or_refused(audit: Audit, tmp_path: Path, seed: int, encoding: str) -> None:
    lines = ["\t".join([*row[:-1], CLASSES[place % 4] if place else row[-1]]) for place, row in enumerate(audit.sheet)]
    path = tmp_path / "sheet.csv"
    path.write_bytes(damaged("\r\n".join(lines).encode(encoding), seed))
    filled = read_or_refused(path, audit)
    assert filled is None or filled.answers is None or set(filled.answers) == {row[0] for row in audit.sheet[1:]}


@cases(300)
@given(
    st.one_of(
        st.binary(max_size=60),
        any_texts(40).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.sampled_from(
            [b"PK\x03\x04", b"row,label\n", b"label;row\n;\n", b"ROW,LABEL\nx,y\n", b"\xff\xfe", b"\xfe\xff\0"]
        ),
    )
)
def test_what_is_no_sheet_is_refused(audit: Audit, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sheet.csv").write_bytes(content)
    assert read_or_refused(tmp_path / "sheet.csv", audit) is None


def read_or_refused(path: Path, audit: Audit) -> Filled | None:
    try:
        return read_sheet(path, audit.plan, audit.looks)
    except AuditError as error:
        is_clear(error, str(path))
        return None


KEYS = [
    "data", "annotations", "result", "value", "choices", "from_name", "label", "id", "text", "was_cancelled",
    "ground_truth", "completed_by", "email",
]  # fmt: skip
ENTRIES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), any_texts(6)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)),
    max_leaves=12,
)


def is_delivery_or_refused(path: Path, content: bytes, **columns: str) -> None:
    path.write_bytes(content)
    try:
        found = read_delivery(path, **columns)
    except CupelError as error:
        is_clear(error, str(path))
        return
    assert found.rows_in == len(found.labels) + len(found.rejected)
    assert len({one.item_id for one in found.labels}) == len(found.labels)
    assert {bad.reason for bad in found.rejected} <= {*REASONS, *LABEL_REASONS}
    for one in found.labels:
        assert one.label in found.classes
        "".join(filter(None, one[1:])).encode()
    assert all(len(column) == len(found.labels) for column in found.fields.values())


@cases(400)
@given(st.lists(ENTRIES, max_size=4), st.sampled_from([".json", ".jsonl", ".ndjson"]))
@example(
    [{"annotations": [{"result": [{"from_name": "q", "value": {"choices": ["a"]}}]}], "data": {"id": []}}], ".json"
)
@example([{"annotations": [], "data": {}}, {"annotations": 1, "data": {}}], ".json")
def test_a_delivery_of_json_is_read_or_refused(tmp_path: Path, entries: list[Any], ending: str) -> None:
    content = json.dumps(entries) if ending == ".json" else "\n".join(map(json.dumps, entries))
    is_delivery_or_refused(tmp_path / f"delivery{ending}", content.encode())


def exported(number: int) -> dict[str, Any]:
    """A task as Label Studio exports it."""
    note = {
        "completed_by": {"email": "a@b"},
        "result": [{"from_name": "q", "value": {"choices": [f"l{number % 2}"]}}],
    }
    return {"id": number, "data": {"text": f"t{number}"}, "annotations": [note]}


GOOD = {
    ".csv": b"\xef\xbb\xbfid;text;label;worker\r\n"
    + b"".join(b'i%d;"a ""%d""";l%d;w\r\n' % (n, n, n % 2) for n in range(12)),
    ".json": json.dumps([exported(number) for number in range(8)]).encode(),
    ".jsonl": "\n".join(json.dumps({"id": n, "text": "t", "label": "ab"[n % 2]}) for n in range(12)).encode(),
    ".parquet": parquet(
        pa.table({"id": [f"i{n}" for n in range(40)], "label": ["a", "b"] * 20, "at": list(range(40))})
    ),
}


@cases(500)
@given(st.lists(st.tuples(st.sampled_from(["id", "text", "label", "x"]), st.sampled_from(COLUMNS)), max_size=4))
def test_a_delivery_of_parquet_is_read_or_refused(tmp_path: Path, columns: list[tuple[str, pa.Array]]) -> None:
    table = pa.table([array for _, array in columns], names=[name for name, _ in columns])
    is_delivery_or_refused(tmp_path / "delivery.parquet", parquet(table))


@cases(900)
@given(st.integers(0, 2**32), st.sampled_from(sorted(GOOD)))
def test_a_damaged_delivery_is_read_or_refused(tmp_path: Path, seed: int, ending: str) -> None:
    is_delivery_or_refused(tmp_path / f"delivery{ending}", damaged(GOOD[ending], seed))


def judged(folder: Path, classes: list[str], said: list[str], vendor: str) -> str:
    """Take a delivery through the whole command, one label wrong, one undecided; return what the terminal was told."""
    path, out = folder / "delivery.csv", io.StringIO()
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "text", "label", "annotator", "extra"))
        for n in range(24):
            text = said[n % len(said)]
            writer.writerow((f"{text}{n}", f"{text} {n}", classes[n % len(classes)], text, f"{said[0]}{n}"))
    prices = Prices(label=1.0, expert_answer=2.0, currency=said[0])
    request = Request(
        path, budget=0.3, audit=8, seed=1, vendor=vendor, scores=folder / "scores.jsonl", prices=prices,
        record=folder / "record", is_suspicious_wanted=False,
    )  # fmt: skip
    console = Console(file=out, force_terminal=False, width=120)
    accept_delivery(request, console)
    sheet = folder / "delivery.audit" / "sheet.csv"
    rows = rows_of(sheet.read_bytes())
    for place, row in enumerate(rows[1:]):
        number = int(row[1].rpartition(" ")[2]) + (place == 1)
        row[-1] = guarded(classes[number % len(classes)].strip()) if place else "?"
    with sheet.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    accept_delivery(request, console)
    return out.getvalue()


@cases(50)
@given(st.lists(texts(10), min_size=1, max_size=3), st.lists(texts(10), min_size=2, max_size=3), texts(10))
@example(["[/]"], ["a", "b"], "[red]")
@example(["a", "b"], ["=x", "'=x"], "v")
def test_nothing_of_a_delivery_is_run_by_browser_spreadsheet_or_terminal(
    tmp_path_factory: pytest.TempPathFactory, said: list[str], classes: list[str], vendor: str
) -> None:
    folder = tmp_path_factory.mktemp("judged")
    try:
        told = judged(folder, classes, said, vendor)
    except CupelError as error:
        is_clear(error)
        return
    assert not any(sign in told for sign in OBEYED)
    for path in folder.glob("*.audit/s*_back*.csv"):
        for row in rows_of(path.read_bytes()):
            assert not any(cell.lstrip().startswith(FORMULAS) for cell in row)
    for path in folder.rglob("*.html"):
        shape = html_shape(path.read_text())
        assert "comment" not in shape
        assert shape.count("script") == path.name.startswith("sheet")
    assert [one.vendor for one in ScoreLog(folder / "scores.jsonl").read()] == [vendor]
    assert sorted(path.name for path in folder.iterdir()) == [
        "delivery.audit", "delivery.csv", "record", "scores", "scores.html",
    ]  # fmt: skip


def shapes_of_pages(folder: Path, text: str) -> dict[str, Any]:
    """Return the shape of each page of a delivery that holds a text wherever a text can stand."""
    # A class stands on one line.
    judged(folder, [f"{' '.join(text.split())} yes", "no"], [f"{text} x", "y"], text)
    return {path.name: html_shape(path.read_text()) for path in folder.rglob("*.html")}


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return shapes_of_pages(tmp_path_factory.mktemp("twin"), "harmless")


@pytest.mark.parametrize("trick", [trick for trick in HOSTILE if "\0" not in trick], ids=ascii)
def test_every_known_trick_is_shown_as_it_is(tmp_path: Path, trick: str, harmless: dict[str, Any]) -> None:
    assert len(harmless) > 1
    assert shapes_of_pages(tmp_path, trick) == harmless
