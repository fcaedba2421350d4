"""What each stage before the release knows of one item, as rows of its tables."""

from dataclasses import dataclass

from cupel.cleaning.reasons import DUPLICATES
from cupel.contract.stages import STAGES, partitioned_stages
from cupel.contract.tables import TABLES
from cupel.people.annotators.annotators import ANONYMOUS
from cupel.sources.reasons import evidence
from cupel.trace.events import Answer
from cupel.trace.label_id import LabelId
from cupel.trace.reading import Reader, Row, equal

# Items that resemble one, or were dropped for it, are named up to here.
MOST_NAMED = 20


@dataclass(frozen=True)
class Raw:
    """The delivery: `file` is its row of deliveries, `item` of raw_items; `rejected` where the row became none.

    `same_id` are later rows of the delivery that were rejected because they have the same id.
    """

    file: Row | None
    item: Row | None
    rejected: Row | None
    same_id: tuple[Row, ...]


@dataclass(frozen=True)
class Cleaning:
    """What was measured and decided; rows of clean_items, rejected_items, similar_items and item_signals.

    What was measured of an image stands in image_signals. `resembled_by` are later items of the batch; `dropped_for_it`
    those that were dropped as its duplicates.
    """

    signals: Row | None
    kept: Row | None
    rejected: Row | None
    similar: tuple[Row, ...]
    resembled_by: tuple[Row, ...]
    dropped_for_it: tuple[Row, ...]


@dataclass(frozen=True)
class Contamination:
    """What was asked and found of whether the item is wanted; rows of the tables, where the project declares any.

    `sifted` is what rules and duplicates decided, `item` its row of contamination_items, `plan` and `result` speak of
    the whole batch.
    """

    sifted: Row | None
    item: Row | None
    tasks: tuple[Row, ...]
    plan: Row | None
    result: Row | None


@dataclass(frozen=True)
class Labeling:
    """What annotators said together, how good they are, and what they were asked; rows of the tables."""

    consensus: Row | None
    annotators: tuple[Row, ...]
    tasks: tuple[Row, ...]
    models: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Checking:
    """What the checker said, and what became of both opinions; rows of predictions, routes and labels."""

    prediction: Row | None
    route: Row | None
    label: Row | None


@dataclass(frozen=True)
class Gate:
    """One check: its row of gate_results, whether it judged the table as it is now, and whether it names the item."""

    row: Row
    is_of_now: bool
    names_item: bool


@dataclass(frozen=True)
class StageRow:
    """A row of a stage's table that tells of the item."""

    stage: str
    table: str
    row: Row


def raw(reader: Reader, name: LabelId, rejected: Row | None) -> Raw:
    """Return where an item comes from.

    Args:
        reader: Reads the project's lake.
        name: The item.
        rejected: The row of rejected_rows, where the label id names a row that became no item.
    """
    if rejected is not None:
        return Raw(_file(reader, name, rejected), None, rejected, ())
    item = reader.one("raw_items", name.batch, equal(item_id=name.item_id))
    same = equal(reason="duplicate_id", evidence=evidence(name.item_id))
    place = item or reader.one("clean_items", name.batch, equal(item_id=name.item_id))
    return Raw(_file(reader, name, place), item, None, tuple(reader.rows("rejected_rows", name.batch, same)))


def _file(reader: Reader, name: LabelId, row: Row | None) -> Row | None:
    return None if row is None else reader.one("deliveries", name.batch, equal(source_file=row["source_file"]))


def cleaning(reader: Reader, name: LabelId) -> Cleaning:
    """Return what cleaning measured of an item and decided."""
    own, other = equal(item_id=name.item_id), equal(earlier_batch=name.batch, earlier_item_id=name.item_id)
    reasons = ", ".join(f"'{reason}'" for reason in DUPLICATES)
    dropped = equal(evidence=f"{name.batch}/{name.item_id}") + f" AND reason IN ({reasons})"
    measured = "image_signals" if _is_there(reader, "image_signals", name) else "item_signals"
    return Cleaning(
        signals=reader.one(measured, name.batch, own),
        kept=reader.one("clean_items", name.batch, own),
        rejected=reader.one("rejected_items", name.batch, own),
        similar=tuple(reader.rows("similar_items", name.batch, own)),
        resembled_by=tuple(reader.rows("similar_items", name.batch, other)),
        dropped_for_it=tuple(reader.rows("rejected_items", name.batch, dropped)),
    )


def _is_there(reader: Reader, table: str, name: LabelId) -> bool:
    """Tell whether a table that not every project has is there for an item's batch."""
    return name.batch in reader.partitions(table)


def contamination(reader: Reader, name: LabelId) -> Contamination | None:
    """Return what is known of whether an item is wanted; None where nothing of it was declared for its batch."""
    if name.batch not in reader.partitions("sifted_items"):
        return None
    own = equal(item_id=name.item_id)
    return Contamination(
        sifted=reader.one("sifted_items", name.batch, own),
        item=reader.one("contamination_items", name.batch, own),
        tasks=tuple(reader.rows("contamination_tasks", name.batch, own)),
        plan=reader.one("contamination_plan", name.batch),
        result=reader.one("contamination_result", name.batch),
    )


def labeling(reader: Reader, name: LabelId, answers: tuple[Answer, ...]) -> Labeling:
    """Return what annotators said of an item, and what is known of them."""
    own = equal(item_id=name.item_id)
    names = {answer.annotator for answer in answers if answer.purpose == "label"}
    known = reader.rows("annotators", name.batch, "true")
    nobody = _nobody({row["annotator"] for row in known}) if None in names else None
    return Labeling(
        consensus=reader.one("consensus", name.batch, own),
        annotators=tuple(row for row in known if row["annotator"] in names or row["annotator"] == nobody),
        tasks=tuple(reader.rows("tasks", name.batch, own)),
        models=tuple(reader.rows("model_answers", name.batch, own)) if _is_there(reader, "model_answers", name) else (),
    )


def _nobody(names: set[str]) -> str:
    """Return the name of the row that annotations without a name share: stars are added while it is taken."""
    found = ANONYMOUS
    while found + "*" in names:
        found += "*"
    return found


def checking(reader: Reader, name: LabelId) -> Checking:
    """Return what the checker said of an item, and how it was decided."""
    own = equal(item_id=name.item_id)
    return Checking(*(reader.one(table, name.batch, own) for table in ("predictions", "routes", "labels")))


def other_rows(reader: Reader, name: LabelId) -> tuple[StageRow, ...]:
    """Return what stages of the batch say of an item that nothing else was read of; ask it last."""
    read = {used.partition("@")[0] for used in reader.commits}
    others = [stage for stage in partitioned_stages("batch") if not read.intersection(stage.tables)]
    tables = [(stage.name, table) for stage in others for table in stage.tables if _tells_of_items(table)]
    return tuple(
        StageRow(stage, table, row)
        for stage, table in tables
        if name.batch in reader.partitions(table)
        for row in reader.rows(table, name.batch, equal(item_id=name.item_id))
    )


def _tells_of_items(table: str) -> bool:
    return any(column.name == "item_id" for column in TABLES[table].columns)


def gates(reader: Reader, partition: str, item_id: str) -> tuple[Gate, ...]:
    """Return what every gate said of a batch or release, in the order of the stages."""
    names = [name for name in reader.partitions("gate_results") if name.partition("--")[2] == partition]
    rows = [row for name in names for row in reader.rows("gate_results", name, "true")]
    stages = {stage: place for place, stage in enumerate(STAGES)}
    rows.sort(key=lambda row: (stages.get(row["stage"], len(stages)), row["stage"], row["check"]))
    return tuple(Gate(row, _is_of_now(reader, row), item_id in (row["item_ids"] or ())) for row in rows)


def _is_of_now(reader: Reader, row: Row) -> bool:
    commit = reader.commit(row["table_name"], row["partition"])
    return not row["table_hash"] if commit is None else commit.hash == row["table_hash"]
