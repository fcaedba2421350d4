from typing import get_args
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.errors import WorkforceError
from cupel.people.label_studio.regions import RegionKind, region_classes, region_configuration

WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12).filter(
    lambda word: not word.startswith("$")
)
KINDS = get_args(RegionKind)


@pytest.mark.parametrize("kind", KINDS)
@given(classes=st.lists(WORDS, min_size=1, max_size=5, unique=True), question=WORDS)
def test_classes_and_question_come_through_whatever_signs_they_hold(
    kind: RegionKind, classes: list[str], question: str
) -> None:
    made = region_configuration(kind, question, classes)
    assert region_classes(made) == classes
    header = ElementTree.fromstring(made).find("Header")
    assert header is not None
    assert header.get("value") == question


@pytest.mark.parametrize(("kind", "tags"), [
    ("spans", ["Header", "Labels", "Text"]),
    ("boxes", ["Header", "RectangleLabels", "Image"]),
    ("keypoints", ["Header", "KeyPointLabels", "Image"]),
    ("video_timeline", ["Header", "TimelineLabels", "Video"]),
    ("video_boxes", ["Header", "Labels", "Video", "VideoRectangle"]),
])  # fmt: skip
def test_every_kind_has_its_tags_and_every_control_points_at_the_item(kind: RegionKind, tags: list[str]) -> None:
    root = ElementTree.fromstring(region_configuration(kind, "Which?", ["a", "b"], 29.97))
    assert [tag.tag for tag in root] == tags
    item = next(tag for tag in root if tag.get("value", "").startswith("$"))
    assert {tag.get("toName") for tag in root if tag.get("toName")} == {item.get("name")}
    assert item.get("framerate") == ("29.97" if kind.startswith("video") else None)


def test_what_cannot_be_shown_is_refused() -> None:
    with pytest.raises(WorkforceError, match=r"begins with \$"):
        region_configuration("boxes", "Which?", ["$5"])
    with pytest.raises(WorkforceError, match="cannot stand in XML"):
        region_configuration("boxes", "Which?", ["a\x01"])
    with pytest.raises(WorkforceError, match="kind 'stars': no configuration is known"):
        region_configuration("stars", "Which?", ["a"])  # type: ignore[arg-type]
    with pytest.raises(WorkforceError, match="frames a second: found 0"):
        region_configuration("video_boxes", "Which?", ["a"], 0)
