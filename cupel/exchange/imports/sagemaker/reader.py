"""SageMaker Ground Truth's files: the output manifest, and the workers' answers that it was consolidated of."""

from typing import Any, NamedTuple

from cupel.errors import SourceError
from cupel.exchange.imports.distinct_ids import describe_repeated, make_distinct_ids
from cupel.exchange.imports.file import File, first_record, tool_records
from cupel.exchange.imports.record_lists import read_list
from cupel.exchange.imports.sagemaker.job_answers import (
    SagemakerAnswer,
    answer_of_attribute,
    answers_of_worker,
    label_attributes,
)
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import (
    Annotation,
    Notice,
    Read,
    UnreadKey,
    as_id,
    fields_of,
    hold_to_question,
    object_id,
    one_class,
    unread_keys,
)
from cupel.sources.reasons import BadRow, Row, evidence

SOURCES = ("source-ref", "source")
# Longer texts are shown, and not made the id of an item.
MOST_ID_CHARACTERS = 200


class DataObject(NamedTuple):
    """A data object: its line, what names it, what it shows, its answers, and what of its record is not read."""

    line: int
    name: str
    shown: dict[str, object]
    answers: list[SagemakerAnswer]
    told: list[UnreadKey | BadRow]


def is_sagemaker(record: Any) -> bool:
    """Tell whether a record is of Ground Truth: of a manifest, or of a file of workers' or consolidated answers."""
    if not isinstance(record, dict):
        return False
    if any(key in record for key in SOURCES):
        return "source-ref" in record or bool(label_attributes(record))
    return "datasetObjectId" in record or is_worker_response(record)


def is_worker_response(record: dict[str, Any]) -> bool:
    """Tell whether a record is the answers to one data object, which it does not name."""
    answers = record.get("answers", record.get("humanAnswers"))
    return (
        isinstance(answers, list) and bool(answers) and isinstance(answers[0], dict) and "answerContent" in answers[0]
    )


def sagemaker(name: str, rows: list[Row | BadRow], options: ReadOptions) -> Read:
    """Yield the answers of a manifest, or of a file of workers' answers.

    A label that Ground Truth consolidated of several workers' answers is nobody's: it names no annotator. One that is
    not `human-annotated` is a prediction.

    Args:
        name: The file, for errors.
        rows: Its records.
        options: `question` names the label attribute (or, of workers' answers, the form's field) that is the label;
            `id_field` a field of the record that is the item's id.

    Yields:
        Annotations in the file's order, and what is not understood. An item is named by `source-ref` or by its text.

    Raises:
        SourceError: There are several label attributes and none was named, or the one named is not there.
    """
    objects = [_object(row, options) for row in rows if isinstance(row, Row)]
    asked = sorted({one.question for found in objects for one in found.answers if one.choices is not None})
    hold_to_question(name, asked, options.question, options.option("question"))
    names = [found.name for found in objects]
    marks = [(f"line {found.line}",) for found in objects]
    ids = list(names) if options.id_field is not None else make_distinct_ids(names, marks)
    yield from (Notice(text) for text in describe_repeated(names, ids))
    if any(one.worker is None for found in objects for one in found.answers):
        yield Notice(f"{name}: labels that Ground Truth consolidated of its workers' answers: they are nobody's votes")
    yield from (row for row in rows if isinstance(row, BadRow))
    for found, item in zip(objects, ids, strict=True):
        yield from found.told
        if not item:
            yield BadRow(found.line, "missing_id", evidence(found.shown))
            continue
        given = Annotation(found.line, item, "", fields=found.shown)
        if not found.answers and not any(isinstance(one, BadRow) for one in found.told):
            yield BadRow(found.line, "no_answer", evidence(item))
        for answer in found.answers:
            yield from _answer(given, answer, options)


def _answer(given: Annotation, answer: SagemakerAnswer, options: ReadOptions) -> Read:
    line, item = given.line, given.item_id
    given = given._replace(annotator=answer.worker, answered_at=answer.answered_at, seconds_spent=answer.seconds_spent)
    if answer.problem is not None:
        yield BadRow(line, answer.problem, evidence(f"{item}: {answer.question}: {answer.shown}"))
        return
    if answer.choices is not None:
        if options.question not in (None, answer.question):
            yield UnreadKey(line, answer.question, evidence(answer.choices))
        else:
            label = options.read(line, answer.choices)
            yield _with_item(label, item) if isinstance(label, BadRow) else given._replace(label=label)
    for number, (name, label_name) in enumerate(answer.objects, 1):
        who = f"{answer.worker}." if answer.worker is not None and name is None else ""
        inside = object_id(item, name if name is not None else f"{who}{number}")
        label = one_class(line, [label_name])
        yield _with_item(label, inside) if isinstance(label, BadRow) else given._replace(item_id=inside, label=label)


def _with_item(row: BadRow, item: str) -> BadRow:
    return row._replace(evidence=evidence(f"{item}: {row.evidence}" if row.evidence else item))


def _object(row: Row, options: ReadOptions) -> DataObject:
    """Return a record as a data object, whichever file it is of."""
    record, line = row.values, row.line
    told: list[UnreadKey | BadRow] = []
    if "datasetObjectId" not in record:
        found = record
        shown = {"text" if key == "source" else "image": record[key] for key in SOURCES if key in record}
        name = as_id(record.get("source-ref")) or as_id(record.get("source"))
        told += unread_keys(line, "", record, (*SOURCES, *_attribute_keys(record), options.id_field or "source"))
    else:
        data = fields_of(record.get("dataObject"))
        shown = {"text" if key == "content" else "image": data[key] for key in ("s3Uri", "content") if key in data}
        name = as_id(data.get("s3Uri")) or as_id(data.get("content")) or as_id(record["datasetObjectId"])
        found = fields_of(fields_of(record.get("consolidatedAnnotation")).get("content"))
        read = ["dataObject", "annotations", "consolidatedAnnotation", *([] if data else ["datasetObjectId"])]
        told += unread_keys(line, "", record, [*read, options.id_field or "dataObject"])
        told += unread_keys(line, "dataObject", data, ("s3Uri", "content"))
        told += unread_keys(
            line, "consolidatedAnnotation", fields_of(record.get("consolidatedAnnotation")), ("content",)
        )
        told += unread_keys(line, "consolidatedAnnotation.content", found, _attribute_keys(found))
    if options.id_field is not None:
        name = as_id(record.get(options.id_field))
    elif name is not None and len(name) > MOST_ID_CHARACTERS:
        name = f"line {line}"
    answers: list[SagemakerAnswer] = []
    for attribute in label_attributes(found):
        given, more = answer_of_attribute(line, attribute, found)
        answers += given
        told += more
    workers, odd = read_list(line, "annotations", record.get("annotations") if "datasetObjectId" in record else None)
    told += odd
    for worker in workers:
        given, more = answers_of_worker(line, "annotations[]", worker)
        answers += given
        told += more
    return DataObject(line, name or "", shown, answers, told)


def _attribute_keys(record: dict[str, Any]) -> list[str]:
    return [key for attribute in label_attributes(record) for key in (attribute, f"{attribute}-metadata")]


def _read(file: File, options: ReadOptions) -> Read:
    rows = tool_records(file)
    records = [row.values for row in rows if isinstance(row, Row)]
    if any(is_worker_response(record) for record in records):
        raise SourceError(
            f"{file.path}: Ground Truth's answers to one data object, which the file does not name; name the files "
            "under annotations/consolidated-annotation/consolidation-request, or the output manifest"
        )
    if not any(label_attributes(record) or "datasetObjectId" in record for record in records):
        raise SourceError(f"{file.path}: a Ground Truth manifest without labels; name the job's output.manifest")
    yield from sagemaker(str(file.path), rows, options)


SAGEMAKER = Tool("sagemaker", lambda file: is_sagemaker(first_record(file)), _read)
