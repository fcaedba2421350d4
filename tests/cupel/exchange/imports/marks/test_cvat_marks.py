import gzip
from pathlib import Path

from cupel.marks.canonical_text import BOXES
from mark_exports import cvat_box, label_of, read_content

BOX = cvat_box(1, 2, 3, 4)


def image(name: str, more: str = "", shapes: str = BOX) -> str:
    return f'<image name="{name}" width="200" height="100" {more}>{shapes}</image>'


def export(images: str, meta: str = "") -> str:
    return f"<annotations><meta>{meta}</meta>{images}</annotations>"


def items_of(folder: Path, content: str, **terms: object) -> list[tuple[str, str | None]]:
    found = read_content(folder, "a.xml", content, BOXES, **terms)
    return [(one.item_id, one.annotator) for one in found.imported.annotations]


def test_pictures_of_one_name_are_told_apart_by_their_subset(tmp_path: Path) -> None:
    images = image("a.jpg", 'id="0" subset="train"') + image("a.jpg", 'id="1" subset="val"') + image("b.jpg", 'id="2"')
    assert items_of(tmp_path, export(images)) == [("train/a.jpg", None), ("val/a.jpg", None), ("b.jpg", None)]


def test_tasks_that_show_one_picture_are_answers_of_their_annotators_where_the_name_is_the_id(tmp_path: Path) -> None:
    tasks = "".join(
        f"<task><id>{number}</id><assignee><username>{who}</username></assignee></task>"
        for number, who in ((1, "ann"), (2, "bob"))
    )
    images = image("a.jpg", 'id="0" task_id="1"') + image("a.jpg", 'id="0" task_id="2"', shapes="")
    content = export(images, f"<project><tasks>{tasks}</tasks></project>")
    assert items_of(tmp_path, content, id_field="name") == [("a.jpg", "ann"), ("a.jpg", "bob")]


def test_a_job_names_its_annotator_and_ground_truth_is_an_experts(tmp_path: Path) -> None:
    segments = (
        "<segment><start>0</start><stop>0</stop><assignee><username>ann</username></assignee></segment>"
        "<segment><start>1</start><stop>1</stop><assignee><username>bob</username></assignee></segment>"
    )
    images = image("a.jpg", 'id="0"') + image("b.jpg", 'id="1"')
    content = export(images, f"<task><id>1</id><segments>{segments}</segments></task>")
    assert items_of(tmp_path, content) == [("a.jpg", "ann"), ("b.jpg", "bob")]
    truth = read_content(tmp_path, "b.xml", export(image("a.jpg", shapes=BOX.replace("manual", "Ground truth"))), BOXES)
    assert [one.reason for one in truth.imported.left] == ["ground_truth"]


def test_what_was_merged_of_several_names_nobody(tmp_path: Path) -> None:
    meta = "<task><id>1</id><assignee><username>ann</username></assignee></task>"
    assert items_of(tmp_path, export(image("a.jpg", shapes=BOX.replace("manual", "consensus")), meta)) == [
        ("a.jpg", None)
    ]


def test_of_a_picture_with_shapes_of_a_model_those_of_people_are_taken(tmp_path: Path) -> None:
    found = read_content(tmp_path, "a.xml", export(image("a.jpg", shapes=BOX + BOX.replace("manual", "auto"))), BOXES)
    assert len(label_of(found)) == 1
    assert [one.reason for one in found.imported.left] == ["prediction"]


def test_deleted_frames_tags_and_shapes_without_a_box_are_told(tmp_path: Path) -> None:
    shapes = f'<points label="a" points="1,2"/><tag label="day"/>{BOX}'
    tracks = '<track id="0" label="car"><box frame="0" xtl="1" ytl="1" xbr="2" ybr="2"/></track>'
    content = export(image("a.jpg", 'deleted="1"') + image("b.jpg", shapes=shapes) + tracks)
    found = read_content(tmp_path, "a.xml", content, BOXES)
    assert sorted(one.reason for one in found.imported.left) == ["other_kind", "other_kind", "skipped", "unread_key"]
    assert len(label_of(found)) == 1


def test_a_zipped_file_and_what_is_kept_of_a_shape(tmp_path: Path) -> None:
    box = BOX.replace("/>", ' occluded="1" z_order="2"><attribute name="c">red</attribute></box>')
    ellipse = '<ellipse label="car" cx="10" cy="10" rx="4" ry="2"/>'
    mask = '<mask label="car" rle="1, 2, 1" left="5" top="6" width="2" height="2"/>'
    content = gzip.compress(export(image("a.jpg", shapes=box + ellipse + mask)).encode())
    kept = [mark["attributes"] for mark in label_of(read_content(tmp_path, "a.xml.gz", content, BOXES))]
    assert kept == [
        {"attributes": {"c": "red"}, "occluded": "1", "z_order": "2"},
        {"mask": {"box": [5, 6, 2, 2], "runs": [1, 2, 1]}},
        {"ellipse": [10.0, 10.0, 4.0, 2.0]},
    ]
