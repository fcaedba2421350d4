"""The blind sheet: its rows, its CSV, its page, and the answers read back from it."""

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cupel.accept.delivery import Delivery
from cupel.accept.item_files import FileProblem, ItemFile, ItemFolder, is_location
from cupel.accept.label_rules import ONE_CLASS, LabelRules
from cupel.accept.looks import Drawn
from cupel.accept.media import SHOWN_IN_PAGE
from cupel.accept.plan import Plan
from cupel.accept.spellings import key_of, spellings_of
from cupel.errors import AuditError, SourceError
from cupel.exchange.imports.delimited import decode, delimited_rows
from cupel.sources.reasons import BadRow
from cupel.store.files import read_file, read_text

ROW, LABEL = "row", "label"
# Folder of the items that are files, beside the sheet.
PAGES = Path(__file__).parent / "pages"
ITEMS = "items"
CANNOT = "cannot be decided"
# What people type for it, besides.
ALSO_CANNOT = frozenset({"?", "cannot decide", "undecided", "undecidable", CANNOT})
PICTURE = re.compile(r"\.(?:png|jpe?g|gif|webp|bmp|svg|avif)(?:[?#]|$)", re.IGNORECASE)
# A spreadsheet takes a cell that starts so for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
NAMED_ROWS = 5
# The last lines of the page's script: what stands before them may change what it does.
BEFORE_START = "keep();\nshow();\n</script>"


class SheetRow(NamedTuple):
    """A row of the sheet: its code, the item as shown and as delivered, other fields, and the file to copy beside it.

    `file` is None where the item names no file; a problem says why the file that it names is not copied.
    """

    code: str
    item: str
    delivered: str
    fields: tuple[str, ...]
    file: ItemFile | FileProblem | None


def row_code(plan: Plan, place: int) -> str:
    """Return the code of the item in a place of the draw; the first is 1. It starts with a letter for Excel's sake."""
    return f"r{plan.key[:6]}-{place:04d}"


def sheet_rows(plan: Plan, delivery: Delivery, drawn: Drawn, files: ItemFolder) -> list[SheetRow]:
    """Return the rows of a look's sheet, in the order of the draw, which knows no label."""
    index = {item: position for position, item in enumerate(one.item_id for one in delivery.labels)}
    contents = [one.text if plan.settings.text_column else one.item_id for one in delivery.labels]
    others = [delivery.fields[name] for name in plan.shown]
    rows = []
    for place, item in enumerate(drawn.ids, drawn.before + 1):
        position = index[item]
        code, content = row_code(plan, place), contents[position] or ""
        file = files.find(content)
        shown = f"{ITEMS}/{code}{file.ending}" if isinstance(file, ItemFile) else content
        rows.append(SheetRow(code, shown, content, tuple(column[position] or "" for column in others), file))
    return rows


def sheet_header(plan: Plan) -> list[str]:
    """Return the sheet's columns; a column of the delivery that has a name of ours is told apart."""
    names = [plan.settings.text_column or plan.settings.id_column or "item", *plan.shown]
    return [ROW, *(f"item {name}" if name.lower() in (ROW, LABEL) else name for name in names), LABEL]


def sheet_csv(plan: Plan, rows: Sequence[SheetRow]) -> bytes:
    """Return the sheet as CSV with an empty label column; the byte order mark tells Excel that it is UTF-8."""
    return csv_bytes([sheet_header(plan), *([row.code, row.item, *row.fields, ""] for row in rows)])


def csv_bytes(rows: Sequence[Sequence[object]]) -> bytes:
    """Return rows as CSV that no spreadsheet runs as formulas: such cells get an apostrophe in front."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([guarded("" if value is None else str(value)) for value in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def guarded(cell: str) -> str:
    """Return a cell that a spreadsheet takes for text.

    >>> guarded("=1+1"), guarded("fine")
    ("'=1+1", 'fine')
    """
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) or cell.lstrip().startswith(FORMULA_STARTS) else cell


def sheet_page(plan: Plan, rows: Sequence[SheetRow], look: int, rules: LabelRules = ONE_CLASS) -> bytes:
    """Return the sheet as a page that works without a network; all data is JSON that cannot end its script."""
    data: dict[str, object] = {
        "title": f"Audit sheet: {len(rows):,} items of {plan.delivery}" + (f", look {look}" if look > 1 else ""),
        "sheet": f"{plan.key}-{look}",
        "file": f"{Path(plan.delivery).name.split('.')[0]}.sheet-{look}.csv",
        "classes": plan.settings.classes,
        "cannot": CANNOT,
        "header": sheet_header(plan),
        "fields": sheet_header(plan)[2:-1],
        "rows": [_page_row(row) for row in rows],
    }
    if rules.kind is not None:
        data |= {"classes": rules.choices, "is_multiple": rules.is_multiple, "alone": rules.alone}
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    page = read_text(PAGES / "sheet.html")
    if rules.kind is not None:
        page = page.replace(BEFORE_START, read_text(PAGES / "sheet_of_kind.js") + BEFORE_START)
    return page.replace("{{DATA}}", text).encode()


def _page_row(row: SheetRow) -> dict[str, object]:
    copied = row.file if isinstance(row.file, ItemFile) else None
    is_link = copied is not None or is_location(row.item)
    is_picture = copied.ending in SHOWN_IN_PAGE if copied else is_link and bool(PICTURE.search(row.item))
    return {
        "code": row.code,
        "text": row.item,
        "link": row.item.strip() if is_link else None,
        "picture": row.item if copied and is_picture else None,
        "file": row.item if copied and not is_picture else None,
        "is_picture": is_picture,
        "fields": row.fields,
    }


class Filled(NamedTuple):
    """A sheet as read: which look it belongs to, and the answer to each row code; None where nobody could decide.

    `answers` is None for a sheet that nobody has started. `sha256` is the hash of the bytes that were read.
    """

    look: int
    answers: dict[str, str | None] | None
    sha256: str = ""


def read_sheet(path: Path, plan: Plan, looks: Sequence[Drawn], rules: LabelRules = ONE_CLASS) -> Filled:
    """Read a filled sheet and hold it against the plan.

    Args:
        path: CSV as the page or a spreadsheet wrote it: comma, semicolon or tab; UTF-8, UTF-16 or Windows-1252.
        plan: The plan.
        looks: The looks that were drawn so far.
        rules: How labels are read.

    Returns:
        Look and answers.

    Raises:
        AuditError: The sheet is of another audit, rows are missing, doubled or open, or a label is unknown.
    """
    content = _read(path)
    cells, sha256 = _cells(path, content), hashlib.sha256(content).hexdigest()
    drawn = _look(path, plan, looks, [code for code, _ in cells])
    expected = {row_code(plan, place) for place in range(drawn.before + 1, drawn.size + 1)}
    counts = Counter(code for code, _ in cells)
    _refuse(path, "unknown row code", sorted(set(counts) - expected), "take them out; rows are not added to a sheet")
    _refuse(path, "row code more than once", sorted(c for c in counts if counts[c] > 1), "keep one row of each")
    _refuse(path, "row missing", sorted(expected - set(counts)), "put the sheet's rows back, all of them")
    if not any(label for _, label in cells):
        return Filled(drawn.look, None, sha256)
    answers = _one_class_answers(path, cells, plan) if rules.kind is None else _kind_answers(path, cells, rules)
    _refuse(path, "row without a label", sorted(code for code, label in cells if not label),
            f"fill in the label column ({CANNOT!r} or ? where it is so)")  # fmt: skip
    return Filled(drawn.look, {code: answers[code] for code in sorted(answers)}, sha256)


def _one_class_answers(path: Path, cells: Sequence[tuple[str, str]], plan: Plan) -> dict[str, str | None]:
    by_text = _spellings(plan.settings.classes)
    answers: dict[str, str | None] = {}
    for code, label in cells:
        if label and key_of(label) not in by_text and label not in plan.settings.classes:
            raise AuditError(
                f"{path}, row {code}: label {label[:60]!r} is none of the classes: "
                f"{', '.join(plan.settings.classes[:20])}; or {CANNOT!r} (?)"
            )
        answers[code] = label if label in plan.settings.classes else by_text.get(key_of(label))
    return answers


def _kind_answers(path: Path, cells: Sequence[tuple[str, str]], rules: LabelRules) -> dict[str, str | None]:
    answers: dict[str, str | None] = {}
    for code, label in cells:
        answers[code] = None
        if label and key_of(label) not in ALSO_CANNOT:
            found = rules.read_cell(label)
            if isinstance(found, BadRow):
                named = f" of: {', '.join(rules.choices[:20])}" if rules.choices else ""
                raise AuditError(
                    f"{path}, row {code}: {label[:60]!r} is no label of the kind {rules.kind}{named}; or {CANNOT!r} (?)"
                )
            answers[code] = found
    return answers


def _read(path: Path) -> bytes:
    try:
        return read_file(path)
    except OSError as error:
        raise AuditError(f"{path}: cannot be read: {error.strerror}; name the filled sheet with --sheet") from None


def _cells(path: Path, content: bytes) -> list[tuple[str, str]]:
    """Return code and label of each row; rows that spreadsheets leave empty at the end do not count."""
    try:
        rows = list(delimited_rows(str(path), decode(content, "cp1252").text))
    except SourceError as error:
        raise AuditError(f"{error}. Expected an audit sheet") from None
    cells = []
    for row in rows:
        if isinstance(row, BadRow):
            if row.reason == "empty_row":
                continue
            raise AuditError(f"{path}, line {row.line}: cannot be read: {row.reason} ({row.evidence[:80]}); mend it")
        values = {name.strip().lower(): str(value) for name, value in row.values.items()}
        if ROW not in values or LABEL not in values:
            raise AuditError(
                f"{path}: not an audit sheet: it has the columns {', '.join(map(repr, row.values))}; expected "
                f"{ROW!r} and {LABEL!r}"
            )
        if any(value.strip() for value in values.values()):
            cells.append((values[ROW].strip(), values[LABEL].strip()))
    return cells


def _look(path: Path, plan: Plan, looks: Sequence[Drawn], codes: list[str]) -> Drawn:
    """Return the look that the row codes belong to."""
    start = row_code(plan, 0).split("-")[0]
    foreign = [code for code in codes if code.split("-")[0] != start]
    if foreign and len(foreign) == len(codes):
        raise AuditError(
            f"{path}: a sheet of another audit: its rows begin with {foreign[0].split('-')[0][:20]!r}, this audit's "
            f"with {start!r}. Give the sheet that was drawn for {plan.delivery}"
        )
    places = [int(code.split("-")[1]) for code in codes if re.fullmatch(rf"{start}-[0-9]{{4,9}}", code)]
    if not places:
        raise AuditError(f"{path}: the sheet has no rows of this audit; expected row codes such as {start}-0001")
    return next((drawn for drawn in looks if min(places) <= drawn.size), looks[-1])


def _refuse(path: Path, what: str, codes: Sequence[str], advice: str) -> None:
    if codes:
        named = ", ".join(codes[:NAMED_ROWS]) + (", ..." if len(codes) > NAMED_ROWS else "")
        plural = f"{what}: {len(codes):,} of them: " if len(codes) > 1 else f"{what}: "
        raise AuditError(f"{path}: {plural}{named}; {advice}. Nothing was written")


def _spellings(classes: Sequence[str]) -> dict[str, str | None]:
    """Return what may be written for each class: any case, where that is no other class; None for undecided."""
    return {cannot: None for cannot in ALSO_CANNOT} | spellings_of(classes)
