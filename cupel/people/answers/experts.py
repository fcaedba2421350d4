"""The expert protocol: what the answers of experts on an item come to."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.contract.item_numbers import Places, places, ranks
from cupel.contract.table import Table, conform
from cupel.contract.tables.release import ADJUDICATIONS

Flags = NDArray[np.bool_]

# How labels came about that experts had a say in before the freeze: theirs, or the old one where they stay split.
DECIDED, SPLIT = "experts before the freeze", "experts before the freeze stay split"
# Places of labels, inside numpy only: the expert finds that the item cannot be decided; nobody has answered.
UNDECIDED, NONE = -1, -2


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
        labels: What each expert said, by `replace_same`; null where the expert finds that the item cannot be decided.
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


class Decision(NamedTuple):
    """What experts settled before the freeze: an item and its label, None where they stay split."""

    item_id: str
    label: str | None


def decisions(answers: pa.Table, answers_asked: int) -> list[Decision]:
    """Return what experts settled, in the order in which they did.

    Args:
        answers: ROUND_ANSWERS of one batch, by `replace_same`.
        answers_asked: See `verdict`.

    >>> rows = {"sequence": [1, 2, 3], "item_id": ["a", "b", "b"], "label": ["x", "y", "y"]}
    >>> decisions(pa.table(rows), 2)
    [Decision(item_id='b', label='y')]
    """
    said: dict[str, list[str | None]] = {}
    found: dict[str, Decision] = {}
    for row in answers.select(["sequence", "item_id", "label"]).sort_by("sequence").to_pylist():
        item = row["item_id"]
        said.setdefault(item, []).append(row["label"])
        come_to = verdict(said[item], answers_asked)
        if come_to.is_settled and item not in found:
            found[item] = Decision(item, come_to.label)
    return list(found.values())


def verdicts(items: pa.Table, expert_answers: pa.Table, answers_asked: int, table: Table = ADJUDICATIONS) -> pa.Table:
    """Hold the proposed labels against what the experts say.

    Args:
        items: Columns release, batch, item_id, label of RELEASE_ITEMS.
        expert_answers: EXPERT_ANSWERS, of these and other items, by `replace_same`.
        answers_asked: See `verdict`.
        table: AUDIT or ADJUDICATIONS.

    Returns:
        One row an item, in the order given.
    """
    answers = expert_answers.sort_by("sequence")
    label = pc.index_in(answers["label"], value_set=(classes := answers["label"].unique().drop_null()))
    said, judged = _first_three(items, answers, label.fill_null(UNDECIDED).to_numpy().astype(np.int64))
    count, is_settled, decided = _protocol(said, judged, answers_asked)
    expert_label = classes.take(pa.array(decided, mask=decided < 0))
    columns = {name: items[name] for name in ("release", "batch", "item_id", "label")} | {
        "answers": pa.array(count),
        "is_settled": pa.array(is_settled),
        "is_contested": pa.array(is_settled & (decided < 0)),
        "expert_label": expert_label,
        "is_wrong": pc.not_equal(expert_label, items["label"]),
    }
    return conform(pa.table(columns), table)


def _first_three(items: pa.Table, answers: pa.Table, label: Places) -> tuple[Places, Places]:
    """Return how many answers each item has, and the first three, NONE where there are fewer; shape items x 3."""
    item, answered = places(items, answers)
    count = np.bincount(answered, minlength=max(item.max(initial=-1), answered.max(initial=-1)) + 1)
    first = np.full((len(count), 3), NONE, np.int64)
    rank = ranks(answered)
    counts = rank < 3
    first[answered[counts], rank[counts]] = label[counts]
    return count[item].astype(np.int64), first[item]


def _protocol(said: Places, judged: Places, answers_asked: int) -> tuple[Places, Flags, Places]:
    """Apply the protocol to many items; see `verdict`.

    Args:
        said: How many answers each item has.
        judged: Its first three, as `_first_three` returns them.
        answers_asked: See `verdict`.

    Returns:
        How many answers count, whether they settle the item, and the label (UNDECIDED where there is none).
    """
    one, two, three = judged.T
    if answers_asked == 1:
        return np.minimum(said, 1), said > 0, np.where(said > 0, one, UNDECIDED)
    is_agreed = (said > 1) & (one == two)
    is_third = (said > 2) & ~is_agreed
    count = np.where(is_agreed, 2, np.minimum(said, 3))
    third = np.where((three == one) | (three == two), three, UNDECIDED)
    return count, is_agreed | is_third, np.where(is_agreed, one, np.where(is_third, third, UNDECIDED))
