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
    held: list[list[int]] = []  # first and last line of runs: a file may end in a billion line ends
    for row in rows:
        if isinstance(row, BadRow) and row.reason == "empty_row":
            if held and held[-1][1] == row.line - 1:
                held[-1][1] = row.line
            else:
                held.append([row.line, row.line])
            continue
        yield from (BadRow(line, "empty_row", "") for first, last in held for line in range(first, last + 1))
        held.clear()
        yield row
