"""COCO's JSON: what an annotation is of, its class and state, and what is told of the rest."""

from pathlib import Path
from typing import Any

import pytest

from cupel.errors import SourceError
from cupel.exchange.imports.answers import gather
from cupel.exchange.imports.gate import Export
from cupel.exchange.imports.tool import ReadOptions
from cupel.exchange.imports.tools import NO_OPTIONS, read_export
from tests.cupel.exchange.imports.export_keys import show, unseen_keys, untold_marks, write_records

BOX = {"bbox": [0, 0, 1, 1]}
SAMPLE = {
    "info": {"year": 2020},
    "licenses": [{"id": 1}],
    "images": [{"id": 1, "file_name": "a.jpg", "width": 4, "height": 3, "license": 1, "extra": {"name": "x"}}],
    "categories": [{"id": 3, "name": "cat", "supercategory": "pet", "keypoints": ["nose"]}],
    "annotations": [
        {"id": 8, "image_id": 1, "category_id": 3, "bbox": [0, 0, 1, 1], "area": 2, "iscrowd": 1,
         "segmentation": {"counts": "a", "size": [4, 3]}, "attributes": {"occluded": True}},
        {"image_id": 1, "file_name": "b.png", "segments_info": [{"id": 7, "category_id": 3, "area": 9}]},
        {"id": 9, "image_id": 1, "category_id": 3, "bbox": [1, 1, 1, 1], "score": 0.5},
        {"id": 10, "image_id": 1, "category_id": 3, "bbox": [1, 1, 2, 1], "ignore": 1},
        {"id": 11, "image_id": 1, "caption": "so"},
    ],
}  # fmt: skip


def read(folder: Path, options: ReadOptions = NO_OPTIONS, name: str = "in.json", **parts: Any) -> Export:
    found = {"images": [{"id": 1, "file_name": "a.jpg"}], "categories": [{"id": 1, "name": "cat"}], **parts}
    return read_export(write_records(folder, found, name), options=options)  # type: ignore[arg-type]


def note(number: object = 1, image: object = 1, category: object = 1, **more: Any) -> dict[str, Any]:
    return {"id": number, "image_id": image, "category_id": category, **(more or BOX)}


def test_each_key_of_a_coco_file_is_read_or_told(tmp_path: Path) -> None:
    assert untold_marks(tmp_path, SAMPLE) == []  # type: ignore[arg-type]
    assert unseen_keys(tmp_path, SAMPLE) == []  # type: ignore[arg-type]


def test_states_and_kinds_of_annotations_are_told(tmp_path: Path) -> None:
    found = read_export(write_records(tmp_path, SAMPLE))  # type: ignore[arg-type]
    assert show(found.annotations) == [
        ("a.jpg#8", "cat", None), ("a.jpg#7", "cat", None), ("prediction", "a.jpg: cat, score 0.5"),
        ("skipped", "a.jpg: cat, ignore 1"), ("other_kind", "a.jpg: caption so"),
    ]  # fmt: skip


def test_numbers_that_stand_for_several_things_name_none_of_them(tmp_path: Path) -> None:
    twice = [{"id": 1, "file_name": "a.jpg"}, {"id": 1, "file_name": "b.jpg"}, {"id": 2, "file_name": "c.jpg"}]
    found = read(tmp_path, images=twice, annotations=[note(), note(2, 2)])
    assert show(found.annotations) == [("one_id_two_items", "image 1: a.jpg | b.jpg"), ("c.jpg#2", "cat", None)]
    classes = [{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}, {"id": 2}, {"id": 3, "name": "cat"}]
    found = read(tmp_path, categories=classes, annotations=[note(), note(2, 1, 2), note(3, 1, 3), note(4, 1, [3])])
    assert show(found.annotations) == [
        ("unknown_category", "a.jpg#1: category 1: cat and dog"),
        ("unknown_category", "a.jpg#2: category 2: has no name"), ("a.jpg#3", "cat", None),
        ("unknown_category", "a.jpg#4: category_id [3]"),
    ]  # fmt: skip
    found = read(tmp_path, categories=[{"id": 1, "name": "cat"}, {"id": 5, "name": "cat"}], annotations=[note()])
    assert found.notices == ["2 categories are named 'cat': they are one class"]


def test_pictures_of_one_file_name_and_annotations_of_one_number_are_told_apart(tmp_path: Path) -> None:
    images = [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "a.jpg"}]
    found = read(tmp_path, images=images, annotations=[note(), note(1, "2"), note(1, 2.0), note(None, 1)])
    assert [one[0] for one in show(found.annotations)] == [
        "1/a.jpg#1",
        "2/a.jpg#1.2",
        "2/a.jpg#1.3",
        "1/a.jpg#annotation.4",
    ]


def test_a_picture_without_annotation_has_no_answer(tmp_path: Path) -> None:
    found = read(tmp_path, images=[{"id": 2, "file_name": "b.jpg"}, {"id": 1}], annotations=[note()])
    assert show(found.annotations) == [("1#1", "cat", None), ("no_answer", "b.jpg")]
    with pytest.raises(SourceError, match="images without any annotation"):
        read(tmp_path, annotations=[])


def test_annotations_without_outlines_are_classes_of_their_pictures(tmp_path: Path) -> None:
    bare = {"id": 1, "image_id": 1, "category_id": 1}
    found = read(tmp_path, annotations=[bare, {**bare, "id": 2}])
    assert show(found.annotations) == [("a.jpg", "cat", None)]
    found = read(tmp_path, categories=[{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
                 annotations=[bare, {**bare, "category_id": 2}])  # fmt: skip
    assert show(found.annotations) == [("several_choices", "a.jpg: cat, dog")]


def test_objects_of_two_files_with_one_id_and_different_boxes_are_not_one(tmp_path: Path) -> None:
    both = [read(tmp_path, name=f"{x}.json", annotations=[note(bbox=[x, 0, 1, 1])]) for x in (1, 2)]
    assert [one.reason for one in gather(both).left if one.reason != "unread_key"] == ["one_id_two_items"] * 2
    same = [read(tmp_path, name=f"{x}.json", annotations=[note()]) for x in (1, 2)]
    assert len(gather(same).annotations) == 2


def test_an_attribute_or_a_field_of_the_picture_can_be_named(tmp_path: Path) -> None:
    notes = [note(1, attributes={"state": "torn"}, **BOX), note(2)]
    found = read(tmp_path, ReadOptions(question="state", id_field="id"), annotations=notes)
    assert show(found.annotations) == [("1#1", "torn", None), ("no_answer", "1#2: ")]
    with pytest.raises(SourceError, match=r"no annotation has the attribute 'mood' \(--question\); there is state"):
        read(tmp_path, ReadOptions(question="mood"), annotations=notes)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([{"image_id": 1, "category_id": 1, "bbox": [], "score": 0.9}], "results: a model's, and no labels of people"),
        ([{"image_id": 1, "caption": "so"}], "annotations without images"),
        ([{"image_id": 1, "category_id": 1, "keypoints": [], "score": 1}], "results"),
        ({"images": [{"id": 1}], "annotations": [{"id": 1, "image_id": 1, "caption": "so"}]}, "captions"),
    ],
)
def test_results_and_captions_are_refused_with_what_to_name(tmp_path: Path, found: Any, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read_export(write_records(tmp_path, found))
