import pyarrow as pa
import pytest

from cupel.answers.experts import verdict, verdicts
from cupel.tables import AUDIT, EXPERT_ANSWERS


@pytest.mark.parametrize(
    ("labels", "asked", "label", "is_settled", "wanted"),
    [
        ([], 1, None, False, 1),
        (["a"], 1, "a", True, 0),
        ([None], 1, None, True, 0),
        ([], 2, None, False, 2),
        (["a"], 2, None, False, 1),
        (["a", "a"], 2, "a", True, 0),
        (["a", "b"], 2, None, False, 1),
        (["a", "b", "b"], 2, "b", True, 0),
        (["a", "b", "c"], 2, None, True, 0),
        (["a", None, "a"], 2, "a", True, 0),
        (["a", None, None], 2, None, True, 0),
        ([None, None], 2, None, True, 0),
        (["a", "b", "b", "a", "a"], 2, "b", True, 0),
    ],
)
def test_the_protocol(labels: list[str | None], asked: int, label: str | None, is_settled: bool, wanted: int) -> None:
    found = verdict(labels, asked)
    assert (found.label, found.is_settled, found.wanted) == (label, is_settled, wanted)
    assert found.is_contested == (is_settled and label is None)


def test_a_proposed_label_is_wrong_only_where_experts_agree_on_another() -> None:
    items = pa.table({"release": ["r"] * 3, "batch": ["one"] * 3, "item_id": ["i", "j", "k"], "label": ["a"] * 3})
    said = pa.Table.from_pylist(
        [
            {"sequence": n, "batch": "one", "item_id": item, "purpose": "audit", "annotator": "e", "label": label}
            for n, (item, label) in enumerate([("i", "b"), ("j", "a"), ("k", None)])
        ],
        schema=EXPERT_ANSWERS.schema,
    )
    assert verdicts(items, said, 1, AUDIT)["is_wrong"].to_pylist() == [True, False, None]
    assert verdicts(items, said, 1, AUDIT)["is_contested"].to_pylist() == [False, False, True]
