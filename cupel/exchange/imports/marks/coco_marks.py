"""COCO's JSON to boxes: the annotations of an image are one answer; outlines, masks and keypoints are kept."""

from collections.abc import Iterator
from typing import Any

from cupel.exchange.imports.bad_marks import BadMarkError
from cupel.exchange.imports.coco import (
    CocoImage,
    classes_of,
    is_coco,
    judge_coco_state,
    read_categories,
    read_coco_images,
)
from cupel.exchange.imports.file import File
from cupel.exchange.imports.marks.drawn_answers import DrawnAnswer, DrawnMark, MarkTerms, ReadDrawn, exact_number
from cupel.exchange.imports.marks.item_facts import ItemFacts
from cupel.exchange.imports.marks.outlines import check_rle, has_shape, outline_box
from cupel.exchange.imports.tool import ReadOptions
from cupel.marks.canonical_text import MarkForm
from cupel.people.tool_annotation import UnreadKey, as_id
from cupel.sources.reasons import BadRow, evidence

# What is kept beside a box as it is written.
ITEM_ID = "item_id"
SIZES = ("images[].width", "images[].height")
KEPT = ("attributes", "keypoints", "num_keypoints")


def is_coco_boxes(file: File) -> bool:
    """Tell whether a file is COCO."""
    return is_coco(file.document)


def read_coco_boxes(file: File, form: MarkForm, terms: MarkTerms) -> ReadDrawn:
    """Yield the boxes of each image, in the file's order; an image without annotation is an answer.

    An annotation that is marked to be ignored, and one with a score, which is a model's, are told; an image that has no
    others is no answer. COCO does not say who annotated.
    """
    found: dict[str, Any] = file.document
    classes, told = read_categories(found.get("categories"))
    yield from told
    images, told = read_coco_images(found["images"], ReadOptions(id_field=terms.id_field or _own_id(found["images"])))
    yield from (one for one in told if not (isinstance(one, UnreadKey) and one.path in SIZES))
    notes: dict[str, list[tuple[int, dict[str, Any]]]] = {number: [] for number in images}
    given = found.get("annotations")
    for line, note in enumerate(given if isinstance(given, list) else [], 1):
        if not isinstance(note, dict):
            yield BadRow(line, "not_an_object", evidence(note))
        elif (number := as_id(note.get("image_id"))) not in notes:
            yield BadRow(line, "unknown_item", evidence(f"image_id {note.get('image_id')!r}"))
        else:
            notes[number or ""].append((line, note))
    for number, image in images.items():
        yield from _image(image, notes[number], classes, terms)


def _own_id(images: list[Any]) -> str | None:
    """Return the field that this package writes the item's id into, where every image has it."""
    return ITEM_ID if images and all(isinstance(one, dict) and one.get(ITEM_ID) for one in images) else None


def _image(
    image: CocoImage, notes: list[tuple[int, dict[str, Any]]], classes: dict[str, str | BadRow], terms: MarkTerms
) -> ReadDrawn:  # fmt: skip
    line = notes[0][0] if notes else image.line
    if image.problem is not None:
        yield image.problem._replace(line=line)
        return
    kept = []
    for place, note in notes:
        problem = judge_coco_state(place, image.item, note, classes)
        if problem is not None:
            yield problem
        elif note.get("caption") is not None or "segments_info" in note:
            yield BadRow(place, "other_kind", evidence(f"{image.item}: caption or panoptic segments"))
        else:
            kept.append((place, note))
    if notes and not kept:
        return
    try:
        width, height = (_side(image.size[axis], name) for axis, name in enumerate(("width", "height")))
        facts = terms.facts_of(image.item, ItemFacts(path=str(image.fields["image"]), width=width, height=height))
        marks = [_mark(place, note, classes, facts) for place, note in kept]
        yield DrawnAnswer(line, image.item, marks, facts)
    except BadMarkError as bad:
        yield BadRow(line, bad.reason, evidence(f"{image.item}, {bad.found}"))


def _side(value: object, name: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise BadMarkError("no_number", f"images[].{name}: found {value!r}, expected a whole number above 0")
    return value


def _mark(place: int, note: dict[str, Any], classes: dict[str, str | BadRow], facts: ItemFacts) -> DrawnMark:
    where = f"annotations[{place}] (id {as_id(note.get('id'))})"
    found = classes_of(place, note, classes, None)
    if isinstance(found, BadRow):
        raise BadMarkError(found.reason, f"{where}: {found.evidence}")
    attributes = {key: note[key] for key in KEPT if note.get(key)}
    if wrong := [key for key, value in attributes.items() if not has_shape(key, value)]:
        raise BadMarkError("unexpected_shape", f"{where}.{wrong[0]}: {str(note[wrong[0]])[:60]!r}")
    if note.get("iscrowd"):
        attributes["iscrowd"] = 1
    attributes |= _outline(note.get("segmentation"), facts, where)
    box = note.get("bbox")
    if box is None and "outlines" in attributes:
        edges: tuple[Any, ...] = outline_box(attributes["outlines"], where)
    elif isinstance(box, list) and len(box) == 4:
        edges = tuple(box)
    else:
        raise BadMarkError("no_number", f"{where}.bbox: found {str(box)[:60]!r}, expected x, y, width and height")
    return DrawnMark(f"{where}.bbox", found[0], edges, attributes)


def _outline(segmentation: Any, facts: ItemFacts, where: str) -> dict[str, Any]:
    """Return an outline or mask as attributes."""
    if isinstance(segmentation, dict):
        check_rle(segmentation, facts.width, facts.height, f"{where}.segmentation")
        return {"rle": {"counts": segmentation["counts"], "size": segmentation["size"]}}
    if not segmentation:
        return {}
    return {"outlines": list(_points(segmentation, f"{where}.segmentation"))}


def _points(segmentation: Any, where: str) -> Iterator[list[list[float]]]:
    for outline in segmentation if isinstance(segmentation, list) else [segmentation]:
        if not isinstance(outline, list) or len(outline) % 2:
            raise BadMarkError("no_number", f"{where}: found {str(outline)[:60]!r}, expected x, y, x, y, …")
        for value in outline:
            exact_number(value)
        yield [[outline[place], outline[place + 1]] for place in range(0, len(outline), 2)]
