"""Boxes as COCO's JSON: images, categories and annotations, with outlines and masks where they are known."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from cupel.exchange.exports.marks.format_losses import (
    Fit,
    classes_of_marks,
    drop_about_answers,
    drop_attributes,
    drop_facts,
    drop_unanswered,
    keep_one_answer,
)
from cupel.exchange.imports.marks.coco_marks import ITEM_ID
from cupel.exchange.imports.marks.item_facts import ItemFacts
from cupel.exchange.imports.marks.marked_items import MarkedItems
from cupel.exchange.imports.marks.outlines import decode_counts
from cupel.marks.canonical_text import ATTRIBUTES, CLASS, read_marks

HELD = ("outlines", "rle", "iscrowd", "keypoints", "num_keypoints", "attributes")


def fit_coco(marked: MarkedItems) -> Fit:
    """Return what COCO holds: one answer an item, boxes, outlines, masks of run lengths, keypoints; no annotator."""
    return (
        drop_unanswered(marked)
        .then(keep_one_answer)
        .then(drop_about_answers)
        .then(lambda one: drop_attributes(one, HELD))
        .then(lambda one: drop_facts(one, ("path", "width", "height")))
    )


def write_coco(marked: MarkedItems) -> bytes:
    """Return a file of COCO; numbers of images, categories and annotations are given from 1."""
    classes = {name: number for number, name in enumerate(classes_of_marks(marked), 1)}
    facts = marked.facts()
    numbers = {item: number for number, item in enumerate(facts, 1)}
    notes: list[dict[str, Any]] = []
    for row in marked.answers.to_pylist():
        for mark in read_marks(row["label"], marked.form):
            notes.append(_note(len(notes) + 1, numbers[row["item_id"]], classes[mark[CLASS]], mark))
    document = {
        "images": list(_images(facts)),
        "categories": [{"id": number, "name": name, "supercategory": ""} for name, number in classes.items()],
        "annotations": notes,
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _images(facts: dict[str, ItemFacts]) -> Iterator[dict[str, Any]]:
    named = any(one.path is not None and one.path != item for item, one in facts.items())
    for number, (item, one) in enumerate(facts.items(), 1):
        image = {"id": number, "file_name": one.path or item, "width": one.width, "height": one.height}
        known = {key: value for key, value in image.items() if value is not None}
        yield {**known, ITEM_ID: item} if named else known


def _note(number: int, image: int, category: int, mark: dict[str, Any]) -> dict[str, Any]:
    attributes = dict(mark.get(ATTRIBUTES, {}))
    outlines, rle = attributes.pop("outlines", None), attributes.pop("rle", None)
    box = [mark[edge] for edge in ("x", "y", "width", "height")]
    segmentation = rle or [[edge for point in outline for edge in point] for outline in outlines or []]
    area = _rle_area(rle) if rle else sum(map(_area, outlines)) if outlines else box[2] * box[3]
    return {
        "id": number, "image_id": image, "category_id": category, "bbox": box, "area": area,
        "segmentation": segmentation, "iscrowd": attributes.pop("iscrowd", 0), **attributes,
    }  # fmt: skip


def _area(outline: Sequence[Sequence[float]]) -> float:
    """Return the area inside an outline, by the shoelace formula."""
    pairs = zip(outline, [*outline[1:], outline[0]], strict=True)
    return abs(sum(one[0] * other[1] - other[0] * one[1] for one, other in pairs)) / 2


def _rle_area(rle: dict[str, Any]) -> int:
    """Return how many pixels of a mask are set: every second run."""
    counts = rle["counts"]
    return sum((decode_counts(counts) if isinstance(counts, str) else counts)[1::2])
