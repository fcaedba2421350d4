"""A label that is a set of classes: its parts, its text, how far annotators agree on it, and how it is asked."""

import json
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from cupel.checking.label_fusion import LabelFusion, fuse_parts
from cupel.config.labeling import Labeling
from cupel.consensus.agreement import Agreement
from cupel.consensus.coding import Integers
from cupel.contract.columns import TEXT, TEXTS
from cupel.contract.kind import Control, Labels, Part
from cupel.contract.ontology import Ontology
from cupel.kinds.multilabel.coded_sets import CodedSets, code_sets
from cupel.kinds.multilabel.frequent_sets import frequent_sets, nearest_sets
from cupel.kinds.multilabel.label_sets import ANSWERS, join_sets, parse_sets, split_sets, write_set
from cupel.kinds.multilabel.masi_alpha import class_alphas, masi_alpha

# Name of what a labeling tool asks, and its choice for the empty set: nothing chosen at all is no answer.
LABEL, NONE = "label", "none of them"
# The column of the training set that holds the set as a list.
CLASSES = "classes"


def parts(ontology: Ontology) -> tuple[Part, ...]:
    """Return a part for each class of the ontology: whether an item has it."""
    return tuple(Part(name, ANSWERS) for name in ontology.classes)


def split(labels: Labels, ontology: Ontology) -> Integers:
    """Return labels as places in no and yes, shape labels x classes; -1 where a label is null or no set of classes."""
    return split_sets(parse(labels, ontology), ontology.classes)


def join(places: Integers, ontology: Ontology) -> pa.Array:
    """Return places in no and yes, shape labels x classes, as labels; null where a place is -1."""
    return join_sets(places, ontology.classes)


def parse(labels: Labels, ontology: Ontology) -> pa.Array:
    """Return the canonical text of each answer, null where it is no set of the ontology's classes."""
    return parse_sets(labels, ontology.classes)


def agreement(votes: pa.Table, ontology: Ontology) -> Iterator[tuple[str, Agreement]]:
    """Yield Krippendorff's alpha with MASI as distance, then that of the yes or no to each class.

    Args:
        votes: Columns item_id, label and votes, a row an item and label; labels that are no sets are left out.
        ontology: The classes.
    """
    answers = _code_votes(votes, ontology)
    yield "Krippendorff's alpha (MASI)", masi_alpha(answers)
    for name, found in zip(ontology.classes, class_alphas(answers), strict=True):
        yield f"Krippendorff's alpha of {name}", found


def _code_votes(votes: pa.Table, ontology: Ontology) -> CodedSets:
    """Return votes as so many answers that name nobody."""
    label = parse(votes["label"].cast(TEXT), ontology)
    is_known = np.asarray(label.is_valid())
    rows = pa.array(np.repeat(np.flatnonzero(is_known), votes["votes"].to_numpy()[is_known]))
    table = pa.table({
        "item_id": votes["item_id"].take(rows), "annotator": pa.nulls(len(rows), TEXT), "label": label.take(rows)
    })  # fmt: skip
    return code_sets(table, None, ontology.classes)


def fuse(
    consensus: pa.Table, predictions: pa.Table, ontology: Ontology, verdicts: Mapping[str, str] | None
) -> LabelFusion:
    """Return what people and checker believe together, class by class; see `fuse_parts`."""
    return fuse_parts(
        consensus, predictions, parts(ontology), lambda labels: split(labels, ontology),
        lambda places: join(places, ontology), verdicts,
    )  # fmt: skip


def vocabulary(labels: Labels, ontology: Ontology) -> Sequence[str]:
    """Return the sets that stand for all others where people are measured; see `frequent_sets`.

    There are two at least, also before anybody has answered: who can say one thing only cannot be measured.
    """
    found, classes = frequent_sets(labels, ontology.classes), ontology.classes
    others = [one for one in (write_set([], classes), write_set(classes[:1], classes)) if one not in found]
    return [*found, *others[: max(0, 2 - len(found))]]


def nearest(labels: Labels, frequent: Sequence[str], ontology: Ontology) -> pa.Array:
    """Return the set that stands for each label where people are measured; see `nearest_sets`."""
    return nearest_sets(parse(labels, ontology), frequent, ontology.classes)


def classes_of(label: str, ontology: Ontology) -> tuple[str, ...]:
    """Return the classes that a label names.

    >>> classes_of('["art","sport"]', Ontology(("art", "sport")))
    ('art', 'sport')
    """
    return tuple(json.loads(label))


def label_of(classes: Sequence[str], ontology: Ontology) -> str:
    """Return the label of a set of classes."""
    return json.dumps(list(classes), ensure_ascii=False)


def columns(labels: Labels, ontology: Ontology) -> dict[str, pa.Array]:
    """Return the column `classes`: the classes that a label names, as a list, in the ontology's order.

    >>> columns(pa.array(['["art","sport"]', "[]"]), Ontology(("art", "sport")))["classes"].to_pylist()
    [['art', 'sport'], []]
    """
    parsed = parse(labels, ontology)
    return {CLASSES: pa.array([None if text is None else json.loads(text) for text in parsed.to_pylist()], TEXTS)}


def column_classes(ontology: Ontology) -> Mapping[str, tuple[str, ...]]:
    """Return what may stand in the column `classes`: any of the ontology's."""
    return {CLASSES: ontology.classes}


def controls(labeling: Labeling) -> tuple[Control, ...]:
    """Return what a labeling tool asks: any of the classes, or none of them."""
    return (Control(LABEL, (*labeling.classes, NONE), is_multiple=True),)


def read_controls(chosen: Mapping[str, Sequence[str]], ontology: Ontology) -> str | None:
    """Return the set that was chosen, None where nothing was, or a class together with none of them.

    >>> read_controls({"label": ["b", "a"]}, Ontology(("a", "b"))), read_controls({"label": [NONE]}, Ontology(("a",)))
    ('["a","b"]', '[]')
    """
    found = chosen.get(LABEL, ())
    names = [name for name in found if name != NONE]
    is_one_thing = bool(found) and (len(names) == len(found) or not names)
    return write_set(names, ontology.classes) if is_one_thing and set(names) <= set(ontology.classes) else None


def write_controls(label: str, ontology: Ontology) -> Mapping[str, Sequence[str]]:
    """Return what to choose to say a set; of the empty one, none of them.

    >>> write_controls('["a"]', Ontology(("a", "b"))), write_controls("[]", Ontology(("a", "b")))
    ({'label': ['a']}, {'label': ['none of them']})
    """
    return {LABEL: json.loads(label) or [NONE]}
