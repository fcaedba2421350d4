"""Choices of an export as labels of a kind: several of one answer are one label, where the kind takes them."""

from collections.abc import Iterable, Sequence

import pyarrow as pa

from cupel.config.labeling import Experts, Labeling
from cupel.contract.columns import TEXT
from cupel.contract.kind import Control, Kind
from cupel.contract.ontology import Ontology
from cupel.errors import SourceError
from cupel.people.tool_annotation import ReadChoices, texts_of
from cupel.sources.class_values import MISSING_WORDS
from cupel.sources.reasons import BadRow, evidence


def controls_of(kind: Kind, ontology: Ontology) -> tuple[Control, ...]:
    """Return what a labeling tool asks for labels of a kind, where no project says what is asked of whom."""
    experts = Experts.model_construct(description="")
    return kind.controls(
        Labeling.model_construct(kind=kind.name, question="", classes=ontology.classes, experts=experts)
    )


def make_reader(kind: Kind, classes: Sequence[str], separator: str | None = None) -> ReadChoices:
    """Return what reads the choices of one answer as a label of a kind.

    That nothing was chosen is no answer: that none of the classes holds is said by a choice of the kind's own, or in a
    table by the label's text.

    Args:
        kind: Says what a label is.
        classes: The ontology.
        separator: What stands between classes in one text; None: such texts are not divided.

    Raises:
        SourceError: The kind asks several questions, no class is named, or the separator stands in one.
    """
    if separator is not None and (not separator or (holding := [name for name in classes if separator in name])):
        why = f"stands in the class {holding[0]!r}" if separator else "is empty"
        raise SourceError(f"--separator {separator!r}: {why}; name another")
    ontology = Ontology(tuple(classes))
    controls = controls_of(kind, ontology)
    if controls and not classes:
        raise SourceError(f"--kind {kind.name}: a file does not tell which classes there are; name them with --classes")
    # Of a kind whose questions are not named, any choice would be the label that answers none.
    if len(controls) > 1 or (not controls and kind.read_controls({}, ontology) is not None):
        raise SourceError(f"--kind {kind.name}: answers to several questions are not imported yet; import one question")

    def label_of(names: Sequence[str]) -> str | None:
        found = kind.read_controls({control.name: names for control in controls}, ontology)
        if found is None and len(names) == 1:
            found = kind.parse(pa.array(names, TEXT), ontology)[0].as_py()
        return found

    def read(line: int, choices: Iterable[object]) -> str | BadRow:
        names = texts_of(choices, classes)
        if not names:
            return BadRow(line, "no_answer", "")
        label = label_of(names)
        if label is None and separator is not None and len(names) == 1 and separator in names[0]:
            label = label_of(texts_of(names[0].split(separator), classes))
        if label is not None:
            return label
        is_missing = len(names) == 1 and names[0] in MISSING_WORDS
        return BadRow(line, "no_answer" if is_missing else "unknown_label", evidence(", ".join(names)))

    return read
