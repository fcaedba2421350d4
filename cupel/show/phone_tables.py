"""Tables on a phone: pages whose rows become cards where a screen is too narrow for their columns."""

import re
from functools import cache
from pathlib import Path

from cupel.store.files import read_text

# A table of so many columns is read on a phone as it is.
MOST_COLUMNS_KEPT = 2
_TABLE = re.compile(r"<table\b([^>]*)>(.*?)</table>", re.DOTALL)
_ROW = re.compile(r"<tr\b[^>]*>.*?</tr>", re.DOTALL)
_HEAD = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
_CELL = re.compile(r"<(td|th)\b([^>]*)>")
_TAG = re.compile(r"<[^>]*>")
_CLASS = re.compile(r'\bclass="([^"]*)"')


def fit_phone(page: str) -> str:
    """Return a page of this package with the style of narrow screens, each cell of a wide table with its heading.

    Args:
        page: HTML with one `<style>` at least, in which all text is escaped. The first row that has nothing but
            `<th>` names the columns of a table.

    >>> head = "<tr><th>a</th><th>b</th><th>c</th></tr>"
    >>> page = f"<style></style><table>{head}<tr><th>1</th><td>2</td><td>3</td></tr></table>"
    >>> fit_phone(page).partition("</tr>")[2]
    '<tr><th>1</th><td data-label="b">2</td><td data-label="c">3</td></tr></table>'
    """
    labelled = _TABLE.sub(lambda found: _label_table(found[1], found[2]), page)
    return labelled.replace("</style>", f"{_style()}</style>", 1)


@cache
def _style() -> str:
    return read_text(Path(__file__).parent / "templates" / "phone.css")


def _label_table(attributes: str, content: str) -> str:
    rows = list(_ROW.finditer(content))
    plain = f"<table{attributes}>{content}</table>"
    if not rows or "<td" in rows[0][0]:
        return plain
    heads = [_TAG.sub("", head).strip() for head in _HEAD.findall(rows[0][0])]
    if len(heads) <= MOST_COLUMNS_KEPT:
        return plain
    start = rows[0].end()
    body = _ROW.sub(lambda row: _label_row(row[0], heads), content[start:])
    return f"<table{_with_class(attributes, 'cards')}>{content[:start]}{body}</table>"


def _label_row(row: str, heads: list[str]) -> str:
    places = iter(range(len(heads)))

    def label(cell: re.Match[str]) -> str:
        place = next(places, None)
        if cell[1] == "th" or place is None or not heads[place]:
            return cell[0]
        return f'<td{cell[2]} data-label="{heads[place]}">'

    return _CELL.sub(label, row)


def _with_class(attributes: str, name: str) -> str:
    if _CLASS.search(attributes):
        return _CLASS.sub(lambda found: f'class="{found[1]} {name}"', attributes)
    return f'{attributes} class="{name}"'
