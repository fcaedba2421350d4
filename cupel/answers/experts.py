"""The expert protocol: what the answers of experts on an item come to."""

from typing import Any, NamedTuple

import pyarrow as pa

from cupel.tables import ADJUDICATIONS, Table, from_rows


class Verdict(NamedTuple):
    """What experts made of an item so far.

    `label` is null while the verdict is unsettled and when it is contested; `wanted` is the number of
    answers still to ask for.
    """

    answers: int
    is_settled: bool
    label: str | None
    wanted: int

    @property
    def is_contested(self) -> bool:
        """The protocol has come to its end and the experts agree on no label."""
        return self.is_settled and self.label is None


def verdict(labels: list[str | None], answers_asked: int) -> Verdict:
    """Apply the protocol to one item's expert answers, in the order of their arrival.

    Args:
        labels: What each expert said; null where the expert finds that the item cannot be decided.
        answers_asked: 1: one expert's word is the verdict. 2: two experts, blind to each other, and a
            third where they differ; a label needs two of the three.

    Returns:
        The verdict; with two experts, answers beyond the third do not count.

    >>> verdict(["a", "b"], 2)
    Verdict(answers=2, is_settled=False, label=None, wanted=1)
    >>> verdict(["a", "b", "a"], 2).label
    'a'
    """
    if len(labels) < answers_asked:
        return Verdict(len(labels), False, None, answers_asked - len(labels))
    if answers_asked == 1:
        return Verdict(1, True, labels[0], 0)
    first, second, *more = labels
    if first == second:
        return Verdict(2, True, first, 0)
    if not more:
        return Verdict(2, False, None, 1)
    third = more[0]
    return Verdict(3, True, third if third in (first, second) else None, 0)


def verdicts(items: pa.Table, expert_answers: pa.Table, answers_asked: int, table: Table = ADJUDICATIONS) -> pa.Table:
    """Hold the proposed labels against what the experts say.

    Args:
        items: Columns release, batch, item_id, label of RELEASE_ITEMS.
        expert_answers: EXPERT_ANSWERS, of these and other items.
        answers_asked: See `verdict`.
        table: AUDIT or ADJUDICATIONS.

    Returns:
        One row an item, in the order given.
    """
    said = _by_item(expert_answers)
    rows = []
    for item in items.select(["release", "batch", "item_id", "label"]).to_pylist():
        outcome = verdict(said.get((item["batch"], item["item_id"]), []), answers_asked)
        rows.append(
            {
                **item,
                "answers": outcome.answers,
                "is_settled": outcome.is_settled,
                "is_contested": outcome.is_contested,
                "expert_label": outcome.label,
                "is_wrong": None if outcome.label is None else outcome.label != item["label"],
            }
        )
    return from_rows(rows, table)


def _by_item(expert_answers: pa.Table) -> dict[tuple[str, str], list[Any]]:
    said: dict[tuple[str, str], list[Any]] = {}
    for answer in expert_answers.sort_by("sequence").to_pylist():
        said.setdefault((answer["batch"], answer["item_id"]), []).append(answer["label"])
    return said
