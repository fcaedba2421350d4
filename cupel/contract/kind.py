"""The contract of label kinds: all that the chain asks of a kind of label. `cupel/kinds` holds the kinds themselves.

A label is one text in every table, the canonical text of its kind: the same answer has the same bytes. What a text
means, the kind alone knows. Rooms below `cupel/kinds` take a kind as an argument `kind`, or reach it as
`project.kind`: what they call so is in the version of the tables that they write (`cupel/versions`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.contract.ontology import Ontology

if TYPE_CHECKING:
    from cupel.checking.label_fusion import LabelFusion
    from cupel.config.labeling import Labeling
    from cupel.config.project import Project
    from cupel.consensus.agreement import Agreement

Labels: TypeAlias = "pa.Array | pa.ChunkedArray"
Integers = NDArray[np.int64]
# Weight of the answers of each annotator who is weighed down, by name.
Light: TypeAlias = Mapping[str, float]


class Part(NamedTuple):
    """One question inside a label whose answer is one of some classes.

    A category has one part. A set of classes has one for each class, with the classes no and yes. The probabilities of
    a label's parts stand one after another in the column `posterior`.
    """

    name: str
    classes: tuple[str, ...]


class ConsensusResult(NamedTuple):
    """What a kind makes of annotations: its tables by name, `consensus` among them, and the method with its reason."""

    tables: dict[str, pa.Table]
    method: str


class CountedAnswers(NamedTuple):
    """A batch's answers as measures of annotators count them: each is one of a few, to a question of a few answers.

    Attributes:
        annotations: ANNOTATIONS, perhaps with other items and labels.
        item_ids: What is asked about: the items, or the parts of them that each annotator said yes or no to.
        vocabulary: The labels, two or more.
        gold: Known labels, columns item_id and label; None: none are known.
        same: Which of the labels are the same, shape labels x labels; None: each with itself only.
    """

    annotations: pa.Table
    item_ids: pa.ChunkedArray
    vocabulary: Sequence[str]
    gold: pa.Table | None
    same: NDArray[np.bool_] | None = None


class Control(NamedTuple):
    """What a labeling tool asks about an item.

    Attributes:
        name: Its name in the tool.
        choices: What can be chosen.
        is_multiple: Several choices may be made at once.
        title: What is asked, where several questions stand together.
        shown_if: Name of another control and the choices under which this one is shown; None: always.
    """

    name: str
    choices: tuple[str, ...]
    is_multiple: bool = False
    title: str | None = None
    shown_if: tuple[str, tuple[str, ...]] | None = None


class GateCheck(NamedTuple):
    """One question that the labeling gate asks about a kind's own tables.

    Attributes:
        name: Its name, unique in the project.
        value: The threshold; a project may name its own.
        comparison: Whether what is measured must be at most, or at least, the threshold.
        severity: Whether a failure blocks what comes after (critical), or is only told.
        unit: Of the threshold and of what is measured.
        reason: Why this threshold.
        measure: SQL of one row and one column over the kind's tables; null is no evidence.
        question: What is asked.
        remedy: What to do where it fails.
    """

    name: str
    value: float
    comparison: Literal["at most", "at least"]
    severity: Literal["critical", "warning"]
    unit: Literal["share", "count", "alpha"]
    reason: str
    measure: str
    question: str
    remedy: str


class Export(NamedTuple):
    """A format in which a release of the kind can be written beside its Parquet files.

    Attributes:
        summary: What it is and who reads it, in one line.
        rows: Returns the lines of one row of the training set; none where the format has no place for it. Raises
            ValueError where the row is none of the kind.
        unit: What its lines are called, counted.
        left_out: What the items are called that it has no place for, counted.
    """

    summary: str
    rows: Callable[[Mapping[str, Any], Ontology], Iterator[dict[str, Any]]]
    unit: str = "lines"
    left_out: str = "items"


def are_equal(one: Labels, other: Labels, ontology: Ontology) -> pa.Array:
    """Tell which labels have the same text: what is the same in every kind without tolerance; null is not."""
    found = pc.fill_null(pc.equal(one, other), False)
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def keep_labels(labels: Labels, vocabulary: Sequence[str], ontology: Ontology) -> Labels:
    """Return labels as they are, where the vocabulary holds them all."""
    return labels


def name_itself(label: str, ontology: Ontology) -> tuple[str, ...]:
    """Return the one class that a label names: itself."""
    return (label,)


def take_only(classes: Sequence[str], ontology: Ontology) -> str:
    """Return the label that names one class: that class."""
    (label,) = classes
    return label


def no_columns(labels: Labels, ontology: Ontology) -> dict[str, pa.Array]:
    """Return no further columns: the label says all."""
    return {}


def no_column_classes(ontology: Ontology) -> Mapping[str, tuple[str, ...]]:
    """Return no classes: there are no further columns."""
    return {}


def no_further_words(ontology: Ontology) -> str:
    """Return nothing: that a wrong label is another one says all."""
    return ""


class Kind(NamedTuple):
    """A kind of label: what it is, and what the chain asks of it.

    Attributes:
        name: Its name in the project file.
        summary: What a label of it is, in one line.
        modality: What an item is, where the project does not say.
        check: Yields what is wrong in a project file of the kind: settings of its own, and what it forbids elsewhere.
        parts: Returns the parts of a label; none where it does not fall into questions of classes, as marks do not.
        split: Returns labels as places in the classes of each part, shape labels x parts; -1 where null.
        join: Returns places as labels, the inverse of `split`; null where a place is -1.
        parse: Returns the canonical text of answers, null where one is no label.
        is_same: Tells which of two columns' labels are the same: the definition of wrong. Null is the same as nothing.
        agreement: Yields statistics of agreement with their names, of votes: columns item_id, label and votes. The
            gate judges the first.
        consensus: Returns what annotators say together: of ANNOTATIONS, of items (columns `item_columns` of
            CLEAN_ITEMS), settings, the weights of those who are weighed down, and a method (None: the project's).
        fuse: Returns what people and the checker believe together: of CONSENSUS, PREDICTIONS, and experts' labels by
            item id, where there are some.
        vocabulary: Returns the labels that measures of annotators count in, of a column of labels: two or more, and
            few, for arrays of annotators x these x these are made.
        nearest: Returns for each label that of the vocabulary which stands for it. Which one that is hangs on the label
            alone, so that answers that were independent of each other stay so.
        count_answers: Returns the answers as measures of annotators count them, of ANNOTATIONS, all item ids and known
            labels, where that is no matter of one label an answer; None: by `vocabulary` and `nearest`.
        controls: Returns what a labeling tool asks.
        read_controls: Returns the label of what was chosen, by control; None where it is none. That nothing was
            chosen is no answer: a label that says so is a choice of its own.
        write_controls: Returns what to choose, by control, to say a label: the inverse of `read_controls`.
        fits: Tells which labels can be of items of some content, two columns of the same length; None: all can.
        item_columns: Columns of CLEAN_ITEMS that its consensus reads.
        combined: How annotators' answers become one label, to go on with behind "their answers were combined"; None: by
            the method that the project names.
        tables: Tables that its consensus writes beside CONSENSUS.
        checks: What the labeling gate asks of these.
        columns: Returns further columns of the training set, by name, of its labels.
        column_classes: Returns the classes that a text, or each of a list of texts, in such a column is one of, by the
            column's name; of a column that is not there anything may stand in it.
        columns_since: The format of releases that a column came with, by its name; the first where it is not there.
        task_categories: What a dataset card calls the task.
        exports: Formats of trainers, by name.
        classes_of: Returns the classes that a label names, as `Ontology.class_names` has them; a change of the ontology
            is one of classes.
        label_of: Returns a label that names these classes, in any text that `parse` reads.
        wrong_means: Returns a sentence, with a space before it, that says in a certificate when a label is wrong; ""
            where that is when it is another one.
    """

    name: str
    summary: str
    modality: str
    check: "Callable[[Project], Iterator[str]]"
    parts: Callable[[Ontology], tuple[Part, ...]]
    split: Callable[[Labels, Ontology], Integers]
    join: Callable[[Integers, Ontology], pa.Array]
    parse: Callable[[Labels, Ontology], pa.Array]
    is_same: Callable[[Labels, Labels, Ontology], pa.Array]
    agreement: "Callable[[pa.Table, Ontology], Iterator[tuple[str, Agreement]]]"
    consensus: "Callable[[pa.Table, pa.Table, Labeling, Light, str | None], ConsensusResult]"
    fuse: "Callable[[pa.Table, pa.Table, Ontology, Mapping[str, str] | None], LabelFusion]"
    vocabulary: Callable[[Labels, Ontology], Sequence[str]]
    nearest: Callable[[Labels, Sequence[str], Ontology], Labels]
    controls: "Callable[[Labeling], tuple[Control, ...]]"
    read_controls: Callable[[Mapping[str, Sequence[str]], Ontology], str | None]
    write_controls: Callable[[str, Ontology], Mapping[str, Sequence[str]]]
    count_answers: "Callable[[pa.Table, pa.ChunkedArray, pa.Table | None, Ontology], CountedAnswers] | None" = None
    fits: Callable[[pa.Array, pa.Array], pa.Array] | None = None
    item_columns: tuple[str, ...] = ("item_id",)
    combined: str | None = None
    tables: tuple[str, ...] = ()
    checks: tuple[GateCheck, ...] = ()
    columns: Callable[[Labels, Ontology], dict[str, pa.Array]] = no_columns
    column_classes: Callable[[Ontology], Mapping[str, tuple[str, ...]]] = no_column_classes
    columns_since: Mapping[str, int] = {}
    task_categories: tuple[str, ...] = ("text-classification",)
    exports: Mapping[str, Export] = {}
    classes_of: Callable[[str, Ontology], tuple[str, ...]] = name_itself
    label_of: Callable[[Sequence[str], Ontology], str] = take_only
    wrong_means: Callable[[Ontology], str] = no_further_words


def column_names(kind: Kind, ontology: Ontology) -> list[str]:
    """Return the names of the columns that a kind adds to the training set."""
    return [] if kind.columns is no_columns else list(kind.columns(pa.array([], pa.string()), ontology))
