import random

import numpy as np
import pyarrow as pa
import pytest

from cupel.contract.ontology import Ontology
from cupel.errors import TableError
from cupel.kinds.marks.consensus import find_consensus
from cupel.kinds.marks.counted_marks import count_marks
from cupel.marks.canonical_text import BOXES, SPANS, MarkForm, write_marks

ONTOLOGY = Ontology(("drug", "dose"), (), 0.5)
ANNOTATIONS = ("item_id", "annotator", "label")


def text(*marks: tuple[str, int, int]) -> str:
    return write_marks([{"class": name, "start": start, "end": end} for name, start, end in marks], SPANS)


def annotations(*rows: tuple[str, str | None, str]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [(), (), ()]
    return pa.table({name: pa.array(list(some), pa.string()) for name, some in zip(ANNOTATIONS, columns, strict=True)})


def consensus(table: pa.Table, ids: list[str], form: MarkForm = SPANS) -> dict[str, dict[str, object]]:
    found = find_consensus(table, ids, ONTOLOGY, form).tables["consensus"]
    return {row["item_id"]: row for row in found.to_pylist()}


DRUG, DOSE = ("drug", 10, 20), ("dose", 30, 36)
CROWD = annotations(*(
    (f"i{item}", who, text(DRUG) if item % 2 else "[]") for item in range(20) for who in ("ann", "bob", "cy")
))  # fmt: skip


def test_unanimous_answers_are_the_consensus_and_nothing_here_is_one() -> None:
    found = consensus(CROWD, [f"i{item}" for item in range(21)])
    assert found["i1"]["consensus_label"] == found["i1"]["majority_label"] == text(DRUG)
    assert found["i2"]["consensus_label"] == "[]"
    assert (found["i1"]["votes"], found["i1"]["agreement"], found["i1"]["is_tie"]) == (3, 1.0, False)
    assert (found["i20"]["votes"], found["i20"]["consensus_label"], found["i20"]["posterior"]) == (0, None, None)
    wrong, right = found["i1"]["posterior"]  # type: ignore[misc]
    assert wrong + right == pytest.approx(1)
    assert right > 0.5


def test_what_one_of_three_marks_is_less_sure_than_what_all_mark() -> None:
    table = pa.concat_tables(
        [CROWD, annotations(("x", "ann", text(DRUG)), ("x", "bob", text(DRUG)), ("x", "cy", "[]"))]
    )
    found = consensus(table, [*(f"i{item}" for item in range(20)), "x"])
    assert found["x"]["posterior"][1] < found["i1"]["posterior"][1]  # type: ignore[index]
    assert found["x"]["agreement"] in (pytest.approx(1 / 3), pytest.approx(2 / 3))


def test_the_consensus_depends_neither_on_rows_nor_on_names() -> None:
    order = list(range(CROWD.num_rows))
    random.Random(1).shuffle(order)
    ids = [f"i{item}" for item in range(20)]
    renamed = {"ann": "z", "bob": "y", "cy": "x"}
    shuffled = CROWD.take(order)
    names = pa.array([renamed[name] for name in shuffled["annotator"].to_pylist()])
    assert consensus(shuffled.set_column(1, "annotator", names), ids) == consensus(CROWD, ids)


def test_answers_without_a_name_are_each_of_somebody_else() -> None:
    nameless = CROWD.set_column(1, "annotator", pa.nulls(CROWD.num_rows, pa.string()))
    assert consensus(nameless, [f"i{item}" for item in range(20)])["i1"]["consensus_label"] == text(DRUG)


def test_boxes_go_the_same_way() -> None:
    box = write_marks([{"class": "drug", "x": 1.5, "y": 2, "width": 3.25, "height": 4}], BOXES)
    table = annotations(*((f"i{item}", who, box if item else "[]") for item in range(9) for who in ("ann", "bob")))
    assert consensus(table, [f"i{item}" for item in range(9)], BOXES)["i4"]["consensus_label"] == box


def test_an_answer_about_another_item_is_an_error() -> None:
    with pytest.raises(TableError, match="item 'i0' is none of the batch"):
        find_consensus(CROWD, ["i1"], ONTOLOGY, SPANS)


def test_no_answers_are_no_consensus() -> None:
    assert consensus(annotations(), ["i0"])["i0"]["consensus_label"] is None


def test_each_mark_that_anybody_made_is_a_question_to_all_who_answered_the_item() -> None:
    table = annotations(
        ("i0", "ann", text(DRUG, DOSE)), ("i0", "bob", text(("drug", 10, 19))), ("i1", "ann", "[]"), ("i1", "bob", "[]")
    )
    gold = pa.table({"item_id": ["i0", "i1"], "label": [text(DRUG, ("dose", 50, 60)), "[]"]})
    found = count_marks(table, pa.chunked_array([["i0", "i1", "i2"]]), gold, ONTOLOGY, SPANS)
    said = {(row["item_id"], row["annotator"]): row["label"] for row in found.annotations.to_pylist()}
    known = dict(zip(found.gold["item_id"].to_pylist(), found.gold["label"].to_pylist(), strict=True))  # type: ignore[index]
    # In i0: the drug, the dose of ann's, and a known dose that nobody marked; in i1 that nothing is there.
    both, one, missed = "i0#1", "i0#2", "i0#3"
    assert {key: said[key] for key in said if key[0] == both} == {(both, "ann"): "yes", (both, "bob"): "yes"}
    assert {key: said[key] for key in said if key[0] == one} == {(one, "ann"): "yes", (one, "bob"): "no"}
    assert {said[missed, "ann"], said[missed, "bob"], said["i1#1", "ann"], said["i1#1", "bob"]} == {"no"}
    assert known == {both: "yes", one: "no", missed: "yes", "i1#1": "no"}
    assert len(np.unique(found.item_ids.to_pylist())) == len(found.item_ids) == 5
    assert found.vocabulary == ("no", "yes")
