"""What a format of marks cannot hold: it is taken out of the tables before writing, and each loss is a sentence."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from cupel.errors import CupelError
from cupel.exchange.imports.marks.marked_items import ITEMS, MarkedItems
from cupel.exchange.imports.marks.outlines import has_shape
from cupel.marks.canonical_text import ATTRIBUTES, CLASS, read_marks, write_marks

# What is known of an item beside its id, as a reader says it.
FACTS = tuple(name for name in ITEMS.names if name not in ("item_id", "frame_times"))


class LossError(CupelError):
    """A format that cannot hold all that is to be written in it."""


class Fit(NamedTuple):
    """Tables of which a format holds everything, and what was taken out or changed for it, a sentence each."""

    marked: MarkedItems
    losses: tuple[str, ...] = ()

    def then(self, step: "Callable[[MarkedItems], Fit]") -> "Fit":
        """Return what a further step makes of it."""
        marked, losses = step(self.marked)
        return Fit(marked, (*self.losses, *losses))


class ShownMark(NamedTuple):
    """A mark of a table, and where it stands: `row` of the answers, `number` in the text, from 1."""

    row: int
    number: int
    mark: dict[str, Any]


def count_of(count: int, one: str, many: str | None = None) -> str:
    """Return a number with what is counted.

    >>> count_of(1, "mark"), count_of(1200, "box", "boxes")
    ('1 mark', '1,200 boxes')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def keep_one_answer(marked: MarkedItems) -> Fit:
    """Keep of each item the answer of the first annotator by name: the format holds one answer an item."""
    answers = marked.answers
    order = pc.sort_indices(answers.append_column("row", pa.array(range(answers.num_rows))),
                            [("annotator", "ascending"), ("row", "ascending")])  # fmt: skip
    ids = answers["item_id"].to_pylist()
    first: dict[str, int] = {}
    for row in order.to_pylist():
        first.setdefault(ids[row], row)
    left = answers.num_rows - len(first)
    if not left:
        return Fit(marked)
    kept = marked._replace(answers=answers.take(pa.array(sorted(first.values()), pa.int64())))
    told = count_of(left, "further answer")
    return Fit(kept, (f"{told} left out: it holds one an item, and that of the first annotator by name is kept",))


def drop_about_answers(marked: MarkedItems, held: Iterable[str] = ()) -> Fit:
    """Drop who answered, how long it took, and what is known to be right, where the format does not hold it."""
    answers, losses = marked.answers, []
    for name, told in (
        ("annotator", "without their annotator's name"),
        ("seconds_spent", "without the seconds that they took"),
        ("is_truth", "without the sign that they are known to be right"),
    ):
        column = answers[name]
        count = pc.sum(column if name == "is_truth" else column.is_valid()).as_py() or 0
        if name not in held and count:
            losses.append(f"{count_of(count, 'answer')} {told}")
            empty = pa.array([False] * len(column)) if name == "is_truth" else pa.nulls(len(column), column.type)
            answers = answers.set_column(answers.column_names.index(name), name, empty)
    return Fit(marked._replace(answers=answers), tuple(losses))


def drop_facts(marked: MarkedItems, held: Iterable[str] = ()) -> Fit:
    """Drop what is known of items that the format does not hold."""
    items, held = marked.items, tuple(held)
    counts = {name: len(items) - items[name].null_count for name in (*FACTS, "frame_times") if name not in held}
    told = [f"{name.replace('_', ' ')} of {count_of(count, 'item')}" for name, count in counts.items() if count]
    for name in counts:
        items = items.set_column(items.column_names.index(name), name, pa.nulls(len(items), items[name].type))
    return Fit(marked._replace(items=items), tuple(f"without the {one}" for one in told))


def drop_unanswered(marked: MarkedItems) -> Fit:
    """Drop items without an answer: in the format they would look as if somebody had found nothing there."""
    is_answered = pc.is_in(marked.items["item_id"], value_set=marked.answers["item_id"].combine_chunks())
    left = len(marked.items) - (pc.sum(is_answered).as_py() or 0)
    if not left:
        return Fit(marked)
    told = f"{count_of(left, 'item')} without an answer left out: they would look as if nothing were there"
    return Fit(marked._replace(items=marked.items.filter(is_answered)), (told,))


def drop_attributes(marked: MarkedItems, held: Iterable[str] = ()) -> Fit:
    """Drop attributes of marks that the format does not hold, or that are not what their names say."""
    held = frozenset(held)
    counts: dict[str, int] = {}

    def strip(found: ShownMark) -> dict[str, Any]:
        attributes = found.mark.get(ATTRIBUTES, {})
        kept = {name: value for name, value in attributes.items() if name in held and has_shape(name, value)}
        for name in attributes.keys() - kept.keys():
            counts[name] = counts.get(name, 0) + 1
        bare = {key: value for key, value in found.mark.items() if key != ATTRIBUTES}
        return {**bare, ATTRIBUTES: kept} if kept else bare

    changed = change_marks(marked, strip)
    told = tuple(f"{count_of(count, 'mark')} without {name!r}" for name, count in sorted(counts.items()))
    return Fit(changed if told else marked, told)


def split_outlines(marked: MarkedItems) -> Fit:
    """Drop the outlines of marks that have several, where a polygon of the format is one outline."""
    counts = {"marks": 0}

    def change(found: ShownMark) -> dict[str, Any]:
        attributes = found.mark.get(ATTRIBUTES, {})
        if len(attributes.get("outlines", ())) < 2:
            return found.mark
        counts["marks"] += 1
        kept = {name: value for name, value in attributes.items() if name != "outlines"}
        return {**found.mark, ATTRIBUTES: kept}

    changed = change_marks(marked, change)
    told = f"{count_of(counts['marks'], 'mark')} of several outlines as boxes, without their outlines"
    return Fit(changed, (told,)) if counts["marks"] else Fit(marked)


def change_marks(marked: MarkedItems, change: Callable[[ShownMark], Mapping[str, Any] | None]) -> MarkedItems:
    """Return answers with each mark changed, or left out where the change returns None."""
    labels = []
    for row, text in enumerate(marked.answers["label"].to_pylist()):
        marks = read_marks(text, marked.form)
        changed = [change(ShownMark(row, number, mark)) for number, mark in enumerate(marks, 1)]
        labels.append(write_marks([one for one in changed if one is not None], marked.form) if marks else text)
    return _with_labels(marked, labels)


def leave_out_answers(marked: MarkedItems, why: Callable[[dict[str, Any], list[dict[str, Any]]], str | None]) -> Fit:
    """Leave out answers that the format has no place for.

    Args:
        marked: The tables.
        why: Returns why an answer, by its row and its marks, has none; None: it has.
    """
    reasons: dict[str, int] = {}
    kept = []
    for row in marked.answers.to_pylist():
        reason = why(row, read_marks(row["label"], marked.form))
        kept.append(reason is None)
        if reason is not None:
            reasons[reason] = reasons.get(reason, 0) + 1
    if not reasons:
        return Fit(marked)
    told = tuple(f"{count_of(count, 'answer')} left out: {reason}" for reason, count in sorted(reasons.items()))
    return Fit(marked._replace(answers=marked.answers.filter(pa.array(kept))), told)


def classes_of_marks(marked: MarkedItems) -> list[str]:
    """Return the classes that marks have, in the order of their names."""
    texts = marked.answers["label"].unique().to_pylist()
    return sorted({mark[CLASS] for text in texts for mark in read_marks(text, marked.form)})


def _with_labels(marked: MarkedItems, labels: list[str]) -> MarkedItems:
    answers = marked.answers
    column = pa.array(labels, answers.schema.field("label").type)
    return marked._replace(answers=answers.set_column(answers.column_names.index("label"), "label", column))
