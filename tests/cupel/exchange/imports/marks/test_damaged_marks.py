"""Files of marks that were mended by hand: anything may stand anywhere, and nothing but a clear error comes of it."""

import json
import re
from copy import deepcopy
from fractions import Fraction
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cupel.errors import SourceError
from cupel.exchange.exports.marks.mark_writers import MARK_WRITERS, format_marks
from cupel.exchange.imports.marks.item_facts import ItemFacts
from cupel.exchange.imports.marks.mark_files import ReadMarks, read_mark_files
from cupel.exchange.imports.marks.marked_items import make_marked_items
from cupel.marks.canonical_text import BOXES, FORMS, SEGMENTS, SPANS, MarkError, MarkForm, read_marks, write_marks
from mark_exports import cvat, cvat_box
from tests.cupel.exchange.imports.test_damaged import ANYTHING, places

SIZE = {"original_width": 200, "original_height": 100, "image_rotation": 0}
RESULTS: dict[str, list[dict[str, Any]]] = {
    SPANS.name: [{"id": "r", "type": "labels", "value": {"start": 0, "end": 3, "text": "one", "labels": ["PER"]}}],
    BOXES.name: [
        {
            "id": "r",
            "value": {"x": 1, "y": 2, "width": 3, "height": 4, "rotation": 0, "rectanglelabels": ["car"]},
            **SIZE,
        },
        {"id": "s", "value": {"points": [[1, 2], [3, 2], [3, 9]], "polygonlabels": ["car"]}, **SIZE},
    ],
    SEGMENTS.name: [
        {"id": "r", "value": {"ranges": [{"start": 1, "end": 5}], "timelinelabels": ["run"]}},
        {"id": "s", "original_length": 9.5, "value": {"start": 1, "end": 2, "channel": 0, "labels": ["run"]}},
    ],
}
DATA = {"text": "one two", "image": "a.jpg", "video": "v.mp4", "rate": "25", "frames": 250, "duration": 10}
COCO = {
    "images": [{"id": 1, "file_name": "a", "width": 200, "height": 100}],
    "categories": [{"id": 3, "name": "cat"}],
    "annotations": [
        {"id": 8, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4], "segmentation": [[1, 2, 3, 2, 3, 9]],
         "keypoints": [1, 2, 2], "num_keypoints": 1, "attributes": {"a": 1}},
        {"id": 9, "image_id": 1, "category_id": 3, "bbox": [0, 0, 1, 1], "iscrowd": 1,
         "segmentation": {"size": [100, 200], "counts": [0, 5, 19_995]}},
    ],
}  # fmt: skip
ACTIVITYNET = {"database": {"v": {"duration": 9.5, "subset": "training", "resolution": "320x240", "url": "u",
               "annotations": [{"segment": [1, 2.5], "label": "run"}]}}}  # fmt: skip
DOCCANO = [
    {
        "id": 1,
        "text": "one two",
        "label": [[0, 3, "x"]],
        "entities": [{"label": "X", "start_offset": 4, "end_offset": 7}],
    }
]
TABLE = [{"item": "a", "annotator": "x", "class": "run", "start": 1, "end": 2}]
OWN = {"item_id": "a", "annotator": "x", "label": [{"class": "car", "x": 1, "y": 2, "width": 3, "height": 4}],
     "width": 9,
       "height": 9, "rate": "25", "frame_times": [0, 1], "path": "p", "seconds_spent": 1,
     "is_truth": False}  # fmt: skip
XML = cvat(
    cvat_box(1, 2, 3, 4)
    + '<polygon label="car" points="1,2;3,2;3,9"/><ellipse label="car" cx="9" cy="9" rx="2" ry="1"/>'
    '<mask label="car" rle="1, 2, 1" left="1" top="1" width="2" height="2"/>'
)
LINES = (
    "# item_id = t\n# text = one two\none\tB-x\ntwo\tI-x\n",
    "v,1,.1,.2,.3,.4,5,6\n",
    "id,actions,length\nv,c1 1 2;c2 2 3,9\n",
)


def documents() -> list[tuple[MarkForm, Any]]:
    tasks = [
        (
            form,
            [
                {
                    "id": 1,
                    "data": DATA,
                    "annotations": [{"id": 2, "completed_by": {"email": "a"}, "result": RESULTS[form.name]}],
                }
            ],
        )
        for form in FORMS
    ]
    return [*tasks, (BOXES, COCO), (SEGMENTS, ACTIVITYNET), (SPANS, DOCCANO), (SPANS, TABLE), (SEGMENTS, TABLE)]


def check(path: Path, form: MarkForm, tool: str | None = None) -> None:
    """Read a file; what is read has its canonical text, and every format takes it or says why not."""
    try:
        found: ReadMarks = read_mark_files([path], form, tool)
    except SourceError:
        return
    for one in found.imported.annotations:
        assert write_marks(read_marks(one.label, form), form) == one.label
    tables = found.tables
    for writer in MARK_WRITERS:
        if form in writer.forms:
            format_marks(tables, writer.name, is_lossy=True)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_value_of_any_kind_anywhere_is_told_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    form, document = deepcopy(data.draw(st.sampled_from(documents())))
    *parents, key = data.draw(st.sampled_from(places(document)))
    inside: Any = document
    for parent in parents:
        inside = inside[parent]
    inside[key] = data.draw(ANYTHING | st.floats() | st.integers(-(10**30), 10**30))
    path = tmp_path / "export.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    check(path, form)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(key=st.sampled_from(list(OWN)), value=ANYTHING | st.floats())
def test_a_sample_of_webdataset_with_any_value_is_told_or_refused(tmp_path: Path, key: str, value: Any) -> None:
    import io
    import tarfile

    content = json.dumps({**OWN, key: value}).encode()
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        entry = tarfile.TarInfo("1.json")
        entry.size = len(content)
        file.addfile(entry, io.BytesIO(content))
    check(tmp_path / "a.tar", BOXES)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_any_value_of_xml_is_told_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    found = data.draw(st.sampled_from(list(re.finditer(r'"([^"]*)"', XML))))
    value = data.draw(st.text("0123456789.,;-enaif x", max_size=8))
    (tmp_path / "a.xml").write_text(f'{XML[: found.start()]}"{value}"{XML[found.end() :]}')
    check(tmp_path / "a.xml", BOXES)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_any_characters_in_lines_are_told_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, 2))
    lines, tool = LINES[number], ("conll", "ava", "charades")[number]
    place = data.draw(st.integers(0, len(lines)))
    changed = lines[:place] + data.draw(st.text(max_size=5)) + lines[place + data.draw(st.integers(0, 3)) :]
    path = tmp_path / ("a.conll" if tool == "conll" else "a.csv")
    path.write_bytes(changed.encode("utf-8", "surrogatepass"))
    check(path, SPANS if tool == "conll" else SEGMENTS, tool)


NAMES = (
    "outlines",
    "rle",
    "ellipse",
    "mask",
    "boxes",
    "person",
    "attributes",
    "keypoints",
    "iscrowd",
    "occluded",
    "any",
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(attributes=st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=2), form=st.sampled_from(FORMS))
def test_attributes_that_are_not_what_their_names_say_are_dropped_and_told(
    tmp_path: Path, attributes: dict[str, Any], form: MarkForm
) -> None:
    edges = {"start": 1, "end": 2} if form != BOXES else {"x": 1, "y": 2, "width": 3, "height": 4}
    try:
        label = write_marks([{"class": "7", **edges, "attributes": attributes}], form)
    except MarkError:  # infinite
        return
    facts = ItemFacts(text="one two", duration=10, frames=10, rate=Fraction(10**6), width=9, height=9)
    marked = make_marked_items([("t", None, label)], {"t": facts}, form)
    for writer in MARK_WRITERS:
        if form in writer.forms:
            format_marks(marked, writer.name, is_lossy=True)
