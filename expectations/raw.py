"""What the raw gate asks: is every row of the delivery accounted for, readable, and under an id of its own?"""

import pyarrow as pa

from cupel.lake.step import Step
from expectations import thresholds
from expectations.suite import Check, Measured, Suite, one_row, row_of, share, some_ids, view

# A file is accounted for when all three counts of its delivery are what the tables hold.
_FILES = """
WITH files AS (SELECT source_file, rows_in, rows_read, rows_rejected FROM deliveries),
     items AS (SELECT source_file, count(*) AS rows FROM raw_items GROUP BY ALL),
     rejected AS (SELECT source_file, count(*) AS rows FROM rejected_rows GROUP BY ALL),
     counted AS (
         SELECT coalesce(rows_in, 0) AS rows_in, coalesce(rows_read, 0) AS rows_read,
                coalesce(rows_rejected, 0) AS rows_rejected,
                coalesce(items.rows, 0) AS items, coalesce(rejected.rows, 0) AS rejected
         FROM files FULL JOIN items USING (source_file) FULL JOIN rejected USING (source_file)
     )
SELECT coalesce(sum(rows_in), 0)::BIGINT AS rows_in,
       coalesce(sum(rejected), 0)::BIGINT AS rejected,
       coalesce(sum(greatest(abs(rows_in - items - rejected), abs(rows_read - items),
                             abs(rows_rejected - rejected))), 0)::BIGINT AS unaccounted
FROM counted
"""
_EMPTY_FILES = "SELECT count(*) AS files FROM deliveries WHERE rows_in = 0"
_IDS = "SELECT count(*) AS items, count(*) - count(DISTINCT item_id) AS repeated FROM raw_items"
_REPEATED = "SELECT item_id FROM raw_items GROUP BY item_id HAVING count(*) > 1"


def measure(step: Step) -> pa.Table:
    """Count the rows of the delivery, file by file, and the ids of its items."""
    for table in ("deliveries", "raw_items", "rejected_rows"):
        view(step, table)
    files, ids = row_of(step, _FILES), row_of(step, _IDS)
    return one_row(
        {
            "rows_unaccounted": Measured(files["unaccounted"]),
            "items_read": Measured(ids["items"]),
            "unreadable_row_share": Measured(share(files["rejected"], files["rows_in"])),
            "ids_repeated": Measured(ids["repeated"], item_ids=some_ids(step, ids["repeated"], _REPEATED)),
            "empty_files": Measured(row_of(step, _EMPTY_FILES)["files"]),
        }
    )


SUITE = Suite(
    stage="raw",
    table="raw_items",
    beside=("deliveries", "rejected_rows"),
    checks=(
        Check(
            thresholds.ROWS_UNACCOUNTED,
            "How many rows of the delivery are neither an item nor a rejected row, or both, by file?",
            "Run the raw stage again; if it stays so, the reader of this format loses rows: report it as a bug.",
        ),
        Check(
            thresholds.ITEMS_READ,
            "How many items were read?",
            "Look at rejected_rows: one reason mostly explains all of them (text_field, id_field, encoding).",
        ),
        Check(
            thresholds.UNREADABLE_ROW_SHARE,
            "What share of the delivery's rows could not become an item?",
            "Count the reasons in rejected_rows; mend the delivery's description in the project file, or send the "
            "delivery back with the rejected lines.",
        ),
        Check(
            thresholds.IDS_REPEATED,
            "How many items bear an id that another item bears?",
            "Run the raw stage again; ids that repeat in the delivery are rejected there as duplicate_id.",
        ),
        Check(
            thresholds.EMPTY_FILES,
            "How many files of the delivery hold no row?",
            "Ask who delivered whether the file is meant to be empty.",
        ),
    ),
    measure=measure,
)
