import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from cupel.contract.item_numbers import places, ranks

PAIRS = st.lists(st.tuples(st.sampled_from(["a", "b", "ab", ""]), st.sampled_from(["a", "b", "bb"])))


def table(pairs: list[tuple[str, str]]) -> pa.Table:
    batch, item = ([pair[place] for pair in pairs] for place in (0, 1))
    return pa.table({"batch": pa.array(batch, pa.string()), "item_id": pa.array(item, pa.string())})


@given(PAIRS, PAIRS)
def test_rows_have_the_same_number_exactly_where_they_speak_of_the_same_item(
    one: list[tuple[str, str]], other: list[tuple[str, str]]
) -> None:
    numbers = np.concatenate(places(table(one), table(other))).tolist()
    pairs = [*one, *other]
    assert [len(part) for part in places(table(one), table(other))] == [len(one), len(other)]
    assert len(set(zip(numbers, pairs, strict=True))) == len(set(numbers)) == len(set(pairs))
    assert set(numbers) == set(range(len(set(pairs))))


@given(st.lists(st.integers(-3, 3)))
def test_the_rank_of_a_row_is_how_often_its_number_stood_before(numbers: list[int]) -> None:
    expected = [numbers[:place].count(number) for place, number in enumerate(numbers)]
    assert ranks(np.array(numbers, np.int64)).tolist() == expected
