import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.contract.tables.release import AUDIT, EXPERT_ANSWERS
from cupel.people.answers.experts import verdict, verdicts


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


@given(
    st.lists(st.tuples(st.sampled_from(["one", "two"]), st.sampled_from(["i", "j"]), st.sampled_from(["a", "b"]))),
    st.lists(
        st.tuples(
            st.sampled_from(["one", "two"]), st.sampled_from(["i", "j", "k"]), st.sampled_from(["a", "b", "c", None])
        )
    ),
    st.sampled_from([1, 2]),
    st.data(),
)
def test_verdicts_are_the_protocol_applied_to_each_item(
    items: list[tuple[str, str, str]], said: list[tuple[str, str, str | None]], asked: int, data: st.DataObject
) -> None:
    columns = {name: [item[place] for item in items] for place, name in enumerate(("batch", "item_id", "label"))}
    texts = {name: pa.array(values, pa.string()) for name, values in columns.items()}
    table = pa.table({"release": pa.array(["r"] * len(items), pa.string()), **texts})
    answers = pa.Table.from_pylist(
        [
            {"sequence": n, "batch": batch, "item_id": item, "purpose": "audit", "annotator": "e", "label": label}
            for n, (batch, item, label) in enumerate(said)
        ],
        schema=EXPERT_ANSWERS.schema,
    ).take(pa.array(data.draw(st.permutations(range(len(said)))), pa.int64()))
    found = verdicts(table, answers, asked, AUDIT).to_pylist()
    for (batch, item, label), row in zip(items, found, strict=True):
        expected = verdict([word for b, i, word in said if (b, i) == (batch, item)], asked)
        assert (row["batch"], row["item_id"], row["label"]) == (batch, item, label)
        assert (row["answers"], row["is_settled"], row["expert_label"], row["is_contested"]) == (
            expected.answers, expected.is_settled, expected.label, expected.is_contested,
        )  # fmt: skip
        assert row["is_wrong"] == (None if expected.label is None else expected.label != label)
