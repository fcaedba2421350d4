"""CVAT's XML: tags are classes of an image, shapes and tracks are objects of a class."""

import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from cupel.errors import SourceError
from cupel.exchange.imports.cvat.cvat_tasks import CvatTask, describe_tasks, read_tasks, task_of
from cupel.exchange.imports.cvat.element_keys import unread_elements
from cupel.exchange.imports.distinct_ids import describe_repeated, make_distinct_ids
from cupel.exchange.imports.file import File
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.exchange.imports.xml_tree import parse_xml
from cupel.people.tool_annotation import Annotation, Notice, Read, UnreadKey, object_id, one_class
from cupel.sources.input_limits import DEFAULT_LIMITS, InputLimits
from cupel.sources.reasons import BadRow, evidence

SHAPES = ("box", "polygon", "polyline", "points", "cuboid", "ellipse", "mask", "skeleton")
# What CVAT says of where an answer is from, without its spelling; others are told.
SOURCES = ("manual", "semi_auto", "auto", "consensus", "file", "ground_truth")
Element = ElementTree.Element


class CvatPlace(NamedTuple):
    """What is said of an image or track before its answers are read."""

    path: str
    given: Annotation
    question: str | None
    options: ReadOptions


def cvat(name: str, content: bytes, options: ReadOptions, limits: InputLimits = DEFAULT_LIMITS) -> Read:
    """Yield the annotations of a CVAT file, of images or of video.

    A tag labels its image. A shape is the object `image#number`, a track the object `task#track id`. CVAT names no
    annotator of a shape: it is the assignee of the task that the image is of, where there is one. A shape that CVAT
    says a model made (`source` is `auto`) is a prediction; what was merged of several annotators, or came with a file,
    names nobody. Where outlines lie is not imported.

    Args:
        name: The file, for errors.
        content: Its bytes.
        options: `question` names an attribute, or `label.attribute`, whose value is the label; `id_field` an attribute
            of the image that is its id, as `name` where tasks show the same images.
        limits: How many elements and levels are read.

    Yields:
        Annotations in the file's order, and what is not understood; `line` is the number of the image or track.

    Raises:
        SourceError: The file is no XML, no CVAT export, larger than the limits, has a DTD, or no label has the
            attribute.
    """
    root = parse_xml(name, content, limits)
    if root.tag != "annotations":
        raise SourceError(f"{name}: {_describe_root(root)}")
    tasks = read_tasks(root)
    yield from _describe_attributes(name, root, options)
    yield from describe_tasks(name, root, tasks)
    places = [element for element in root if element.tag in ("image", "track")]
    ids, notices = _name_images([one for one in places if one.tag == "image"], tasks, options)
    yield from notices
    tracks = Counter((_video(one, tasks, name), one.get("id")) for one in places if one.tag == "track")
    for line, element in enumerate(places, 1):
        task = task_of(element, tasks)
        if element.tag == "image":
            yield from _image(line, element, next(ids), task, options)
        else:
            video, number = _video(element, tasks, name), element.get("id") or line
            is_one = tracks[video, element.get("id")] == 1
            item = object_id(video, number if is_one else f"{number}.{line}")
            yield from _track(line, element, item, video, task, options)
    for element in root:
        if element.tag == "version":
            yield from unread_elements(1, "version", element)
        elif element.tag not in ("meta", "image", "track"):
            yield BadRow(1, "unexpected_shape", evidence(f"<{element.tag}>"))
    yield from unread_elements(1, "annotations", Element("annotations", root.attrib))


def _describe_root(root: Element) -> str:
    if root.tag == "annotation" and root.find("object") is not None:
        return (
            "Pascal VOC's XML, a file an image: it is not read. Export the data set as COCO or as CVAT for images, "
            "which hold all images in one file"
        )
    return f"XML of <{root.tag[:80]}>; expected CVAT's <annotations>. Export as CVAT for images, COCO, or a table"


def _describe_attributes(name: str, root: Element, options: ReadOptions) -> Iterator[Notice]:
    """Say which attributes could be the label.

    Raises:
        SourceError: The attribute that was named is not there.
    """
    found = {
        f"{owner.get('label')}.{attribute.get('name')}"
        for place in root
        if place.tag in ("image", "track")
        for element in (place, *place)
        for attribute in element.findall("attribute")
        for owner in (place if place.tag == "track" else element,)
        if attribute.get("name")
    }
    asked, option = sorted(found), options.option("question")
    if options.question is None:
        if asked:
            yield Notice(
                f"{name}: attributes are not imported; {option} takes one as the label: {', '.join(asked[:10])}"
            )
    elif not any(options.question in (one, one.partition(".")[2]) for one in asked):
        raise SourceError(
            f"{name}: no label has the attribute {options.question!r} ({option}); there is {', '.join(asked) or 'none'}"
        )


def _name_images(
    images: list[Element], tasks: list[CvatTask], options: ReadOptions
) -> tuple[Iterator[str | None], list[Notice]]:
    """Return the ids of images: the name, with subset, task or number before it where it is not unique."""
    if options.id_field is not None:
        return iter([image.get(options.id_field) or None for image in images]), []
    names = [image.get("name") or image.get("id") or "" for image in images]
    marks = []
    for image in images:
        task = task_of(image, tasks)
        number = image.get("task_id") or (task.id if task else None)
        called = task.called if task and [one.called for one in tasks].count(task.called) == 1 else number
        subset = image.get("subset")
        marks.append((subset, called, f"{called}/{subset}" if called and subset else None, image.get("id")))
    ids = make_distinct_ids(names, marks)
    return iter(ids), [Notice(text) for text in describe_repeated(names, ids)]


def _image(line: int, image: Element, item: str | None, task: CvatTask | None, options: ReadOptions) -> Read:
    name = image.get("name") or image.get("id")
    if not name or (not item and options.id_field is not None):
        yield BadRow(line, "missing_id", evidence(f"<image> {image.attrib}"))
        return
    if not item:
        yield BadRow(line, "one_id_two_items", evidence(f"{name}: no subset, task or number of its own"))
        return
    if (image.get("deleted") or "").lower() in ("1", "true"):
        yield BadRow(line, "skipped", evidence(f"{item}: the frame is deleted"))
        return
    given = _given(line, item, image, task)._replace(fields={"image": name})
    if options.id_field is None:
        parts = {
            "task": image.get("task_id") or (task.id if task else None),
            "subset": image.get("subset"),
            "image": name,
        }
        given = given._replace(content=", ".join(f"{key} {value}" for key, value in parts.items() if value))
    place = CvatPlace("image", given, options.question, options)
    tags = [element for element in image if element.tag == "tag"]
    shapes = [element for element in image if element.tag in SHAPES]
    yield from _tags(place, tags)
    prefix = f"{task.id}-" if options.id_field is not None and task and task.id else ""
    for number, shape in enumerate(shapes, 1):
        one = given._replace(
            item_id=object_id(item, f"{prefix}{number}"),
            content=given.content and f"{given.content}, {shape.tag} {sorted(shape.attrib.items())}",
        )
        yield from _answer(place._replace(given=one), shape)
    read = {"name", "subset", "task_id"} | ({options.id_field} if options.id_field else set())
    yield from unread_elements(line, "image", Element("image", image.attrib), frozenset(read))
    for element in image:
        if element.tag != "tag" and element.tag not in SHAPES:
            yield BadRow(line, "unexpected_shape", evidence(f"{item}: <{element.tag}>"))
    if not tags and not shapes:
        yield BadRow(line, "no_answer", evidence(item))


def _tags(place: CvatPlace, tags: list[Element]) -> Read:
    """Yield the label of an image's tags; those of a model by themselves."""
    given, labels, people = place.given, [], []
    for tag in tags:
        yield from _unread(place, tag)
        found = _judge_source(given, tag)
        if isinstance(found, BadRow):
            yield found
            continue
        values = _labels(place, tag)
        if values is None:
            yield UnreadKey(given.line, f"{place.path}.tag.label", evidence(tag.get("label")))
        else:
            labels += values
            people.append(found)
    if people:
        label = place.options.read(given.line, labels)
        who = people[0] if all(one == people[0] for one in people) else given._replace(annotator=None)
        yield _with_evidence(label, given) if isinstance(label, BadRow) else who._replace(label=label)


def _answer(place: CvatPlace, shape: Element) -> Read:
    """Yield the class of a shape, and what of the shape is not read."""
    yield from _unread(place, shape)
    found = _judge_source(place.given, shape)
    values = _labels(place, shape)
    if isinstance(found, BadRow):
        yield found
    elif values is None:
        yield UnreadKey(place.given.line, f"{place.path}.{shape.tag}.label", evidence(shape.get("label")))
    else:
        label = one_class(place.given.line, values)
        yield _with_evidence(label, place.given) if isinstance(label, BadRow) else found._replace(label=label)


def _track(
    line: int, track: Element, item: str, video: str, task: CvatTask | None, options: ReadOptions
) -> Read:  # fmt: skip
    shapes = [element for element in track if element.tag in SHAPES]
    given = _given(line, item, track, task)._replace(fields={"video": video})
    if options.id_field is None:
        given = given._replace(content=f"task {track.get('task_id') or (task.id if task else None)}, {video}")
    place = CvatPlace("track", given, options.question, options)
    read = frozenset({"id", "label", "task_id", "subset"}) | _source_key(track)
    yield from unread_elements(line, "track", Element("track", track.attrib), read)
    for element in track:
        if element.tag in SHAPES:
            yield from _unread(place, element)
        elif element.tag != "attribute":
            yield BadRow(line, "unexpected_shape", evidence(f"{item}: <{element.tag}>"))
    found = _judge_source(given, track)
    seen = [shape for shape in shapes if shape.get("outside") not in ("1", "True", "true")]
    if isinstance(found, BadRow):
        yield found
        return
    if shapes and not seen:
        yield BadRow(line, "no_answer", evidence(f"{item}: outside the picture in each frame"))
        return
    whole = Element("track", track.attrib)
    whole.extend([one for part in (track, *seen) for one in part.findall("attribute")])
    values = _labels(place, whole)
    if values is None:
        yield UnreadKey(line, "track.label", evidence(track.get("label")))
        return
    label = one_class(line, values)
    yield _with_evidence(label, given) if isinstance(label, BadRow) else found._replace(label=label)


def _given(line: int, item: str, element: Element, task: CvatTask | None) -> Annotation:
    """Return an answer as yet without a label, by whom the task is assigned to, or the job that the frame is of."""
    if task is None:
        return Annotation(line, item, "")
    job = task.job_of(element.get("id")) if element.tag == "image" else None
    assignee = (job.assignee if job else None) or task.assignee
    return Annotation(line, item, "", assignee, is_truth=task.is_truth or bool(job and job.is_truth))


def _judge_source(given: Annotation, element: Element) -> Annotation | BadRow:
    """Return an answer with who gave it, by what CVAT says of the source; a model's is none."""
    source = source_of(element)
    if source == "auto":
        return BadRow(given.line, "prediction", evidence(f"{given.item_id}: {element.get('label')}"))
    if source == "ground_truth":
        return given._replace(is_truth=True)
    return given._replace(annotator=None) if source in ("consensus", "file") else given


def source_of(element: Element) -> str:
    """Return where CVAT says that a shape is from, in one spelling."""
    return (element.get("source") or "").replace(" ", "_").replace("-", "_").lower()


def _source_key(element: Element) -> frozenset[str]:
    return frozenset({"source"} if source_of(element) in SOURCES else ())


def _labels(place: CvatPlace, element: Element) -> list[object] | None:
    """Return the label of an element, or the values of the attribute that is asked for; None: it has none."""
    if place.question is None:
        return [element.get("label")]
    label, _, name = place.question.rpartition(".")
    wanted = {place.question} | ({name} if label and label == element.get("label") else set())
    found = [one.text for one in element.findall("attribute") if one.get("name") in wanted]
    return list(dict.fromkeys(found)) or None


def _unread(place: CvatPlace, element: Element) -> Iterator[UnreadKey]:
    """Yield what of a tag or shape is not read: its outline, its attributes, a skeleton's points."""
    line, path = place.given.line, f"{place.path}.{element.tag}"
    read = frozenset({"label"}) | _source_key(element)
    yield from unread_elements(line, path, Element(element.tag, element.attrib), read)
    for child in element:
        if child.tag != "attribute":
            yield from unread_elements(line, f"{path}.{child.tag}", child)
        elif place.question is None or child.get("name") not in (place.question, place.question.rpartition(".")[2]):
            named = f"{path}.attribute[{child.get('name')}]"
            yield from unread_elements(line, named, child, frozenset({"name"}))


def _with_evidence(row: BadRow, given: Annotation) -> BadRow:
    return row._replace(evidence=evidence(f"{given.item_id}: {row.evidence}" if row.evidence else given.item_id))


def _video(track: Element, tasks: list[CvatTask], name: str) -> str:
    task = task_of(track, tasks)
    if task is None:
        return track.get("task_id") or name
    is_one = [one.called for one in tasks].count(task.called) == 1
    return (task.called if is_one else task.id) or name


def _read(file: File, options: ReadOptions) -> Read:
    return cvat(str(file.path), file.content, options, file.limits)


CVAT = Tool("cvat", lambda file: file.format == "xml", _read)
