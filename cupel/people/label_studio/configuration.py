"""The labeling configuration: what Label Studio shows and asks, made of question, classes and label kind."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from cupel.config.labeling import Labeling
from cupel.errors import WorkforceError
from cupel.modalities.comparison import from_text
from cupel.people.tool_annotation import entries, fields_of, one_class
from cupel.sources.reasons import BadRow

CONTROL = "label"
FLAG = "flag"
OTHERS = "others"
KEY = "task_id"
SHOWN_CHARACTERS = 200
KINDS = ("category", "preference")


def configuration(labeling: Labeling, flag: str | None = None, *, shows_others: bool = False) -> str:
    """Return the labeling configuration as XML.

    Args:
        labeling: Question, classes and label kind.
        flag: What people tick who find something wrong with a task; None: no such box.
        shows_others: Show the field `OTHERS` of the task, too.

    Raises:
        WorkforceError: A class or the question cannot be shown there.
    """
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Header", value=shown_text("question", labeling.question))
    if labeling.kind == "category":
        ElementTree.SubElement(view, "Text", name="text", value="$text")
        about = "text"
    elif labeling.kind == "preference":
        ElementTree.SubElement(view, "Text", name="prompt", value="$prompt")
        for name in ("first", "second"):
            ElementTree.SubElement(view, "Header", value=name, size="4")
            ElementTree.SubElement(view, "Text", name=name, value=f"${name}")
        about = "first"
    else:  # pragma: no cover - a kind that the project file knows and Label Studio does not yet
        raise WorkforceError(f"labeling.kind {labeling.kind}: not labelled in Label Studio yet; it knows {KINDS}")
    if shows_others:
        ElementTree.SubElement(view, "Text", name=OTHERS, value=f"${OTHERS}")
    choices = ElementTree.SubElement(
        view, "Choices", name=CONTROL, toName=about, choice="single", required="true", showInLine="true"
    )
    for name in labeling.classes:
        ElementTree.SubElement(choices, "Choice", value=shown_text("class", name))
    if flag is not None:
        box = ElementTree.SubElement(view, "Choices", name=FLAG, toName=about, choice="multiple")
        ElementTree.SubElement(box, "Choice", value=shown_text("flag", flag))
    made = ElementTree.tostring(view, encoding="unicode")
    try:
        is_same = classes_of(made) == list(labeling.classes)
    except ElementTree.ParseError:
        is_same = False
    if not is_same:
        raise WorkforceError("labeling.classes or question: a character in it cannot stand in XML; remove it")
    return made


def about_of(labeling: Labeling) -> str:
    """Return the name of what the answer is about in the configuration."""
    return "first" if labeling.kind == "preference" else "text"


def classes_of(made: str) -> list[str]:
    """Return the classes that a configuration asks for, in its order; none where it asks something else.

    Raises:
        ElementTree.ParseError: It is no XML.
    """
    return _choices(made, CONTROL)


def flag_in(made: object) -> str | None:
    """Return what a configuration lets people tick who find something wrong; None where there is no such box."""
    try:
        return next(iter(_choices(str(made), FLAG)), None)
    except ElementTree.ParseError:
        return None


def is_configuration_of(found: object, labeling: Labeling) -> bool:
    """Tell whether a server's configuration still asks for exactly these classes, one at a time."""
    try:
        root = ElementTree.fromstring(str(found))
    except ElementTree.ParseError:
        return False
    asked = [choices for choices in root.iter("Choices") if choices.get("name") == CONTROL]
    is_single = len(asked) == 1 and asked[0].get("choice", "single") in ("single", "single-radio")
    return is_single and sorted(classes_of(str(found))) == sorted(labeling.classes)


def task_data(labeling: Labeling, key: str, text: str) -> dict[str, str]:
    """Return what a task shows: the text, or prompt and responses, and our key; nothing else, nobody's label.

    Args:
        labeling: Says the label kind.
        key: Our own id of it.
        text: Text of CLEAN_ITEMS.
    """
    if labeling.kind == "preference":
        compared = from_text(text)
        return {KEY: key, "prompt": compared.prompt, "first": compared.first, "second": compared.second}
    return {KEY: key, "text": text}


def shown_hash(data: Mapping[str, Any]) -> str:
    """Return a hash of what a task shows, our key included.

    >>> shown_hash({"a": "1", "b": "2"}) == shown_hash({"b": "2", "a": "1"})
    True
    """
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:32]


def shows_others(made: object) -> bool:
    """Tell whether a configuration shows what others said."""
    try:
        return any(text.get("name") == OTHERS for text in ElementTree.fromstring(str(made)).iter("Text"))
    except ElementTree.ParseError:
        return False


def label_of(result: Any) -> str:
    """Return the class of an annotation's result; of anything else, words that no ontology holds and that quote it.

    >>> label_of([{"from_name": "label", "value": {"choices": ["warm"]}}])
    'warm'
    >>> label_of([])
    'not a choice: []'
    """
    found = one_class(0, _chosen(result, CONTROL))
    return f"not a choice: {json.dumps(result)[:SHOWN_CHARACTERS]}" if isinstance(found, BadRow) else found


def flagged(result: Any) -> bool:
    """Tell whether who made an annotation's result ticked that something is wrong with the task.

    >>> flagged([{"from_name": "flag", "value": {"choices": ["odd"]}}]), flagged([])
    (True, False)
    """
    return bool(_chosen(result, FLAG))


def _choices(made: str, control: str) -> list[str]:
    root = ElementTree.fromstring(made)
    asked = [found for found in root.iter("Choices") if found.get("name") == control]
    return [choice.get("value", "") for found in asked for choice in found.iter("Choice")] if len(asked) == 1 else []


def _chosen(result: Any, control: str) -> Sequence[object]:
    return [
        choice
        for region in entries(result)
        if region.get("from_name") == control and isinstance(fields_of(region.get("value")).get("choices"), list)
        for choice in region["value"]["choices"]
    ]


def shown_text(what: str, text: str) -> str:
    """Return a text as a configuration may show it; `what` says what it is.

    Raises:
        WorkforceError: Label Studio would read it as a field of the task.
    """
    if text.startswith("$"):
        raise WorkforceError(
            f"labeling, {what} {text!r}: Label Studio reads what begins with $ as a field; write it otherwise"
        )
    return text
