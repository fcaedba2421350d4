"""Formats of image and video data sets that are recognised and not read: what they are, and what to do."""

import re
from collections.abc import Iterable
from typing import Any

from cupel.errors import SourceError
from cupel.exchange.imports.file import File, first_record
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import Read, entries

# So many lines of a file without a header tell its format.
LINES_LOOKED_AT = 20
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
# A line of each format, the most telling first.
AVA_LINE = re.compile(rf"[^,]+,{_NUMBER}(?:,(?:{_NUMBER})?){{4}},\d*(?:,-?\d*)?\Z")
LINES = {
    "a MOT Challenge list of boxes (frame, track, box, class)": re.compile(rf"-?\d+,-?\d+(?:,{_NUMBER}){{4,8}}\Z"),
    "AVA's list of boxes and actions (video, second, box, action, person)": AVA_LINE,
    "YOLO's outlines of one image (class number, outline)": re.compile(rf"\d+(?: {_NUMBER}){{4,}}\Z"),
    "KITTI's objects of one image": re.compile(rf"[A-Za-z_]+ {_NUMBER} -?\d+(?: {_NUMBER}){{12,13}}\Z"),
    "DOTA's rotated boxes of one image": re.compile(rf"(?:{_NUMBER} ){{8}}\S+ [0-2]\Z"),
}  # fmt: skip


def describe_lines(lines: Iterable[str]) -> str | None:
    """Return which format lines without a header are of; None where they are of none.

    >>> describe_lines(["0 0.5 0.5 0.2 0.2"])
    "YOLO's outlines of one image (class number, outline)"
    """
    found = [line.strip() for line in lines if line.strip()]
    return next((name for name, line_of in LINES.items() if found and all(line_of.match(one) for one in found)), None)


def describe_document(document: Any, record: dict[str, Any] | None) -> str | None:
    """Return which format JSON is of, as a whole or by its first record; None where it is of none."""
    whole = document if isinstance(document, dict) else {}
    first = record or {}
    if isinstance(whole.get("items"), list) and isinstance(whole.get("categories"), dict):
        return "Datumaro's JSON"
    if "_via_img_metadata" in whole or any(_is_via(one) for one in list(whole.values())[:1]):
        return "JSON of the VGG Image Annotator (VIA), whose CSV is read"
    if isinstance(whole.get("database"), dict):
        return "ActivityNet's JSON"
    if any("classTitle" in one for one in entries(whole.get("objects"))):
        return "Supervisely's JSON of one image"
    if any("coordinates" in one for one in entries(first.get("annotations"))) and (
        "image" in first or "imagefilename" in first
    ):
        return "CreateML's JSON"
    if any("box2d" in one or "poly2d" in one for one in entries(first.get("labels"))):
        return "Scalabel's (BDD100K's) JSON"
    return None


def _is_via(found: Any) -> bool:
    return isinstance(found, dict) and {"filename", "regions", "file_attributes"} <= set(found)


def _describe(file: File) -> str | None:
    if file.format == "csv":
        head = file.content[:65536].decode("latin-1").splitlines()
        return describe_lines(head[:LINES_LOOKED_AT])
    return describe_document(file.document, first_record(file))


def _read(file: File, options: ReadOptions) -> Read:
    found = _describe(file) or ""
    if found.startswith(("AVA", "ActivityNet")):
        raise SourceError(f"{file.path}: {found}: they are marks in time, which --kind segments reads")
    raise SourceError(
        f"{file.path}: {found}: it is not read. Convert the data set to COCO or to CVAT for images, as CVAT, "
        "Datumaro and FiftyOne do, and name that file"
    )


OTHER_FORMATS = Tool("other-formats", lambda file: _describe(file) is not None, _read)
