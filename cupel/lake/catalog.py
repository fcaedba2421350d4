"""The catalog: a DuckDB file with a view a table, for people who want SQL. It shows the lake in whose folder it lies.

A view names its files relative to the folder of the catalog. DuckDB has no such paths, but it tells, before a view's
files are looked up, where it would put its own temporary files: beside the database that was opened. From that a view
makes the folder. Where another database was opened and the catalog attached to it, a variable has to name the folder.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cupel.errors import LakeError
from cupel.store.files import new_path

if TYPE_CHECKING:
    import duckdb

CATALOG = "catalog.duckdb"
FOLDER_VARIABLE = "lake_folder"
# The view by which catalogs are counted; it names the project.
MARK = "cupel_catalog"

_NO_FOLDER = f"open {CATALOG} itself, or say which lake is meant: SET VARIABLE {FOLDER_VARIABLE} = ''lake/<project>''"
_FOLDER = (
    f"CASE WHEN getvariable('{FOLDER_VARIABLE}') IS NOT NULL THEN getvariable('{FOLDER_VARIABLE}') || '/' "
    f"WHEN current_setting('temp_directory') LIKE '%{CATALOG}.tmp' "
    f"THEN regexp_replace(current_setting('temp_directory'), '[^/\\\\]*$', '') "
    f"ELSE error('{_NO_FOLDER}') END"
)
# Two catalogs in one connection have one folder: rows of the one lake would be taken for the other's.
_ONE_CATALOG = (
    "(SELECT CASE WHEN count(*) > 1 THEN error('several catalogs are open in one connection, and have one folder "
    f"between them; open each in its own') ELSE true END FROM duckdb_views() WHERE view_name = '{MARK}')"
)


class Files(NamedTuple):
    """Files of one partition or log: what is put before their columns, and their names in the project's store."""

    before: str
    names: Sequence[str]


class View(NamedTuple):
    """A view of the catalog: its name, what a row is, what its columns mean, and its files.

    `is_events` tells that the files are lines of JSON, the events of a log.
    """

    name: str
    meaning: str
    columns: Sequence[tuple[str, str]]
    files: Sequence[Files]
    is_events: bool = False


def write_views(path: Path, project: str, views: Iterable[View]) -> None:
    """Write the catalog in place of the one that is there.

    Args:
        path: The catalog's file, in the project's folder.
        project: The project's name.
        views: Its views; their files are there.

    Raises:
        LakeError: It cannot be written.
    """
    import duckdb

    try:
        with new_path(path, is_private=True) as temporary, duckdb.connect(str(temporary)) as catalog:
            catalog.execute(f"SET VARIABLE {FOLDER_VARIABLE} = {_text(str(path.parent.resolve()))}")
            catalog.execute(f"CREATE VIEW {MARK} AS SELECT {_text(project)} AS project")
            catalog.execute(f"COMMENT ON VIEW {MARK} IS 'The project whose lake this is'")
            for view in views:
                _create(catalog, view)
    except duckdb.IOException as error:
        raise LakeError(f"{path}: cannot be written: {error}; free space, then run again") from None


def _create(catalog: "duckdb.DuckDBPyConnection", view: View) -> None:
    # By name, for an earlier version may have written fewer columns.
    selects = " UNION ALL BY NAME ".join(_select(files, view.is_events) for files in view.files)
    catalog.execute(f"CREATE VIEW {_name(view.name)} AS SELECT * FROM ({selects}) WHERE {_ONE_CATALOG}")
    catalog.execute(f"COMMENT ON VIEW {_name(view.name)} IS {_text(f'A row is {view.meaning}')}")
    there = {row[0] for row in catalog.execute(f"DESCRIBE {_name(view.name)}").fetchall()}
    for column, meaning in view.columns:
        if column in there:
            catalog.execute(f"COMMENT ON COLUMN {_name(view.name)}.{_name(column)} IS {_text(meaning)}")


def _select(files: Files, is_events: bool) -> str:
    names = ", ".join(f"{_FOLDER} || {_text(name)}" for name in files.names)
    if not is_events:
        return f"SELECT {files.before}* FROM read_parquet([{names}])"
    columns = "{sequence: 'BIGINT', hash: 'VARCHAR', event: 'JSON'}"
    return f"SELECT {files.before}* FROM read_json([{names}], columns = {columns}, format = 'newline_delimited')"


def put_before(column: str, value: str) -> str:
    """Return what puts a column of one value before those of a file."""
    return f"{_text(value)} AS {_name(column)}, "


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
