from hypothesis import given
from hypothesis import strategies as st

from cupel.config.release import Splits
from cupel.release.splits import joined, splits


@given(st.lists(st.text(max_size=5), max_size=50), st.integers())
def test_no_group_is_divided(groups: list[str], seed: int) -> None:
    parts: dict[str, set[str]] = {}
    for group, part in zip(groups, splits(groups, seed, Splits()), strict=True):
        parts.setdefault(group, set()).add(part)
    assert all(len(found) == 1 for found in parts.values())


def test_the_shares_are_kept() -> None:
    found = splits([f"group {n}" for n in range(10_000)], 1, Splits(train=0.7, validation=0.2, test=0.1))
    assert abs(found.count("train") / 10_000 - 7 / 10) < 0.02
    assert abs(found.count("validation") / 10_000 - 2 / 10) < 0.02


def test_an_empty_split_gets_nothing() -> None:
    assert set(splits([str(n) for n in range(1_000)], 1, Splits(train=1.0, validation=0.0, test=0.0))) == {"train"}


def test_another_seed_splits_otherwise() -> None:
    groups = [str(n) for n in range(1_000)]
    assert splits(groups, 1, Splits()) != splits(groups, 2, Splits())


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=12), st.data())
def test_alike_items_end_in_one_group_and_others_stay_apart(groups: list[str], data: st.DataObject) -> None:
    places = st.integers(0, len(groups) - 1)
    pairs = data.draw(st.lists(st.tuples(places, places), max_size=6))
    found = joined(groups, pairs)
    assert all(found[left] == found[right] for left, right in pairs)
    assert all(found[i] == found[j] for i in range(len(groups)) for j in range(i) if groups[i] == groups[j])
    assert len(set(found)) >= len(set(groups)) - len(pairs)
    assert set(found) <= set(groups)
