"""How labels of a label kind are read, compared and asked for in an audit."""

import json
import re
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from cupel.accept.label_rules import ONE_CLASS, LabelRules
from cupel.accept.spellings import key_of, spellings_of
from cupel.contract.columns import TEXT
from cupel.contract.kind import Control, Kind, no_further_words
from cupel.contract.ontology import Ontology
from cupel.errors import SourceError
from cupel.exchange.imports.choices import controls_of, make_reader
from cupel.people.tool_annotation import ReadChoices
from cupel.release.frozen_terms import name_kind
from cupel.sources.reasons import BadRow

# The overlap that two marks are usually called the same from.
LEAST_OVERLAP = 0.5
# What people may write between several choices, unless a choice holds it.
BETWEEN = (";", "|", ",", "\n")


def make_rules(kind: Kind, classes: Sequence[str], least_overlap: float | None = None) -> LabelRules:
    """Return the rules of a kind; those of one class, where its labels have one part and are the same by their text.

    Args:
        kind: Says what a label is.
        classes: The ontology; none where the kind needs none.
        least_overlap: Overlap from which on two marks are the same, where labels are marks; None: LEAST_OVERLAP.

    Raises:
        SourceError: The kind asks several questions, needs classes and none are named, or knows no marks that overlap.
    """
    ontology = Ontology(tuple(sorted(set(classes))))
    if kind.wrong_means is not no_further_words:
        if not classes:
            raise SourceError(f"--kind {kind.name}: name the classes that a mark may have with --classes")
        ontology = ontology._replace(least_overlap=least_overlap or LEAST_OVERLAP)
    elif least_overlap is not None:
        raise SourceError(f"--least-overlap: labels of kind {kind.name} are no marks; leave it out")
    if name_kind(kind, ontology) is None:
        return ONE_CLASS
    read = make_reader(kind, ontology.classes)
    controls = controls_of(kind, ontology)
    choices = controls[0].choices if controls else ()

    def are_wrong(delivered: Sequence[str], audited: Sequence[str | None]) -> list[bool]:
        found = kind.is_same(pa.array(delivered, TEXT), pa.array(audited, TEXT), ontology)
        said = pa.array([one is not None for one in audited], pa.bool_())
        wrong: list[bool] = pc.and_(pc.invert(found), said).to_pylist()
        return wrong

    def choices_of(label: str) -> tuple[str, ...]:
        return tuple(choice for some in kind.write_controls(label, ontology).values() for choice in some)

    alone = tuple(
        choice
        for choice in choices
        if all(isinstance(read(0, [choice, other]), BadRow) for other in choices if other != choice)
    )
    return LabelRules(
        kind.name, read, _cell_reader(read, controls), are_wrong, choices_of, choices,
        bool(controls) and controls[0].is_multiple, alone, ontology.least_overlap,
    )  # fmt: skip


def _cell_reader(read: ReadChoices, controls: Sequence[Control]) -> "CellReader":
    choices = controls[0].choices if controls else ()
    dividers = [sign for sign in BETWEEN if not any(sign in choice for choice in choices)]
    return CellReader(read, spellings_of(choices), "|".join(map(re.escape, dividers)))


class CellReader:
    """Reads what a person wrote into a sheet: a label's text, a choice in any case, or several with a sign between.

    Args:
        read: Returns the label of choices.
        spellings: Choices by what may be written for them.
        between: Pattern of the signs that divide; empty: none does.
    """

    def __init__(self, read: ReadChoices, spellings: Mapping[str, str], between: str) -> None:
        self._read, self._spellings, self._between = read, spellings, between

    def __call__(self, text: str) -> str | BadRow:
        """Return the label, or why there is none."""
        text = text.removeprefix("'")
        label = self._read(0, [self._spelt(text)])
        if not isinstance(label, BadRow):
            return label
        names = _as_list(text)
        if names is None and self._between:
            names = [name for name in re.split(self._between, text) if name.strip()]
        return self._read(0, [self._spelt(name) for name in names]) if names else label

    def _spelt(self, text: str) -> str:
        return self._spellings.get(key_of(text), text)


def _as_list(text: str) -> list[str] | None:
    """Return choices that stand as a JSON list, as the page writes them; None of anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) and all(isinstance(name, str) for name in found) else None
