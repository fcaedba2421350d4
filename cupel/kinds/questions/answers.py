"""A label that answers several questions: its text, its parts, and which questions it answers."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from cupel.consensus.coding import Integers
from cupel.contract.columns import TEXT
from cupel.contract.kind import Kind, Labels, Part
from cupel.contract.ontology import Ontology, Question
from cupel.kinds.category import CATEGORY
from cupel.kinds.multilabel import MULTILABEL

# Stands for the classes of an answer that names none, as the empty set does.
NONE_NAMED = ""
# Kinds that a question may have.
ANSWER_KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (CATEGORY, MULTILABEL)}


def kind_of(question: Question) -> tuple[Kind, Ontology]:
    """Return the kind of a question's answers, and what they may say."""
    return ANSWER_KINDS[question.kind], Ontology(question.classes)


def is_asked(question: Question, given: Mapping[str, str]) -> bool:
    """Tell whether a question is asked, by the answers to those before it; see `Question.asked_if`.

    Args:
        question: The question.
        given: Answers by question; one that was not asked has none.
    """
    return all(given.get(name) in classes for name, classes in question.asked_if)


def parts(ontology: Ontology) -> tuple[Part, ...]:
    """Return the parts of all questions, one after another, under their question's name."""
    return tuple(
        Part(question.name if len(own) == 1 else f"{question.name}: {part.name}", part.classes)
        for question in ontology.questions
        for own in [parts_of(question)]
        for part in own
    )


def parts_of(question: Question) -> tuple[Part, ...]:
    """Return the parts of a question's answers."""
    kind, inner = kind_of(question)
    return kind.parts(inner)


def split(labels: Labels, ontology: Ontology) -> Integers:
    """Return labels as places in the classes of each part, shape labels x parts.

    A place is -1 where a label is null, and of parts of questions that it does not answer.
    """
    encoded = encode(labels)
    given = [None if text is None else json.loads(text) for text in encoded.dictionary.to_pylist()]
    columns = []
    for question in ontology.questions:
        kind, inner = kind_of(question)
        said = pa.array([None if one is None else one.get(question.name) for one in given], TEXT)
        columns.append(kind.split(said, inner))
    width = len(parts(ontology))
    rows = np.vstack([np.column_stack(columns).reshape(-1, width), np.full((1, width), -1, np.int64)])
    return np.asarray(rows[encoded.indices.fill_null(len(given)).to_numpy(zero_copy_only=False)])


def join(places: Integers, ontology: Ontology) -> pa.Array:
    """Return places as labels, shape labels x parts: of each the questions that its own answers have asked.

    What stands for a question that they do not ask is left out. Null where a question that they ask has a place of -1.
    """
    if not len(places):
        return pa.array([], TEXT)
    rows, inverse = np.unique(places, axis=0, return_inverse=True)
    said, end = [], 0
    for question in ontology.questions:
        kind, inner = kind_of(question)
        start, end = end, end + len(kind.parts(inner))
        said.append(kind.join(rows[:, start:end], inner).to_pylist())
    texts = pa.array([_write(one, ontology) for one in zip(*said, strict=True)], TEXT)
    return texts.take(pa.array(inverse.ravel()))


def _write(said: Sequence[str | None], ontology: Ontology) -> str | None:
    """Return the label of what was said to each question, asked or not; None where one that is asked has no answer."""
    given: dict[str, str] = {}
    for question, answer in zip(ontology.questions, said, strict=True):
        if is_asked(question, given):
            if answer is None:
                return None
            given[question.name] = answer
    return write_answers(given)


def write_answers(given: Mapping[str, str]) -> str:
    """Return answers, by question in the order of the questions, as one text.

    >>> write_answers({"topic": "sport", "tone": "warm"})
    '{"topic":"sport","tone":"warm"}'
    """
    return json.dumps(given, ensure_ascii=False, separators=(",", ":"))


def parse(labels: Labels, ontology: Ontology) -> pa.Array:
    """Return the canonical text of answers, null where one is no label.

    An answer is a JSON object with an answer to every question that its own answers ask, and to no other: where one
    that was not to be asked is answered too, or one is answered twice, nobody can tell which of the two was meant. Null
    may stand for the answer to a question that was not asked.
    """
    encoded = encode(labels)
    texts = encoded.dictionary.to_pylist()
    return pa.array([_parse(text, ontology) for text in texts], TEXT).take(encoded.indices)


def _parse(text: str, ontology: Ontology) -> str | None:
    try:
        found = json.loads(text, object_pairs_hook=_keys_once)
        # Escapes may stand for what is no character, and no text can hold.
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not found.keys() <= {question.name for question in ontology.questions}:
        return None
    given: dict[str, str] = {}
    for question in ontology.questions:
        said = found.get(question.name)
        if is_asked(question, given) != (said is not None):
            return None
        if said is not None:
            kind, inner = kind_of(question)
            raw = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
            (answer,) = kind.parse(pa.array([raw], TEXT), inner).to_pylist()
            if answer is None:
                return None
            given[question.name] = answer
    return write_answers(given)


def _keys_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object; raises ValueError where a key stands twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def classes_of(label: str, ontology: Ontology) -> tuple[str, ...]:
    """Return the classes that a label names, each behind its question, as `topic: sport`.

    An answer that names none of them stands as its question alone, `topic: `: it is an answer all the same.
    """
    given, found = json.loads(label), list[str]()
    for question in ontology.questions:
        if question.name in given:
            kind, inner = kind_of(question)
            names = kind.classes_of(given[question.name], inner) or (NONE_NAMED,)
            found += [f"{question.name}: {name}" for name in names]
    return tuple(found)


def label_of(classes: Sequence[str], ontology: Ontology) -> str:
    """Return the label of classes, each behind its question; a question of which none is named is left out."""
    given: dict[str, str] = {}
    for question in ontology.questions:
        kind, inner = kind_of(question)
        named = tuple(one.removeprefix(f"{question.name}: ") for one in classes if one.startswith(f"{question.name}: "))
        if named:
            given[question.name] = kind.label_of([name for name in named if name != NONE_NAMED], inner)
    return write_answers(given)


def answers_to(question: Question, labels: Labels) -> pa.Array:
    """Return the answers that labels give to a question; null where they give none."""
    encoded = encode(labels)
    given = [json.loads(text).get(question.name) for text in encoded.dictionary.to_pylist()]
    return pa.array(given, TEXT).take(encoded.indices)


def columns(labels: Labels, ontology: Ontology) -> dict[str, pa.Array]:
    """Return a column a question, of its answers; null where a label leaves it out."""
    return {question.name: answers_to(question, labels) for question in ontology.questions}


def column_classes(ontology: Ontology) -> Mapping[str, tuple[str, ...]]:
    """Return the classes of each question whose answer names one; of another, the answer is a text."""
    return {
        question.name: question.classes
        for question in ontology.questions
        if [part.classes for part in parts_of(question)] == [question.classes]
    }


def encode(labels: Labels) -> pa.DictionaryArray:
    """Return labels as places in those that differ."""
    column = labels.combine_chunks() if isinstance(labels, pa.ChunkedArray) else labels
    return column.cast(TEXT).dictionary_encode()
