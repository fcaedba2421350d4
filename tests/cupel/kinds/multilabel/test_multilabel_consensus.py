from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from cupel.consensus.methods import METHODS
from cupel.contract.tables.labeling import CONSENSUS
from cupel.errors import TableError
from cupel.kinds.multilabel.consensus import find_sets
from tests.cupel.kinds.multilabel.made_answers import make_answers

CLASSES = ("a", "b")


def table(answers: list[tuple[str, str | None, str]]) -> pa.Table:
    schema = pa.schema([(name, pa.string()) for name in ("item_id", "annotator", "label")])
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in answers], schema)


def rows(answers: list[tuple[str, str | None, str]], items: list[str], method: str = "auto") -> dict[str, Any]:
    found, _ = find_sets(table(answers), items, CLASSES, method)
    assert found.schema == CONSENSUS.schema
    return {row["item_id"]: row for row in found.to_pylist()}


def test_the_majority_holds_what_more_than_half_of_the_answers_hold() -> None:
    said = ['["a"]', '["a","b"]', '["b"]']
    found = rows([("1", str(who), text) for who, text in enumerate(said)], ["1"])["1"]
    # Two of three say a, two of three say b, and one of three says both.
    assert (found["votes"], found["majority_label"], found["is_tie"]) == (3, '["a","b"]', False)
    assert found["agreement"] == pytest.approx(1 / 3)


def test_a_tie_in_any_class_leaves_no_majority() -> None:
    found = rows([("1", "p", '["a"]'), ("1", "q", '["a","b"]')], ["1"])["1"]
    assert (found["majority_label"], found["is_tie"], found["agreement"]) == (None, True, pytest.approx(1 / 2))
    assert found["consensus_label"] is not None


def test_the_empty_set_is_a_majority_and_no_answer_is_none() -> None:
    found = rows([("1", "p", "[]"), ("1", "q", "[]")], ["1", "2"])
    assert (found["1"]["majority_label"], found["1"]["consensus_label"], found["1"]["agreement"]) == ("[]", "[]", 1.0)
    none = found["2"]
    assert (none["votes"], none["is_tie"]) == (0, False)
    assert [none[name] for name in ("majority_label", "agreement", "consensus_label", "posterior")] == [None] * 4


@pytest.mark.parametrize("method", ["auto", *METHODS])
def test_posteriors_are_chances_of_no_and_yes_by_class(method: str) -> None:
    made = make_answers(items=30, shares=(0.3, 0.6))
    found, _ = find_sets(made.annotations, [f"{n:04d}" for n in range(30)], CLASSES, method)
    values = np.array(found["posterior"].to_pylist())
    assert values.shape == (30, 4)
    assert values.reshape(30, 2, 2).sum(axis=2) == pytest.approx(1.0)
    assert (values >= 0).all()
    assert (values <= 1).all()


def test_the_set_that_all_say_is_the_consensus() -> None:
    answers: list[tuple[str, str | None, str]] = [
        (item, who, text) for item, text in (("1", '["a","b"]'), ("2", "[]"), ("3", '["b"]')) for who in "pqr"
    ]
    found = rows(answers, ["1", "2", "3"])
    assert [found[item]["consensus_label"] for item in "123"] == ['["a","b"]', "[]", '["b"]']


def test_answers_that_name_nobody_count() -> None:
    found = rows([("1", None, '["a"]'), ("1", None, '["a"]'), ("1", None, '["b"]')], ["1"])["1"]
    assert (found["votes"], found["majority_label"]) == (3, '["a"]')


def test_rows_in_another_order_give_the_same_bytes() -> None:
    made = make_answers(items=50)
    ids = [f"{n:04d}" for n in range(50)]
    order = np.random.default_rng(1).permutation(made.annotations.num_rows)
    classes = tuple("abcdef")
    one, _ = find_sets(made.annotations, ids, classes)
    assert one.equals(find_sets(made.annotations.take(order), ids[::-1], classes)[0])


def test_a_batch_without_answers_has_a_row_an_item() -> None:
    assert rows([], ["1"])["1"]["votes"] == 0


def test_an_item_that_is_not_of_the_batch_is_an_error() -> None:
    with pytest.raises(TableError, match="item_id '9' is not known"):
        rows([("9", "p", "[]")], ["1"])
