from hypothesis import given
from hypothesis import strategies as st

from cupel.project import Splits
from cupel.release.splits import splits


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
