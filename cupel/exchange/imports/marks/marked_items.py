"""Tables of answers with marks, and of the items that they are about: what formats are written from."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from cupel.contract.columns import FLAG, INTEGER, REAL, TEXT
from cupel.exchange.imports.marks.item_facts import ItemFacts, describe_facts, read_facts
from cupel.marks.canonical_text import MarkForm
from cupel.people.tool_annotation import Annotation

# One answer a row: `label` is the canonical text of its marks; `annotator` is null where nobody is named.
ANSWERS = pa.schema(
    [("item_id", TEXT), ("annotator", TEXT), ("label", TEXT), ("seconds_spent", REAL), ("is_truth", FLAG)]
)
# One item a row; what is not known is null. Times are microseconds, sizes pixels, the rate a text as `30000/1001`.
ITEMS = pa.schema(
    [
        ("item_id", TEXT), ("text", TEXT), ("path", TEXT), ("duration", INTEGER), ("frames", INTEGER), ("rate", TEXT),
        ("frame_times", pa.list_(INTEGER)), ("width", INTEGER), ("height", INTEGER),
    ]
)  # fmt: skip

PIECE_ROWS = 4096


class MarkedItems(NamedTuple):
    """Answers with marks of one form (ANSWERS), and their items (ITEMS)."""

    form: MarkForm
    answers: pa.Table
    items: pa.Table

    def facts(self) -> dict[str, ItemFacts]:
        """Return what is known of each item, by id."""
        return {row["item_id"]: read_facts(row) for row in self.items.to_pylist()}


def tabulate_marks(annotations: Iterable[Annotation], form: MarkForm) -> MarkedItems:
    """Return annotations whose labels are canonical texts as tables; rows are in their order."""
    rows = list(annotations)
    # Piece by piece: Arrow takes twice the memory while a column grows.
    pieces = [_answers_table(rows[first : first + PIECE_ROWS]) for first in range(0, len(rows), PIECE_ROWS)]
    items: dict[str, Mapping[str, object]] = {}
    for row in rows:
        items.setdefault(row.item_id, row.fields)
    return MarkedItems(form, pa.concat_tables([ANSWERS.empty_table(), *pieces]), _items_table(items))


def _answers_table(rows: Sequence[Annotation]) -> pa.Table:
    columns: dict[str, list[Any]] = {
        "item_id": [row.item_id for row in rows],
        "annotator": [row.annotator for row in rows],
        "label": [row.label for row in rows],
        "seconds_spent": [row.seconds_spent for row in rows],
        "is_truth": [row.is_truth for row in rows],
    }
    return pa.table(columns, schema=ANSWERS)


def make_marked_items(
    answers: Iterable[tuple[str, str | None, str]], items: Mapping[str, ItemFacts], form: MarkForm
) -> MarkedItems:
    """Return answers, each an item's id, an annotator and a canonical text, as tables.

    Args:
        answers: In any order; it is kept.
        items: What is known of items, by id; an item without an answer is kept, too.
        form: What a mark consists of.
    """
    rows = list(answers)
    table = {name: [row[place] for row in rows] for place, name in enumerate(("item_id", "annotator", "label"))}
    known = {item: ItemFacts() for item in table["item_id"]} | dict(items)
    return MarkedItems(
        form,
        pa.table({**table, "seconds_spent": [None] * len(rows), "is_truth": [False] * len(rows)}, schema=ANSWERS),
        _items_table({str(item): describe_facts(facts) for item, facts in known.items()}),
    )


def _items_table(items: Mapping[str, Mapping[str, object]]) -> pa.Table:
    names = [name for name in ITEMS.names if name != "item_id"]
    columns = {name: [fields.get(name) for fields in items.values()] for name in names}
    return pa.table({"item_id": list(items), **columns}, schema=ITEMS)
