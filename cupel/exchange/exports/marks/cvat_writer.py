"""Boxes as CVAT's XML for images 1.1: an image an element, with boxes, polygons, ellipses and masks."""

from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pyarrow.compute as pc

from cupel.exchange.exports.marks.fitting import (
    Fit,
    classes_of_marks,
    count_of,
    drop_about_answers,
    drop_attributes,
    drop_facts,
    drop_unanswered,
    keep_one_answer,
)
from cupel.exchange.imports.marks.item_facts import ItemFacts
from cupel.exchange.imports.marks.marked_items import MarkedItems
from cupel.marks.canonical_text import ATTRIBUTES, CLASS, read_marks

HELD = ("outlines", "ellipse", "mask", "occluded", "z_order", "group_id", "attributes")


def fit_cvat(marked: MarkedItems) -> Fit:
    """Return what CVAT's XML holds: one answer an item, and one annotator, as whom the task is assigned to."""
    return (
        drop_unanswered(marked)
        .then(keep_one_answer)
        .then(_drop_people)
        .then(_drop_ids)
        .then(lambda one: drop_attributes(one, HELD))
        .then(_split_outlines)
        .then(lambda one: drop_facts(one, ("path", "width", "height")))
    )


def write_cvat(marked: MarkedItems) -> bytes:
    """Return a file of CVAT."""
    return "".join(_lines(marked)).encode()


def _drop_people(marked: MarkedItems) -> Fit:
    people = pc.unique(marked.answers["annotator"]).to_pylist()
    held = ("annotator",) if len(people) == 1 else ()
    return drop_about_answers(marked, held)


def _drop_ids(marked: MarkedItems) -> Fit:
    """Name items by their files, as CVAT does: an image has no other name there."""
    count = sum(one.path not in (None, item) for item, one in marked.facts().items())
    return Fit(marked, (f"{count_of(count, 'item')} under the name of the file, and not of the id",) if count else ())


def _split_outlines(marked: MarkedItems) -> Fit:
    """Count marks of several outlines: CVAT's polygon has one."""
    texts = marked.answers["label"].to_pylist()
    marks = [mark for text in texts if '"outlines"' in text for mark in read_marks(text, marked.form)]
    count = sum(len(mark.get(ATTRIBUTES, {}).get("outlines", ())) > 1 for mark in marks)
    told = f"{count_of(count, 'mark')} of several outlines as boxes, without their outlines"
    return Fit(marked, (told,) if count else ())


def _lines(marked: MarkedItems) -> Iterator[str]:
    facts, people = marked.facts(), pc.unique(marked.answers["annotator"]).to_pylist()
    yield '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n  <meta>\n    <task>\n'
    if len(people) == 1 and people[0] is not None:
        yield f"      <assignee>\n        <username>{escape(people[0])}</username>\n      </assignee>\n"
    yield "      <labels>\n"
    yield from (f"        <label><name>{escape(name)}</name></label>\n" for name in classes_of_marks(marked))
    yield "      </labels>\n    </task>\n  </meta>\n"
    for number, row in enumerate(marked.answers.to_pylist()):
        yield from _image(number, row["item_id"], facts[row["item_id"]], read_marks(row["label"], marked.form))
    yield "</annotations>\n"


def _image(number: int, item: str, facts: ItemFacts, marks: list[dict[str, Any]]) -> Iterator[str]:
    size = "".join(f' {key}="{value}"' for key, value in (("width", facts.width), ("height", facts.height)) if value)
    yield f'  <image id="{number}" name={quoteattr(facts.path or item)}{size}>\n'
    for mark in marks:
        attributes = mark.get(ATTRIBUTES, {})
        tag, place = _place(mark, attributes)
        further = {"occluded": "0", "source": "manual", "z_order": "0"} | {
            key: attributes[key] for key in ("occluded", "z_order", "group_id") if key in attributes
        }
        said = "".join(f" {key}={quoteattr(str(value))}" for key, value in (place | further).items())
        yield f"    <{tag} label={quoteattr(mark[CLASS])}{said}>\n"
        for name, value in attributes.get("attributes", {}).items():
            yield f"      <attribute name={quoteattr(name)}>{escape(str(value))}</attribute>\n"
        yield f"    </{tag}>\n"
    yield "  </image>\n"


def _place(mark: dict[str, Any], attributes: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the element of a mark, and where it says that it lies."""
    if len(attributes.get("outlines", ())) == 1:
        return "polygon", {"points": ";".join(f"{x},{y}" for x, y in attributes["outlines"][0])}
    if "ellipse" in attributes:
        return "ellipse", dict(zip(("cx", "cy", "rx", "ry"), attributes["ellipse"], strict=True))
    if "mask" in attributes:
        box, runs = attributes["mask"]["box"], attributes["mask"]["runs"]
        place = dict(zip(("left", "top", "width", "height"), box, strict=True))
        return "mask", {"rle": ", ".join(map(str, runs)), **place}
    far = [round(mark[begin] + mark[length], 2) for begin, length in (("x", "width"), ("y", "height"))]
    return "box", {"xtl": mark["x"], "ytl": mark["y"], "xbr": far[0], "ybr": far[1]}
