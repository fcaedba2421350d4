"""How several questions are asked in a labeling tool, and how what was chosen becomes one label."""

import json
from collections.abc import Mapping, Sequence

from cupel.config.labeling import Labeling
from cupel.contract.kind import Control
from cupel.contract.ontology import Ontology
from cupel.kinds.category.classes import LABEL
from cupel.kinds.questions.answers import is_asked, kind_of, write_answers


def controls(labeling: Labeling) -> tuple[Control, ...]:
    """Return what a labeling tool asks: a control a question, shown only where the answers before it ask it.

    A tool can look at one question only; where several must have been answered in some way, the last of them is
    looked at, and who answers too much gives no label.
    """
    made = []
    for section, question in zip(labeling.questions, labeling.ontology.questions, strict=True):
        kind, _ = kind_of(question)
        (control,) = kind.controls(labeling.model_copy(update={"classes": question.classes}))
        shown_if = question.asked_if[-1] if question.asked_if else None
        made.append(control._replace(name=question.name, title=section.question, shown_if=shown_if))
    return tuple(made)


def read_controls(chosen: Mapping[str, Sequence[str]], ontology: Ontology) -> str | None:
    """Return the label of what was chosen; None where a question is unanswered, or answered that was not asked."""
    given: dict[str, str] = {}
    for question in ontology.questions:
        said = chosen.get(question.name, ())
        if not is_asked(question, given):
            if said:
                return None
            continue
        kind, inner = kind_of(question)
        answer = kind.read_controls({LABEL: said}, inner)
        if answer is None:
            return None
        given[question.name] = answer
    return write_answers(given)


def write_controls(label: str, ontology: Ontology) -> Mapping[str, Sequence[str]]:
    """Return what to choose, by question, to say a label; questions that it does not ask are left out."""
    given, chosen = json.loads(label), {}
    for question in ontology.questions:
        if question.name in given:
            kind, inner = kind_of(question)
            (chosen[question.name],) = kind.write_controls(given[question.name], inner).values()
    return chosen
