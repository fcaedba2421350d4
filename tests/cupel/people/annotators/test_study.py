"""Answers on hidden gold are right where they are the same as the known label, as the label kind sees it."""

import numpy as np
import pyarrow as pa
import pytest

from cupel.contract.ontology import Ontology
from cupel.kinds.category import CATEGORY
from cupel.people.annotators.annotators import annotators
from cupel.people.annotators.study import find_same, study
from toy_kind import NUMBER

CLASSES = ("0", "1", "2", "3")
LINE = Ontology(CLASSES)


def answers() -> pa.Table:
    """Return what two annotators said of forty items: ann always one too high, bob what is known."""
    known = [str(number % 3) for number in range(40)]
    rows = [
        {"sequence": 2 * place + who, "item_id": f"i{place:02d}", "annotator": name, "label": str(int(label) + who)}
        for place, label in enumerate(known)
        for who, name in enumerate(("bob", "ann"))
    ]
    return pa.Table.from_pylist([row | {"seconds_spent": None} for row in rows])


GOLD = pa.table({"item_id": [f"i{place:02d}" for place in range(20)], "label": [str(n % 3) for n in range(20)]})
ITEMS = [f"i{place:02d}" for place in range(40)]


def test_which_labels_are_the_same_is_asked_only_where_texts_do_not_decide() -> None:
    assert find_same(CLASSES, CATEGORY, LINE) is None
    found = find_same(CLASSES, NUMBER, LINE)
    assert found is not None
    assert found.tolist() == [[abs(one - other) <= 1 for other in range(4)] for one in range(4)]


@pytest.mark.parametrize(("kind", "right"), [(CATEGORY, 0), (NUMBER, 20)])
def test_an_answer_that_is_the_same_as_the_known_label_is_right(kind: object, right: int) -> None:
    same = find_same(CLASSES, kind, LINE)  # type: ignore[arg-type]
    measured = study(answers(), ITEMS, CLASSES, GOLD, same=same)
    ann, bob = annotators(measured).to_pylist()
    assert (ann["annotator"], ann["gold_answers"], ann["gold_right"]) == ("ann", 20, right)
    assert (bob["gold_answers"], bob["gold_right"]) == (20, 20)
    assert (ann["gold_high"] == 1.0) == (right == 20)
    is_known = measured.gold[measured.coded.item] >= 0
    assert not measured.is_right[~is_known].any()
    assert np.count_nonzero(measured.is_right) == 20 + right
