"""Columns: what a column is, and those that several tables share."""

from typing import NamedTuple

import pyarrow as pa

TEXT = pa.string()
INTEGER = pa.int64()
REAL = pa.float64()
FLAG = pa.bool_()
TIME = pa.timestamp("us", tz="UTC")
TEXTS = pa.list_(pa.string())
FEATURES = pa.list_(pa.float32())
REALS = pa.list_(pa.float64())
# Numbers of 32 bits, little end first: as bytes they are read several times as fast as a list of numbers.
HASHES = pa.large_binary()


class Column(NamedTuple):
    """One column: its name, Arrow type, what it means, and whether it may be null."""

    name: str
    type: pa.DataType
    meaning: str
    is_optional: bool = False


BATCH = Column("batch", TEXT, "Delivery of raw data; the partition.")
ITEM = Column("item_id", TEXT, "Id of the item, unique within its batch.")
FILE = Column("source_file", TEXT, "File of the delivery, relative to the delivery's folder.")
LINE = Column("line", INTEGER, "Row in that file: line of a text file, row of a table; the first is 1.")
RELEASE = Column("release", TEXT, "Release that the row belongs to; the partition.")
LICENCE = Column("licence", TEXT, "Licence of the item, an SPDX identifier where there is one.")
TEXT_COLUMN = Column("text", TEXT, "The text, normalised and with private data masked.")
LANGUAGE = Column("language", TEXT, "Language found, language_Script (ISO 639-3, ISO 15924), or und.")
ANNOTATOR = Column("annotator", TEXT, "Who answered; null where the source does not say.", True)
TEXT_SHA256 = Column(
    "text_sha256",
    TEXT,
    "Hash of the text lower-cased, with runs of white space folded and the kind alone in place of private data.",
)
SEQUENCE = Column("sequence", INTEGER, "Sequence number of the answer in the log.")
SECONDS_SPENT = Column("seconds_spent", REAL, "Working time, where the source tells.", True)
ANSWERED_AT = Column("answered_at", TIME, "When, where the source tells.", True)
IS_PASSED = Column("is_passed", FLAG, "The test passed, and all before it.")
REASON = Column("reason", TEXT, "Why, in words that a manager understands.")
EXPERT = Column("annotator", TEXT, "The expert.")
EXPERT_LABEL = Column("label", TEXT, "The answer; null where the expert finds that the item cannot be decided.", True)
ERROR_BUDGET = Column("error_budget", REAL, "Highest label error that the release may have, a share.")
CONFIDENCE = Column("confidence", REAL, "1 less the chance of a false certificate, over all attempts.")
REJECTED_ANSWER_COLUMNS = (
    SEQUENCE,
    ITEM, ANNOTATOR,
    Column("reason", TEXT, "Why, as one of cupel.people.answers.REASONS."),
    Column("evidence", TEXT, "What was found, shortened to 200 characters.", True),
)  # fmt: skip

TASK_COLUMNS = (
    Column("task_id", TEXT, "Id made of all that names the task: asking twice is asking once."),
    BATCH, ITEM,
    Column("purpose", TEXT, "label (an annotation), round (a verdict before the freeze), audit, expert (an "
           "adjudication), contamination or contamination_audit."),
    Column("slot", INTEGER, "Which answer on this item for this purpose; the first is 1."),
    Column("asked_of", TEXT, "Who may answer: annotator, auditor or expert."),
    Column("reason", TEXT, "Why it is asked."),
    Column("is_answered", FLAG, "An answer to it is in the log."),
)  # fmt: skip
