"""CVAT's XML: which picture an answer is of, who gave it, its state, and what is told of the rest."""

import re
from pathlib import Path

import pytest

from cupel.errors import SourceError
from cupel.exchange.imports.answers import gather
from cupel.exchange.imports.gate import Export
from cupel.exchange.imports.tool import ReadOptions
from cupel.exchange.imports.tools import NO_OPTIONS, read_export
from tests.cupel.exchange.imports.export_keys import show

TASK = "<task><id>{0}</id><name>{1}</name><subset>{2}</subset><assignee><username>{3}</username></assignee></task>"
TASKS = [TASK.format(11, "clip", "train", "ann"), TASK.format(12, "clip", "val", "bob")]
PROJECT = f"<project><tasks>{''.join(TASKS)}</tasks></project>"
SAMPLE = """<annotations><version>1.1</version><meta><task><id>5</id><name>street</name><mode>annotation</mode>
<segments><segment><id>1</id><start>0</start><stop>9</stop><assignee>bob</assignee></segment></segments>
<assignee><username>ann</username><email>a@x.org</email></assignee><labels><label><name>car</name></label></labels></task>
<dumped>today</dumped></meta>
<image id="0" name="a.png" width="4"><tag label="day" source="manual"><attribute name="light">low</attribute></tag>
<box label="car" occluded="1" xtl="1"><attribute name="colour">red</attribute></box>
<skeleton label="person" z_order="2"><points label="nose" points="1,1" outside="0"/></skeleton></image>
<track id="3" label="car" source="manual">
<box frame="0" outside="0" xtl="1"><attribute name="parked">yes</attribute></box>
<box frame="1" outside="1" xtl="2"/></track></annotations>"""


def read(folder: Path, content: str, options: ReadOptions = NO_OPTIONS, name: str = "in.xml") -> Export:
    (folder / name).write_text(content, encoding="utf-8")
    return read_export(folder / name, options=options)


def export(meta: str, *inside: str) -> str:
    return f"<annotations><version>1.1</version><meta>{meta}</meta>{''.join(inside)}</annotations>"


def test_pictures_of_one_name_are_told_apart_by_subset_task_or_number(tmp_path: Path) -> None:
    def image(subset: str, task: int, number: int = 0) -> str:
        return f'<image id="{number}" name="f.png" subset="{subset}" task_id="{task}"><tag label="day"/></image>'

    found = read(tmp_path, export(PROJECT, image("train", 11), image("val", 12)))
    assert show(found.annotations) == [("train/f.png", "day", "ann"), ("val/f.png", "day", "bob")]
    assert "'f.png'" in found.notices[0]
    found = read(tmp_path, export(PROJECT, image("val", 11), image("val", 12)))
    assert show(found.annotations) == [("11/f.png", "day", "ann"), ("12/f.png", "day", "bob")]
    # A honeypot is one frame of the task that is there again.
    found = read(tmp_path, export(PROJECT, image("val", 11), image("val", 11, 7)))
    assert [one[0] for one in show(found.annotations)] == ["0/f.png", "7/f.png"]
    found = read(tmp_path, export(PROJECT, image("val", 11), image("val", 11)))
    assert [one[0] for one in show(found.annotations)] == ["one_id_two_items"] * 2


def test_tasks_with_pictures_of_one_name_are_not_one_item_unless_the_name_is_named_as_the_id(tmp_path: Path) -> None:
    def task(number: int, person: str) -> str:
        box = '<image id="0" name="a.png"><tag label="day"/><box label="car" xtl="1"/></image>'
        return export(TASK.format(number, "t", "train", person), box)

    both = [read(tmp_path, task(5, "ann"), name="one.xml"), read(tmp_path, task(6, "bob"), name="two.xml")]
    assert [one.reason for one in gather(both).left if one.reason != "unread_key"] == ["one_id_two_items"] * 4
    named = ReadOptions(id_field="name")
    both = [read(tmp_path, task(5, "ann"), named, "one.xml"), read(tmp_path, task(6, "bob"), named, "two.xml")]
    assert show(gather(both).annotations) == [
        ("a.png", "day", "ann"), ("a.png#5-1", "car", "ann"), ("a.png", "day", "bob"), ("a.png#6-1", "car", "bob"),
    ]  # fmt: skip


def test_states_of_shapes_frames_tracks_and_jobs_are_read(tmp_path: Path) -> None:
    task = TASK.format(5, "t", "", "ann")
    shapes = '<box label="a" source="auto"/><box label="b" source="semi-auto"/><box label="c" source="consensus"/>'
    tracks = (
        '<track id="0" label="x"><box frame="0" outside="1"/></track><track id="0" label="y"><box frame="0"/></track>'
    )
    gone = '<image id="1" name="b.png" deleted="True"><tag label="day"/></image>'
    found = read(tmp_path, export(task, f'<image id="0" name="a.png">{shapes}</image>', gone, tracks))
    assert show(found.annotations) == [
        ("prediction", "a.png#1: a"), ("a.png#2", "b", "ann"), ("a.png#3", "c", None),
        ("skipped", "b.png: the frame is deleted"), ("no_answer", "t#0.3: outside the picture in each frame"),
        ("t#0.4", "y", "ann"),
    ]  # fmt: skip
    job = "<job><id>9</id><type>ground_truth</type><assignee>eve</assignee></job>"
    found = read(tmp_path, export(job, '<image id="0" name="a.png"><tag label="day"/></image>'))
    assert [(one.annotator, one.is_truth) for one in found.annotations] == [("eve", True)]  # type: ignore[union-attr]


def test_the_assignee_of_a_job_stands_before_the_tasks_and_several_jobs_without_are_told(tmp_path: Path) -> None:
    segment = "<segment><start>{0}</start><stop>{0}</stop>{1}</segment>"
    task = "<task><id>5</id><assignee><username>ann</username></assignee><segments>{}</segments></task>"
    images = [f'<image id="{n}" name="{n}.png"><tag label="day"/></image>' for n in (0, 1)]
    bob = "<assignee><username>bob</username></assignee>"
    found = read(tmp_path, export(task.format(segment.format(0, "") + segment.format(1, bob)), *images))
    assert [one[2] for one in show(found.annotations)] == ["ann", "bob"]
    assert not found.notices
    found = read(tmp_path, export(task.format(segment.format(0, "") + segment.format(1, "")), *images))
    assert "has 2 jobs" in found.notices[0]


def test_an_attribute_that_is_named_is_the_label(tmp_path: Path) -> None:
    tag = '<image id="{0}" name="{0}.png"><tag label="quality"><attribute name="value">{1}</attribute></tag></image>'
    content = export(
        "", tag.format(0, "good"), tag.format(1, "bad"), '<image id="2" name="2.png"><tag label="day"/></image>'
    )
    for question in ("value", "quality.value"):
        found = read(tmp_path, content, ReadOptions(question=question))
        assert show(found.annotations) == [("0.png", "good", None), ("1.png", "bad", None)]
        assert ("image.tag.label", "day") in [(key.path, key.found) for key in found.unread]
    found = read(tmp_path, content)
    assert [one[1] for one in show(found.annotations)] == ["quality", "quality", "day"]
    assert "quality.value" in found.notices[0]
    with pytest.raises(SourceError, match=r"no label has the attribute 'mood' \(--question\); there is quality.value"):
        read(tmp_path, content, ReadOptions(question="mood"))


def test_a_tracks_attribute_that_changes_is_no_single_label(tmp_path: Path) -> None:
    shape = '<box frame="{}" outside="0"><attribute name="doing">{}</attribute></box>'
    content = export("", f'<track id="0" label="man">{shape.format(0, "walks")}{shape.format(1, "sits")}</track>')
    found = read(tmp_path, content, ReadOptions(question="doing"))
    assert [one[0] for one in show(found.annotations)] == ["several_choices"]


def test_each_attribute_and_element_of_a_cvat_file_is_read_or_told(tmp_path: Path) -> None:
    """A marked attribute and a marked element are put into every element in turn."""
    ends = [(match.start(1), match.group(0)) for match in re.finditer(r"<\w[^<>]*?(/?>)", SAMPLE)]
    assert len(ends) > 20
    for at, _ in ends:
        found = read(tmp_path, f'{SAMPLE[:at]} marked="zz_value"{SAMPLE[at:]}')
        assert any(key.path.endswith(".marked") for key in found.unread), SAMPLE[at - 30 : at]
    for match in re.finditer(r"</\w+>", SAMPLE):
        inside = f"{SAMPLE[: match.start()]}<marked>zz_value</marked>{SAMPLE[match.start() :]}"
        found = read(tmp_path, inside)
        assert any("zz_value" in key.found for key in found.unread) or "<marked>" in repr(found.annotations)


def test_each_value_of_a_cvat_file_shows_in_what_is_read_or_told(tmp_path: Path) -> None:
    whole = read(tmp_path, SAMPLE)
    for match in [*re.finditer(r'="([^"]+)"', SAMPLE), *re.finditer(r">([^<>\s][^<>]*)<", SAMPLE)]:
        if match.group(0) == ">9<":
            continue  # the last frame of a job: that it is later shows only in frames that there are not
        changed = read(tmp_path, f"{SAMPLE[: match.start(1)]}97{SAMPLE[match.end(1) :]}")
        seen = [(one.annotations, one.unread, one.notices) for one in (whole, changed)]
        assert seen[0] != seen[1], match.group(0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("head", ['<!DOCTYPE a [<!ENTITY b "bb">]>', '<!DOCTYPE a SYSTEM "a.dtd">'])
def test_document_types_are_refused_in_any_encoding(tmp_path: Path, head: str, encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding[:6]}"?>{head}<annotations/>'
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (tmp_path / "in.xml").write_bytes((mark + declared).encode(encoding))
    with pytest.raises(SourceError, match="DTD"):
        read_export(tmp_path / "in.xml")


def test_deep_xml_and_other_xml_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="elements in each other"):
        read(tmp_path, "<annotations>" + "<a>" * 200_000)
    with pytest.raises(SourceError, match="Pascal VOC"):
        read(tmp_path, "<annotation><object><name>cat</name></object></annotation>")
