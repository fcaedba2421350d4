"""Choices: what people chose in Label Studio as labels, and labels as what they would have chosen."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from cupel.config.project import Project
from cupel.contract.columns import TEXT
from cupel.people.label_studio.configuration import FLAG
from cupel.people.tool_annotation import entries, fields_of

SHOWN_CHARACTERS = 200


def label_of(result: Any, project: Project) -> str:
    """Return the label of an annotation's result; of anything else, words that are no label and that quote it.

    One choice that is no label quotes itself. All that was chosen is put before the kind, also in a control that is
    not shown after the other answers: whether a contradiction is an answer, the kind says.

    Args:
        result: Regions, as the server lists them.
        project: Says what a label is.
    """
    kind, ontology = project.kind, project.labeling.ontology
    controls = {control.name: control for control in kind.controls(project.labeling)}
    chosen = {name: choices for name, choices in chosen_of(result).items() if name in controls}
    label = kind.read_controls(chosen, ontology)
    if label is not None:
        return label
    if len(chosen) == 1:
        ((name, choices),) = chosen.items()
        is_foreign = len(choices) == 1 and choices[0] != "" and choices[0] not in controls[name].choices
        if is_foreign and not kind.parse(pa.array(choices, TEXT), ontology)[0].is_valid:
            return choices[0]
    return f"not a choice: {json.dumps(result)[:SHOWN_CHARACTERS]}"


def chosen_of(result: Any) -> dict[str, tuple[str, ...]]:
    """Return what was chosen, by control, each choice once and in the order in which it stands there.

    >>> chosen_of([{"from_name": "label", "value": {"choices": ["warm", "warm"]}}, {"from_name": "box"}])
    {'label': ('warm',)}
    """
    found: dict[str, list[object]] = {}
    for region in entries(result):
        name, choices = region.get("from_name"), fields_of(region.get("value")).get("choices")
        if isinstance(name, str) and isinstance(choices, list):
            found.setdefault(name, []).extend(choices)
    return {name: _texts_of(choices) for name, choices in found.items()}


def flagged(result: Any) -> bool:
    """Tell whether who made an annotation's result ticked that something is wrong with the task.

    >>> flagged([{"from_name": "flag", "value": {"choices": ["odd"]}}]), flagged([])
    (True, False)
    """
    return bool(chosen_of(result).get(FLAG))


def result_of(label: str, project: Project) -> list[dict[str, Any]]:
    """Return the result in which somebody says a label, as Label Studio imports it."""
    about = project.modality.about
    return [
        {"from_name": control, "to_name": about, "type": "choices", "value": {"choices": list(choices)}}
        for control, choices in _choices(label, project).items()
        if choices
    ]


def show_label(label: str, project: Project) -> str:
    """Return a label in the words of the controls; with their names where there are several."""
    said = {control: " + ".join(choices) for control, choices in _choices(label, project).items() if choices}
    if len(said) == 1:
        return next(iter(said.values()))
    return " / ".join(f"{control}: {words}" for control, words in said.items()) or label


def _choices(label: str, project: Project) -> Mapping[str, Any]:
    return project.kind.write_controls(label, project.labeling.ontology)


def _texts_of(choices: Iterable[object]) -> tuple[str, ...]:
    """Return choices as the configuration wrote them: a project's class may be called None, or 1.0."""
    texts = (str(choice).encode("utf-8", "replace").decode().strip() for choice in choices if choice is not None)
    return tuple(dict.fromkeys(text for text in texts if text))
