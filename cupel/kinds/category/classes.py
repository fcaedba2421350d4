"""A label that is one class of the ontology: its one part, its text, and how it is asked."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.checking.label_fusion import LabelFusion, fuse_parts
from cupel.config.labeling import Labeling
from cupel.config.project import Project
from cupel.consensus.agreement import Agreement, gwet_ac1, krippendorff_alpha
from cupel.consensus.coding import Integers
from cupel.contract.columns import TEXT
from cupel.contract.kind import Control, Labels, Part
from cupel.contract.ontology import Ontology
from cupel.people.answers.annotations import keep_classes

# Name of the part, and of what a labeling tool asks.
LABEL = "label"


def check(project: Project) -> Iterator[str]:
    """Yield what is wrong in a project file whose labels are classes."""
    if len(project.labeling.classes) < 2:
        yield "labeling.classes: name two classes or more"
    if project.labeling.questions:
        yield f"labeling.questions: kind {project.labeling.kind} asks one question; remove them, or use kind questions"


def parts(ontology: Ontology) -> tuple[Part, ...]:
    """Return the one part of a label, whose classes are the ontology's."""
    return (Part(LABEL, ontology.classes),)


def split(labels: Labels, ontology: Ontology) -> Integers:
    """Return labels as places in the ontology, shape labels x 1; -1 where a label is null or of no class."""
    place = pc.index_in(labels, value_set=pa.array(ontology.classes, TEXT))
    return np.asarray(pc.fill_null(place, -1).to_numpy(), np.int64).reshape(-1, 1)


def join(places: Integers, ontology: Ontology) -> pa.Array:
    """Return places in the ontology, shape labels x 1, as labels; null where a place is -1."""
    return pa.array(ontology.classes, TEXT).take(pa.array(places[:, 0], mask=places[:, 0] < 0))


def parse(labels: Labels, ontology: Ontology) -> pa.Array:
    """Return answers that are a class of the ontology, null where one is none."""
    return keep_classes(labels, ontology.classes)


def agreement(votes: pa.Table, ontology: Ontology) -> Iterator[tuple[str, Agreement]]:
    """Yield Krippendorff's alpha and Gwet's AC1, which differ where one class is rare.

    Args:
        votes: Columns item_id, label and votes, a row an item and label; labels outside the ontology are left out.
        ontology: The classes.
    """
    label = split(votes["label"].cast(TEXT), ontology)[:, 0]
    is_known = label >= 0
    item = votes["item_id"].filter(pa.array(is_known)).combine_chunks().dictionary_encode()
    counts = np.zeros((len(item.dictionary), len(ontology.classes)), dtype=np.int64)
    counts[item.indices.to_numpy(), label[is_known]] = votes["votes"].to_numpy()[is_known]
    yield "Krippendorff's alpha (nominal)", krippendorff_alpha(counts)
    yield "Gwet's AC1", gwet_ac1(counts)


def fuse(
    consensus: pa.Table, predictions: pa.Table, ontology: Ontology, verdicts: Mapping[str, str] | None
) -> LabelFusion:
    """Return what people and checker believe together; see `fuse_parts`."""
    return fuse_parts(
        consensus, predictions, parts(ontology), lambda labels: split(labels, ontology),
        lambda places: join(places, ontology), verdicts,
    )  # fmt: skip


def vocabulary(labels: Labels, ontology: Ontology) -> Sequence[str]:
    """Return the classes of the ontology, whatever the labels."""
    return ontology.classes


def controls(labeling: Labeling) -> tuple[Control, ...]:
    """Return what a labeling tool asks: one of the classes."""
    return (Control(LABEL, labeling.classes),)


def read_controls(chosen: Mapping[str, Sequence[str]], ontology: Ontology) -> str | None:
    """Return the class that was chosen, None where it is not one class of the ontology."""
    found = chosen.get(LABEL, ())
    return found[0] if len(found) == 1 and found[0] in ontology.classes else None


def write_controls(label: str, ontology: Ontology) -> Mapping[str, Sequence[str]]:
    """Return what to choose to say a class: itself."""
    return {LABEL: (label,)}
