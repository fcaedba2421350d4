"""Imported annotations as a file of recorded answers, their items as a delivery, and what was not understood."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from cupel.contract.columns import REAL, TEXT
from cupel.errors import SourceError
from cupel.exchange.imports.bad_marks import MARK_REASONS
from cupel.exchange.imports.gate import Export, Left, PlacedAnnotation, judge_exports, keep_latest
from cupel.people.tool_annotation import IMPORT_REASONS, Annotation, FieldsOfItem
from cupel.sources.reasons import REASONS, evidence
from cupel.store.files import new_file, put_file, read_file
from cupel.store.outputs import Output, check_outputs, is_json_lines, is_table

MEANINGS = {
    **REASONS,
    **IMPORT_REASONS,
    **MARK_REASONS,
}
SCHEMA = pa.schema(
    [
        ("batch", TEXT),
        ("item_id", TEXT),
        ("purpose", TEXT),
        ("annotator", TEXT),
        ("label", TEXT),
        ("seconds_spent", REAL),
    ]
)

# Rows that are held as a table at once: a row group of Parquet, or labels of some ten megabytes.
MOST_PIECE_ROWS, MOST_PIECE_CHARACTERS = 1 << 20, 1 << 25


class Imported(NamedTuple):
    """What exports come to: annotations in the order of the files, all else with its reason, notices."""

    annotations: list[Annotation]
    left: list[Left]
    notices: list[str] = []
    truths: list[Annotation] = []


def gather(
    exports: Iterable[Export],
    classes: Sequence[str] = (),
    *,
    is_as_written: bool = False,
    purpose: str = "label",
    takes_truths: bool = False,
    are_classes: bool = True,
) -> Imported:
    """Return the annotations of exports; of an annotator's answers on one item the latest.

    The latest is by time, and where the tool tells none, or the same, by the order of the files.

    Args:
        exports: Files as read.
        classes: Those that the guideline knows; empty: all.
        is_as_written: Keep classes apart that differ only by case, Unicode form or invisible characters.
        purpose: Whose answers they are: of the crew (`label`) or of experts (`expert`).
        takes_truths: Take answers of the crew that the tool marks as ground truth as an expert's (`truths`); else they
            are left out.
        are_classes: Labels are classes, or sets of them; else texts of marks, whose classes their readers judge.
    """
    judged = judge_exports(exports, classes, is_as_written=is_as_written, are_classes=are_classes)
    left = list(judged.left)
    crew: list[PlacedAnnotation] = []
    truths: list[PlacedAnnotation] = []
    for placed in judged.annotations:
        one, file = placed
        if not one.is_truth or purpose == "expert":
            crew.append(placed)
        elif takes_truths:
            truths.append(placed)
        else:
            left.append(Left(file, one.line, "ground_truth", evidence(f"{one.item_id}: {one.label}")))
    answers, earlier = keep_latest(crew)
    known, earlier_known = keep_latest(truths)
    kept, marked = ([one.annotation for one in placed] for placed in (answers, known))
    return Imported(kept, [*left, *earlier, *earlier_known], judged.notices, marked)


def left_file(answers: Path) -> Path:
    """Return where the file of what was not imported lies: beside the answers."""
    return answers.with_suffix(".left.jsonl")


def check_files(imported: Imported, inputs: Iterable[Path], answers: Path, items: Path | None) -> None:
    """Refuse to write over an input, or over a file that no import wrote.

    Of items nothing tells who wrote them: those that are there must be the same.

    Raises:
        OutputError: See `cupel.store.outputs.check_outputs`.
    """
    outputs = [
        Output("--answers", answers, is_table(SCHEMA.names)),
        Output("beside --answers,", left_file(answers), is_json_lines(*Left._fields, "meaning")),
    ]
    if items is not None:
        outputs.append(Output("--items", items, lambda path: read_file(path) == _items(imported)[0]))
    check_outputs(outputs, inputs)


def write_answers(imported: Imported, batch: str, purpose: str, path: Path) -> None:
    """Write annotations as a file of recorded answers, which `labeling.answers` of a project names.

    Args:
        imported: The annotations.
        batch: The delivery that the items are of.
        purpose: label (annotators) or expert.
        path: A file ending in .csv or .parquet; it is replaced whole.

    Raises:
        SourceError: There is nothing to write, or the file ends otherwise.
    """
    if not imported.annotations and not imported.truths:
        left = [one for one in imported.left if one.reason != "unread_key"]
        seen = ", ".join(f"{reason}: {count:,}" for reason, count in counts(left))
        first = ""
        for one in left[:1]:
            found = f" ({one.evidence[:120]})" if one.evidence else ""
            first = f"; the first: {one.file}, line {one.line}: {MEANINGS[one.reason]}{found}"
        raise SourceError(f"{path}: not written: no annotation was understood ({seen or 'the files are empty'}){first}")
    if path.suffix not in (".csv", ".parquet"):
        raise SourceError(f"{path}: answers are written as .csv or .parquet; name such a file")
    rows = [*imported.annotations, *imported.truths]
    purposes = [purpose] * len(imported.annotations) + ["expert"] * len(imported.truths)
    make_writer = pa_csv.CSVWriter if path.suffix == ".csv" else pq.ParquetWriter
    try:
        with new_file(path) as file, make_writer(file, SCHEMA) as writer:
            for piece in _pieces(rows):
                writer.write_table(_table(rows[piece], purposes[piece], batch))
    except OSError as error:
        raise SourceError(f"{path}: cannot be written: {error.strerror}") from None


def _pieces(rows: Sequence[Annotation]) -> Iterator[slice]:
    """Yield places of annotations, as many as a row group of Parquet holds, or fewer where their labels are long."""
    first = size = 0
    for place, row in enumerate(rows):
        size += len(row.label)
        if size > MOST_PIECE_CHARACTERS or place + 1 - first == MOST_PIECE_ROWS:
            yield slice(first, place + 1)
            first, size = place + 1, 0
    if first < len(rows):
        yield slice(first, len(rows))


def _table(rows: Sequence[Annotation], purposes: list[str], batch: str) -> pa.Table:
    columns = {
        "batch": [batch] * len(rows),
        "item_id": [row.item_id for row in rows],
        "purpose": purposes,
        "annotator": [row.annotator for row in rows],
        "label": [row.label for row in rows],
        "seconds_spent": [row.seconds_spent for row in rows],
    }
    return pa.table(columns, schema=SCHEMA)


def write_items(imported: Imported, path: Path) -> int:
    """Write the items as JSON Lines, `id` and what each shows, for a project's delivery; return how many."""
    content, count = _items(imported)
    _put(path, content)
    return count


def _items(imported: Imported) -> tuple[bytes, int]:
    """Return the items as JSON Lines, and how many there are."""
    fields: dict[str, FieldsOfItem] = {}
    for row in (*imported.annotations, *imported.truths):
        fields.setdefault(row.item_id, row.fields)
    rows = [{"id": item, **{k: v for k, v in shown.items() if k != "id"}} for item, shown in fields.items()]
    return _lines(rows), len(fields)


def write_left(left: Sequence[Left], path: Path) -> None:
    """Write what was not imported as JSON Lines: file, line, reason, its meaning, evidence."""
    _put(path, _lines({**one._asdict(), "meaning": MEANINGS[one.reason]} for one in left))


def counts(left: Iterable[Left]) -> list[tuple[str, int]]:
    """Return how much was not imported by reason, the most frequent first."""
    return sorted(Counter(one.reason for one in left).items(), key=lambda pair: (-pair[1], pair[0]))


def _lines(rows: Iterable[dict[str, object]]) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def _put(path: Path, content: bytes) -> None:
    try:
        put_file(path, content)
    except OSError as error:
        raise SourceError(f"{path}: cannot be written: {error.strerror}") from None
