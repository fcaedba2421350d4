"""What was delivered: files, items, and rows that could not become items."""

from cupel.contract.columns import BATCH, FILE, INTEGER, ITEM, LICENCE, LINE, TEXT, Column
from cupel.contract.table import Table

DELIVERIES = Table(
    "deliveries", "a file of the delivery", ("source_file",), (
        BATCH, FILE,
        Column("format", TEXT, "jsonl, csv, parquet or text; with its compression, if any."),
        Column("sha256", TEXT, "Hash of the file's bytes."),
        Column("size_bytes", INTEGER, "Size of the file as delivered."),
        Column("rows_in", INTEGER, "Rows that the file holds, readable or not."),
        Column("rows_read", INTEGER, "Rows that became items."),
        Column("rows_rejected", INTEGER, "Rows that could not become items; rows_in less rows_read."),
        Column("licence", TEXT, "Licence of the delivery; of its items, where they name none of their own."),
    ),
)  # fmt: skip

REJECTED_ROWS = Table(
    "rejected_rows", "a row of the delivery that could not become an item", ("source_file", "line"), (
        BATCH, FILE, LINE,
        Column("reason", TEXT, "Why, as one of cupel.sources.REASONS."),
        Column("evidence", TEXT, "What was found, shortened to 200 characters, unprintable bytes escaped."),
    ),
)  # fmt: skip

RAW_ITEMS = Table(
    "raw_items", "an item as it was delivered", ("item_id",), (
        BATCH, ITEM, FILE, LINE,
        Column("text", TEXT, "The text as delivered."),
        Column("group_id", TEXT, "What the source says belongs together (a document, a thread).", True),
        Column("declared_language", TEXT, "Language that the source declares, as it stands there.", True),
        Column("fields", TEXT, "All other fields of the row, as JSON with sorted keys.", True),
        LICENCE,
    ),
)  # fmt: skip
