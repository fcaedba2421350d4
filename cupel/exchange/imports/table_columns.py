"""Columns of a plain table that change what its rows are: states of answers, places in the item, annotators."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from math import isfinite
from typing import NamedTuple

from cupel.exchange.imports.answer_states import States, describe_states, find_states, find_truth, plain_name
from cupel.exchange.imports.columns import list_columns
from cupel.exchange.imports.file import File
from cupel.people.tool_annotation import object_id
from cupel.sources.class_values import MISSING_WORDS, value_text
from cupel.sources.reasons import BadRow, Row

SPANS = (("start", "end"), ("start_offset", "end_offset"), ("begin", "end"), ("start_char", "end_char"))
# Parts of videos and sounds.
CLIPS = (("time_start", "time_end"), ("start_seconds", "end_seconds"), ("start_sec", "end_sec"), ("start_s", "end_s"))
# Offsets and seconds stay below, times since 1970 above.
MOST_OFFSET = 100_000_000
BOXES = (
    ("xmin", "ymin", "xmax", "ymax"), ("x_min", "y_min", "x_max", "y_max"), ("x1", "y1", "x2", "y2"),
    ("left", "top", "right", "bottom"), ("x", "y", "width", "height"), ("bbox",), ("bounding_box",), ("polygon",),
    ("segmentation",), ("region_shape_attributes",),
)  # fmt: skip
# The words for people who label, each with a number or a letter: rater_1, Annotator B, coder2_label.
_PERSON = re.compile(
    r"(?i)(?:^|[ _.-])(annotator|rater|coder|judge|labell?er|worker|reviewer)[ _.-]*(\d+|[a-z])(?![a-z])"
)
_NUMBERED_LABEL = re.compile(r"(?i)^(label|rating|annotation|vote)[ _.-]*(\d+|[a-z])$")
# Columns and rows that are looked at to find some that hold the same few values.
MOST_COLUMNS_COMPARED, MOST_ROWS_COMPARED, MOST_VALUES = 100, 1_000, 20


class Place(NamedTuple):
    """Columns that say where in the item an object is: the ends of a span, or else what a box has."""

    columns: tuple[str, ...]
    is_span: bool


class SpecialColumns(NamedTuple):
    """Columns that change what a row is: the states of answers, where in the item an object is, and ground truth."""

    states: States
    place: Place | None
    truth: str | None = None


NOTHING_SPECIAL = SpecialColumns(States((), {}), None)


def find_special(names: Sequence[str], rows: Sequence[Row | BadRow], label: str | None = None) -> SpecialColumns:
    """Return the columns that change what a row is; `label` is that of the label."""
    truth = find_truth(names, rows, label) if label is not None else None
    return SpecialColumns(find_states(names, rows, label), find_place(names, rows), truth)


def describe_special(special: SpecialColumns) -> Iterator[str]:
    """Yield what columns of states and of places in an item are taken for."""
    yield from describe_states(special.states)
    if special.truth is not None:
        yield f"{special.truth!r} says which answers are known to be right"
    if special.place is not None:
        yield f"{list_columns(special.place.columns)} say where in an item a label stands: each is an object"


def find_place(names: Sequence[str], rows: Sequence[Row | BadRow]) -> Place | None:
    """Return the columns that say where in the item a row's object is; None where rows are about whole items.

    Corners are a box where some row has numbers in them: words may stand at the left and the right, too. A start and an
    end are a span where all are numbers, the end after the start: as offsets of characters are, and times of the day
    are not.
    """
    plain = {plain_name(name): name for name in reversed(names)}
    for wanted in BOXES:
        if all(name in plain for name in wanted):
            columns = tuple(plain[name] for name in wanted)
            if any(_is_box(row.values, columns) for row in rows if isinstance(row, Row)):
                return Place(columns, is_span=False)
    for start, end in (*SPANS, *CLIPS):
        if start in plain and end in plain:
            ends = (plain[start], plain[end])
            is_whole = (start, end) in SPANS
            if all(_is_span(row.values, ends, is_whole=is_whole) for row in rows if isinstance(row, Row)):
                return Place(ends, is_span=True)
    return None


def place_id(item: str, values: Mapping[str, object], place: Place, counts: dict[str, int]) -> str:
    """Return the id of a row's object: of a span by its ends, of a box by its number in the item.

    A row without a box is about the whole item.

    Args:
        item: The item.
        values: The row.
        place: Its columns that say where the object is.
        counts: How many objects of each item were met; this one is added.
    """
    if place.is_span:
        return object_id(item, "-".join(value_text(values.get(name)) or "" for name in place.columns))
    if all(_is_empty(values.get(name)) for name in place.columns):
        return item
    counts[item] = counts.get(item, 0) + 1
    return object_id(item, counts[item])


def _is_empty(value: object) -> bool:
    return (value_text(value) or "") in ("", *MISSING_WORDS)


def _is_box(values: Mapping[str, object], columns: tuple[str, ...]) -> bool:
    if len(columns) == 1:
        return not _is_empty(values.get(columns[0]))
    try:
        return all(isfinite(float(value_text(values.get(name)) or "")) for name in columns)
    except ValueError:
        return False


def _is_span(values: Mapping[str, object], columns: tuple[str, str], *, is_whole: bool) -> bool:
    texts = [value_text(values.get(name)) or "" for name in columns]
    try:
        start, end = (int(text) if is_whole else float(text) for text in texts)
    except ValueError:
        return False
    return 0 <= start <= end < MOST_OFFSET


def find_annotator_columns(names: Sequence[str], rows: Iterable[Row | BadRow] = ()) -> list[str]:
    """Return the columns that look like one an annotator: by their names, else by the same few values in each.

    Args:
        names: The columns that have no other role.
        rows: The table; without rows columns are found by their names only.
    """
    for pattern in (_PERSON, _NUMBERED_LABEL):
        groups: dict[str, list[str]] = {}
        for name in names:
            if found := pattern.search(name):
                groups.setdefault(f"{name[: found.start(2)]}*{name[found.end(2) :]}".casefold(), []).append(name)
        if several := [group for group in groups.values() if len(group) > 1]:
            return max(several, key=len)
    return _alike_columns(list(names)[:MOST_COLUMNS_COMPARED], rows)


def _alike_columns(names: Sequence[str], rows: Iterable[Row | BadRow]) -> list[str]:
    """Return the largest group of columns that hold the same few values, which are no truth values."""
    held: dict[str, set[str]] = {name: set() for name in names}
    seen = 0
    for row in rows:
        if seen == MOST_ROWS_COMPARED:
            break
        if isinstance(row, Row):
            seen += 1
            for name in list(held):
                if text := value_text(row.values.get(name)):
                    held[name].add(text)
                    if len(held[name]) > MOST_VALUES:
                        del held[name]
    groups: dict[frozenset[str], list[str]] = {}
    for name, values in held.items():
        # Truth values are mostly features of the item, or classes that have a column each.
        if 1 < len(values) < seen and not all(value.casefold() in ("true", "false", "0", "1") for value in values):
            groups.setdefault(frozenset(values), []).append(name)
    best = max(groups.values(), key=len, default=[])
    return best if len(best) > 1 else []


def name_classes(file: File, rows: list[Row | BadRow], declared: Sequence[str] = ()) -> list[Row | BadRow]:
    """Return rows with the names of their classes in place of numbers, where a Parquet file says them.

    Files of Hugging Face's datasets name the classes of columns of the type ClassLabel in their metadata; -1 stands for
    no label there. Declared classes stay what they are.
    """
    classes = _class_labels(file)
    if not classes:
        return rows
    named = []
    for row in rows:
        if isinstance(row, Row):
            changed = {
                name: _name_of(row.values.get(name), known, declared)
                for name, known in classes.items()
                if name in row.values
            }
            row = row._replace(values={**row.values, **changed})
        named.append(row)
    return named


def _class_labels(file: File) -> dict[str, list[str]]:
    if file.format != "parquet":
        return {}
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        about = pq.read_schema(BytesIO(file.content)).metadata or {}
        features = json.loads(about[b"huggingface"])["info"]["features"]
        return {
            str(name): [str(one) for one in feature["names"]]
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
            and isinstance(feature.get("names"), list)
        }  # fmt: skip
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _name_of(value: object, names: Sequence[str], declared: Sequence[str]) -> object:
    if not isinstance(value, int | float) or isinstance(value, bool) or value_text(value) in declared:
        return value
    if value == -1:
        return None
    return names[int(value)] if value == int(value) and 0 <= value < len(names) else value
