"""Labeling configurations of the kinds that mark a part: spans of text, boxes, key points, and both in video."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, get_args
from xml.etree import ElementTree

from cupel.errors import WorkforceError
from cupel.people.label_studio.configuration import shown_text

RegionKind = Literal["spans", "boxes", "keypoints", "video_timeline", "video_boxes"]
FRAMES_A_SECOND = 25.0
CONTROL = "label"


class _Tags(NamedTuple):
    """What shows the item, the field of the task's data that it takes it from, and what marks it."""

    item: str
    field: str
    marker: str


_TAGS: Mapping[RegionKind, _Tags] = {
    "spans": _Tags("Text", "text", "Labels"),
    "boxes": _Tags("Image", "image", "RectangleLabels"),
    "keypoints": _Tags("Image", "image", "KeyPointLabels"),
    "video_timeline": _Tags("Video", "video", "TimelineLabels"),
    "video_boxes": _Tags("Video", "video", "Labels"),
}


def region_configuration(
    kind: RegionKind, question: str, classes: Sequence[str], frames_a_second: float = FRAMES_A_SECOND
) -> str:
    """Return the labeling configuration of a kind that marks parts of an item, as XML.

    For whoever sets up such a project there by hand: nothing of Cupel calls it yet. The chain publishes, adjudicates
    and certifies whole items, and imports take the classes of marks, not where they lie.

    Args:
        kind: What is marked, in what.
        question: What annotators are asked.
        classes: The ontology; a mark has one class.
        frames_a_second: Of a video: results count frames, so it must be the video's own.

    Raises:
        WorkforceError: The kind is unknown, or a text cannot be shown there.

    >>> print(region_configuration("spans", "Who?", ["person"]))  # doctest: +ELLIPSIS
    <View><Header value="Who?" /><Labels name="label" toName="text"><Label value="person" /></Labels><Text name="te...
    """
    if kind not in get_args(RegionKind):
        raise WorkforceError(f"kind {kind!r}: no configuration is known; allowed: {', '.join(get_args(RegionKind))}")
    if not frames_a_second > 0:
        raise WorkforceError(f"frames a second: found {frames_a_second}; expected a number above 0")
    tags = _TAGS[kind]
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Header", value=shown_text("question", question))
    marker = ElementTree.SubElement(view, tags.marker, name=CONTROL, toName=tags.field)
    for name in classes:
        ElementTree.SubElement(marker, "Label", value=shown_text("class", name))
    rate = {"framerate": str(frames_a_second)} if tags.item == "Video" else {}
    ElementTree.SubElement(view, tags.item, {"name": tags.field, "value": f"${tags.field}", **rate})
    if kind == "video_boxes":
        ElementTree.SubElement(view, "VideoRectangle", name="box", toName=tags.field)
    made = ElementTree.tostring(view, encoding="unicode")
    try:
        is_same = region_classes(made) == list(classes)
    except ElementTree.ParseError:
        is_same = False
    if not is_same:
        raise WorkforceError("classes or question: a character in it cannot stand in XML; remove it")
    return made


def region_classes(made: str) -> list[str]:
    """Return the classes that such a configuration offers, in its order.

    Raises:
        ElementTree.ParseError: It is no XML.
    """
    return [label.get("value", "") for label in ElementTree.fromstring(made).iter("Label")]
