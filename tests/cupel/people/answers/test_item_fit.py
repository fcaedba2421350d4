import pyarrow as pa

from cupel.contract.ontology import Ontology
from cupel.kinds.category import CATEGORY
from cupel.kinds.spans import SPANS
from cupel.people.answers.item_fit import find_misfits

ONTOLOGY = Ontology(("drug",), (), 0.5)
ITEMS = pa.table({"item_id": ["b", "a"], "text": ["é" * 4, "ab"]})


def span(end: int) -> str:
    return f'[{{"class":"drug","start":0,"end":{end}}}]'


def test_a_mark_behind_the_end_of_its_own_text_is_a_misfit_counted_in_characters() -> None:
    is_misfit = find_misfits(ITEMS, SPANS, ONTOLOGY)
    assert is_misfit is not None
    answers = pa.table({"item_id": ["b", "b", "a", "a", "a"], "label": [span(4), span(5), span(2), span(3), "[]"]})
    assert is_misfit(answers).tolist() == [False, True, False, True, False]
    assert is_misfit(answers[:0]).tolist() == []


def test_what_is_no_label_or_of_no_item_is_told_elsewhere() -> None:
    is_misfit = find_misfits(ITEMS, SPANS, ONTOLOGY)
    assert is_misfit is not None
    answers = pa.table({"item_id": ["b", "b", "c"], "label": pa.array(["drug", None, span(99)], pa.string())})
    assert is_misfit(answers).tolist() == [False, False, False]


def test_of_a_kind_whose_labels_are_classes_nothing_is_asked() -> None:
    assert find_misfits(ITEMS, CATEGORY, ONTOLOGY) is None
