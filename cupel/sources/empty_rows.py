"""Empty lines at the end of a file: line ends that editors and exports add, not rows that somebody delivered."""

from collections.abc import Iterable, Iterator

from cupel.sources.reasons import BadRow, Row


def drop_last_empty_rows(rows: Iterable[Row | BadRow]) -> Iterator[Row | BadRow]:
    """Yield all rows but the empty ones behind the last that is not empty.

    >>> from cupel.sources.reasons import BadRow
    >>> empty, bad = BadRow(2, "empty_row", ""), BadRow(3, "nul_byte", "")
    >>> [row.line for row in drop_last_empty_rows([empty, bad, empty])]
    [2, 3]
    """
    held: list[Row | BadRow] = []
    for row in rows:
        if isinstance(row, BadRow) and row.reason == "empty_row":
            held.append(row)
            continue
        yield from held
        held.clear()
        yield row
