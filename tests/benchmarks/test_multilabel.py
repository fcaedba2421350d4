from pathlib import Path

import pyarrow as pa
import pytest

from benchmarks.multilabel import CHOSEN, MAJORITY, WHOLE, measure, share_most_frequent
from benchmarks.multilabel_sets import SetCrowd, boxes, bundles, digits, made, spans, steps
from cupel.kinds.multilabel.coded_sets import code_sets

LABELS = """task,worker,label
1,p,1
1,q,0
2,p,0
2,q,0
3,p,1
3,q,1
4,p,0
4,q,1
5,p,1
"""
GOLD = "task,label\n1,1\n2,0\n3,1\n4,0\n5,1\n"


def crowd(folder: Path, labels: str = LABELS, gold: str = GOLD) -> Path:
    (folder / "labels.csv").write_text(labels)
    (folder / "gold.csv").write_text(gold)
    return folder


def test_four_items_of_the_same_annotators_are_one_item_of_four_classes(tmp_path: Path) -> None:
    found = bundles(crowd(tmp_path))
    assert found.gold == {"1": '["item0","item2"]'}
    said = {row["annotator"]: row["label"] for row in found.annotations.to_pylist()}
    assert said == {"p": '["item0","item2"]', "q": '["item2","item3"]'}


def test_a_class_is_written_as_its_digits_or_steps(tmp_path: Path) -> None:
    folder = crowd(tmp_path, "task,worker,label\n1,p,0\n2,p,2\n3,p,1\n", "task,label\n1,2\n2,1\n3,0\n")
    assert digits(folder).annotations["label"].to_pylist() == ["[]", '["digit1"]', '["digit0"]']
    assert steps(folder).annotations["label"].to_pylist() == ["[]", '["at_least_1","at_least_2"]', '["at_least_1"]']
    assert steps(folder).gold["1"] == '["at_least_1","at_least_2"]'


def test_marks_become_the_cells_and_parts_that_they_lie_in(tmp_path: Path) -> None:
    (tmp_path / "annotations.csv").write_text("item,annotator,box,x1,y1,x2,y2\n1,p,0,0,0,10,10\n1,q,0,80,80,90,90\n")
    (tmp_path / "gold.csv").write_text("item,box,x1,y1,x2,y2\n1,0,0,0,12,12\n")
    found = boxes(tmp_path)
    assert found.annotations["label"].to_pylist() == ['["row0_column0"]', '["row2_column2"]']
    assert found.gold == {"1": '["row0_column0"]'}
    (tmp_path / "annotations.csv").write_text("item,annotator,span,start,end\n1,p,0,0,30\n1,q,,,\n1,r,0,70,80\n")
    (tmp_path / "gold.csv").write_text("item,expert,span,start,end\n1,e,0,5,10\n")
    found = spans(tmp_path)
    assert found.annotations["label"].to_pylist() == ['["part0","part1","part2"]', "[]", '["part7"]']


def test_the_most_frequent_set_is_one_that_somebody_gave_and_equals_share_it() -> None:
    labels = ["[]", '["a"]', '["a"]', "[]", '["a"]']
    given = pa.table({"item_id": ["1"] * 3 + ["2"] * 2, "annotator": [*"pqrpq"], "label": labels})
    answers = code_sets(given, None, ("a", "b"))
    place = {label: number for number, label in enumerate(answers.coded.classes)}
    shares = share_most_frequent(answers)
    assert shares[:, place['["a"]']].tolist() == [1.0, 0.5]
    assert shares[:, place["[]"]].tolist() == [0.0, 0.5]


def test_where_a_majority_a_class_names_a_set_that_nobody_gave_the_most_frequent_set_does_not() -> None:
    split = pa.table({"item_id": ["1"] * 3, "annotator": [*"pqr"], "label": ['["a","b"]', '["b","c"]', '["a","c"]']})
    entry = measure(SetCrowd("small", split, ("a", "b", "c"), {"1": '["a","b"]'}))
    assert entry["exact_set_error"][WHOLE] == pytest.approx(2 / 3)
    assert entry["exact_set_error"][MAJORITY] == 1.0


def test_made_answers_of_dependent_classes_are_read_better_than_by_majority() -> None:
    entry = measure(made("made", kinds=3, items=120, classes=4, people=12))
    assert entry["exact_set_error"][CHOSEN] < entry["exact_set_error"][MAJORITY]
    assert entry["chosen_less"][MAJORITY]["difference"] == pytest.approx(
        entry["exact_set_error"][MAJORITY] - entry["exact_set_error"][CHOSEN]
    )
