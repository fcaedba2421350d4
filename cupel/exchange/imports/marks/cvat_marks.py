"""CVAT's XML for images to boxes: an image at a time, so that a file need not fit into memory."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import Any, BinaryIO

from cupel.exchange.imports.bad_marks import BadMarkError
from cupel.exchange.imports.cvat.cvat_tasks import CvatTask, read_tasks, task_of
from cupel.exchange.imports.cvat.reader import SHAPES, source_of
from cupel.exchange.imports.distinct_ids import make_distinct_ids
from cupel.exchange.imports.marks.drawn_answers import DrawnAnswer, DrawnMark, ItemIds, MarkTerms, ReadDrawn
from cupel.exchange.imports.marks.item_facts import ItemFacts, whole_number
from cupel.exchange.imports.marks.outlines import outline_box
from cupel.exchange.imports.xml_stream import stream_children
from cupel.people.tool_annotation import Notice, UnreadKey
from cupel.sources.input_limits import DEFAULT_LIMITS, InputLimits
from cupel.sources.reasons import BadRow, evidence

Element = ElementTree.Element
# What a shape is drawn with that has no extent, or more than a picture's two: it is told.
NO_BOX = frozenset(SHAPES) - {"box", "polygon", "mask", "ellipse"}


def read_cvat_marks(name: str, source: BinaryIO, terms: MarkTerms, limits: InputLimits = DEFAULT_LIMITS) -> ReadDrawn:
    """Yield the boxes of each image of a CVAT file, in its order; an image without any is an answer.

    Polygons, masks and ellipses are taken as the boxes around them, and kept as attributes. Whom the task or job is
    assigned to is the annotator. What a model made (`source` is `auto`) is told; so are tracks, tags, and shapes
    without a box: points, lines, skeletons, cuboids.

    Args:
        name: The file, for errors.
        source: Its bytes.
        terms: `id_field` names an attribute of the image that is its id; else its name, with subset, task or number
            before it where several images have one name.
        limits: How much one image may hold.

    Raises:
        SourceError: It is no CVAT export, or has a DTD.
    """
    head, tasks = Element("annotations"), list[CvatTask]()
    names: dict[str, list[tuple[str, tuple[str | None, ...]]]] = {}
    line = 0
    for element in stream_children(name, source, "annotations", limits):
        line += element.tag in ("image", "track")
        if element.tag == "meta":
            head.append(element)
            tasks = read_tasks(head)
        elif element.tag == "image":
            yield from _image(line, element, tasks, terms, names)
        elif element.tag == "track":
            told = f"track {element.get('id')}: {element.get('label')}; export the task as CVAT for images"
            yield BadRow(line, "other_kind", evidence(told))
    if line == 0:
        yield Notice(f"{name}: no images")
    repeated = [one for given in names.values() if len(given) > 1 for one in given]
    ids = make_distinct_ids([called for called, given in names.items() if len(given) > 1 for _ in given],
                            [marks for _, marks in repeated])  # fmt: skip
    yield ItemIds({given: found or given for (given, _), found in zip(repeated, ids, strict=True)})


def _image(
    line: int, image: Element, tasks: list[CvatTask], terms: MarkTerms,
    names: dict[str, list[tuple[str, tuple[str | None, ...]]]],
) -> ReadDrawn:  # fmt: skip
    name = image.get(terms.id_field or "name") or (image.get("id") if terms.id_field is None else None)
    if not name:
        yield BadRow(line, "missing_id", evidence(f"<image> {image.attrib}"))
        return
    task = task_of(image, tasks)
    item = name if terms.id_field else _name_item(name, image, task, names)
    if (image.get("deleted") or "").lower() in ("1", "true"):
        yield BadRow(line, "skipped", evidence(f"{item}: the frame is deleted"))
        return
    shapes = [element for element in image if element.tag in SHAPES]
    of_model = [shape for shape in shapes if source_of(shape) == "auto"]
    of_people = [shape for shape in shapes if source_of(shape) != "auto"]
    if of_model:
        yield BadRow(line, "prediction", evidence(f"{item}: {len(of_model)} shapes"))
        if not of_people:
            return
    for element in image:
        if element.tag not in SHAPES:
            yield UnreadKey(line, f"image.{element.tag}", evidence(element.get("label")))
    for shape in of_people:
        if shape.tag in NO_BOX:
            yield BadRow(line, "other_kind", evidence(f"{item}: {shape.tag} {shape.get('label')}"))
    try:
        yield _answer(line, item, image, of_people, task, terms)
    except BadMarkError as bad:
        yield BadRow(line, bad.reason, evidence(f"{item}, {bad.found}"))


def _name_item(
    name: str, image: Element, task: CvatTask | None, names: dict[str, list[tuple[str, tuple[str | None, ...]]]]
) -> str:
    """Return a name for an image that no other has as yet, and note what tells it from others of its name."""
    given = names.setdefault(name, [])
    item = name if not given else f"{name}, image {image.get('id')} ({len(given) + 1})"
    subset, called = image.get("subset"), image.get("task_id") or (task.called if task else None)
    given.append((item, (subset, called, f"{called}/{subset}" if called and subset else None, image.get("id"))))
    return item


def _answer(
    line: int, item: str, image: Element, shapes: list[Element], task: CvatTask | None, terms: MarkTerms
) -> DrawnAnswer:  # fmt: skip
    width, height = (
        whole_number(image.get(key), f"<image> {key}", is_above_zero=True) if image.get(key) else None
        for key in ("width", "height")
    )
    facts = ItemFacts(path=image.get("name"), width=width, height=height)
    facts = terms.facts_of(item, facts)
    marks = [mark for number, shape in enumerate(shapes, 1) if shape.tag not in NO_BOX for mark in _mark(number, shape)]
    sources = {source_of(shape) for shape in shapes}
    job = task.job_of(image.get("id")) if task else None
    who = ((job.assignee if job else None) or task.assignee) if task else None
    is_truth = "ground_truth" in sources or bool(task and task.is_truth) or bool(job and job.is_truth)
    return DrawnAnswer(line, item, marks, facts, None if sources & {"consensus", "file"} else who, is_truth=is_truth)


def _mark(number: int, shape: Element) -> Iterator[DrawnMark]:
    where = f"{shape.tag} {number}"
    if shape.get("rotation") and _number(shape, "rotation", where):
        raise BadMarkError("rotated", f"{where}: rotation {shape.get('rotation')}")
    attributes = _attributes(shape)
    edges: tuple[float, ...]
    if shape.tag == "box":
        left, top, right, bottom = (_number(shape, key, where) for key in ("xtl", "ytl", "xbr", "ybr"))
        if right < left or bottom < top:
            raise BadMarkError("end_before_start", f"{where}: xtl {left}, xbr {right}, ytl {top}, ybr {bottom}")
        edges = (left, top, right - left, bottom - top)
    elif shape.tag == "polygon":
        points = _points(shape, where)
        edges, attributes["outlines"] = outline_box([points], where), [points]
    elif shape.tag == "ellipse":
        x, y, across, down = (_number(shape, key, where) for key in ("cx", "cy", "rx", "ry"))
        edges, attributes["ellipse"] = (x - across, y - down, 2 * across, 2 * down), [x, y, across, down]
    else:
        edges, attributes["mask"] = _mask(shape, where)
    yield DrawnMark(where, shape.get("label"), edges, attributes)


def _number(element: Element, key: str, where: str) -> float:
    try:
        return float(element.attrib[key])
    except (KeyError, ValueError):
        raise BadMarkError("no_number", f"{where}: {key} {element.get(key)!r}, expected a number") from None


def _points(shape: Element, where: str) -> list[list[float]]:
    try:
        points = [[float(one) for one in point.split(",")] for point in (shape.get("points") or "").split(";") if point]
    except ValueError:
        points = [[]]
    if any(len(point) != 2 for point in points):
        raise BadMarkError("no_number", f"{where}: points {str(shape.get('points'))[:60]!r}")
    return points


def _mask(shape: Element, where: str) -> tuple[tuple[float, ...], dict[str, Any]]:
    """Return the box of a mask, and its runs in it by rows, from one of pixels that it does not have."""
    edges = tuple(whole_number(shape.get(key), f"{where}: {key}") for key in ("left", "top", "width", "height"))
    try:
        runs = [int(run) for run in (shape.get("rle") or "").split(",")]
    except ValueError:
        runs = []
    if sum(runs) != edges[2] * edges[3]:
        raise BadMarkError("rle_size", f"{where}: runs of {sum(runs)} pixels, the mask has {edges[2]} x {edges[3]}")
    return edges, {"box": list(edges), "runs": runs}


def _attributes(shape: Element) -> dict[str, Any]:
    """Return what else is said of a shape: hidden in part, its order, its attributes."""
    found: dict[str, Any] = {}
    for key in ("occluded", "z_order", "group_id"):
        value = shape.get(key)
        if value not in (None, "", "0"):
            found[key] = value
    named = {one.get("name"): one.text or "" for one in shape if one.tag == "attribute"} if len(shape) else {}
    return {**found, "attributes": named} if named else found
