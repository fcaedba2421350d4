"""What stands at the head of a table, by which a tool's tables are told from others."""

import io

from cupel.errors import SourceError
from cupel.exchange.imports.delimited import decode, delimited_rows
from cupel.exchange.imports.file import File
from cupel.sources.reasons import Row

# A header and the row below it are looked for in so much of a file.
LOOKED_AT_BYTES = 1 << 20


def first_row(file: File) -> dict[str, object]:
    """Return the first whole row of a delimited file, by column; empty where there is none."""
    if file.format != "csv":
        return {}
    try:
        rows = delimited_rows(str(file.path), decode(file.content[:LOOKED_AT_BYTES]).text)
        return next((row.values for row in rows if isinstance(row, Row)), {})
    except SourceError:
        return {}


def column_names(file: File) -> list[str]:
    """Return the columns of a delimited file or of Parquet; none of other formats and of broken files."""
    if file.format != "parquet":
        return list(first_row(file))
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return list(pq.read_schema(io.BytesIO(file.content)).names)
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        return []
