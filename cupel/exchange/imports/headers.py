"""What stands at the head of a table, by which a tool's tables are told from others."""

import io

from cupel.errors import SourceError
from cupel.exchange.imports.delimited import delimited_rows, open_text
from cupel.exchange.imports.file import File
from cupel.sources.reasons import Row


def first_row(file: File) -> dict[str, object]:
    """Return the first whole row of a delimited file, by column; empty where there is none."""
    if file.format != "csv":
        return {}
    try:
        rows = delimited_rows(str(file.path), open_text(file.content), file.limits)
        return next((row.values for row in rows if isinstance(row, Row)), {})
    except SourceError:
        return {}


def column_names(file: File) -> list[str]:
    """Return the columns of a delimited file or of Parquet; none of other formats and of broken files."""
    if file.format != "parquet":
        return list(first_row(file))
    import pyarrow as pa

    from cupel.sources.parquet_rows import open_packed

    try:
        with open_packed(io.BytesIO(file.content)) as opened:
            return list(opened.schema_arrow.names)
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        return []
