"""Boxes as CVAT's XML for images 1.1: an image an element, with boxes, polygons, ellipses and masks."""

import json
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa
import pyarrow.compute as pc

from cupel.exchange.exports.marks.format_losses import (
    Fit,
    ShownMark,
    change_marks,
    classes_of_marks,
    count_of,
    drop_about_answers,
    drop_attributes,
    drop_facts,
    drop_unanswered,
    keep_one_answer,
    split_outlines,
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
        .then(_name_by_files)
        .then(lambda one: drop_attributes(one, HELD))
        .then(_write_attributes)
        .then(split_outlines)
        .then(lambda one: drop_facts(one, ("path", "width", "height")))
    )


def write_cvat(marked: MarkedItems) -> bytes:
    """Return a file of CVAT."""
    return "".join(_lines(marked)).encode()


def _drop_people(marked: MarkedItems) -> Fit:
    people = pc.unique(marked.answers["annotator"]).to_pylist()
    held = ("annotator",) if len(people) == 1 else ()
    return drop_about_answers(marked, held)


def _name_by_files(marked: MarkedItems) -> Fit:
    """Name items by their files, as CVAT does: an image has no other name there."""
    names = {item: one.path or item for item, one in marked.facts().items()}
    count = sum(name != item for item, name in names.items())
    if not count:
        return Fit(marked)
    if len(set(names.values())) < len(names):  # files of one name: their ids tell them apart
        return drop_facts(marked, ("width", "height"))
    answers, items = (
        table.set_column(0, "item_id", pa.array([names[item] for item in table["item_id"].to_pylist()], pa.string()))
        for table in (marked.answers, marked.items)
    )
    renamed = marked._replace(answers=answers, items=items)
    return Fit(renamed, (f"{count_of(count, 'item')} under the name of the file, and not of the id",))


def _write_attributes(marked: MarkedItems) -> Fit:
    """Write values of attributes as texts, as CVAT does."""
    counts = {"values": 0}

    def change(found: ShownMark) -> dict[str, Any]:
        attributes = found.mark.get(ATTRIBUTES, {})
        values = attributes.get("attributes")
        if not isinstance(values, dict) or all(isinstance(one, str) for one in values.values()):
            return found.mark
        texts = {name: one if isinstance(one, str) else json.dumps(one) for name, one in values.items()}
        counts["values"] += sum(texts[name] != one for name, one in values.items())
        return {**found.mark, ATTRIBUTES: {**attributes, "attributes": texts}}

    changed = change_marks(marked, change)
    told = f"{count_of(counts['values'], 'value of an attribute', 'values of attributes')} as texts"
    return Fit(changed, (told,)) if counts["values"] else Fit(marked)


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
