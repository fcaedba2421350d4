"""Names: batch and id of items, one after another out of Arrow columns, few of them held as Python strings."""

from collections.abc import Collection, Iterator
from json.encoder import encode_basestring_ascii as encoded

import pyarrow as pa

PIECE_ROWS = 65_536

Name = tuple[str, str]


class Names(Collection[Name]):
    """The names of a table's items, in the order of its rows.

    Args:
        table: Columns batch and item_id.

    >>> names = Names(pa.table({"batch": ["a", "b"], "item_id": ["1", "2"]}))
    >>> list(names), len(names), ("a", "2") in names
    ([('a', '1'), ('b', '2')], 2, False)
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table.select(["batch", "item_id"])

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def __iter__(self) -> Iterator[Name]:
        for piece in self._table.to_batches(PIECE_ROWS):
            yield from zip(*(column.to_pylist() for column in piece.columns), strict=True)

    def __contains__(self, name: object) -> bool:
        return any(name == one for one in self)


def as_json(name: Name) -> bytes:
    """Return a name as `json.dumps` writes it, in a tenth of the time.

    >>> as_json(("movies", "17"))
    b'["movies", "17"]'
    """
    return f"[{encoded(name[0])}, {encoded(name[1])}]".encode()
