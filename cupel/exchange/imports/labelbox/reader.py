"""Labelbox's export (NDJSON, version 2): radio answers are classes of the data row, objects are objects in it."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cupel.exchange.imports.distinct_ids import describe_repeated, make_distinct_ids
from cupel.exchange.imports.file import File, first_record, tool_records
from cupel.exchange.imports.labelbox.label_answers import questions_of, read_annotations
from cupel.exchange.imports.record_lists import read_list
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import (
    Annotation,
    Notice,
    Read,
    as_id,
    as_seconds,
    as_time,
    entries,
    fields_of,
    hold_to_question,
    unread_keys,
)
from cupel.sources.reasons import BadRow, Row, evidence

ID_FIELDS = ("global_key", "external_id", "id")
# What a label's place in the workflow says of it; of others the answer is given.
WORKFLOW_REASONS = {"to_label": "not_finished", "in_rework": "rejected"}
# Statuses whose labels count; older exports have none.
COUNTED = ("", "done", "in_review")
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class LabelOfProject(NamedTuple):
    """A label, and the project that it was given in."""

    label: dict[str, Any]
    project: str
    status: str


def is_labelbox(record: Any) -> bool:
    """Tell whether a record is of a Labelbox export: it holds `data_row` and `projects` or `experiments`."""
    return (
        isinstance(record, dict)
        and isinstance(record.get("data_row"), dict)
        and any(part in record for part in ("projects", "experiments"))
    )


def labelbox(name: str, rows: list[Row | BadRow], options: ReadOptions) -> Read:
    """Yield the annotations of an export.

    Skipped labels, those to be done again, and those whose last review is negative are no answers; benchmarks are
    ground truth. What is inside an object or an answer, and frames of video, is told.

    Args:
        name: The file, for errors.
        rows: Its records.
        options: `question` names the classification that is the label, `project: question` where several projects ask
            it; `id_field` a field of the data row that is its id.

    Yields:
        Annotations in the file's order, and what is not understood. An item is named by its `global_key`, else its
        `external_id`, else its `id`, which stands before a name that several data rows have.

    Raises:
        SourceError: There are several questions and none was named, or the one named is not there.
    """
    asked = sorted(
        {
            (placed.project, question)
            for row in rows
            if isinstance(row, Row)
            for placed in _labels(row.values)
            for question in questions_of(placed.label.get("annotations"))
        }
    )
    several = {question for question, count in Counter(question for _, question in asked).items() if count > 1}
    known = {(project, one): f"{project}: {one}" if one in several else one for project, one in asked}
    hold_to_question(name, sorted(known.values()), options.question, options.option("question"))
    items, notices = _name_rows(rows, options)
    yield from (Notice(text) for text in notices)
    statuses = Counter(one.status for row in rows if isinstance(row, Row) for one in _labels(row.values))
    if statuses["in_review"]:
        yield Notice(f"{name}: {statuses['in_review']:,} labels wait for their review; they are imported")
    for status in sorted(statuses.keys() - {*COUNTED, *WORKFLOW_REASONS}):
        yield Notice(
            f"{name}: the workflow status {status!r} of {statuses[status]:,} labels is not known; they are imported"
        )
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        data = fields_of(row.values.get("data_row"))
        item = items.get(_key_of(row))
        yield from _unread(row, data, options)
        if item is None:
            yield BadRow(row.line, "missing_id", evidence(data))
            continue
        yield from _record(row, item, data, known, options)


def _record(
    row: Row, item: str, data: dict[str, Any], known: dict[tuple[str, str], str], options: ReadOptions
) -> Read:  # fmt: skip
    labels = list(_labels(row.values))
    if not labels:
        yield BadRow(row.line, "no_answer", evidence(item))
    references = {
        as_id(fields_of(one.label.get("performance_details")).get("benchmark_reference_label")) for one in labels
    }
    for label, project, status in labels:
        details, work = fields_of(label.get("label_details")), fields_of(label.get("performance_details"))
        is_reference = bool(details.get("is_benchmark_reference")) or label.get("label_kind") == "Benchmark"
        given = Annotation(
            row.line, item, "", as_id(details.get("created_by")), as_seconds(work.get("seconds_to_create")),
            as_time(details.get("updated_at") or details.get("created_at")),
            is_reference or (as_id(label.get("id")) or "") in references, {"content": data.get("row_data")},
            as_id(data.get("id")) if options.id_field is None else None,
        )  # fmt: skip
        yield from _unread_of_label(row.line, label)
        reason = _judge_label(label, status)
        if reason is not None:
            yield BadRow(row.line, reason, evidence(f"{item}, {given.annotator}"))
            continue

        def is_asked(question: str, project: str = project) -> bool:
            return options.question is None or known.get((project, question)) == options.question

        annotations = label.get("annotations")
        if annotations is not None and not isinstance(annotations, dict):
            yield BadRow(row.line, "unexpected_shape", evidence(f"{item}: annotations: {annotations!r}"))
            continue
        yield from read_annotations(given, annotations or {}, is_asked, "projects[].labels[].annotations", options)


def _judge_label(label: dict[str, Any], status: str) -> str | None:
    """Return why a label is no answer: skipped, not finished, or sent back."""
    details, work = fields_of(label.get("label_details")), fields_of(label.get("performance_details"))
    if label.get("label_kind") == "Skipped" or details.get("skipped") or work.get("skipped"):
        return "skipped"
    return "rejected" if is_rejected(details.get("reviews")) else WORKFLOW_REASONS.get(status)


def is_rejected(reviews: Any) -> bool:
    """Tell whether the last review of a label is negative: a thumb down, or a rejection."""
    found = entries(reviews)
    if not found:
        return False
    times = ("reviewed_at", "created_at", "createdAt")
    last = sorted(found, key=lambda one: next((t for key in times if (t := as_time(one.get(key)))), LONG_AGO))[-1]
    score = next((last[key] for key in ("score", "review_score") if last.get(key) is not None), None)
    said = str(last.get("review_status") or last.get("status") or last.get("action") or "").lower()
    is_negative = isinstance(score, int | float) and not isinstance(score, bool) and score < 0
    return is_negative or said.startswith("reject")


def _name_rows(rows: list[Row | BadRow], options: ReadOptions) -> tuple[dict[str | int, str | None], list[str]]:
    """Return the items' ids by data row, and which names several of them have."""
    names: dict[str | int, str] = {}
    fields = ID_FIELDS if options.id_field is None else (options.id_field,)
    for row in rows:
        if isinstance(row, Row):
            data = fields_of(row.values.get("data_row"))
            found = next((text for key in fields if (text := as_id(data.get(key)))), None)
            if found is not None:
                names.setdefault(_key_of(row), found)
    if options.id_field is not None:
        return dict(names), []
    ids = make_distinct_ids(list(names.values()), [(str(key),) for key in names])
    return dict(zip(names, ids, strict=True)), describe_repeated(list(names.values()), ids)


def _key_of(row: Row) -> str | int:
    return as_id(fields_of(row.values.get("data_row")).get("id")) or row.line


def _labels(record: dict[str, Any]) -> Iterator[LabelOfProject]:
    for number, found in fields_of(record.get("projects")).items():
        project = fields_of(found)
        status = str(fields_of(project.get("project_details")).get("workflow_status") or "").lower().replace(" ", "_")
        for label in entries(project.get("labels")):
            yield LabelOfProject(label, as_id(project.get("name")) or str(number), status)


def _unread(row: Row, data: dict[str, Any], options: ReadOptions) -> Read:
    """Yield what of a record is not read, above its labels; a model run's labels are predictions."""
    line = row.line
    yield from unread_keys(line, "", row.values, ("data_row", "projects", "experiments"))
    names = (options.id_field,) if options.id_field is not None else ID_FIELDS
    used = next((key for key in names if as_id(data.get(key))), "id")
    yield from unread_keys(line, "data_row", data, (used, "row_data", *(("id",) if options.id_field is None else ())))
    projects = row.values.get("projects")
    if projects and not isinstance(projects, dict):
        yield BadRow(line, "unexpected_shape", evidence(f"projects: {projects!r}"))
    for found in fields_of(projects).values():
        project = fields_of(found)
        yield from unread_keys(line, "projects[]", project, ("name", "labels", "project_details"))
        details = project.get("project_details")
        yield from unread_keys(line, "projects[].project_details", fields_of(details), ("workflow_status",))
        yield from read_list(line, "projects[].labels", project.get("labels"))[1]
    for number, found in fields_of(row.values.get("experiments")).items():
        yield BadRow(line, "prediction", evidence(f"experiment {fields_of(found).get('name') or number}: {found}"))


def _unread_of_label(line: int, label: dict[str, Any]) -> Read:
    path = "projects[].labels[]"
    details = fields_of(label.get("label_details"))
    yield from unread_keys(line, path, label, (
        "id", "label_kind", "label_details", "performance_details", "annotations"))  # fmt: skip
    yield from unread_keys(line, f"{path}.label_details", details, (
        "created_by", "updated_at" if details.get("updated_at") else "created_at", "is_benchmark_reference", "reviews",
        "skipped"))  # fmt: skip
    yield from unread_keys(line, f"{path}.performance_details", fields_of(label.get("performance_details")), (
        "seconds_to_create", "skipped", "benchmark_reference_label"))  # fmt: skip
    reviews, told = read_list(line, f"{path}.label_details.reviews", details.get("reviews"))
    yield from told
    for review in reviews:
        yield from unread_keys(line, f"{path}.label_details.reviews[]", review, (
            "score", "review_score", "review_status", "status", "action", "reviewed_at", "created_at"))  # fmt: skip


def _read(file: File, options: ReadOptions) -> Read:
    return labelbox(str(file.path), tool_records(file), options)


LABELBOX = Tool("labelbox", lambda file: is_labelbox(first_record(file)), _read)
