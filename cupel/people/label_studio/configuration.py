"""The labeling configuration: what Label Studio shows of an item and asks about it, by modality and label kind."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from cupel.config.project import Project
from cupel.contract.kind import Control
from cupel.contract.modality import View
from cupel.errors import WorkforceError

FLAG = "flag"
OTHERS = "others"
SENT_BACK = "sent_back"
KEY = "task_id"
# Label Studio divides the choices under which a control is shown by it.
BETWEEN_CHOICES = ","


def configuration(
    project: Project, flag: str | None = None, *, shows_others: bool = False, shows_reason: bool = False
) -> str:
    """Return the labeling configuration as XML: the modality's views, and the controls of the label kind.

    Args:
        project: Question, label kind and modality.
        flag: What people tick who find something wrong with a task; None: no such box.
        shows_others: Show the field `OTHERS` of the task, too.
        shows_reason: Likewise `SENT_BACK`, why the item was sent back, before the item.

    Raises:
        WorkforceError: A class or the question cannot be shown there.
    """
    view, about = ElementTree.Element("View"), project.modality.about
    ElementTree.SubElement(view, "Header", value=shown_text("question", project.labeling.question))
    if shows_reason:
        ElementTree.SubElement(view, "Text", name=SENT_BACK, value=f"${SENT_BACK}")
    for shown in project.modality.views:
        _add_view(view, shown)
    if shows_others:
        ElementTree.SubElement(view, "Text", name=OTHERS, value=f"${OTHERS}")
    controls = project.kind.controls(project.labeling)
    _check_names(project, controls)
    for control in controls:
        _add_control(view, control, about)
    if flag is not None:
        box = ElementTree.SubElement(view, "Choices", name=FLAG, toName=about, choice="multiple")
        ElementTree.SubElement(box, "Choice", value=shown_text("flag", flag))
    made = ElementTree.tostring(view, encoding="unicode")
    try:
        is_same = controls_of(made) == [control._replace(title=None) for control in controls]
    except ElementTree.ParseError:
        is_same = False
    if not is_same:
        raise WorkforceError("labeling.classes or question: a character in it cannot stand in XML; remove it")
    return made


def _add_view(root: ElementTree.Element, view: View) -> None:
    if view.tag == "Header":
        ElementTree.SubElement(root, "Header", value=view.name, size="4")
    else:
        ElementTree.SubElement(root, view.tag, name=view.name, value=f"${view.name}")


def _add_control(root: ElementTree.Element, control: Control, about: str) -> None:
    condition = _condition(control)
    # A title must not stand there alone while its question is hidden.
    inside = ElementTree.SubElement(root, "View", condition) if condition and control.title is not None else root
    if control.title is not None:
        ElementTree.SubElement(inside, "Header", value=shown_text("question", control.title), size="4")
    how = "multiple" if control.is_multiple else "single"
    asked = {"name": control.name, "toName": about, "choice": how, "required": "true", "showInLine": "true"}
    choices = ElementTree.SubElement(inside, "Choices", asked | condition)
    for name in control.choices:
        ElementTree.SubElement(choices, "Choice", value=shown_text("class", name))


def _condition(control: Control) -> dict[str, str]:
    """Return the attributes that say when a control is shown; none where it always is."""
    if control.shown_if is None:
        return {}
    other, choices = control.shown_if
    for choice in choices:
        if BETWEEN_CHOICES in choice:
            raise WorkforceError(
                f"labeling, {control.name}: is asked after {choice!r}, and Label Studio takes what stands between "
                "commas for choices of their own; write that class without a comma"
            )
    return {"visibleWhen": "choice-selected", "whenTagName": other, "whenChoiceValue": BETWEEN_CHOICES.join(choices)}


def _check_names(project: Project, controls: Sequence[Control]) -> None:
    """Refuse to ask nothing, and controls that could not be told from what else stands in the configuration."""
    if not controls:
        raise WorkforceError(
            f"labeling.kind {project.kind.name}: its labels are not made of choices, so that Label Studio cannot ask "
            "for them yet; set labeling.workforce to recorded"
        )
    taken = {FLAG, OTHERS, KEY, *(view.name for view in project.modality.views if view.tag != "Header")}
    for control in controls:
        if control.name in taken:
            raise WorkforceError(
                f"labeling, {control.name}: something else has that name in Label Studio; name the question otherwise"
            )
        taken.add(control.name)


def controls_of(made: str) -> list[Control]:
    """Return the controls of a configuration but the one to flag a task, in its order, without titles.

    Raises:
        ElementTree.ParseError: It is no XML.
    """
    return list(_controls(ElementTree.fromstring(made)))


def _controls(root: ElementTree.Element) -> Iterator[Control]:
    for choices in root.iter("Choices"):
        if choices.get("name") != FLAG:
            yield Control(
                choices.get("name", ""),
                tuple(choice.get("value", "") for choice in choices.iter("Choice")),
                choices.get("choice", "single") not in ("single", "single-radio"),
                None,
                _shown_if(choices),
            )


def _shown_if(choices: ElementTree.Element) -> tuple[str, tuple[str, ...]] | None:
    """Return under which choices of which control Label Studio shows another one; None: always."""
    if not choices.get("visibleWhen"):
        return None
    return choices.get("whenTagName", ""), tuple(choices.get("whenChoiceValue", "").split(BETWEEN_CHOICES))


def flag_in(made: object) -> str | None:
    """Return what a configuration lets people tick who find something wrong; None where there is no such box."""
    try:
        root = ElementTree.fromstring(str(made))
    except ElementTree.ParseError:
        return None
    asked = [found for found in root.iter("Choices") if found.get("name") == FLAG]
    return next((choice.get("value", "") for choice in asked[0].iter("Choice")), None) if len(asked) == 1 else None


def is_configuration_of(found: object, project: Project) -> bool:
    """Tell whether a server's configuration still asks exactly what the project asks.

    Order and wording of questions are the server's own business, and so are controls of other names.
    """
    try:
        there = controls_of(str(found))
    except ElementTree.ParseError:
        return False
    ours = [_in_any_order(control) for control in project.kind.controls(project.labeling)]
    theirs = [_in_any_order(control) for control in there]
    return all([one for one in theirs if one.name == control.name] == [control] for control in ours)


def _in_any_order(control: Control) -> Control:
    shown = None if control.shown_if is None else (control.shown_if[0], tuple(sorted(control.shown_if[1])))
    return control._replace(choices=tuple(sorted(control.choices)), title=None, shown_if=shown)


def asked_choices(project: Project) -> str:
    """Return all choices that the project's controls offer, for a message."""
    return ", ".join(choice for control in project.kind.controls(project.labeling) for choice in control.choices)


def task_data(project: Project, key: str, content: str) -> dict[str, str]:
    """Return what a task shows: the fields of the modality, and our key; nothing else, nobody's label.

    Args:
        project: Says what an item is.
        key: Our own id of it.
        content: Text of CLEAN_ITEMS.
    """
    return {KEY: key, **project.modality.fields(content)}


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
