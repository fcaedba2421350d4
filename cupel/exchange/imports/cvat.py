"""CVAT's XML: tags are classes of an image, shapes and tracks are objects of a class."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

from cupel.errors import SourceError
from cupel.exchange.imports.file import File
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.exchange.imports.xml_tree import parse_xml
from cupel.people.tool_annotation import Annotation, Read, ReadChoices, object_id, one_class
from cupel.sources.input_limits import DEFAULT_LIMITS, InputLimits
from cupel.sources.reasons import BadRow, evidence

SHAPES = ("box", "polygon", "polyline", "points", "cuboid", "ellipse", "mask", "skeleton")


def is_cvat(content: bytes) -> bool:
    """Tell whether bytes look like XML."""
    return content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def cvat(name: str, content: bytes, read: ReadChoices = one_class, limits: InputLimits = DEFAULT_LIMITS) -> Read:
    """Yield the annotations of a CVAT file, of images or of video.

    A tag labels its image. A shape is the object `image#number`, a track the object `task#track id`. CVAT names no
    annotator of a shape: it is the assignee of the task, where there is one. Attributes and outlines are left out.

    Args:
        name: The file, for errors.
        content: Its bytes.
        read: Returns the label of an image's tags.
        limits: How many elements and levels are read.

    Yields:
        Annotations in the file's order, and what is not understood; `line` is the number of the image or track.

    Raises:
        SourceError: The file is no XML, no CVAT export, larger than the limits, or has a DTD, which is never read.
    """
    root = parse_xml(name, content, limits)
    if root.tag != "annotations":
        raise SourceError(f"{name}: XML of <{root.tag}>; expected CVAT's <annotations>")
    assignee = root.findtext("meta/task/assignee/username") or root.findtext("meta/job/assignee/username") or None
    task = root.findtext("meta/task/name") or root.findtext("meta/task/id") or name
    line = 0
    for element in root:
        if element.tag == "image":
            line += 1
            yield from _image(line, element, assignee, read)
        elif element.tag == "track":
            line += 1
            label, item = element.get("label"), object_id(task, element.get("id", line))
            found = one_class(line, [label])
            yield (
                found if isinstance(found, BadRow) else Annotation(line, item, found, assignee, fields={"video": task})
            )
        elif element.tag not in ("version", "meta"):
            yield BadRow(line, "unexpected_shape", evidence(f"<{element.tag}>"))


def _image(
    line: int, image: ElementTree.Element, annotator: str | None, read: ReadChoices
) -> Iterator[Annotation | BadRow]:
    item = image.get("name") or image.get("id")
    if not item:
        yield BadRow(line, "missing_id", evidence("<image> without name and id"))
        return
    given = Annotation(line, item, "", annotator, fields={"image": item})
    tags = [element.get("label") for element in image if element.tag == "tag"]
    if tags:
        label = read(line, tags)
        yield label if isinstance(label, BadRow) else given._replace(label=label)
    shapes = [element for element in image if element.tag in SHAPES]
    for number, shape in enumerate(shapes, 1):
        label = one_class(line, [shape.get("label")])
        yield label if isinstance(label, BadRow) else given._replace(item_id=object_id(item, number), label=label)
    for element in image:
        if element.tag != "tag" and element.tag not in SHAPES:
            yield BadRow(line, "unexpected_shape", evidence(f"{item}: <{element.tag}>"))
    if not tags and not shapes:
        yield BadRow(line, "no_answer", evidence(item))


def _read(file: File, options: ReadOptions) -> Read:
    return cvat(str(file.path), file.content, options.read, file.limits)


CVAT = Tool("cvat", lambda file: file.format == "xml", _read)
