"""The answers of one Labelbox label: classifications, objects, and what stands inside them."""

from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

from cupel.exchange.imports.record_lists import read_list
from cupel.exchange.imports.tool import ReadOptions
from cupel.people.tool_annotation import (
    Annotation,
    Read,
    UnreadKey,
    as_id,
    entries,
    fields_of,
    object_id,
    one_class,
    unread_keys,
)
from cupel.sources.reasons import BadRow, evidence

CHOICES = ("radio_answer", "checklist_answers")
# What a classification has that is about a part of the data row: a message, a frame, a page.
PARTS = ("message_id", "frame", "frames", "page", "location")


def question_of(classification: dict[str, Any]) -> str:
    """Return the question that a classification answers."""
    return str(classification.get("name") or classification.get("value") or "")


def questions_of(annotations: Any) -> list[str]:
    """Return the questions of a label that are answered by choices, of the whole data row."""
    return [
        question_of(one) for one in entries(fields_of(annotations).get("classifications"))
        if any(key in one for key in CHOICES) and not any(one.get(key) is not None for key in PARTS)
    ]  # fmt: skip


def read_annotations(
    given: Annotation, annotations: dict[str, Any], is_asked: Callable[[str], bool], path: str, options: ReadOptions
) -> Read:
    """Yield the answers of a label.

    Args:
        given: The answer as yet without its label.
        annotations: Its `objects`, `classifications`, `frames` and `relationships`.
        is_asked: Tells whether a question's answer is the label.
        path: Where the annotations stand in the record.
        options: How choices are read.
    """
    line, item = given.line, given.item_id
    yield from unread_keys(line, path, annotations, ("objects", "classifications", "frames", "relationships"))
    classes, told = read_list(line, f"{path}.classifications", annotations.get("classifications"))
    objects, more = read_list(line, f"{path}.objects", annotations.get("objects"))
    relations, others = read_list(line, f"{path}.relationships", annotations.get("relationships"))
    yield from (*told, *more, *others)
    yield from _classifications(given, classes, is_asked, f"{path}.classifications[]", options)
    counts = Counter(as_id(one.get("feature_id")) for one in objects)
    for number, one in enumerate(objects, 1):
        feature = as_id(one.get("feature_id"))
        name = feature if feature and counts[feature] == 1 else f"{feature}.{number}" if feature else str(number)
        yield from _object(given._replace(item_id=object_id(item, name)), one, f"{path}.objects[]")
    for one in relations:
        yield BadRow(line, "other_kind", evidence(f"{item}: relationship {one.get('name') or one.get('value')} {one}"))
    frames = annotations.get("frames")
    if frames:
        yield BadRow(line, "other_kind", evidence(f"{item}: {_describe_frames(frames)}"))
    if not (classes or objects or relations or frames):
        yield BadRow(line, "no_answer", evidence(item))


def _classifications(
    given: Annotation, classes: list[dict[str, Any]], is_asked: Callable[[str], bool], path: str, options: ReadOptions
) -> Read:
    """Yield the label of the question that is asked; the answers to others are told."""
    line, names, answered = given.line, [], False
    for one in classes:
        question = question_of(one)
        part = next((key for key in PARTS if one.get(key) is not None), None)
        if part is not None:
            yield from nested_answers(given, one, f"{part} {one[part]}")
        elif not any(key in one for key in CHOICES):
            yield BadRow(line, "other_kind", evidence(f"{given.item_id}: {question}: {_shown(one)}"))
        elif not is_asked(question):
            yield UnreadKey(line, f"{path}[{question}]", evidence(_shown(one)))
        else:
            answered = True
            yield from unread_keys(line, path, one, ("name", "value", *CHOICES))
            answers, told = _answers(line, path, one)
            yield from told
            for answer in answers:
                yield from unread_keys(line, f"{path}.answer", answer, ("name", "value", "classifications"))
                yield from _inside(given, answer, str(answer.get("name") or answer.get("value")))
            names += [answer.get("name") or answer.get("value") for answer in answers]
    if answered:
        label = options.read(line, names)
        shown = f"{given.item_id}: {label.evidence}" if isinstance(label, BadRow) else ""
        yield label._replace(evidence=evidence(shown)) if isinstance(label, BadRow) else given._replace(label=label)


def _object(given: Annotation, one: dict[str, Any], path: str) -> Read:
    yield from unread_keys(given.line, path, one, ("feature_id", "name", "value", "classifications"))
    label = one_class(given.line, [one.get("name") or one.get("value")])
    shown = f"{given.item_id}: {label.evidence}" if isinstance(label, BadRow) else ""
    yield label._replace(evidence=evidence(shown)) if isinstance(label, BadRow) else given._replace(label=label)
    yield from _inside(given, one, str(one.get("name")))


def _inside(given: Annotation, found: dict[str, Any], owner: str) -> Read:
    """Yield that there are answers inside an object or an answer."""
    inside, told = read_list(given.line, f"{owner}: classifications", found.get("classifications"))
    yield from told
    for one in inside:
        yield from nested_answers(given, one, owner)


def nested_answers(given: Annotation, one: dict[str, Any], owner: str) -> Read:
    """Yield that a classification is about an object, a part or another answer, and those inside it."""
    text = evidence(f"{given.item_id}: {owner}: {question_of(one)}: {_shown(one)}")
    yield BadRow(given.line, "nested_answer", text)


def _answers(line: int, path: str, one: dict[str, Any]) -> tuple[list[dict[str, Any]], list[BadRow]]:
    radio = one.get("radio_answer")
    answers, told = read_list(line, f"{path}.checklist_answers", one.get("checklist_answers"))
    if isinstance(radio, dict):
        answers = [radio, *answers]
    elif radio is not None:
        told.append(BadRow(line, "unexpected_shape", evidence(f"{path}.radio_answer: {radio!r}")))
    return answers, told


def _shown(one: dict[str, Any], skip: Collection[str] = ("name", "value", "feature_id")) -> object:
    """Return what a classification holds beside its name, short: its answers' names, those inside them too."""
    names = [
        f"{answer.get('name') or answer.get('value')}"
        + "".join(f" ({question_of(part)}: {_shown(part)})" for part in entries(answer.get("classifications")))
        for answer in _answers(0, "", one)[0]
    ]
    return ", ".join(names) or {key: value for key, value in one.items() if key not in skip}


def _describe_frames(frames: Any) -> str:
    if not isinstance(frames, dict):
        return f"frames of video: {frames}"
    names = Counter(
        str(one.get("name") or one.get("value"))
        for frame in frames.values()
        for part in ("objects", "classifications")
        for found in [fields_of(frame).get(part)]
        for one in (entries(found) or entries(list(fields_of(found).values())))
    )
    return f"{len(frames)} frames of video: {', '.join(f'{name} in {count}' for name, count in sorted(names.items()))}"
