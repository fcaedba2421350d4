"""The recorded workforce: people who have answered already; their answers lie in files."""

import hashlib
from collections.abc import Callable, Collection
from json.encoder import encode_basestring_ascii as encoded
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.consensus.coding import ItemIds, id_array
from cupel.contract.columns import TEXT, TIME
from cupel.contract.item_numbers import Places, places
from cupel.contract.tables.answers import ANSWERS
from cupel.errors import AnswerError
from cupel.lake.answer_chain import GIVEN
from cupel.people.answers.guidelines import OF_MODEL, OF_SOURCE, RECORDED
from cupel.people.answers.recorded_files import PIECE_ROWS, batches_in, rows_of
from cupel.people.answers.shown_labels import ShownLabel, ShownLabelsLog
from cupel.sources.class_values import value_text

# An auditor's answer is on file as that of whom the audit takes at their word; an expert's before the freeze likewise.
ON_FILE = {"round": "expert", "audit": "expert", "contamination_audit": "contamination"}


class RecordedWorkforce:
    """Answers tasks from files, slot by slot, in the order of the files' rows.

    A file is CSV or Parquet with the columns batch, item_id, purpose (label, expert or contamination), label,
    annotator (may be empty), and optionally seconds_spent, shown_label, and guideline (the version that the answer was
    given under, which its source then names; of a project whose guideline has versions). A task of an auditor, or of a
    round before the freeze, is answered by an expert's row, and one of an audit for contamination by a row for that.
    The answers of one batch are held at a time. Parquet sorted by batch is read fastest.

    Models of the crew answer no task: what they said of items comes unasked.

    Args:
        files: The files, read in this order.
        models: Names of the models of the crew.
        shown: Where it is kept which label an answer was given beside (`shown_label`); None: nowhere.
        has_guideline: The project's guideline has versions; else the column guideline is not looked at.
        classes: The project's. A label that is none, and is one without the spaces around it, or as a number without
            a point that says nothing, is that one.

    Raises:
        AnswerError: A file is missing, lacks a column, or names an unknown purpose; with file and row.
    """

    name = RECORDED

    def __init__(
        self, files: list[Path], models: Collection[str] = (), shown: ShownLabelsLog | None = None, *,
        has_guideline: bool = False, classes: Collection[str] = (),
    ) -> None:  # fmt: skip
        self._files = list(files)
        self._models = pa.array(sorted(models), TEXT)
        self._shown = shown
        self._has_guideline = has_guideline
        self._classes = frozenset(classes)
        self._batches = frozenset().union(*(batches_in(path) for path in files))
        self._held: tuple[str, pa.Table] | None = None

    def answer(self, tasks: pa.Table) -> pa.Table:
        """Return the recorded answers to the open tasks; a task without one stays open.

        Args:
            tasks: Columns task_id, batch, item_id, purpose, slot of TASKS or RELEASE_TASKS.

        Returns:
            ANSWERS without `sequence` and `hash`, in the order of the tasks.
        """
        found, rows = [_no_events()], [np.zeros(0, np.int64)]
        for batch in tasks["batch"].unique().to_pylist():
            ours = np.flatnonzero(pc.equal(tasks["batch"], batch).to_numpy())
            asked = tasks.take(pa.array(ours))
            on_file = self._on_file(batch)
            if len(self._models):
                on_file = on_file.filter(pc.invert(self._is_of_model(on_file)))
            task, answer = _matched(asked, on_file)
            answers, asked = on_file.take(pa.array(answer)), asked.take(pa.array(task))
            found.append(self._events(batch, answers, asked["purpose"], asked["task_id"]))
            rows.append(ours[task])
        return pa.concat_tables(found).take(pa.array(np.argsort(np.concatenate(rows))))

    def unasked(self, batch: str, item_ids: "ItemIds | set[str]") -> pa.Table:
        """Return the answers on file for items that a batch does not hold, or that cleaning dropped.

        Nobody asks for them, so they would never be seen: they enter the log unasked and are rejected
        there with a reason. Not so those on whether an item is wanted: what cleaning dropped has been asked about.

        Args:
            batch: The batch.
            item_ids: Its clean items.
        """
        items = id_array(sorted(item_ids) if isinstance(item_ids, set) else item_ids)
        rows = self._on_file(batch)
        is_meant = pc.and_not(
            pc.not_equal(rows["purpose"], "contamination"), pc.is_in(rows["item_id"], value_set=items)
        )
        rows = rows.filter(pc.or_(is_meant, self._is_of_model(rows)) if len(self._models) else is_meant)
        # Items in the order in which they first come up, for each purpose.
        (item,) = places(rows, names=("item_id", "purpose"))
        first = np.unique(item, return_index=True)[1]
        rows = rows.take(pa.array(np.argsort(first[item], kind="stable")))
        return self._events(batch, rows, rows["purpose"], None)

    def rest(self) -> pa.Table:
        """Return no answers: those on file wait until they are asked for."""
        return _no_events()

    def end(self) -> None:
        """Do nothing: a file needs not be told."""

    def batches(self) -> set[str]:
        """Return the batches that the files speak of."""
        return set(self._batches)

    def _on_file(self, batch: str) -> pa.Table:
        """Return a batch's recorded answers in the order of the files, those of the last batch asked for at hand."""
        if self._held is None or self._held[0] != batch:
            self._held = None  # so that two batches are never held
            rows = rows_of(self._files, batch)
            labels = name_declared(rows["label"], self._classes)
            self._held = (batch, rows.set_column(rows.column_names.index("label"), "label", labels))
        return self._held[1]

    def _is_of_model(self, rows: pa.Table) -> pa.ChunkedArray:
        """Tell which rows are a model's answers to what annotators are asked."""
        return pc.and_(pc.equal(rows["purpose"], "label"), pc.is_in(rows["annotator"], value_set=self._models))

    def _events(
        self, batch: str, rows: pa.Table, purpose: pa.ChunkedArray, task_id: pa.ChunkedArray | None
    ) -> pa.Table:
        """Return answers on file as events, in the order given; without tasks they came unasked."""
        where = pc.binary_join_element_wise(rows["file"], rows["row"].cast(TEXT), ":")
        columns = {
            "answer_id": self._ids(where if task_id is None else task_id, purpose, rows),
            "task_id": pa.nulls(rows.num_rows, TEXT) if task_id is None else task_id,
            "batch": pa.repeat(pa.scalar(batch, TEXT), rows.num_rows),
            "purpose": purpose,
            "answered_at": pa.nulls(rows.num_rows, TIME),
            "source": self._source(rows),
        } | {name: rows[name] for name in ("item_id", "annotator", "label", "seconds_spent")}
        if self._shown is not None:
            beside = (columns["answer_id"], rows["item_id"], rows["shown_label"], purpose)
            self._shown.append(
                ShownLabel(name, batch, item, label, True, name)
                for name, item, label, what in zip(*(one.to_pylist() for one in beside), strict=True)
                if label is not None and what == "label"
            )
        return pa.table({name: columns[name] for name in GIVEN}).cast(_no_events().schema)

    def _source(self, rows: pa.Table) -> pa.ChunkedArray:
        """Return where answers come from, and whether a model gave them, and under which guideline, as files say it."""
        source = pc.binary_join_element_wise(self.name, rows["file"], ":")
        if len(self._models):
            by_model = pc.binary_join_element_wise(source, OF_MODEL, "")
            source = pc.if_else(self._is_of_model(rows), by_model, source)
        if not self._has_guideline:
            return source
        under = pc.binary_join_element_wise(source, rows["guideline"], OF_SOURCE)  # null where it says nothing
        return pc.coalesce(under, source)

    def _ids(self, name: pa.ChunkedArray, purpose: pa.ChunkedArray, rows: pa.Table) -> pa.ChunkedArray:
        # The answer's content is part of its name, so that a corrected file is a new answer, not a contradiction.
        columns = (name, purpose, rows["annotator"], rows["label"])
        pieces = [pa.array([], TEXT)]
        for start in range(0, rows.num_rows, PIECE_ROWS):
            values = zip(*(_json(column.slice(start, PIECE_ROWS)) for column in columns), strict=True)
            digests = (hashlib.sha256(f"{self.name}/[{', '.join(value)}]".encode()).hexdigest() for value in values)
            pieces.append(pa.array([digest[:32] for digest in digests], TEXT))
        return pa.chunked_array(pieces)


def name_declared(labels: pa.ChunkedArray, classes: Collection[str]) -> pa.ChunkedArray:
    """Return labels with the declared class in place of a text that stands for it; all others as they are.

    >>> name_declared(pa.chunked_array([["1.0", " a", "1", "b "]]), ("1", "b ", "a")).to_pylist()
    ['1', 'a', '1', 'b ']
    """
    coded = labels.combine_chunks().dictionary_encode()
    known = frozenset(classes)
    words = [
        plain if word not in known and (plain := value_text(word)) in known else word
        for word in coded.dictionary.to_pylist()
    ]
    return pa.chunked_array([pa.array(words, TEXT).take(coded.indices)])


def read_gold(path: Path, batch: str, translate: Callable[[pa.Table], pa.Table] | None = None) -> pa.Table:
    """Return the known labels of a batch: they measure annotators and never train or choose anything.

    Args:
        path: CSV or Parquet with the columns batch, item_id, label, and optionally guideline.
        batch: The batch.
        translate: Reads labels under the guideline in force, see `translate_known`; None: as they are.

    Returns:
        Columns item_id and label.

    Raises:
        AnswerError: The file is missing, lacks a column, or an item has two labels.
    """
    rows = rows_of([path], batch, ("batch", "item_id", "label"))
    rows = rows if translate is None else translate(rows)
    (item,) = places(rows, names=("item_id",))
    first = np.unique(item, return_index=True)[1]
    once = rows.take(pa.array(first[item]))
    is_same = pc.or_(
        pc.equal(rows["label"], once["label"]), pc.and_(pc.is_null(rows["label"]), pc.is_null(once["label"]))
    )
    if (row := pc.index(pc.fill_null(is_same, False), False).as_py()) >= 0:
        (first_row, one), (second_row, other) = (
            (table["row"][row].as_py(), table["label"][row].as_py()) for table in (once, rows)
        )
        raise AnswerError(
            f"{path}: rows {first_row} and {second_row}: item {rows['item_id'][row].as_py()!r} has two known labels, "
            f"{one!r} and {other!r}; keep one"
        )
    return rows.take(pa.array(np.sort(first))).select(["item_id", "label"]).combine_chunks()


def _matched(tasks: pa.Table, rows: pa.Table) -> tuple[Places, Places]:
    """Return the tasks of one batch that have an answer on file, and the row of each one's answer."""
    purposes = [ON_FILE.get(purpose, purpose) for purpose in tasks["purpose"].to_pylist()]
    asked = pa.table({"item_id": tasks["item_id"], "purpose": pa.array(purposes, TEXT)})
    wanted, given = places(asked, rows, names=("item_id", "purpose"))
    order = np.argsort(given, kind="stable")
    count = np.bincount(given, minlength=max(wanted.max(initial=-1), given.max(initial=-1)) + 1)
    start = np.cumsum(count) - count
    slot = tasks["slot"].to_numpy()
    task = np.flatnonzero((slot >= 1) & (slot <= count[wanted]))
    return task, order[start[wanted[task]] + slot[task] - 1]


def _json(column: pa.ChunkedArray) -> list[str]:
    coded = column.combine_chunks().dictionary_encode()
    words = [*map(encoded, coded.dictionary.to_pylist()), "null"]
    return [words[place] for place in coded.indices.fill_null(len(words) - 1).to_pylist()]


def _no_events() -> pa.Table:
    return pa.schema([ANSWERS.schema.field(name) for name in GIVEN]).empty_table()
