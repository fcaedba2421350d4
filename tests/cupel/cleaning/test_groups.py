"""Groups: what stays in one split, within a batch and across batches."""

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning.duplicates.kept_items import EARLIER_ITEMS, DuplicateRule, find_similar_texts
from cupel.cleaning.groups import Groups, groups
from cupel.contract.tables.cleaning import SIMILAR_ITEMS


def grouped(
    texts: list[str],
    pairs: list[tuple[int, str, float]],
    sources: list[str | None] | None = None,
    earlier: list[tuple[str, str, str | None]] | None = None,
    members: list[bool] | None = None,
    kept: list[bool] | None = None,
) -> Groups:
    """Group items 0, 1, .. of batch b; a pair is (item, earlier item like b0 or a3, similarity)."""
    ids = pa.chunked_array([[f"b{place}" for place in range(len(texts))]], pa.string())
    similar = pa.Table.from_pylist(
        [
            {"item_id": f"b{place}", "earlier_batch": name[0], "earlier_item_id": name, "similarity": value}
            for place, name, value in pairs
        ],
        SIMILAR_ITEMS.schema,
    )
    names = [group for _, _, group in earlier or []]
    before = pa.Table.from_pylist(
        [
            {
                "batch": item[0],
                "item_id": item,
                "text_sha256": text,
                "group_id": group,
                "group_place": names.index(group),
            }
            for item, text, group in earlier or []
        ],
        EARLIER_ITEMS,
    )
    found = find_similar_texts("b", ids, pa.chunked_array([texts], pa.string()), similar, before)
    everyone = [True] * len(texts)
    return groups(
        [f"b/b{place}" for place in range(len(texts))],
        sources or [None] * len(texts),
        members or everyone,
        kept or members or everyone,
        found,
        before,
        DuplicateRule(0.5),
    )


def test_similar_items_and_items_of_one_source_group_stay_together() -> None:
    ids = grouped(["u", "v", "w", "x", "y"], [(2, "b0", 0.5)], sources=[None, "s", "s", None, "t"]).group_ids
    assert ids[0] == ids[1] == ids[2]
    assert len(set(ids)) == 3


def test_a_group_is_named_after_its_first_kept_item_whatever_else_is_in_it() -> None:
    alone = grouped(["u", "v"], []).group_ids
    together = grouped(["u", "v", "w"], [(2, "b1", 0.7)]).group_ids
    assert together[:2] == alone
    assert together[2] == alone[1]


def test_a_pair_below_the_similarity_does_not_tie() -> None:
    assert len(set(grouped(["u", "v"], [(1, "b0", 0.49)]).group_ids)) == 2


def test_an_item_joins_the_group_of_the_earlier_item_that_it_resembles() -> None:
    found = grouped(["u", "v"], [(1, "a0", 0.6)], earlier=[("a0", "x", "old")])
    assert found.group_ids[1] == "old"
    assert found.group_ids[0] != "old"
    assert found.links.num_rows == 0


def test_where_an_item_resembles_two_earlier_groups_the_earliest_takes_it_and_the_other_is_reported() -> None:
    earlier = [("a0", "x", "first"), ("a1", "y", "second"), ("a2", "z", "second")]
    found = grouped(["u", "v"], [(0, "a1", 0.9), (0, "a0", 0.5), (1, "a2", 0.6)], earlier=earlier)
    assert found.group_ids == ["first", "second"]
    assert found.links.to_pylist() == [{"group_id": "first", "linked_group_id": "second"}]


def test_an_earlier_item_that_was_rejected_ties_nothing() -> None:
    found = grouped(["u", "v"], [(0, "a0", 0.9), (1, "a0", 0.9)], earlier=[("a0", "x", None)])
    assert len(set(found.group_ids)) == 2


def test_an_item_dropped_for_its_quality_ties_nothing_and_has_no_group() -> None:
    found = grouped(
        ["u", "v", "w"], [(1, "b0", 0.6), (2, "b1", 0.6)], sources=["s", "s", None], members=[True, False, True]
    )
    assert found.group_ids[1] is None
    assert found.group_ids[0] != found.group_ids[2]


def test_a_duplicate_ties_its_source_group_to_the_item_that_stands_in_for_it() -> None:
    found = grouped(
        ["u", "u", "v"], [(1, "b0", 1.0)], sources=["s", "t", "t"], members=[True] * 3, kept=[True, False, True]
    )
    assert found.group_ids[0] == found.group_ids[2]


ITEMS = st.integers(1, 8)


@settings(deadline=None)
@given(st.data())
def test_no_two_kept_items_that_are_tied_have_different_groups(data: st.DataObject) -> None:
    count = data.draw(ITEMS)
    every = [(one, other) for one in range(count) for other in range(one)]
    ties = data.draw(st.lists(st.sampled_from(every), max_size=6)) if every else []
    sources = data.draw(st.lists(st.sampled_from([None, "s", "t"]), min_size=count, max_size=count))
    ids = grouped([str(place) for place in range(count)], [(one, f"b{other}", 0.6) for one, other in ties], sources)
    for one, other in ties:
        assert ids.group_ids[one] == ids.group_ids[other]
    for source in ("s", "t"):
        assert len({group for group, own in zip(ids.group_ids, sources, strict=True) if own == source}) <= 1
    # No more than the ties ask for: as many groups as connected parts, counted by merging labels naively.
    part = list(range(count))
    same = [*ties, *((i, j) for i in range(count) for j in range(i) if sources[i] and sources[i] == sources[j])]
    for one, other in same:
        part = [part[other] if label == part[one] else label for label in part]
    assert len(set(ids.group_ids)) == len(set(part))
