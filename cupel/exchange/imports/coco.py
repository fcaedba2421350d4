"""COCO's JSON: every annotation is an object in an image, with its category."""

from typing import Any

from cupel.exchange.imports.file import File
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import Annotation, Read, as_id, entries, object_id
from cupel.sources.reasons import BadRow, evidence


def is_coco(found: Any) -> bool:
    """Tell whether JSON is COCO: lists of images, annotations and categories."""
    return isinstance(found, dict) and all(
        isinstance(found.get(part), list) for part in ("images", "annotations", "categories")
    )


def coco(found: dict[str, Any]) -> Read:
    """Yield the annotations of a COCO file, as objects `image#annotation`.

    An image is named by its `file_name`. COCO does not say who annotated, nor how long it took; outlines, boxes and
    keypoints are left where they are.

    Yields:
        Annotations in the file's order, and what is not understood; `line` is the annotation's number.
    """
    categories = {as_id(entry.get("id")): as_id(entry.get("name")) for entry in entries(found["categories"])}
    images = {
        as_id(entry.get("id")): as_id(entry.get("file_name")) or as_id(entry.get("id"))
        for entry in entries(found["images"])
    }
    for line, entry in enumerate(found["annotations"], 1):
        if not isinstance(entry, dict):
            yield BadRow(line, "not_an_object", evidence(entry))
            continue
        image, category = images.get(as_id(entry.get("image_id"))), categories.get(as_id(entry.get("category_id")))
        if image is None:
            yield BadRow(line, "unknown_item", evidence(f"image_id {entry.get('image_id')!r}"))
        elif category is None:
            yield BadRow(line, "unknown_category", evidence(f"category_id {entry.get('category_id')!r}"))
        else:
            yield Annotation(line, object_id(image, entry.get("id", line)), category, fields={"image": image})


def _read(file: File, options: ReadOptions) -> Read:
    return coco(file.document)


COCO = Tool("coco", lambda file: is_coco(file.document), _read)
