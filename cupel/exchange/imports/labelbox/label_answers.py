"""The answers of one Labelbox label: classifications, objects, and what stands inside them."""

from collections import Counter
from collections.abc import Callable
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


def name_key(found: dict[str, Any]) -> str:
    """Return the key that names a question, an answer or an object: `value` is a short form of `name`."""
    return "name" if found.get("name") else "value"


def question_of(classification: dict[str, Any]) -> str:
    """Return the question that a classification answers."""
    return str(classification.get(name_key(classification)) or "")


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
        yield BadRow(line, "other_kind", evidence(f"{item}: relationship {one}"))
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
            yield from _nested(given, one, f"{part} {one[part]}", path, (part,))
        elif not any(key in one for key in CHOICES):
            yield BadRow(line, "other_kind", evidence(f"{given.item_id}: {question}: {_shown(one)}"))
        elif not is_asked(question):
            yield UnreadKey(line, f"{path}[{question}]", evidence(_shown(one)))
        else:
            answered = True
            answers, told = _answers(line, path, one)
            yield from told
            yield from unread_keys(line, path, one, (name_key(one), *CHOICES))
            for answer in answers:
                yield from _inside(given, answer, str(answer.get(name_key(answer))), f"{path}.answer")
            names += [answer.get(name_key(answer)) for answer in answers]
    if answered:
        label = options.read(line, names)
        shown = f"{given.item_id}: {label.evidence}" if isinstance(label, BadRow) else ""
        yield label._replace(evidence=evidence(shown)) if isinstance(label, BadRow) else given._replace(label=label)


def _object(given: Annotation, one: dict[str, Any], path: str) -> Read:
    label = one_class(given.line, [one.get(name_key(one))])
    shown = f"{given.item_id}: {label.evidence}" if isinstance(label, BadRow) else ""
    yield label._replace(evidence=evidence(shown)) if isinstance(label, BadRow) else given._replace(label=label)
    yield from _inside(given, one, str(one.get(name_key(one))), path, ("feature_id",))


def _inside(given: Annotation, found: dict[str, Any], owner: str, path: str, read: tuple[str, ...] = ()) -> Read:
    """Yield what of an object or an answer is not read, and the answers inside it."""
    yield from unread_keys(given.line, path, found, (name_key(found), "classifications", *read))
    inside, told = read_list(given.line, f"{owner}: classifications", found.get("classifications"))
    yield from told
    for one in inside:
        yield from _nested(given, one, owner, f"{path}.classifications[]")


def _nested(given: Annotation, one: dict[str, Any], owner: str, path: str, read: tuple[str, ...] = ()) -> Read:
    """Yield that a classification is about an object, a part or another answer, and those inside it."""
    shown = f"{given.item_id}: {owner}: {question_of(one)}: {_shown(one)}"
    yield BadRow(given.line, "nested_answer", evidence(shown))
    answers, told = _answers(given.line, path, one)
    yield from told
    if answers:
        yield from unread_keys(given.line, path, one, (name_key(one), *CHOICES, *read))
    for answer in answers:
        yield from _inside(given, answer, str(answer.get(name_key(answer))), f"{path}.answer")


def _answers(line: int, path: str, one: dict[str, Any]) -> tuple[list[dict[str, Any]], list[BadRow]]:
    radio = one.get("radio_answer")
    answers, told = read_list(line, f"{path}.checklist_answers", one.get("checklist_answers"))
    if isinstance(radio, dict):
        answers = [radio, *answers]
    elif radio is not None:
        told.append(BadRow(line, "unexpected_shape", evidence(f"{path}.radio_answer: {radio!r}")))
    return answers, told


def _shown(one: dict[str, Any]) -> object:
    """Return the names of a classification's answers, or what it holds beside its name where it has none."""
    names = [str(answer.get(name_key(answer))) for answer in _answers(0, "", one)[0]]
    return ", ".join(names) or {key: value for key, value in one.items() if key != name_key(one)}


def _describe_frames(frames: Any) -> str:
    if not isinstance(frames, dict):
        return f"frames of video: {frames}"
    names = Counter(
        str(one.get(name_key(one)))
        for frame in frames.values()
        for part in ("objects", "classifications")
        for found in [fields_of(frame).get(part)]
        for one in (entries(found) or entries(list(fields_of(found).values())))
    )
    return f"{len(frames)} frames of video: {', '.join(f'{name} in {count}' for name, count in sorted(names.items()))}"
