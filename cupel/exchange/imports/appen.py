"""Appen's (Figure Eight's, CrowdFlower's) reports: of each judgment (full), or of each unit (aggregated)."""

from collections.abc import Sequence
from datetime import UTC, datetime

from cupel.exchange.imports.answer_rows import (
    AnswerRoles,
    check_named,
    choose_question,
    choose_text,
    describe_roles,
    header_names,
    is_true,
    read_answer,
    read_rows,
)
from cupel.exchange.imports.columns import LABEL_NAMES, guess_column
from cupel.exchange.imports.file import File
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import Notice, Read, as_time
from cupel.sources.class_values import value_text
from cupel.sources.reasons import BadRow, Row

GOLD, CONFIDENCE = "_gold", ":confidence"
# What ends the names of columns that Appen makes of a question's.
OF_QUESTION = (GOLD, "_gold_reason", CONFIDENCE, ":variance")
# States of a unit that has all its judgments, or is a test question.
FINISHED = ("", "finalized", "golden", "hidden_gold")


def is_appen(file: File) -> bool:
    """Tell whether a file is a report of Appen's, by its columns."""
    names = set(header_names(file))
    return "_unit_id" in names and bool(
        names & {"_golden", "_worker_id", "_trust", "_tainted", "_unit_state", "_trusted_judgments"}
    )


def find_questions(names: Sequence[str]) -> list[str]:
    """Return the questions of a report: the columns of which it also tells the confidence, or the gold answer.

    >>> find_questions(["_unit_id", "mood", "mood:confidence", "text", "mood_gold"])
    ['mood']
    """
    there = frozenset(names)
    return [
        name
        for name in names
        if not name.endswith(OF_QUESTION) and not name.startswith("_")
        and (f"{name}{CONFIDENCE}" in there or f"{name}:variance" in there or f"{name}{GOLD}" in there)
    ]  # fmt: skip


def read_appen(file: File, options: ReadOptions) -> Read:
    """Yield the answers of a report.

    Of the full report a row is one person's judgment; of the aggregated one a unit's label, of nobody in particular.
    Judgments on test questions (`_golden`) are the crew's as all others, and so are those of people whose trust fell
    below Appen's limit later (`_tainted`): both are told. What `*_gold` says is the customer's, and no answer.

    Raises:
        SourceError: A named column is missing, or a question must be named.
    """
    rows, names = read_rows(file)
    name = file.path.name
    check_named(name, names, options)
    questions = find_questions(names)
    own = [one for one in names if not one.startswith("_") and not one.endswith(OF_QUESTION)]
    if not questions and (guess := guess_column(own, LABEL_NAMES)):
        questions = [guess]
    asked = choose_question(name, questions if options.question in (None, *questions) else own, options, there=own)
    of_questions = {f"{one}{end}" for one in questions for end in OF_QUESTION}
    shown = tuple(one for one in own if one not in {asked, *questions, *of_questions})
    there = frozenset(names)
    state, who = ("_unit_state" if "_unit_state" in there else ""), "_worker_id" if "_worker_id" in there else None
    roles = AnswerRoles(
        asked, options.id_field or "_unit_id", options.annotator or who, choose_text(shown, options), shown,
        frozenset((asked, state, "_golden", "_tainted")), time="_created_at", read_time=read_time,
    )  # fmt: skip
    yield describe_roles(name, roles, options)
    if roles.annotator is None:
        yield Notice(f"{name}: an aggregated report: one label a unit; who gave which answer is in the full report")
    golden = tainted = 0
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        is_finished = (value_text(row.values.get(state)) or "").casefold() in FINISHED
        golden += is_true(row.values.get("_golden"))
        tainted += is_true(row.values.get("_tainted"))
        yield from read_answer(row, roles, _choices(row, asked), options, state=None if is_finished else "not_finished")
    if golden:
        yield Notice(f"{golden:,} answers are on test questions (_golden): they count as the crew's")
    if tainted:
        yield Notice(
            f"{tainted:,} answers are of people whom Appen ceased to trust (_tainted): imported, so that their quality "
            "is measured; take these rows out to leave them out"
        )


def _choices(row: Row, question: str) -> list[object]:
    """Return the choices of a cell; several of one judgment stand on a line each."""
    value = row.values.get(question)
    if isinstance(value, list):
        return value
    return list(value.strip().splitlines()) or [value] if isinstance(value, str) else [value]


def read_time(value: object) -> datetime | None:
    """Return a time as the reports write it, month first, or as ISO; None where it is neither.

    >>> read_time("1/28/2016 19:02:18").isoformat()
    '2016-01-28T19:02:18+00:00'
    """
    try:
        return datetime.strptime(str(value), "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return as_time(value)


APPEN = Tool("appen", is_appen, read_appen, is_table=True)
