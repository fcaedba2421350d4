"""Small files of marks as the tools write them, with what a test wants in them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cupel.exchange.imports.marks.drawn_answers import MarkTerms
from cupel.exchange.imports.marks.mark_files import ReadMarks, read_mark_files
from cupel.marks.canonical_text import MarkForm


def read_content(folder: Path, name: str, content: str | bytes, form: MarkForm, **terms: Any) -> ReadMarks:
    """Read one file; `tool` of the terms names its format."""
    path = folder / name
    path.write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
    tool = terms.pop("tool", None)
    return read_mark_files([path], form, tool, MarkTerms(**terms))


def label_of(found: ReadMarks) -> list[Any]:
    """Return the marks of the only answer."""
    (one,) = found.imported.annotations
    marks: list[Any] = json.loads(one.label)
    return marks


def studio(results: Sequence[Mapping[str, Any]], data: Mapping[str, Any], **note: Any) -> str:
    """Return an export of Label Studio of one task and annotation."""
    annotation = {"id": 1, "completed_by": {"id": 1, "email": "ann@x.org"}, "result": list(results), **note}
    return json.dumps([{"id": 5, "data": {"id": "one", **data}, "annotations": [annotation]}])


def studio_span(start: object, end: object, quote: str | None = None, name: str = "drug") -> dict[str, Any]:
    """Return a result that marks a span."""
    said = {} if quote is None else {"text": quote}
    value = {"start": start, "end": end, **said, "labels": [name]}
    return {"id": "r1", "from_name": "label", "to_name": "text", "type": "labels", "value": value}


def studio_box(x: object, y: object, width: object, height: object, **more: Any) -> dict[str, Any]:
    """Return a result that marks a box, in percent of 200 x 100 pixels."""
    value = {"x": x, "y": y, "width": width, "height": height, "rotation": 0, "rectanglelabels": ["car"]}
    size = {"original_width": 200, "original_height": 100, "image_rotation": 0}
    return {
        "id": "r1",
        "from_name": "label",
        "to_name": "image",
        "type": "rectanglelabels",
        "value": value,
        **size,
        **more,
    }


def studio_frames(start: object, end: object) -> dict[str, Any]:
    """Return a result that marks frames of a timeline."""
    value = {"ranges": [{"start": start, "end": end}], "timelinelabels": ["run"]}
    return {"id": "r1", "from_name": "label", "to_name": "video", "type": "timelinelabels", "value": value}


def coco(*notes: Mapping[str, Any], **image: Any) -> str:
    """Return a COCO file of one image of 200 x 100 pixels and one category."""
    given = [{"id": number, "image_id": 1, "category_id": 1, **note} for number, note in enumerate(notes, 1)]
    shown = {"id": 1, "file_name": "a.jpg", "width": 200, "height": 100, **image}
    return json.dumps({"images": [shown], "categories": [{"id": 1, "name": "car"}], "annotations": given})


def cvat(shapes: str, head: str = "") -> str:
    """Return a CVAT file of one image of 200 x 100 pixels."""
    image = f'<image id="0" name="a.jpg" width="200" height="100">{shapes}</image>'
    return f'<?xml version="1.0" encoding="utf-8"?>{head}<annotations><version>1.1</version>{image}</annotations>'


def cvat_box(left: object, top: object, right: object, bottom: object, more: str = "") -> str:
    """Return a box of CVAT."""
    return f'<box label="car" source="manual" xtl="{left}" ytl="{top}" xbr="{right}" ybr="{bottom}" {more}/>'


def activitynet(*segments: Sequence[object], **record: Any) -> str:
    """Return an ActivityNet file of one video of ten seconds."""
    notes = [{"segment": list(segment), "label": "run"} for segment in segments]
    shown = {"duration": 10.0, "subset": "training", "annotations": notes, **record}
    return json.dumps({"database": {"v1": shown}})


def doccano(text: str, *spans: Sequence[object]) -> str:
    """Return a doccano file of one text."""
    return json.dumps({"id": 1, "text": text, "label": [list(span) for span in spans]}, ensure_ascii=False) + "\n"
