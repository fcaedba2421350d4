from typing import Any

import pyarrow as pa
import pytest

from cupel.contract.ontology import Ontology
from cupel.kinds.multilabel.label import (
    LABEL,
    NONE,
    agreement,
    join,
    nearest,
    parts,
    read_controls,
    split,
    vocabulary,
)
from cupel.people.annotators.annotators import annotators
from cupel.people.annotators.study import study

ONTOLOGY = Ontology(("a", "b"))


def texts(*labels: str | None) -> pa.Array:
    return pa.array(labels, pa.string())


def test_a_label_has_a_part_for_each_class() -> None:
    assert [(part.name, part.classes) for part in parts(ONTOLOGY)] == [("a", ("no", "yes")), ("b", ("no", "yes"))]


def test_a_label_that_is_no_set_has_no_places() -> None:
    places = split(texts('["b"]', "zebra", None, "[]"), ONTOLOGY)
    assert places.tolist() == [[0, 1], [-1, -1], [-1, -1], [0, 0]]
    assert join(places, ONTOLOGY).to_pylist() == ['["b"]', None, None, "[]"]


def test_agreement_counts_votes_and_names_every_class() -> None:
    rows: dict[str, Any] = {"item_id": ["1", "2", "2", "3"], "label": ['["a"]', "[]", '["b"]', "zebra"]}
    found = dict(agreement(pa.table(rows | {"votes": [3, 1, 1, 2]}), ONTOLOGY))
    assert [name.split(" alpha ")[1] for name in found] == ["(MASI)", "of a", "of b"]
    assert found["Krippendorff's alpha of a"].value == pytest.approx(1.0)
    assert found["Krippendorff's alpha (MASI)"].items == 2


@pytest.mark.parametrize(
    ("chosen", "label"),
    [(["b", "a"], '["a","b"]'), ([NONE], "[]"), ([], None), ([NONE, "a"], None), (["zebra"], None)],
)
def test_none_of_them_is_an_answer_and_nothing_chosen_is_none(chosen: list[str], label: str | None) -> None:
    assert read_controls({LABEL: chosen}, ONTOLOGY) == label


def test_there_are_two_sets_to_count_in_before_anybody_answers() -> None:
    assert list(vocabulary(texts(), ONTOLOGY)) == ["[]", '["a"]']
    assert list(vocabulary(texts("[]", "[]"), ONTOLOGY)) == ["[]", '["a"]']


@pytest.mark.parametrize("said", [[], ["[]"] * 6])
def test_people_can_be_measured_where_nobody_answered_or_all_answered_alike(said: list[str]) -> None:
    labels = texts(*said)
    rows = {"item_id": [str(n // 2) for n in range(len(said))], "annotator": ["p", "q"] * (len(said) // 2)}
    table = pa.table({name: pa.array(values, pa.string()) for name, values in rows.items()})
    counted = vocabulary(labels, ONTOLOGY)
    table = table.append_column("label", nearest(labels, counted, ONTOLOGY))
    table = table.append_column("sequence", pa.array(range(len(said)), pa.int64()))
    assert annotators(study(table, ["0", "1", "2"], counted)).num_rows == (2 if said else 0)


def test_gold_in_another_layout_has_the_same_nearest() -> None:
    assert nearest(texts('["b", "a"]', "a"), ['["a","b"]', "[]"], ONTOLOGY).to_pylist() == ['["a","b"]'] * 2
