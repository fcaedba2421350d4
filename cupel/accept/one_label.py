"""Several annotators' answers to one label an item, by a stated rule: a delivery is judged a label at a time."""

from collections import Counter
from collections.abc import Iterable

from cupel.people.tool_annotation import Annotation
from cupel.sources.reasons import BadRow, Row, evidence

LABEL = "label"
ANNOTATOR = "annotator"
RULE = (
    "One label an item is judged: the annotation marked as ground truth, else the only one, else the most frequent; "
    "a tie is rejected. Skipped annotations, and those of several classes at once, do not count."
)


def one_label_rows(annotations: Iterable[Annotation | BadRow]) -> list[Row | BadRow]:
    """Return a row an item: what it shows, `id`, `label` and `annotator`.

    Args:
        annotations: What a tool's export holds, in its order.

    Returns:
        Rows in order of the record that first speaks of an item. The annotator is null where the label stands for
        several annotators. A record without any label stands once, with the first reason.
    """
    of_item: dict[str, list[Annotation]] = {}
    without: dict[int, BadRow] = {}
    for found in annotations:
        if isinstance(found, BadRow):
            without.setdefault(found.line, found)
        else:
            of_item.setdefault(found.item_id, []).append(found)
    rows = [_row(given) for given in of_item.values()]
    labelled = {given.line for annotations_of in of_item.values() for given in annotations_of}
    return sorted([*rows, *(bad for line, bad in without.items() if line not in labelled)], key=lambda row: row.line)


def _row(given: list[Annotation]) -> Row | BadRow:
    votes = [one for one in given if one.is_truth] or given
    best, told = count_votes(one.label for one in votes)
    if len(best) > 1:
        return BadRow(given[0].line, "tie", told)
    who = given[0].annotator if len(given) == 1 else None
    return Row(given[0].line, {**given[0].fields, "id": given[0].item_id, LABEL: best[0], ANNOTATOR: who})


def count_votes(labels: Iterable[str]) -> tuple[list[str], str]:
    """Return the most frequent labels, several where they are tied, and all counts in words.

    >>> count_votes(["b", "a", "b", "a", "c"])
    (['a', 'b'], 'a: 2, b: 2, c: 1')
    """
    counts = Counter(labels)
    best = sorted(label for label, count in counts.items() if count == max(counts.values()))
    return best, evidence(", ".join(f"{label}: {counts[label]}" for label in sorted(counts)))
