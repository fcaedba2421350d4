"""Counted answers: a batch's answers as measures of annotators count them, whatever a label of the project is."""

import pyarrow as pa
import pyarrow.compute as pc

from cupel.contract.columns import INTEGER, REAL
from cupel.contract.kind import CountedAnswers, Kind
from cupel.contract.ontology import Ontology
from cupel.people.annotators.study import find_same


def count_answers(
    annotations: pa.Table, item_ids: pa.ChunkedArray, gold: pa.Table | None, kind: Kind, ontology: Ontology
) -> CountedAnswers:
    """Return a batch's answers as measures of annotators count them.

    Args:
        annotations: ANNOTATIONS of one batch.
        item_ids: All its items.
        gold: Known labels, columns item_id and label; None: none are known.
        kind: The label kind; where it counts answers by itself, what it returns.
        ontology: What a label may say.

    Returns:
        Each answer with the label of the kind's vocabulary that stands for its own.
    """
    if kind.count_answers is not None:
        return kind.count_answers(annotations, item_ids, gold, ontology)
    vocabulary = kind.vocabulary(annotations["label"], ontology)

    def reduce(table: pa.Table) -> pa.Table:
        labels = kind.nearest(kind.parse(table["label"], ontology), vocabulary, ontology)
        return table.set_column(table.column_names.index("label"), "label", labels)

    known, same = None if gold is None else reduce(gold), find_same(vocabulary, kind, ontology)
    return CountedAnswers(reduce(annotations), item_ids, vocabulary, known, same)


def state_answers(people: pa.Table, annotations: pa.Table) -> pa.Table:
    """Return ANNOTATORS with each one's answers and their share of all, whatever the measures counted.

    Args:
        people: ANNOTATORS; who is not named in the annotations is the one whose name is not there.
        annotations: ANNOTATIONS of the same batch.
    """
    counts = annotations.group_by("annotator").aggregate([([], "count_all")])
    row = pc.fill_null(pc.index_in(people["annotator"], value_set=counts["annotator"].combine_chunks()), -1)
    nobody = pc.index(pc.is_null(counts["annotator"]), True).as_py()
    row = pc.if_else(pc.less(row, 0), nobody, row)
    answers = counts["count_all"].take(row).cast(INTEGER)
    share = pc.divide(answers.cast(REAL), float(max(1, annotations.num_rows)))
    for name, column in (("answers", answers), ("answer_share", share)):
        people = people.set_column(people.column_names.index(name), people.schema.field(name), column)
    return people
