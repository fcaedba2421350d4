"""COCO's JSON: every annotation is an object in an image, with its category."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cupel.errors import SourceError
from cupel.exchange.imports.distinct_ids import describe_repeated, make_distinct_ids
from cupel.exchange.imports.file import File, first_record
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import (
    Annotation,
    Found,
    Notice,
    Read,
    as_id,
    entries,
    fields_of,
    object_id,
    one_class,
    unread_keys,
)
from cupel.sources.reasons import BadRow, evidence

# An annotation with one of these is of a region; without any, of the whole image.
OUTLINES = ("bbox", "segmentation", "keypoints", "area", "segments_info", "caption")
# What an annotation is used for; `attributes` and `segments_info` are read by themselves.
READ = ("id", "image_id", "category_id", "ignore", "score", "attributes", "segments_info", "caption")


class CocoImage(NamedTuple):
    """An image by its number: its id as an item, and why no answer can be its; its place in the list."""

    item: str
    problem: BadRow | None
    line: int
    fields: dict[str, object]
    content: str | None
    size: tuple[object, object] = (None, None)


def is_coco(found: Any) -> bool:
    """Tell whether JSON is COCO: lists of images, and of annotations or categories."""
    return (
        isinstance(found, dict)
        and isinstance(found.get("images"), list)
        and any(isinstance(found.get(part), list) for part in ("annotations", "categories"))
    )


def is_coco_list(record: Any) -> bool:
    """Tell whether a record is of a list of COCO annotations or results, without their images and categories."""
    return isinstance(record, dict) and "image_id" in record and (
        ("category_id" in record and any(key in record for key in ("bbox", "segmentation", "keypoints", "score")))
        or "segments_info" in record
        or (set(record) <= {"image_id", "caption", "id", "score"} and "caption" in record)
    )  # fmt: skip


def coco(name: str, found: dict[str, Any], options: ReadOptions) -> Read:
    """Yield the annotations of a COCO file, as objects `image#annotation`.

    An image is named by its `file_name`; where several have the same, their number stands before it. Annotations
    without any outline are classes of their images. COCO does not say who annotated, nor how long it took; outlines,
    boxes and keypoints are left where they are. An annotation that is marked to be ignored is no answer, one with a
    score is a model's.

    Args:
        name: The file, for errors.
        found: What it holds.
        options: `question` names an entry of `attributes` whose value is the label; `id_field` a field of an image
            that is the item's id.

    Yields:
        Annotations in the file's order, and what is not understood; `line` is the annotation's number, of an image
        without annotation the image's.

    Raises:
        SourceError: No annotation has the attribute that was named.
    """
    yield from unread_keys(1, "", found, ("images", "annotations", "categories"))
    notes = found.get("annotations") if isinstance(found.get("annotations"), list) else []
    yield from _describe_attributes(name, notes or [], options)
    classes, told = read_categories(found.get("categories"))
    yield from told
    images, told = read_coco_images(found["images"], options)
    yield from told
    is_of_images = not any(key in note for note in entries(notes) for key in OUTLINES)
    labelled: set[str | None] = set()
    of_image: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    repeated = Counter((as_id(note.get("image_id")), as_id(note.get("id"))) for note in entries(notes))
    for line, note in enumerate(notes or [], 1):
        if not isinstance(note, dict):
            yield BadRow(line, "not_an_object", evidence(note))
            continue
        number = as_id(note.get("image_id"))
        labelled.add(number)
        image = images.get(number or "")
        yield from _unread(line, note, options)
        if image is None:
            yield BadRow(line, "unknown_item", evidence(f"image_id {note.get('image_id')!r}"))
        elif (problem := image.problem or judge_coco_state(line, image.item, note, classes)) is not None:
            yield problem._replace(line=line)
        elif is_of_images:
            of_image.setdefault(number or "", []).append((line, note))
        else:
            is_one = repeated[number, as_id(note.get("id"))] == 1
            yield from _objects(line, image, note, classes, options, is_one=is_one)
    for number, given in of_image.items():
        yield from _whole_image(images[number], given, classes, options)
    for number, image in images.items():
        if number not in labelled:
            yield BadRow(image.line, "no_answer", evidence(image.item))


def _describe_attributes(name: str, notes: list[Any], options: ReadOptions) -> Iterator[Notice]:
    asked = sorted({str(key) for note in entries(notes) for key in fields_of(note.get("attributes"))})
    option = options.option("question")
    if options.question is not None and options.question not in asked:
        raise SourceError(
            f"{name}: no annotation has the attribute {options.question!r} ({option}); "
            f"there is {', '.join(asked) or 'none'}"
        )
    if asked and options.question is None:
        yield Notice(f"{name}: attributes are not imported; {option} takes one as the label: {', '.join(asked[:10])}")


def read_categories(found: Any) -> tuple[dict[str, str | BadRow], list[Found]]:
    """Return the classes by number, and what is not read; a number that names several classes names none."""
    names: dict[str, list[str]] = {}
    told: list[Found] = []
    for line, entry in enumerate(found if isinstance(found, list) else [], 1):
        if not isinstance(entry, dict):
            told.append(BadRow(line, "not_an_object", evidence(entry)))
            continue
        told += unread_keys(line, "categories[]", entry, ("id", "name"))
        number, label = as_id(entry.get("id")), one_class(line, [entry.get("name")])
        if number is None:
            told.append(BadRow(line, "missing_id", evidence(entry)))
        elif isinstance(label, BadRow):
            names.setdefault(number, [])
        elif label not in names.setdefault(number, []):
            names[number].append(label)
    classes: dict[str, str | BadRow] = {
        number: given[0]
        if len(given) == 1
        else BadRow(1, "unknown_category", evidence(f"category {number}: {' and '.join(given) or 'has no name'}"))
        for number, given in names.items()
    }
    counts = Counter(one for one in classes.values() if isinstance(one, str))
    for label, count in counts.items():
        if count > 1:
            told.append(Notice(f"{count} categories are named {label!r}: they are one class"))
    return classes, told


def read_coco_images(found: list[Any], options: ReadOptions) -> tuple[dict[str, CocoImage], list[Found]]:
    """Return the images by number, and what is not read; a number of several images is of none."""
    rows: dict[str, list[tuple[int, str, Mapping[str, Any]]]] = {}
    told: list[Found] = []
    field = options.id_field or "file_name"
    for line, entry in enumerate(found, 1):
        if not isinstance(entry, dict):
            told.append(BadRow(line, "not_an_object", evidence(entry)))
            continue
        told += unread_keys(line, "images[]", entry, ("id", "file_name", field))
        number = as_id(entry.get("id"))
        called = as_id(entry.get(field)) or (number if options.id_field is None else None)
        if number is None or called is None:
            told.append(BadRow(line, "missing_id", evidence(entry)))
        elif called not in [known for _, known, _ in rows.setdefault(number, [])]:
            rows[number].append((line, called, entry))
    numbers, firsts = list(rows), [given[0] for given in rows.values()]
    names = [called for _, called, _ in firsts]
    ids = make_distinct_ids(names, [(number,) for number in numbers])
    told += [Notice(text) for text in describe_repeated(names, ids)]
    images: dict[str, CocoImage] = {}
    for number, item, (line, called, entry) in zip(numbers, ids, firsts, strict=True):
        shown = " | ".join(known for _, known, _ in rows[number])
        is_torn = len(rows[number]) > 1 or item is None
        torn = BadRow(line, "one_id_two_items", evidence(f"image {number}: {shown}"))
        size = [entry.get(key) for key in ("width", "height", "coco_url", "flickr_url")]
        images[number] = CocoImage(
            item or called, torn if is_torn else None, line, {"image": entry.get("file_name") or called},
            ", ".join(str(one) for one in (called, *size) if one) if options.id_field is None else None,
            (size[0], size[1]),
        )  # fmt: skip
    return images, told


def _unread(line: int, note: dict[str, Any], options: ReadOptions) -> Read:
    read = [key for key in READ if key != "category_id" or options.question is None]
    yield from unread_keys(line, "annotations[]", note, read)
    if "attributes" in note:
        attributes = note["attributes"]
        if isinstance(attributes, dict):
            yield from unread_keys(line, "annotations[].attributes", attributes, [options.question or ""])
        else:
            yield from unread_keys(line, "annotations[]", {"attributes": attributes}, ())
    segments = note.get("segments_info")
    if isinstance(segments, list):
        for segment in segments:
            if isinstance(segment, dict):
                yield from unread_keys(line, "annotations[].segments_info[]", segment, ("id", "category_id"))
            else:
                yield BadRow(line, "not_an_object", evidence(segment))
    elif segments:
        yield BadRow(line, "unexpected_shape", evidence(f"segments_info: {segments!r}"))


def judge_coco_state(line: int, item: str, note: dict[str, Any], classes: dict[str, str | BadRow]) -> BadRow | None:
    """Return why an annotation is no person's answer, by what is marked on it."""
    found = classes.get(as_id(note.get("category_id")) or "")
    shown = f"{item}: {found if isinstance(found, str) else note.get('category_id')}"
    if note.get("ignore"):
        return BadRow(line, "skipped", evidence(f"{shown}, ignore {note['ignore']!r}"))
    if note.get("score") is not None:
        return BadRow(line, "prediction", evidence(f"{shown}, score {note['score']!r}"))
    return None


def _objects(
    line: int,
    image: CocoImage,
    note: dict[str, Any],
    classes: dict[str, str | BadRow],
    options: ReadOptions,
    *,
    is_one: bool,
) -> Iterator[Annotation | BadRow]:
    """Yield the object of an annotation, or of a panoptic one its segments."""
    if note.get("caption") is not None:
        yield BadRow(line, "other_kind", evidence(f"{image.item}: caption {note['caption']}"))
    segments = note.get("segments_info")
    if isinstance(segments, list):
        counts = Counter(as_id(one.get("id")) for one in entries(segments))
        for place, segment in enumerate(entries(segments), 1):
            number = as_id(segment.get("id"))
            called = number if number is not None and counts[number] == 1 else f"{number or 'segment'}.{place}"
            name = called if is_one else f"{line}.{called}"
            yield _object(line, image, name, segment, classes_of(line, segment, classes, None))
    elif note.get("caption") is None:
        number = as_id(note.get("id")) or "annotation"
        name = number if is_one and number != "annotation" else f"{number}.{line}"
        yield _object(line, image, name, note, classes_of(line, note, classes, options.question))


def _object(
    line: int, image: CocoImage, name: str, note: dict[str, Any], found: list[object] | BadRow
) -> Annotation | BadRow:
    item = object_id(image.item, name)
    label = found if isinstance(found, BadRow) else one_class(line, found)
    if isinstance(label, BadRow):
        return label._replace(evidence=evidence(f"{item}: {label.evidence}"))
    content = None
    if image.content is not None:
        outline = hashlib.sha256(repr([note.get(key) for key in OUTLINES[:3]]).encode()).hexdigest()
        content = f"bbox {note.get('bbox')} in {image.content}, outline {outline[:16]}"
    return Annotation(line, item, label, fields=image.fields, content=content)


def _whole_image(
    image: CocoImage, given: list[tuple[int, dict[str, Any]]], classes: dict[str, str | BadRow], options: ReadOptions
) -> Iterator[Annotation | BadRow]:
    """Yield the label of an image whose annotations have no outline."""
    labels: list[object] = []
    for line, note in given:
        found = classes_of(line, note, classes, options.question)
        if isinstance(found, BadRow):
            yield found
        else:
            labels += found
    if labels:
        line = given[0][0]
        label = options.read(line, labels)
        if isinstance(label, BadRow):
            yield label._replace(evidence=evidence(f"{image.item}: {label.evidence}"))
        else:
            yield Annotation(line, image.item, label, fields=image.fields, content=image.content)


def classes_of(
    line: int, note: dict[str, Any], classes: dict[str, str | BadRow], question: str | None
) -> list[object] | BadRow:
    """Return the class of an annotation: of its category, or the value of the attribute that is asked for."""
    if question is not None:
        return [fields_of(note.get("attributes")).get(question)]
    found = classes.get(as_id(note.get("category_id")) or "")
    if found is None:
        return BadRow(line, "unknown_category", evidence(f"category_id {note.get('category_id')!r}"))
    return found._replace(line=line) if isinstance(found, BadRow) else [found]


def _read(file: File, options: ReadOptions) -> Read:
    if not is_coco(file.document):
        record = first_record(file) or {}
        what = "results: a model's, and no labels of people" if "score" in record else "annotations without images"
        raise SourceError(
            f"{file.path}: a list of COCO {what} ({', '.join(map(str, list(record)[:6]))}); name the file that holds "
            "images, annotations and categories"
        )
    notes = entries(file.document.get("annotations"))
    if not file.document.get("annotations"):
        raise SourceError(f"{file.path}: COCO images without any annotation; name the file that holds the annotations")
    if notes and all("caption" in note for note in notes):
        raise SourceError(f"{file.path}: COCO captions: they are texts, and no classes; name the file of instances")
    yield from coco(str(file.path), file.document, options)


COCO = Tool("coco", lambda file: is_coco(file.document) or is_coco_list(first_record(file)), _read)
