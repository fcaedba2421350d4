"""Shown labels: which answers were given after a label was shown, in a log of their own; no answer is changed by it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.contract.columns import TEXT
from cupel.contract.table import conform
from cupel.contract.tables.crew import SHOWN_ANSWERS
from cupel.lake.lake import Lake
from cupel.people.answers.annotations import LIVE
from cupel.store.event_log import Event

SHOWN_LABELS = "shown_labels"
# Answers of this source come from a labeling tool, where it is known of each task what it shows.
LIVE_SOURCE = f"{LIVE}:"
# The source of labels must say of so many items what was shown there.
LEAST_SAME = 0.95


class ShownLabel(NamedTuple):
    """A label that was shown beside a task, or was withheld so that the task is blind.

    Of a recorded answer `answer_id` is known. Of a task in a labeling tool it is null: then it is of the item's answers
    of the tool that come after `after` in the log. `name` tells it from all others.
    """

    name: str
    batch: str
    item_id: str
    shown_label: str
    is_shown: bool
    answer_id: str | None = None
    after: int = 0


class ShownLabelsLog:
    """The labels that were shown beside tasks of a project.

    Args:
        lake: The project's lake.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._log = lake.log(SHOWN_LABELS)

    def append(self, shown: Iterable[ShownLabel]) -> int:
        """Append those that are not there yet; return how many.

        It is done before the answers themselves are kept: whoever dies in between does it again.

        Raises:
            StoreError: The log was altered or cut short.
        """
        by_name = {one.name: one._asdict() for one in shown}

        def decide(there: list[Event]) -> list[Event]:
            known = {event["name"] for event in there}
            return [event for name, event in by_name.items() if name not in known]

        return len(self._log.append(decide)) if by_name else 0

    def append_tasks(self, batch: str, labels: Mapping[str, tuple[str, str]], shown: Collection[str]) -> int:
        """Append the labels of tasks that are about to be put to people in a labeling tool.

        Args:
            batch: The batch.
            labels: Item and label of each task, by its key.
            shown: Keys of the tasks beside which the label is shown; beside others it is withheld.
        """
        after = self._lake.answers.head().sequence
        return self.append(
            ShownLabel(f"{key}/{label}/{key in shown}", batch, item, label, key in shown, None, after)
            for key, (item, label) in labels.items()
        )

    def read(self, batch: str) -> list[ShownLabel]:
        """Return the labels shown beside tasks of a batch, the earliest first; see `append`."""
        return [found for event in self._log.read() if (found := ShownLabel(**event)).batch == batch]


def match_shown_labels(
    annotations: pa.Table,
    answers: pa.Table,
    shown: Sequence[ShownLabel],
    pre_labels: pa.Table,
    gold: pa.Table | None,
    classes: Sequence[str],
) -> pa.Table:
    """Return each annotator's answer, and the label that was shown beside the task, or would have been.

    Args:
        annotations: ANNOTATIONS of a batch.
        answers: ANSWERS of the batch with the purpose `label`.
        shown: The labels shown beside its tasks.
        pre_labels: What the source of labels says of items, columns item_id and label (null: nothing).
        gold: Items of known label, columns item_id and label; None: there are none.
        classes: The ontology; a shown label outside of it is null, and proves nothing.

    Returns:
        SHOWN_ANSWERS.
    """
    given = answers.select(["sequence", "answer_id", "source"])
    place = pc.index_in(annotations["sequence"], value_set=given["sequence"].combine_chunks())
    ids, sources = given["answer_id"].take(place).to_pylist(), given["source"].take(place).to_pylist()
    items, find = annotations["item_id"], _Finder(shown)
    rows = zip(ids, sources, items.to_pylist(), annotations["sequence"].to_pylist(), strict=True)
    found = [find.of_answer(*row) for row in rows]
    is_live = pa.array([source.startswith(LIVE_SOURCE) for source in sources], pa.bool_())
    is_shown = pa.array([one is not None and one.is_shown for one in found], pa.bool_())
    known = pa.array([None if one is None else one.shown_label for one in found], TEXT)
    pre = pc.coalesce(known, pc.if_else(is_live, pa.scalar(None, TEXT), _would_be(items, known, is_shown, pre_labels)))
    columns = {name: annotations[name] for name in ("sequence", "item_id", "annotator", "label")} | {
        "is_shown": is_shown,
        "pre_label": pc.if_else(pc.is_in(pre, value_set=pa.array(classes, TEXT)), pre, pa.scalar(None, TEXT)),
        "known_label": pa.nulls(len(pre), TEXT) if gold is None else _labels_of(annotations["item_id"], gold),
    }
    return conform(pa.table(columns), SHOWN_ANSWERS)


def count_unknown_labels(answers: pa.Table) -> int:
    """Return how many answers were given beside a label that is none of the ontology, of SHOWN_ANSWERS."""
    is_unknown = pc.and_(answers["is_shown"], pc.is_null(answers["pre_label"]))
    return int(np.asarray(is_unknown.to_numpy(), dtype=np.int64).sum())


class _Finder:
    """Finds the label that was shown, or withheld, beside an answer."""

    def __init__(self, shown: Iterable[ShownLabel]) -> None:
        self._by_answer: dict[str, ShownLabel] = {}
        self._by_item: dict[str, list[ShownLabel]] = {}
        for one in shown:
            if one.answer_id is not None:
                self._by_answer[one.answer_id] = one
            else:
                self._by_item.setdefault(one.item_id, []).append(one)

    def of_answer(self, answer_id: str, source: str, item: str, sequence: int) -> ShownLabel | None:
        """Return it; None where nothing is known. Of a task that was put again, the last before the answer counts."""
        if not source.startswith(LIVE_SOURCE):
            return self._by_answer.get(answer_id)
        return next((one for one in reversed(self._by_item.get(item, [])) if one.after < sequence), None)


def _would_be(items: pa.ChunkedArray, known: pa.Array, is_shown: pa.Array, pre_labels: pa.Table) -> pa.Array:
    """Return the label that would have been shown: what others saw of the item, else what the source says of it.

    The source is asked only where it says what was shown: what a model says that has learned since proves nothing.
    """
    own, now = items.to_pylist(), _labels_of(items, pre_labels)
    seen = dict(zip(items.filter(is_shown).to_pylist(), known.filter(is_shown).to_pylist(), strict=True))
    others = pa.array([seen.get(item) for item in own], TEXT)
    is_same = pc.equal(now, known).filter(is_shown)
    share = pc.mean(pc.fill_null(is_same, False)).as_py() if len(is_same) else 1.0
    return pc.coalesce(others, now) if share >= LEAST_SAME else others


def _labels_of(items: pa.ChunkedArray, labels: pa.Table) -> pa.Array:
    """Return the label of each item, null where there is none."""
    place = pc.index_in(items.combine_chunks(), value_set=labels["item_id"].cast(TEXT).combine_chunks())
    return labels["label"].cast(TEXT).combine_chunks().take(place)
