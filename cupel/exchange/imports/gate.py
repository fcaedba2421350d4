"""The gate behind all readers: an id means one item, a class has one name, a person is one; all else is told."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cupel.exchange.imports.class_spellings import (
    describe_shared_parts,
    describe_spellings,
    find_joined,
    merge_spellings,
)
from cupel.exchange.imports.item_identity import content_key
from cupel.people.tool_annotation import Annotation, Notice, UnreadKey
from cupel.sources.reasons import BadRow, evidence

EARLIER_VERSION = "earlier_version"
LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Export(NamedTuple):
    """An export as read: its file, the tool, and what it holds in the file's order."""

    path: Path
    sha256: str
    tool: str
    annotations: list[Annotation | BadRow]
    unread: list[UnreadKey] = []
    notices: list[str] = []


class Left(NamedTuple):
    """A part of an export that is not imported: where it stands, why, and what was found."""

    file: str
    line: int
    reason: str
    evidence: str


class PlacedAnnotation(NamedTuple):
    """An annotation and the name of the file that it stands in."""

    annotation: Annotation
    file: str


class Judged(NamedTuple):
    """What went through the gate, in the order of the files; what did not, with its reason; notices."""

    annotations: list[PlacedAnnotation]
    left: list[Left]
    notices: list[str]


def judge_exports(
    exports: Iterable[Export], classes: Sequence[str] = (), *, is_as_written: bool = False, are_classes: bool = True
) -> Judged:
    """Return the annotations of exports that say one thing each.

    Args:
        exports: Files as read.
        classes: Those that the guideline knows; with any, other classes are `unknown_label`. Empty: all.
        is_as_written: Keep classes apart that differ only by case, Unicode form or invisible characters.
        are_classes: Labels are classes, or sets of them; else texts of marks, whose classes their readers judge.
    """
    exports = list(exports)
    left = [
        Left(export.path.name, found.line, found.reason, found.evidence)
        for export in exports
        for found in export.annotations
        if isinstance(found, BadRow)
    ]
    left += [one for export in exports for one in _sum_up(export)]
    placed = [
        PlacedAnnotation(found, export.path.name)
        for export in exports
        for found in export.annotations
        if isinstance(found, Annotation)
    ]
    notices = [notice for export in exports for notice in export.notices]
    for judge in (_judge_ids, _merge_people):
        placed, gone, said = judge(placed)
        left, notices = left + gone, notices + said
    if not are_classes:
        return Judged(placed, left, notices)
    placed, gone, said = _judge_classes(placed, classes, is_as_written=is_as_written)
    return Judged(placed, left + gone, notices + said)


def keep_latest(placed: Iterable[PlacedAnnotation]) -> tuple[list[PlacedAnnotation], list[Left]]:
    """Return of an annotator's answers on one item the latest, and the earlier ones.

    The latest is by time, and where the tool tells none, or the same, by the order of the files.
    """
    latest: dict[tuple[str, object], PlacedAnnotation] = {}
    left: list[Left] = []
    for place, found in enumerate(placed):
        one = found.annotation
        # Without a name nobody can be told to have answered twice.
        key = (one.item_id, one.annotator if one.annotator is not None else place)
        before = latest.get(key)
        if before is None:
            latest[key] = found
            continue
        old, new = sorted((before, found), key=lambda given: given.annotation.answered_at or LONG_AGO)
        earlier = old.annotation
        left.append(Left(old.file, earlier.line, EARLIER_VERSION, evidence(f"{earlier.item_id}: {earlier.label}")))
        latest[key] = new
    return list(latest.values()), left


def split_found(found: Iterable[Annotation | BadRow | UnreadKey | Notice], export: Export) -> Export:
    """Return an export with what its reader yielded, each kind by itself."""
    annotations: list[Annotation | BadRow] = []
    unread: list[UnreadKey] = []
    notices: list[str] = []
    for one in found:
        if isinstance(one, UnreadKey):
            unread.append(one)
        elif isinstance(one, Notice):
            notices.append(one.text)
        else:
            annotations.append(one)
    return export._replace(annotations=annotations, unread=unread, notices=list(dict.fromkeys(notices)))


def _sum_up(export: Export) -> list[Left]:
    """Return unread keys, each once, with how often it was met and what it held first."""
    counts = Counter(key.path for key in export.unread)
    first: dict[str, UnreadKey] = {}
    for key in export.unread:
        first.setdefault(key.path, key)
    return [
        Left(export.path.name, first[path].line, "unread_key", f"{path}, {count:,} times, first {first[path].found}")
        for path, count in counts.items()
    ]


def _judge_ids(placed: list[PlacedAnnotation]) -> tuple[list[PlacedAnnotation], list[Left], list[str]]:
    """Leave out items whose id stands for different contents: which of them an answer is about cannot be told."""
    contents: dict[str, dict[str, str]] = {}
    for annotation, _ in placed:
        if annotation.content is not None:
            known = contents.setdefault(annotation.item_id, {})
            known.setdefault(content_key(annotation.content), annotation.content)
    torn = {item for item, shown in contents.items() if len(shown) > 1}
    left = [
        Left(
            file, one.line, "one_id_two_items",
            evidence(f"{one.item_id}: {' | '.join(known[:60] for known in list(contents[one.item_id].values())[:3])}"),
        )
        for one, file in placed
        if one.item_id in torn
    ]  # fmt: skip
    nameless = Counter(one.item_id for one, _ in placed if one.annotator is None)
    repeated = [item for item, count in nameless.items() if count > 1 and item not in torn]
    notices = (
        [f"{len(repeated):,} items have several answers that name nobody, as {repeated[0]!r}: each is imported"]
        if repeated
        else []
    )
    return [one for one in placed if one.annotation.item_id not in torn], left, notices


def _merge_people(placed: list[PlacedAnnotation]) -> tuple[list[PlacedAnnotation], list[Left], list[str]]:
    """Give a person one name where some answers name the tool's number of the person, and others the name beside it."""
    names: dict[str, set[str]] = {}
    for one, _ in placed:
        if one.annotator is not None and one.annotator_number is not None:
            names.setdefault(one.annotator_number, set()).add(one.annotator)
    known = {
        number: min(given)
        for number, given in names.items()
        if len(given - {number}) == 1
        for given in [given - {number}]
    }
    used = sorted({one.annotator for one, _ in placed if one.annotator in known})
    notices = [f"annotator {number} is {known[number]}, by the tool's own number" for number in used]
    renamed = [
        one._replace(annotation=one.annotation._replace(annotator=known[one.annotation.annotator]))
        if one.annotation.annotator in known
        else one
        for one in placed
    ]
    return renamed, [], notices


def _judge_classes(
    placed: list[PlacedAnnotation], classes: Sequence[str], *, is_as_written: bool
) -> tuple[list[PlacedAnnotation], list[Left], list[str]]:
    """Leave out joined and unknown classes, and write each of the others in one way."""
    joined = find_joined((one.label for one, _ in placed), classes)
    merged = {} if is_as_written else merge_spellings((one.label for one, _ in placed), classes)
    kept: list[PlacedAnnotation] = []
    left: list[Left] = []
    for one, file in placed:
        label = merged.get(one.label, one.label)
        if one.label in joined:
            left.append(Left(file, one.line, "several_choices", evidence(f"{one.item_id}: {one.label}")))
        elif classes and label not in classes:
            left.append(Left(file, one.line, "unknown_label", evidence(f"{one.item_id}: {one.label}")))
        else:
            kept.append(PlacedAnnotation(one._replace(label=label), file))
    notices = describe_spellings({name: wanted for name, wanted in merged.items() if name not in joined})
    names = [one.annotation.label for one in kept]
    notices += [] if classes else describe_shared_parts(names)
    if not classes and 1 < len(names) == len(set(names)):
        notices.append(f"each of {len(names):,} labels is met once, as {names[0]!r}: texts in place of classes?")
    return kept, left, notices
