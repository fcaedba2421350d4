"""Bad input: rejected with its reason and place, or handled as written; nothing is moved silently."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from cupel.errors import SourceError
from cupel.exchange.imports.answers import MEANINGS
from cupel.exchange.imports.bad_marks import MARK_REASONS, BadMarkError
from cupel.exchange.imports.marks.item_facts import ItemFacts, parse_rate
from cupel.marks.canonical_text import BOXES, SEGMENTS, SPANS
from mark_exports import (
    activitynet,
    coco,
    cvat,
    cvat_box,
    doccano,
    label_of,
    read_content,
    studio,
    studio_box,
    studio_frames,
    studio_span,
)

CLIP = {"one": ItemFacts(duration=10_000_000, frames=250, rate=Fraction(25))}
SMILE = "a \U0001f600 b"
VIDEO, IMAGE, TEXT = {"video": "v.mp4"}, {"image": "a.jpg"}, {"text": "one two"}
CHARADES = "id,actions,length\nv1,{},10\n"
RLE = {"size": [100, 200], "counts": [0, 20_000]}

REJECTED: list[tuple[str, str, str, Any, dict[str, Any], str, str]] = [
    # What is wrong, file, content, form, terms, reason, and what the evidence says.
    ("end before start", "a.json", activitynet([5, 2]), SEGMENTS, {}, "end_before_start",
     "start 5000000, end 2000000"),
    ("empty segment", "a.json", activitynet([5, 5]), SEGMENTS, {}, "end_before_start", "v1, annotations[1].segment"),
    ("end before start in frames", "a.json", studio([studio_frames(9, 3)], VIDEO), SEGMENTS, {"items": CLIP},
     "end_before_start", "result r1: frames 9 to 3"),
    ("end before start in a text", "a.jsonl", doccano("one two", [3, 1, "x"]), SPANS, {}, "end_before_start",
     "label[1]"),
    ("end before start in a row", "a.csv", CHARADES.format("c1 5 2"), SEGMENTS, {}, "end_before_start", "actions, 1"),
    ("corners changed about", "a.xml", cvat(cvat_box(9, 1, 3, 5)), BOXES, {}, "end_before_start",
     "box 1: xtl 9.0, xbr 3.0"),
    ("beyond the clip", "a.json", activitynet([5, 10.1]), SEGMENTS, {}, "beyond_end",
     "ends at 10000000 microseconds"),
    ("beyond the clip in frames", "a.json", studio([studio_frames(1, 251)], VIDEO), SEGMENTS, {"items": CLIP},
     "beyond_end", "frame 251 of 250"),
    ("beyond the text", "a.jsonl", doccano("one two", [3, 9, "x"]), SPANS, {}, "beyond_end", "ends at 7 characters"),
    ("all of it beyond the clip", "a.json", activitynet([10, 10.0000005]), SEGMENTS, {}, "end_before_start", ""),
    ("begins where the clip ends", "a.json", activitynet([10, 11]), SEGMENTS, {"end_tolerance": 2_000_000},
     "beyond_end", ""),
    ("negative time", "a.json", activitynet([-0.5, 2]), SEGMENTS, {}, "before_start", "start -500000"),
    ("negative frame", "a.json", studio([studio_frames(0, 2)], VIDEO), SEGMENTS, {"items": CLIP}, "before_start",
     "from 1"),
    ("negative place", "a.jsonl", doccano("one two", [-1, 2, "x"]), SPANS, {}, "before_start", "start -1"),
    ("negative second", "a.csv", "v,-1,0,0,1,1,2,0\n", SEGMENTS, {"tool": "ava"}, "before_start", "line 1"),
    ("no number of seconds", "a.json", activitynet([float("nan"), 2]), SEGMENTS, {}, "no_number", "segment"),
    ("infinite", "a.json", activitynet([0, float("inf")]), SEGMENTS, {}, "no_number", "expected a finite number"),
    ("infinite by its digits", "a.json", activitynet([0, 1]).replace("[0, 1]", "[0, 1e999]"), SEGMENTS, {},
     "no_number",
     "found 'inf'"),
    ("a word", "a.csv", CHARADES.format("c1 0 nan"), SEGMENTS, {}, "no_number", "found 'nan'"),
    ("a number of all memory", "a.csv", CHARADES.format("c1 0 1e999999999"), SEGMENTS, {}, "no_number", ""),
    ("a fraction of seconds", "a.csv", CHARADES.format("c1 0 1/3"), SEGMENTS, {}, "no_number", "1/3"),
    ("no seconds", "a.csv", CHARADES.format("c1 0"), SEGMENTS, {}, "no_number", "expected class, start and end"),
    ("half a character", "a.jsonl", doccano("one two", [0, 2.5, "x"]), SPANS, {}, "no_number", "whole characters"),
    ("no frame", "a.json", studio([studio_frames(1, None)], VIDEO), SEGMENTS, {"items": CLIP}, "no_number",
     "frames 1 to None"),
    ("nan in a box", "a.json", coco({"bbox": [0, 0, float("nan"), 1]}), BOXES, {}, "no_number",
     "a.jpg, annotations[1] (id 1).bbox"),
    ("nan in XML", "a.xml", cvat(cvat_box("nan", 1, 3, 5)), BOXES, {}, "no_number", "box 1"),
    ("infinite in XML", "a.xml", cvat(cvat_box(0, 1, "inf", 5)), BOXES, {}, "no_number", "box 1"),
    ("no number in XML", "a.xml", cvat(cvat_box("left", 1, 3, 5)), BOXES, {}, "no_number", "xtl 'left'"),
    ("three numbers", "a.json", coco({"bbox": [0, 0, 1]}), BOXES, {}, "no_number", "expected x, y, width and height"),
    ("yes as a number", "a.json", coco({"bbox": [True, 0, 1, 1]}), BOXES, {}, "no_number", "bbox"),
    ("left of the picture", "a.json", coco({"bbox": [-2, 0, 5, 5]}), BOXES, {}, "outside_frame", "x -2 pixels"),
    ("right of the picture", "a.json", coco({"bbox": [190, 0, 20, 5]}), BOXES, {}, "outside_frame", "x ends at 210"),
    ("below the picture", "a.xml", cvat(cvat_box(0, 0, 5, 100.5)), BOXES, {}, "outside_frame",
     "the picture at 100 pixels"),
    ("no width", "a.json", coco({"bbox": [0, 0, 0, 5]}), BOXES, {}, "no_area", "width 0"),
    ("width below a hundredth", "a.json", coco({"bbox": [0, 0, 0.004, 5]}), BOXES, {}, "no_area", "width 0.0"),
    ("negative height", "a.json", coco({"bbox": [0, 0, 5, -5]}), BOXES, {}, "no_area", "height -5"),
    ("no area in AVA", "a.csv", "v,1,.5,0,.5,1,2,0\n", SEGMENTS, {"tool": "ava"}, "no_area", "line 1"),
    ("percent above 100", "a.json", studio([studio_box(100.1, 0, 5, 5)], IMAGE), BOXES, {}, "percent_above_100",
     "100.1"),
    ("width above 100 percent", "a.json", studio([studio_box(0, 0, 120, 5)], IMAGE), BOXES, {}, "percent_above_100",
     "120"),
    ("percent below 0", "a.json", studio([studio_box(-3, 0, 5, 5)], IMAGE), BOXES, {}, "percent_above_100",
     "-3 percent"),
    ("percent of both above 100", "a.json", studio([studio_box(60, 0, 50, 5)], IMAGE), BOXES, {}, "outside_frame",
     "220"),
    ("a turned box", "a.json", studio([studio_box(1, 1, 5, 5, image_rotation=90)], IMAGE), BOXES, {}, "rotated",
     "90"),
    ("a turned box of CVAT", "a.xml", cvat(cvat_box(1, 1, 5, 5, 'rotation="30"')), BOXES, {}, "rotated", "30"),
    ("percent of an unknown size", "a.json", studio([studio_box(1, 1, 5, 5, original_width=None)], IMAGE), BOXES, {},
     "unknown_size", "original_width None"),
    ("unknown rate", "a.json", studio([studio_frames(1, 5)], VIDEO), SEGMENTS, {}, "unknown_rate", "frame"),
    ("a rate that does not go with the clip", "a.json", studio([studio_frames(1, 5)], VIDEO), SEGMENTS,
     {"items": CLIP, "rate": Fraction(30)}, "wrong_rate",
     "250 frames at 30 a second are 8.333 s, the clip has 10.000 s"),
    ("a rate written short", "a.json", studio([studio_frames(1, 5)], VIDEO | {"fps": 29.97}), SEGMENTS, {},
     "wrong_rate",
     "29.97: say 30000/1001"),
    ("a rate of 0", "a.json", studio([studio_frames(1, 5)], VIDEO | {"fps": 0}), SEGMENTS, {}, "wrong_rate",
     "not above 0"),
    ("a varying rate that falls", "a.json", studio([studio_frames(1, 2)], VIDEO), SEGMENTS,
     {"items": {"one": ItemFacts(frame_times=(0, 5, 4))}}, "wrong_rate", "do not rise"),
    ("a varying rate of other frames", "a.json", studio([studio_frames(1, 2)], VIDEO), SEGMENTS,
     {"items": {"one": ItemFacts(frames=4, frame_times=(0, 5, 9))}}, "wrong_rate", "4 frames, and times of 3"),
    ("unknown class", "a.json", activitynet([1, 2]), SEGMENTS, {"classes": ("walk",)}, "unknown_label",
     "expected one of walk"),
    ("half a character in a class", "a.json", activitynet([1, 2]).replace("run", "\\ud83d"), SEGMENTS, {},
     "lone_surrogate", "ud83d"),
    ("half a character: id", "a.json", activitynet([1, 2]).replace("v1", "\\ud83d"), SEGMENTS, {}, "lone_surrogate",
     "ud83d"),
    ("half a character in a text", "a.jsonl", doccano("one", [0, 3, "x"]).replace("one", "on\\ud83d"), SPANS,
     {"unit": "utf-16"}, "lone_surrogate", "ud83d"),
    ("no class", "a.json", activitynet([1, 2]).replace('"run"', "null"), SEGMENTS, {}, "no_class",
     "annotations[1].segment"),
    ("no class in Label Studio", "a.json", studio([studio_box(1, 1, 5, 5, value={"x": 1, "y": 1, "width": 5,
     "height": 5})],
     IMAGE), BOXES, {}, "no_class", "result r1"),
    ("a class that the file lacks", "a.json", coco({"bbox": [0, 0, 5, 5], "category_id": 7}), BOXES, {},
     "unknown_category",
     "category_id 7"),
    ("a mask of another size", "a.json", coco({"bbox": [0, 0, 5, 5], "segmentation": {**RLE, "size": [200, 100]}}),
     BOXES, {},
     "rle_size", "size [200, 100], the picture's is [100, 200]"),
    ("a mask of fewer pixels", "a.json", coco({"bbox": [0, 0, 5, 5], "segmentation": {**RLE, "counts": [0, 5]}}),
     BOXES, {},
     "rle_size", "runs of 5 pixels, the mask has 20000"),
    ("a mask of CVAT of fewer pixels", "a.xml",
     cvat('<mask label="car" rle="0, 5" left="1" top="1" width="2" height="3"/>'),
     BOXES, {}, "rle_size", "runs of 5 pixels"),
    ("an outline of half a point", "a.json", coco({"bbox": [0, 0, 5, 5], "segmentation": [[1, 2, 3]]}), BOXES, {},
     "no_number",
     "segmentation"),
    ("inside a surrogate pair", "a.jsonl", doccano(SMILE, [0, 3, "x"]), SPANS, {"unit": "utf-16"}, "split_character",
     "label[1]: place 3 in UTF-16"),
    ("a unit that matters", "a.jsonl", doccano(SMILE, [0, 3, "x"]), SPANS, {}, "unknown_unit", "utf-16 count"),
    ("graphemes", "a.jsonl", doccano("e\u0301a", [0, 1, "x"]), SPANS, {"unit": "graphemes"}, "unknown_unit",
     "graphemes"),
    ("a quote that does not stand there", "a.json", studio([studio_span(0, 3, "two")], TEXT), SPANS, {},
     "text_differs",
     "result r1: 'two', there stands 'one'"),
    ("a text that was changed since", "a.jsonl", doccano("caf\u00e9", [0, 4, "x"]), SPANS,
     {"items": {"1": ItemFacts(text="cafe\u0301")}}, "other_content", "text"),
    ("a place in HTML", "a.json", studio([studio_span("/p[1]/text()[1]", "/p[1]/text()[1]")], TEXT), SPANS, {},
     "html_place",
     "/p[1]"),
    ("a clip of another length", "a.json", activitynet([1, 2]), SEGMENTS,
     {"items": {"v1": ItemFacts(duration=9_000_000)}},
     "other_content", "duration"),
    ("a picture of another size", "a.json", coco({"bbox": [0, 0, 5, 5]}), BOXES,
     {"items": {"a.jpg": ItemFacts(width=100)}},
     "other_content", "width"),
    ("a tag that is none", "a.conll", "one\tX-drug\ntwo\tO\n", SPANS, {"tool": "conll"}, "broken_tag", "line 1"),
    ("a token that does not stand in the text", "a.conll", "# text = one two\none\tB-x\nthree\tO\n", SPANS, {},
     "broken_tag",
     "line 3"),
    ("no list of marks", "a.json", activitynet([1, 2], annotations={"a": 1}), SEGMENTS, {}, "unexpected_shape", "v1"),
    ("no action", "a.csv", "v,1,0,0,1,1,,0\n", SEGMENTS, {"tool": "ava"}, "unexpected_shape",
     "the seventh an action"),
    ("a model's", "a.json", coco({"bbox": [0, 0, 5, 5], "score": 0.5}), BOXES, {}, "prediction", "a.jpg"),
    ("a model's in CVAT", "a.xml", cvat(cvat_box(0, 0, 5, 5).replace("manual", "auto")), BOXES, {}, "prediction",
     "a.jpg"),
    ("skipped", "a.json", studio([], TEXT, was_cancelled=True), SPANS, {}, "skipped", "one"),
    ("labels that are kept back", "a.json", activitynet(subset="testing"), SEGMENTS, {}, "no_answer", "v1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "form", "terms", "reason", "said"),
    [case[1:] for case in REJECTED],
    ids=[case[0] for case in REJECTED],
)
def test_bad_marks_are_rejected_with_reason_and_place(
    tmp_path: Path, name: str, content: str, form: Any, terms: dict[str, Any], reason: str, said: str
) -> None:
    found = read_content(tmp_path, name, content, form, **terms)
    assert found.imported.annotations == []
    left = [one for one in found.imported.left if one.reason != "unread_key"]
    assert [one.reason for one in left] == [reason]
    assert said in left[0].evidence
    assert left[0].file == name
    assert left[0].line >= 1
    assert reason in MEANINGS


def test_every_reason_is_met_by_a_test_or_said_by_another() -> None:
    met = {case[5] for case in REJECTED}
    assert set(MARK_REASONS) - met == {"bad_mark"}


def test_one_bad_mark_costs_its_answer_and_no_other(tmp_path: Path) -> None:
    content = activitynet([1, 2], [3, 99]).replace(
        '{"database": {', '{"database": {"v0": {"duration": 3, "annotations": []}, '
    )
    found = read_content(tmp_path, "a.json", content, SEGMENTS)
    assert [(one.item_id, one.label) for one in found.imported.annotations] == [("v0", "[]")]
    assert "v1, annotations[2].segment" in found.imported.left[0].evidence


@pytest.mark.parametrize(
    ("head", "said"),
    [('<!DOCTYPE x [<!ENTITY a "b">]>', "DTD"), ("<!-- a --><broken", "not valid XML")],
)
def test_xml_with_entities_is_not_read(tmp_path: Path, head: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read_content(tmp_path, "a.xml", cvat(cvat_box(0, 0, 5, 5), head), BOXES)


@pytest.mark.parametrize(
    ("name", "content", "form", "said"),
    [
        ("a.xml", "<annotation><object/></annotation>", BOXES, "expected <annotations>"),
        ("a.xml", cvat(""), SPANS, "holds boxes, and no spans"),
        ("a.json", activitynet([1, 2]), BOXES, "activitynet holds segments, and no boxes"),
        ("a.json", '{"a": 1}', BOXES, "formats are coco, label-studio, parquet, table, cvat, webdataset"),
        ("a.tar", b"not a tar file", BOXES, "not a tar file"),
    ],
)
def test_files_of_another_kind_are_refused(tmp_path: Path, name: str, content: Any, form: Any, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read_content(tmp_path, name, content, form)


@pytest.mark.parametrize("short", ["23.976", "29.97", 59.94, "fast", "-1", 0, "1/0", "1e99999999", "nan", "inf", None])
def test_rates_that_say_no_fraction_are_refused(short: object) -> None:
    with pytest.raises(BadMarkError):
        parse_rate(short)


HANDLED: list[tuple[str, str, str, Any, dict[str, Any], list[dict[str, Any]], str]] = [
    # What is special, file, content, form, terms, marks, and what is told.
    ("an end within the tick", "a.json", activitynet([1, 10.000001]), SEGMENTS, {},
     [{"class": "run", "start": 1_000_000, "end": 10_000_000}], "1 marks end beyond their item"),
    ("an end within what is allowed", "a.csv", CHARADES.format("c1 1.1 11.54"), SEGMENTS,
     {"end_tolerance": 1_600_000},
     [{"class": "c1", "start": 1_100_000, "end": 10_000_000}], "cut to its end"),
    ("a box within a hundredth of a pixel", "a.json", coco({"bbox": [-0.01, 0, 200.02, 100.009]}), BOXES, {},
     [{"class": "car", "x": 0, "y": 0, "width": 200, "height": 100}], "cut to it"),
    ("an item without a mark", "a.json", coco(), BOXES, {}, [], ""),
    ("an item without a mark in CVAT", "a.xml", cvat(""), BOXES, {}, [], ""),
    ("an item without a mark in Label Studio", "a.json", studio([], TEXT), SPANS, {}, [], ""),
    ("an item without a mark in doccano", "a.jsonl", doccano("one"), SPANS, {}, [], ""),
    ("an item without a mark in Charades", "a.csv", CHARADES.format(""), SEGMENTS, {}, [], ""),
    ("an item without a mark in ActivityNet", "a.json", activitynet(), SEGMENTS, {}, [], ""),
    ("the same mark twice", "a.json", activitynet([1, 2], [1, 2]), SEGMENTS, {},
     [{"class": "run", "start": 1_000_000, "end": 2_000_000}], "1 marks stand twice in their answer: taken once"),
    ("marks that overlap nearly whole", "a.json", activitynet([1, 2], [1.01, 2]), SEGMENTS, {},
     [{"class": "run", "start": 1_000_000, "end": 2_000_000}, {"class": "run", "start": 1_010_000, "end": 2_000_000}],
     "1 marks overlap another of their class and annotator by 90% or more: kept as written"),
    ("boxes that overlap nearly whole", "a.json", coco({"bbox": [0, 0, 10, 10]}, {"bbox": [0, 0, 10, 10.1]}), BOXES,
     {},
     [{"class": "car", "x": 0, "y": 0, "width": 10, "height": 10},
     {"class": "car", "x": 0, "y": 0, "width": 10, "height": 10.1}],
     "kept as written"),
    ("inside a combining sequence", "a.jsonl", doccano("e\u0301a", [0, 1, "x"]), SPANS, {"unit": "code-points"},
     [{"class": "x", "start": 0, "end": 1}], "1 spans begin or end between a character and the accent"),
    ("halves of UTF-16", "a.jsonl", doccano(SMILE, [5, 6, "x"]), SPANS, {"unit": "utf-16"},
     [{"class": "x", "start": 4, "end": 5}], ""),
    ("code points by the quote", "a.json", studio([studio_span(4, 5, "b")], {"text": SMILE}), SPANS, {},
     [{"class": "drug", "start": 4, "end": 5}], ""),
    ("UTF-16 by the quote, as before 1.5", "a.json", studio([studio_span(5, 6, "b")], {"text": SMILE}), SPANS, {},
     [{"class": "drug", "start": 4, "end": 5}], "1 annotations count characters in UTF-16"),
    ("a quote with other white space", "a.json", studio([studio_span(0, 7, "one\\ntwo")], {"text": "one\ntwo"}),
     SPANS, {},
     [{"class": "drug", "start": 0, "end": 7}], ""),
    ("frames at 30000/1001", "a.json", studio([studio_frames(31, 60)], VIDEO), SEGMENTS,
     {"rate": Fraction(30000, 1001)},
     [{"class": "run", "start": 1_001_000, "end": 2_002_000}], ""),
    ("one frame", "a.json", studio([studio_frames(250, 250)], VIDEO), SEGMENTS, {"items": CLIP},
     [{"class": "run", "start": 9_960_000, "end": 10_000_000}], ""),
    ("a clip of one frame", "a.json", studio([studio_frames(1, 1)], VIDEO), SEGMENTS,
     {"items": {"one": ItemFacts(duration=40_000, frames=1, rate=Fraction(25))}},
     [{"class": "run", "start": 0, "end": 40_000}], ""),
    ("a varying rate by its frames' times", "a.json", studio([studio_frames(2, 3)], VIDEO), SEGMENTS,
     {"items": {"one": ItemFacts(duration=100_000, frame_times=(0, 10_000, 60_000))}},
     [{"class": "run", "start": 10_000, "end": 100_000}], ""),
    ("audio in seconds", "a.json", studio([{"id": "r1", "type": "labels", "original_length": 9.5,
      "value": {"start": 0.25, "end": 9.5, "channel": 0, "labels": ["talk"]}}], {"audio": "a.wav"}), SEGMENTS, {},
     [{"class": "talk", "start": 250_000, "end": 9_500_000}], ""),
    ("a polygon", "a.xml", cvat('<polygon label="car" points="1,2;5.5,2;3,9.25"/>'), BOXES, {},
     [{"class": "car", "x": 1, "y": 2, "width": 4.5, "height": 7.25,
       "attributes": {"outlines": [[[1.0, 2.0], [5.5, 2.0], [3.0, 9.25]]]}}],
     "1 marks have outlines or masks: kept as attributes, not fused"),
    ("a mask", "a.json", coco({"bbox": [0, 0, 200, 100], "segmentation": RLE, "iscrowd": 1}), BOXES, {},
     [{"class": "car", "x": 0, "y": 0, "width": 200, "height": 100, "attributes": {"iscrowd": 1, "rle": RLE}}],
     "kept as attributes, not fused"),
    ("an outline without a box", "a.json", coco({"segmentation": [[1, 2, 5, 2, 3, 9]]}), BOXES, {},
     [{"class": "car", "x": 1, "y": 2, "width": 4, "height": 7,
     "attributes": {"outlines": [[[1, 2], [5, 2], [3, 9]]]}}], ""),
    ("tags without beginnings, as CoNLL-2003's", "a.conll",
     "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\n",
     SPANS, {}, [{"class": "ORG", "start": 0, "end": 2}], "1 spans begin with I, E or L"),
    ("a class that was declared", "a.json", activitynet([1, 2]).replace("run", "None"), SEGMENTS,
     {"classes": ("None",)},
     [{"class": "None", "start": 1_000_000, "end": 2_000_000}], ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "form", "terms", "marks", "said"),
    [case[1:] for case in HANDLED],
    ids=[case[0] for case in HANDLED],
)
def test_what_is_special_is_handled_as_written_and_told(
    tmp_path: Path, name: str, content: str, form: Any, terms: dict[str, Any], marks: list[dict[str, Any]], said: str
) -> None:
    found = read_content(tmp_path, name, content, form, **terms)
    assert label_of(found) == marks
    assert any(said in notice for notice in [*found.imported.notices, ""])
