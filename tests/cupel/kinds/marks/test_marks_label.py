import json

import pyarrow as pa
import pytest

from cupel.contract.ontology import Ontology
from cupel.errors import TableError
from cupel.kinds.marks.label import agreement, classes_of, fits, fuse, is_same, label_of, parse
from cupel.marks.canonical_text import SPANS, write_marks

ONTOLOGY = Ontology(("drug", "dose"), (), 0.5)


def text(*marks: tuple[str, int, int]) -> str:
    return write_marks([{"class": name, "start": start, "end": end} for name, start, end in marks], SPANS)


def votes(*rows: tuple[str, str, int]) -> pa.Table:
    items, labels, numbers = zip(*rows, strict=True)
    return pa.table({"item_id": list(items), "label": list(labels), "votes": list(numbers)})


def test_an_answer_is_read_in_any_layout_and_is_none_with_a_class_that_is_not_known() -> None:
    given = [
        '[{"end": 9, "start": 3, "class": "drug"}]',
        "[ ]",
        text(("pill", 0, 1)),
        "drug",
        '[{"class":"drug"}]',
        None,
    ]
    assert parse(pa.array(given, pa.string()), ONTOLOGY, SPANS).to_pylist() == [
        text(("drug", 3, 9)), "[]", None, None, None, None
    ]  # fmt: skip


def test_f1_counts_marks_with_a_partner_over_all_pairs_of_answers() -> None:
    # i1: 2 marks against 1, of which 1 has a partner: 2 of 3. i2: two say [], and agree: 2 of 2. i3: one answer.
    found = votes(
        ("i1", text(("drug", 0, 9), ("dose", 9, 12)), 1), ("i1", text(("drug", 0, 8)), 1), ("i2", "[]", 2),
        ("i3", "[]", 1),
    )  # fmt: skip
    f1, same = agreement(found, ONTOLOGY, SPANS)
    assert f1[1].value == pytest.approx(4 / 5)
    assert same[1].value == pytest.approx(1 / 2)
    assert f1[1].items == 2


def test_answers_given_by_several_count_as_often() -> None:
    # Three say drug, one says nothing: 3 pairs agree (6 of 6 marks), 3 do not (0 of 3).
    (_, f1), (_, same) = agreement(votes(("i1", text(("drug", 0, 9)), 3), ("i1", "[]", 1)), ONTOLOGY, SPANS)
    assert (f1.value, same.value) == (pytest.approx(6 / 9), pytest.approx(3 / 6))


def test_without_two_answers_on_an_item_there_is_no_agreement() -> None:
    (_, f1), _ = agreement(votes(("i1", "[]", 1)), ONTOLOGY, SPANS)
    assert (f1.value, f1.lower) == (None, None)


def test_marks_that_end_with_their_text_fit_and_those_behind_it_do_not() -> None:
    labels = pa.array([text(("drug", 0, 4)), text(("drug", 0, 5), ("dose", 1, 2)), "[]"])
    assert fits(labels, pa.array([4, 4, 0]), SPANS).to_pylist() == [True, False, True]


def test_log_odds_are_those_of_the_whole_label_and_unknown_without_answers() -> None:
    consensus = pa.table({
        "item_id": ["b", "a"], "consensus_label": pa.array(["[]", None], pa.string()), "posterior": [[0.2, 0.8], None],
    })  # fmt: skip
    found = fuse(consensus, pa.table({"item_id": ["a", "b"]}), None)
    assert found.item_ids.to_pylist() == ["a", "b"]
    assert found.log_odds.tolist() == [0.0, 1.386294]
    assert found.is_known.tolist() == [False, True]
    with pytest.raises(TableError, match="hold different items"):
        fuse(consensus, pa.table({"item_id": ["a"]}), None)


def test_without_a_least_overlap_nothing_is_compared() -> None:
    with pytest.raises(TableError, match="least_overlap is missing"):
        is_same(pa.array(["[]"]), pa.array(["[]"]), Ontology(("drug",)), SPANS)


def test_a_label_names_the_classes_of_its_marks_and_only_the_empty_one_is_known_by_its_classes() -> None:
    assert classes_of(text(("dose", 0, 1), ("drug", 0, 1), ("dose", 4, 5)), ONTOLOGY, SPANS) == ("drug", "dose")
    assert json.loads(label_of([])) == []
    with pytest.raises(ValueError, match="drug"):
        label_of(["drug"])
