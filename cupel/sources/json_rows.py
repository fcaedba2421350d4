"""JSON Lines and plain text: one line to one row."""

import json
from collections.abc import Callable, Iterable, Iterator

from cupel.sources.empty_rows import drop_last_empty_rows
from cupel.sources.input_limits import DEFAULT_LIMITS, is_too_deep, may_be_deep
from cupel.sources.lines import Line
from cupel.sources.reasons import BadRow, Row, evidence


class _DuplicateKeyError(ValueError):
    """A JSON object names a field twice."""


def text_rows(lines: Iterable[Line | BadRow], text_field: str) -> Iterator[Row | BadRow]:
    """Yield a row a line of plain text, the line as its text field; empty lines at the end are none."""
    texts = ((line.line, decoded(line)) for line in lines)
    return drop_last_empty_rows(
        text if isinstance(text, BadRow) else Row(number, {text_field: text}) for number, text in texts
    )


def json_rows(
    lines: Iterable[Line | BadRow], most_depth: int = DEFAULT_LIMITS.depth, *, is_lenient: bool = False
) -> Iterator[Row | BadRow]:
    """Yield a row a line of JSON; what is no object, or no valid JSON, is rejected, but for empty lines at the end.

    Args:
        lines: The lines.
        most_depth: A row whose lists and objects stand deeper in each other is rejected.
        is_lenient: NaN and infinity, which are no JSON and Python writes for missing numbers, are null.
    """
    texts = ((line.line, decoded(line)) for line in lines)
    parse_constant = read_constant if is_lenient else _refuse
    return drop_last_empty_rows(
        text if isinstance(text, BadRow) else _json_row(number, text, most_depth, parse_constant)
        for number, text in texts
    )


def decoded(line: Line | BadRow) -> str | BadRow:
    """Return a line as text, or why it is none: empty, a NUL byte, or not UTF-8."""
    if isinstance(line, BadRow):
        return line
    if not line.content or line.content.isspace():
        return BadRow(line.line, "empty_row", "")
    if b"\0" in line.content:
        return BadRow(line.line, "nul_byte", evidence(line.content))
    try:
        return line.content.decode("utf-8")
    except UnicodeDecodeError as error:
        around = line.content[max(0, error.start - 40) : error.start + 40]
        return BadRow(line.line, "wrong_encoding", evidence(f"byte {error.start}: ".encode() + around))


def _json_row(number: int, text: str, most_depth: int, parse_constant: Callable[[str], object]) -> Row | BadRow:
    try:
        values = json.loads(text, object_pairs_hook=_object, parse_constant=parse_constant)
    except _DuplicateKeyError as error:
        return BadRow(number, "duplicate_key", evidence(str(error)))
    except RecursionError:
        return BadRow(number, "too_deep", evidence(f"over {most_depth} levels: {text[:200]}"))
    except ValueError as error:
        return BadRow(number, "broken_json", evidence(f"{error}: {text[:200]}"))
    if may_be_deep(text, most_depth) and is_too_deep(values, most_depth):
        return BadRow(number, "too_deep", evidence(f"over {most_depth} levels: {text[:200]}"))
    if not isinstance(values, dict):
        return BadRow(number, "not_an_object", evidence(text))
    return Row(number, values)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) < len(pairs):
        seen: set[str] = set()
        raise _DuplicateKeyError(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
    return values


def read_constant(constant: str) -> None:
    """Return null for NaN and infinity, as they are read of Parquet."""


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON value")
