"""One answer in SageMaker Ground Truth's files: of a label attribute of a manifest, or of one worker."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from cupel.exchange.imports.record_lists import read_list
from cupel.people.tool_annotation import UnreadKey, as_id, as_seconds, as_time, entries, fields_of, unread_keys
from cupel.sources.reasons import BadRow

METADATA = "-metadata"
# Lists of outlines with a label, as the forms of Ground Truth write them.
OUTLINES = ("boundingBoxes", "polygons", "polylines", "keypoints", "instances", "cuboids")
Told = list[UnreadKey | BadRow]


class SagemakerAnswer(NamedTuple):
    """An answer to one question about a data object.

    `choices` are the classes, None where there are none; `objects` names and labels of outlines, the name None where
    they have none; `problem` why it is no answer, and `shown` what it holds then.
    """

    question: str
    choices: list[object] | None = None
    objects: tuple[tuple[str | None, object], ...] = ()
    worker: str | None = None
    answered_at: datetime | None = None
    seconds_spent: float | None = None
    problem: str | None = None
    shown: object = None


def label_attributes(record: dict[str, Any]) -> list[str]:
    """Return the label attributes of a manifest's record: those with metadata beside them.

    >>> label_attributes({"source": "a", "job": 0, "job-metadata": {}})
    ['job']
    """
    return [
        key.removesuffix(METADATA)
        for key, value in record.items()
        if key.endswith(METADATA) and isinstance(value, dict) and key != f"source-ref{METADATA}"
    ]


def answer_of_attribute(line: int, attribute: str, record: dict[str, Any]) -> tuple[list[SagemakerAnswer], Told]:
    """Return the answers of a label attribute, and what of it is not read."""
    value, metadata = record.get(attribute), fields_of(record.get(f"{attribute}{METADATA}"))
    told: Told = list(unread_keys(line, f"{attribute}{METADATA}", metadata, (
        "class-name", "class-map", "human-annotated", "creation-date", "failure-reason")))  # fmt: skip
    answer = SagemakerAnswer(attribute, answered_at=as_time(metadata.get("creation-date")))
    if metadata.get("failure-reason"):
        return [answer._replace(problem="no_answer", shown=metadata["failure-reason"])], told
    if str(metadata.get("human-annotated", "yes")).lower() in ("no", "false"):
        shown = metadata.get("class-name", value)
        return [answer._replace(problem="prediction", shown=shown)], told
    names = fields_of(metadata.get("class-map"))
    if isinstance(value, dict):
        answers, more = _structured(line, attribute, value, names, answer)
        return answers, told + more
    if metadata.get("class-name") is not None:
        return [answer._replace(choices=[metadata["class-name"]])], told
    if isinstance(value, list) and names:
        unknown = [one for one in value if str(one) not in names]
        if unknown:
            return [answer._replace(problem="unknown_category", shown=unknown)], told
        return [answer._replace(choices=[names[str(one)] for one in value])], told
    if value is None:
        return [answer._replace(problem="no_answer", shown="no value")], told
    is_file = attribute.endswith("-ref") or (isinstance(value, str) and value.startswith("s3://"))
    if is_file or isinstance(value, list):
        return [answer._replace(problem="other_kind", shown=value)], told
    if isinstance(value, str):
        return [answer._replace(choices=[value])], told
    return [answer._replace(problem="unknown_category", shown=f"{value}, and no class-name")], told


def _structured(
    line: int, attribute: str, value: dict[str, Any], names: dict[str, Any], answer: SagemakerAnswer
) -> tuple[list[SagemakerAnswer], Told]:
    """Return the answers of an attribute that is an object: boxes, spans, or all workers' answers."""
    if "annotationsFromAllWorkers" in value:
        workers, odd = read_list(line, f"{attribute}.annotationsFromAllWorkers", value["annotationsFromAllWorkers"])
        more: Told = [*odd, *unread_keys(line, attribute, value, ("annotationsFromAllWorkers",))]
        answers: list[SagemakerAnswer] = []
        for worker in workers:
            found, unread = answers_of_worker(line, f"{attribute}.annotationsFromAllWorkers[]", worker)
            answers += [one._replace(answered_at=one.answered_at or answer.answered_at) for one in found]
            more += unread
        return answers, more
    annotations = value.get("annotations")
    told: Told = list(unread_keys(line, attribute, value, ("annotations",)))
    spans = fields_of(annotations).get("entities")
    if isinstance(spans, list):
        read = ("label", "startOffset", "endOffset")
        told += _unread_of_each(line, f"{attribute}.annotations.entities[]", spans, read)
        told += unread_keys(line, f"{attribute}.annotations", fields_of(annotations), ("entities",))
        return [answer._replace(objects=_spans(spans))], told
    if isinstance(annotations, list):
        told += _unread_of_each(line, f"{attribute}.annotations[]", annotations, ("class_id",))
        boxes = [(None, names.get(str(as_id(one.get("class_id"))))) for one in entries(annotations)]
        if not boxes:
            return [answer._replace(problem="no_answer", shown="no box")], told
        return [answer._replace(objects=tuple(boxes))], told
    return [answer._replace(problem="other_kind", shown=value)], []


def answers_of_worker(line: int, path: str, worker: dict[str, Any]) -> tuple[list[SagemakerAnswer], Told]:
    """Return what one worker answered, a question at a time, and what of it is not read."""
    data = fields_of(worker.get("annotationData"))
    told: Told = list(unread_keys(line, path, worker, (
        "workerId", "annotationData", "submissionTime", "timeSpentInSeconds")))  # fmt: skip
    told += unread_keys(line, f"{path}.annotationData", data, ("content",))
    given = SagemakerAnswer(
        "content", worker=as_id(worker.get("workerId")), answered_at=as_time(worker.get("submissionTime")),
        seconds_spent=as_seconds(worker.get("timeSpentInSeconds")),
    )  # fmt: skip
    try:
        content = json.loads(data["content"]) if isinstance(data.get("content"), str) else data.get("content")
    except (ValueError, RecursionError):
        content = data["content"]
    if not isinstance(content, dict):
        problem = "unexpected_shape" if content else "no_answer"
        return [given._replace(problem=problem, shown=f"{given.worker}: {content!r}")], told
    answers: list[SagemakerAnswer] = []
    for question, found in content.items():
        answers.append(_of_form(given._replace(question=str(question)), found))
        read = ("label", "labels", "entities", *OUTLINES)
        if isinstance(found, dict) and not _is_ticked(found) and answers[-1].problem is None:
            told += unread_keys(line, f"{path}.{question}", found, read)
            for key in (key for key in ("entities", *OUTLINES) if isinstance(found.get(key), list)):
                used = ("label", "startOffset", "endOffset") if key == "entities" else ("label",)
                told += _unread_of_each(line, f"{path}.{question}.{key}[]", found[key], used)
    return answers, told


def _of_form(given: SagemakerAnswer, found: Any) -> SagemakerAnswer:
    """Return the answer that a form's field holds."""
    if isinstance(found, str | int | float):
        return given._replace(choices=[found])
    if isinstance(found, dict):
        if "label" in found:
            return given._replace(choices=[found["label"]])
        if isinstance(found.get("labels"), list):
            return given._replace(choices=found["labels"])
        if _is_ticked(found):
            return given._replace(choices=[key for key, ticked in found.items() if ticked])
        if isinstance(found.get("entities"), list):
            return given._replace(objects=_spans(found["entities"]))
        outlines = [one for key in OUTLINES for one in entries(found.get(key))]
        if outlines:
            return given._replace(objects=tuple((None, one.get("label")) for one in outlines))
    return given._replace(problem="other_kind", shown=f"{given.worker}: {found}")


def _is_ticked(found: dict[str, Any]) -> bool:
    return bool(found) and all(isinstance(one, bool) for one in found.values())


def _spans(spans: Iterable[Any]) -> tuple[tuple[str | None, object], ...]:
    return tuple((f"{one.get('startOffset')}-{one.get('endOffset')}", one.get("label")) for one in entries(spans))


def _unread_of_each(line: int, path: str, found: list[Any], read: tuple[str, ...]) -> Told:
    objects, told = read_list(line, path, found)
    return [*told, *(key for one in objects for key in unread_keys(line, path, one, read))]
