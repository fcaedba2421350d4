import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, fisher_exact

from cupel.contract.tables.release import EXPERT_ANSWERS
from cupel.people.annotators.undecided import RANDOM_ITEMS, SAME_ITEMS, UndecidedFinding, find_undecided


def answers(*rows: tuple[str, str, str | None]) -> pa.Table:
    """Return EXPERT_ANSWERS of item, expert and label, in this order."""
    said = [
        {"sequence": n, "batch": "b", "purpose": "audit", "item_id": item, "annotator": expert, "label": label}
        for n, (item, expert, label) in enumerate(rows)
    ]
    return pa.Table.from_pylist(said, schema=EXPERT_ANSWERS.schema)


def find(table: pa.Table, is_random: bool = True) -> list[UndecidedFinding]:
    return find_undecided(table, np.full(table.num_rows, is_random))


def pairs(left: int, others_left: int, both: int = 3, agreed: int = 20) -> pa.Table:
    """Return answers of two experts on the same items: those that only `a`, only `b`, both or nobody leaves open."""
    kinds = [(None, "x")] * left + [("x", None)] * others_left + [(None, None)] * both + [("x", "y")] * agreed
    return answers(*(row for n, (a, b) in enumerate(kinds) for row in ((f"i{n}", "a", a), (f"i{n}", "b", b))))


def test_an_expert_who_leaves_open_what_another_decides_is_found_by_the_sign_test() -> None:
    (one,) = find(pairs(15, 3))
    exact = binomtest(15, 18, 0.5, alternative="greater").pvalue
    assert one == UndecidedFinding("a", SAME_ITEMS, 15, 41, 3, 41, pytest.approx(2 * exact))
    assert find(pairs(10, 8)) == []
    assert find(pairs(0, 0, both=30)) == []


def test_only_the_first_two_answers_on_an_item_are_compared_and_each_experts_first() -> None:
    third = [row for n in range(12) for row in ((f"i{n}", "a", "x"), (f"i{n}", "b", "y"), (f"i{n}", "c", None))]
    assert find(answers(*third)) == []
    again = [row for n in range(12) for row in ((f"i{n}", "a", None), (f"i{n}", "a", "x"), (f"i{n}", "b", "x"))]
    assert [one.expert for one in find(answers(*again))] == ["a"]


def test_where_one_expert_answers_each_item_randomly_drawn_ones_are_compared_by_fishers_test() -> None:
    rows = [(f"i{n}", "abc"[n % 3], None if n % 3 == 0 and n < 45 else "x") for n in range(150)]
    (one,) = find(answers(*rows))
    exact = fisher_exact([[15, 35], [0, 100]], alternative="greater").pvalue
    assert one == UndecidedFinding("a", RANDOM_ITEMS, 15, 50, 0, 100, pytest.approx(3 * exact))
    assert find(answers(*rows), is_random=False) == []
    assert find(answers(*(("i0", "a", None), ("i1", "a", None)))) == []


@given(st.lists(st.tuples(st.integers(0, 8), st.sampled_from("abc"), st.sampled_from(["x", None])), max_size=60))
def test_renamed_experts_are_found_alike_and_no_finding_is_without_an_undecided_answer(
    rows: list[tuple[int, str, str | None]],
) -> None:
    found = find(answers(*((str(item), expert, label) for item, expert, label in rows)))
    names = {"a": "z", "b": "y", "c": "x"}
    other = find(answers(*((str(item), names[expert], label) for item, expert, label in rows)))
    assert sorted(names[one.expert] for one in found) == sorted(one.expert for one in other)
    assert all(one.undecided and one.p_value <= 0.05 for one in found)


def test_experts_who_are_alike_are_hardly_ever_named() -> None:
    rng, named = np.random.default_rng(4), 0
    for _ in range(300):
        is_open = rng.random((60, 2)) < 0.3
        rows = [(f"i{n}", "abcd"[(n + k) % 4], None if is_open[n, k] else "x") for n in range(60) for k in (0, 1)]
        named += bool(find(answers(*rows)))
    assert named <= 300 * 0.05
