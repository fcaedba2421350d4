"""A label that is spans of a text; all that it has in common with other kinds of marks is in `cupel/kinds/marks`."""

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from cupel.checking.label_fusion import LabelFusion
from cupel.config.labeling import Labeling
from cupel.config.project import Project
from cupel.consensus.agreement import Agreement
from cupel.consensus.coding import Integers
from cupel.contract.kind import ConsensusResult, Control, CountedAnswers, Labels, Light, Part
from cupel.contract.ontology import Ontology
from cupel.kinds.marks import label as marks
from cupel.marks.canonical_text import SPANS


def check(project: Project) -> Iterator[str]:
    """Yield what is wrong in a project file whose labels are spans."""
    return marks.check(project, SPANS)


def parts(ontology: Ontology) -> tuple[Part, ...]:
    """Return no parts: spans do not fall into questions of a few classes."""
    return ()


def split(labels: Labels, ontology: Ontology) -> Integers:
    """Return labels in as many columns as there are parts: none."""
    return marks.split(labels)


def join(places: Integers, ontology: Ontology) -> pa.Array:
    """Return null for each row: no places tell a label."""
    return marks.join(places)


def parse(labels: Labels, ontology: Ontology) -> pa.Array:
    """Return the canonical text of each answer, null where it is no list of spans of the ontology's classes."""
    return marks.parse(labels, ontology, SPANS)


def fits(labels: pa.Array, contents: pa.Array) -> pa.Array:
    """Tell which labels mark nothing behind the end of their texts, counted in characters (code points)."""
    return marks.fits(labels, pc.utf8_length(contents), SPANS)


def is_same(one: Labels, other: Labels, ontology: Ontology) -> pa.Array:
    """Tell which labels say the same: each span has a partner of its class and place in the other."""
    return marks.is_same(one, other, ontology, SPANS)


def agreement(votes: pa.Table, ontology: Ontology) -> Iterator[tuple[str, Agreement]]:
    """Yield how far pairs of annotators agree on an item's spans."""
    return marks.agreement(votes, ontology, SPANS)


def consensus(
    annotations: pa.Table, items: pa.Table, labeling: Labeling, light: Light, method: str | None = None
) -> ConsensusResult:
    """Return what annotators say together of every item."""
    from cupel.kinds.marks.consensus import find_consensus  # compiled: who only compares labels needs no numba

    return find_consensus(annotations, items["item_id"], labeling.ontology, SPANS)


def fuse(
    consensus: pa.Table, predictions: pa.Table, ontology: Ontology, verdicts: Mapping[str, str] | None
) -> LabelFusion:
    """Return what people believe of whole labels."""
    return marks.fuse(consensus, predictions, verdicts)


def vocabulary(labels: Labels, ontology: Ontology) -> Sequence[str]:
    """Return what is said of a mark where people are measured: that it is there, or not."""
    return marks.ANSWERS


def nearest(labels: Labels, vocabulary: Sequence[str], ontology: Ontology) -> Labels:
    """Return whether each label marks anything."""
    return marks.mark_anything(labels)


def count_answers(
    annotations: pa.Table, item_ids: pa.ChunkedArray, gold: pa.Table | None, ontology: Ontology
) -> CountedAnswers:
    """Return answers as yes or no to each mark that anybody made."""
    from cupel.kinds.marks.counted_marks import count_marks

    return count_marks(annotations, item_ids, gold, ontology, SPANS)


def controls(labeling: Labeling) -> tuple[Control, ...]:
    """Return no choices: spans are marked, not chosen."""
    return ()


def read_controls(chosen: Mapping[str, Sequence[str]], ontology: Ontology) -> str | None:
    """Return no label: no choice says one."""
    return None


def write_controls(label: str, ontology: Ontology) -> Mapping[str, Sequence[str]]:
    """Return no choices: none says a label."""
    return {}


def classes_of(label: str, ontology: Ontology) -> tuple[str, ...]:
    """Return the classes of a label's spans, in the ontology's order."""
    return marks.classes_of(label, ontology, SPANS)


def label_of(classes: Sequence[str], ontology: Ontology) -> str:
    """Return the label that names no class: no other is known by its classes alone.

    Raises:
        ValueError: A class is named: where its span would stand is not known.
    """
    return marks.label_of(classes)


def wrong_means(ontology: Ontology) -> str:
    """Return when a label is wrong, as a certificate says it."""
    return marks.wrong_means(ontology, SPANS)
