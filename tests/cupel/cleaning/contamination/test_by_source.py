from collections import Counter

import pytest

from contamination_designs import Items, settings
from cupel.certificate.hypergeometric import clopper_pearson_lower
from cupel.cleaning.contamination.by_source import sources


def rows_of(items: Items) -> tuple[list[dict], set[str]]:  # type: ignore[type-arg]
    design = items.follow(settings())
    found, row = items.conclude(design)
    table = sources(design.plan.to_pylist()[0], design.items, items.answers, row["cut"], found.is_kept)
    return table.to_pylist(), {item for item, kept in zip(items.ids, found.is_kept, strict=True) if kept}


def test_sources_add_up_to_the_batch() -> None:
    items = Items()
    rows, kept = rows_of(items)
    assert [row["source_file"] for row in rows] == ["a", "b"]
    assert sum(row["candidates"] for row in rows) == 500
    assert sum(row["kept"] for row in rows) == len(kept)
    assert sum(row["pilot"] for row in rows) == 60


def test_all_bounds_hold_together() -> None:
    false, times = 0, 40
    for seed in range(times):
        items = Items(400, blurred=0.08, seed=seed)
        rows, kept = rows_of(items)
        source = dict(zip(items.ids, ["a" if number % 3 else "b" for number in range(len(items.ids))], strict=True))
        left = Counter(source[item] for item in kept & items.unwanted)
        false += any(row["kept"] and left[row["source_file"]] > row["bound"] * row["kept"] + 1e-9 for row in rows)
    assert clopper_pearson_lower(false, times, 0.99) <= 0.04


def test_a_source_with_few_audited_items_says_that_they_are_not_enough() -> None:
    rows, _ = rows_of(Items(900))
    assert all(row["is_enough"] == (row["bound"] <= 0.05) for row in rows if row["audit_unwanted"] == 0)
    assert not all(row["is_enough"] for row in rows)


@pytest.mark.parametrize("size", [5, 70])
def test_a_batch_read_whole_has_nothing_left(size: int) -> None:
    rows, _ = rows_of(Items(size))
    assert {row["bound"] for row in rows} == {0.0}
