"""How much of a file is read: bytes, columns, values, the longest row, the depth of nesting. More is refused."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import NoReturn

from cupel.errors import SourceError
from cupel.sources.reasons import BadRow, Row, evidence

# Python's own limit of nested calls is 1,000, and what writes a value again needs several calls a level.
MOST_DEPTH = 200


@dataclass(frozen=True)
class InputLimits:
    """The most that is read of one file; who knows the file raises a limit with `--limit NAME=NUMBER`.

    Attributes:
        bytes: Unpacked. A million rows of 250 characters fit, and text that Python holds at four bytes a character
            stays around 1 GB.
        columns: Tables that people label have tens; spreadsheets end at 16,384.
        values: Cells of a table, values of JSON, elements of XML. One takes some 100 bytes of memory, so that all take
            500 MB.
        row_bytes: The longest row, and so the longest cell. An item of a project may be as long.
        depth: Lists and objects in each other. Exports of labeling tools have about ten levels.
    """

    bytes: int = 1 << 28
    columns: int = 16_384
    values: int = 5_000_000
    row_bytes: int = 10_000_000
    depth: int = 100


DEFAULT_LIMITS = InputLimits()


def parse_limits(given: Iterable[str], option: str = "--limit") -> InputLimits:
    """Return limits as a person wrote them, each as NAME=NUMBER; the others stay as they are.

    Raises:
        SourceError: There is no limit of that name, or the number is none.

    >>> parse_limits(["columns=20000"]).columns
    20000
    """
    names = [field.name for field in fields(InputLimits)]
    limits = DEFAULT_LIMITS
    for text in given:
        name, _, number = text.partition("=")
        if name not in names:
            raise SourceError(f"{option} {text!r}: expected NAME=NUMBER, with a name of {', '.join(names)}")
        digits = number.replace("_", "").replace(",", "")
        if not (digits.isascii() and digits.isdecimal() and len(digits) < 16 and int(digits) > 0):
            raise SourceError(f"{option} {text!r}: expected a whole number above 0, such as {name}=1000000")
        if name == "depth" and int(digits) > MOST_DEPTH:
            raise SourceError(f"{option} {text!r}: at most {MOST_DEPTH}, for Python itself nests no deeper")
        limits = replace(limits, **{name: int(digits)})
    return limits


def refuse_size(name: str, what: str, limits: InputLimits, limit: str) -> NoReturn:
    """Raise the error of a file that is larger than a limit.

    Raises:
        SourceError: Always; it names the limit, and the option that raises it.
    """
    most = getattr(limits, limit)
    raise SourceError(f"{name}: more than {most:,} {what}; divide the file, or allow more with --limit {limit}=NUMBER")


def check_header(name: str, columns: Sequence[str], limits: InputLimits = DEFAULT_LIMITS) -> None:
    """Check the columns of a table, in time that grows with their number alone.

    Raises:
        SourceError: There are too many of them, or one stands twice.
    """
    if len(columns) > limits.columns:
        raise SourceError(
            f"{name}: {len(columns):,} columns, at most {limits.columns:,} are read; take out what is not needed, or "
            "allow more with --limit columns=NUMBER"
        )
    twice = sorted(column for column, count in Counter(columns).items() if count > 1)
    if twice:
        raise SourceError(f"{name}: the header names {evidence(', '.join(twice))} twice; rename one of them")


def limit_values(name: str, rows: Iterable[Row | BadRow], limits: InputLimits) -> Iterator[Row | BadRow]:
    """Yield rows of a table until they hold more values than the limit allows.

    Raises:
        SourceError: They hold more.
    """
    count = 0
    for row in rows:
        count += len(row.values) if isinstance(row, Row) else 1
        if count > limits.values:
            refuse_size(name, "values", limits, "values")
        yield row


def count_json_values(content: bytes) -> int:
    """Return about how many cells of a table take as much memory as the values of a JSON text.

    Numbers count half, for they take a third of a text with its place. Signs within texts are counted too: a text
    itself takes more memory than what they add.

    >>> count_json_values(b'[{"id": 1, "label": "a"}, {"id": 2, "label": "b"}]')
    7
    """
    return content.count(b"[") + content.count(b"{") + content.count(b",") // 2 + content.count(b'"') // 4


def is_too_deep(value: object, most: int) -> bool:
    """Tell whether lists and objects stand in each other deeper than a limit; no deeper than that is looked.

    >>> is_too_deep([{"a": []}], 3), is_too_deep([{"a": []}], 2)
    (False, True)
    """
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(most):
        inside = (outer.values() if isinstance(outer, dict) else outer for outer in level)
        level = [inner for values in inside for inner in values if isinstance(inner, dict | list)]
    return bool(level)


def may_be_deep(text: str, most: int) -> bool:
    """Tell whether a JSON text opens as many lists and objects as could stand in each other too deep."""
    return text.count("[") + text.count("{") > most
