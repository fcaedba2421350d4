"""Class places: where each class of an ontology stands among the parts of a label."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.contract.columns import TEXT
from cupel.contract.kind import Integers, Kind, Labels, Part
from cupel.contract.ontology import Ontology

_BINARY = ("no", "yes")


class ClassPlace(NamedTuple):
    """A class that labels may name: its name, and where it stands: which part of a label, which class of the part."""

    name: str
    part: int
    place: int


def find_class_places(kind: Kind | None, ontology: Ontology) -> list[ClassPlace]:
    """Return the classes that labels may name.

    Of a label of one part, its classes; of a set of classes, each class; of several questions, each answer, with the
    question's name before it. Of labels that have no parts, none: nothing is bounded by class.

    Args:
        kind: The label kind; None: labels are classes.
        ontology: The classes.

    >>> find_class_places(None, Ontology(("ham", "spam")))[1]
    ClassPlace(name='spam', part=0, place=1)
    """
    parts = (Part("label", ontology.classes),) if kind is None else kind.parts(ontology)
    if len(parts) == 1:
        return [ClassPlace(name, 0, place) for place, name in enumerate(ontology.classes)]
    found = []
    for number, part in enumerate(parts):
        if part.classes == _BINARY:
            found.append(ClassPlace(part.name, number, 1))
        else:
            found += [ClassPlace(f"{part.name}: {name}", number, place) for place, name in enumerate(part.classes)]
    return found


def split_labels(labels: Labels, kind: Kind | None, ontology: Ontology) -> Integers:
    """Return where the class of each part of a label stands; -1 for null and unknown ones; shape labels x parts."""
    if kind is not None and len(kind.parts(ontology)) != 1:
        return kind.split(labels, ontology)
    place = pc.fill_null(pc.index_in(labels, value_set=pa.array(ontology.classes, TEXT)), -1)
    return np.asarray(place, np.int64)[:, None]
