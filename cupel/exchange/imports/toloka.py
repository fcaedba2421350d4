"""Toloka's assignments: `INPUT:` is what was shown, `OUTPUT:` what was answered, `ASSIGNMENT:` by whom and when."""

from cupel.errors import SourceError
from cupel.exchange.imports.answer_rows import (
    AnswerRoles,
    check_named,
    choose_question,
    choose_text,
    describe_roles,
    header_names,
    read_answer,
    read_rows,
)
from cupel.exchange.imports.columns import list_columns
from cupel.exchange.imports.file import File
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import Notice, Read
from cupel.sources.class_values import value_text
from cupel.sources.reasons import BadRow, Row

OUTPUT = "OUTPUT:"
# Of what the task shows; Al: are the coordinates of tasks in the field.
SHOWN = ("INPUT:", "AL:")
STATES = {
    "": None, "APPROVED": None, "ACCEPTED": None, "SUBMITTED": None, "REJECTED": "rejected", "SKIPPED": "skipped",
}  # fmt: skip


def is_toloka(file: File) -> bool:
    """Tell whether a file is a table of Toloka's, by what stands before the names of its columns."""
    starts = {name.partition(":")[0].upper() for name in header_names(file) if ":" in name}
    return "OUTPUT" in starts and bool(starts & {"INPUT", "ASSIGNMENT"})


def read_toloka(file: File, options: ReadOptions) -> Read:
    """Yield the answers of a table of assignments.

    Accepted and submitted assignments are answers; rejected, skipped, expired and active ones are told. Answers on
    control tasks are the crew's as all others; what GOLDEN: says is the customer's, is no answer, and is told, so that
    no item shows it. Empty lines stand between pages and say nothing.

    Raises:
        SourceError: A named column is missing, a question must be named, or nothing names the item.
    """
    rows, names = read_rows(file)
    name = file.path.name
    check_named(name, names, options)
    called = {one.upper(): one for one in reversed(names)}
    question = choose_question(name, [one for one in names if one.upper().startswith(OUTPUT)], options, OUTPUT)
    shown = tuple(one for one in names if one.upper().startswith(SHOWN))
    item = options.id_field or called.get("ASSIGNMENT:TASK_ID")
    if item is None:
        raise SourceError(
            f"{name}: no column ASSIGNMENT:task_id names the task, and an assignment is a page of several; name the "
            f"column that tells tasks apart with {options.option('id_field')}: {list_columns(shown)}"
        )
    time = called.get("ASSIGNMENT:SUBMITTED") or called.get("ASSIGNMENT:STARTED")
    status = called.get("ASSIGNMENT:STATUS", "")
    roles = AnswerRoles(
        question, item, options.annotator or called.get("ASSIGNMENT:WORKER_ID"), choose_text(shown, options), shown,
        frozenset((question, status)), time=time,
    )  # fmt: skip
    yield describe_roles(name, roles, options)
    golden = called.get(f"GOLDEN:{question[len(OUTPUT) :]}".upper(), "")
    controls = 0
    for row in rows:
        if isinstance(row, BadRow):
            if row.reason != "empty_row":
                yield row
            continue
        state = STATES.get((value_text(row.values.get(status)) or "").upper(), "not_finished")
        controls += state is None and bool(value_text(row.values.get(golden)))
        yield from read_answer(row, roles, _choices(row, question), options, state=state)
    if controls:
        yield Notice(f"{controls:,} answers are on control tasks: they count as the crew's; {golden} is no answer")


def _choices(row: Row, question: str) -> list[object]:
    value = row.values.get(question)
    return value if isinstance(value, list) else [value]


TOLOKA = Tool("toloka", is_toloka, read_toloka, is_table=True)
