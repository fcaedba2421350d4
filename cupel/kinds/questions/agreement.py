"""How far annotators agree on several questions: on each by itself, and on all of it."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from cupel.consensus.agreement import Agreement
from cupel.contract.columns import TEXT
from cupel.contract.kind import Labels
from cupel.contract.ontology import Ontology
from cupel.kinds.category import CATEGORY
from cupel.kinds.questions.answers import answers_to, kind_of


def agreement(votes: pa.Table, ontology: Ontology) -> Iterator[tuple[str, Agreement]]:
    """Yield the agreement on all questions together, where a label is equal to another or not, then on each question.

    Args:
        votes: Columns item_id, label and votes, a row an item and label.
        ontology: The questions.

    Returns:
        Names and statistics: nominal alpha of whole labels; of each question what its kind judges first, among the
        answers of those that were asked it.
    """
    labels = pc.unique(votes["label"].cast(TEXT)).to_pylist()
    name, found = next(CATEGORY.agreement(votes, Ontology(tuple(sorted(labels)))))
    yield f"{name} of all answers together", found
    for question in ontology.questions:
        kind, inner = kind_of(question)
        name, found = next(kind.agreement(_votes_on(votes, answers_to(question, votes["label"])), inner))
        yield f"{name} of {question.name}", found


def _votes_on(votes: pa.Table, answers: Labels) -> pa.Table:
    """Return votes on one question: the answers of different labels that say the same to it are added up."""
    table = votes.select(["item_id", "votes"]).append_column("label", answers)
    table = table.filter(pc.is_valid(table["label"])).group_by(["item_id", "label"]).aggregate([("votes", "sum")])
    return table.rename_columns({"votes_sum": "votes"}).sort_by([("item_id", "ascending"), ("label", "ascending")])
