"""VGG Image Annotator's CSV and LabelMe's JSON: objects and files have own labels, and each key is used or told."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from cupel.errors import SourceError
from cupel.exchange.imports.gate import Export
from cupel.exchange.imports.tool import ReadOptions
from cupel.exchange.imports.tools import read_export
from cupel.people.tool_annotation import Annotation

HEADER = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"
LABELME: dict[str, Any] = {
    "version": "5.4.1", "flags": {"indoor": True, "blurred": False}, "imagePath": "a.jpg", "imageHeight": 4,
    "shapes": [{"label": "cat", "points": [[0, 0], [1, 1]], "group_id": 3, "flags": {"hard": True}, "description": "x",
                "shape_type": "rectangle"}],
}  # fmt: skip


def write_via(folder: Path, rows: list[tuple[str, dict[str, Any], int, dict[str, Any]]]) -> Path:
    def quote(content: dict[str, Any]) -> str:
        return '"' + json.dumps(content).replace('"', '""') + '"'

    lines = [f"{name},9,{quote(of_file)},2,{number},{quote({'name': 'rect'})},{quote(of_region)}"
             for name, of_file, number, of_region in rows]  # fmt: skip
    path = folder / "via.csv"
    path.write_text(HEADER + "\n".join(lines) + "\n")
    return path


def brief(export: Export) -> list[tuple[Any, ...]]:
    return [
        (one.item_id, one.label, one.annotator) if isinstance(one, Annotation) else (one.line, one.reason)
        for one in export.annotations
    ]


def test_attributes_of_regions_label_objects_and_those_of_files_their_files(tmp_path: Path) -> None:
    day = {"light": "day"}
    regions = [{"kind": "cat"}, {"kind": {"cat": True, "dog": False}}, {"kind": ""}, {"kind": "cat", "pose": "up"}]
    path = write_via(tmp_path, [(f"{number // 2}.jpg", day, number % 2, one) for number, one in enumerate(regions)])
    with pytest.raises(SourceError, match=r"'kind', 'file.light', 'pose'\); name one with --question"):
        read_export(path)
    export = read_export(path, options=ReadOptions("kind", annotator="ann"))
    assert export.tool == "via"
    assert brief(export) == [("0.jpg#0", "cat", "ann"), ("0.jpg#1", "cat", "ann"), (4, "no_answer"),
                             ("1.jpg#1", "cat", "ann")]  # fmt: skip
    told = {one.path for one in export.unread}
    assert told == {
        "file_size", "file_attributes.light", "region_count", "region_shape_attributes", "region_attributes.pose"
    }  # fmt: skip
    files = read_export(path, options=ReadOptions("light"))
    assert brief(files) == [("0.jpg", "day", None), ("1.jpg", "day", None)]


def test_shapes_of_labelme_are_objects_and_flags_classes_of_the_image(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(LABELME))
    export = read_export(path, options=ReadOptions(annotator="ann"))
    assert (export.tool, brief(export)) == ("labelme", [("a.jpg", "indoor", "ann"), ("a.jpg#1", "cat", "ann")])
    for place in ((), ("flags",), ("shapes", 0), ("shapes", 0, "flags")):
        changed = deepcopy(LABELME)
        inside: Any = changed
        for key in place:
            inside = inside[key]
        inside["marked"] = "here"
        path.write_text(json.dumps(changed))
        assert any(one.path.endswith("marked") for one in read_export(path).unread), place
    for key in ("version", "imageHeight"):
        assert key in {one.path for one in export.unread}
