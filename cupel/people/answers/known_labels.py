"""Known labels: the items of a batch whose label the project knows, as its file of hidden gold has them."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from cupel.contract.columns import TEXT
from cupel.contract.kind import Kind
from cupel.contract.ontology import Ontology
from cupel.lake.step import Step
from cupel.people.answers.guidelines import translate_known
from cupel.people.answers.recorded import read_gold
from cupel.store.files import hash_file


def known_labels(step: Step, data: Path, batch: str) -> pa.Table | None:
    """Return the known labels of a batch, and remember the file; None where the project has none.

    Args:
        step: The step that asks.
        data: The folder that files are named relative to.
        batch: The batch.

    Returns:
        Columns item_id and label.

    Raises:
        AnswerError: The file is missing, lacks a column, or an item has two labels.
    """
    name = step.project.labeling.gold
    if name is None:
        return None
    versions, kind = step.guidelines(), step.project.kind
    gold = read_gold(data / name, batch, lambda rows: translate_known(rows, versions, kind))
    step.file(name, hash_file(data / name))
    return parse_known(gold, step.project.kind, step.project.labeling.ontology)


def parse_known(gold: pa.Table, kind: Kind, ontology: Ontology) -> pa.Table:
    """Return known labels in the canonical text of their kind; what is no label of the project stays as it is.

    Args:
        gold: Columns item_id and label, as `read_gold` returns them.
        kind: The label kind.
        ontology: What a label may say.
    """
    label = gold["label"].cast(TEXT)
    return gold.set_column(gold.column_names.index("label"), "label", pc.coalesce(kind.parse(label, ontology), label))
