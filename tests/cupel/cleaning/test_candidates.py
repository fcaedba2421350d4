"""Bands to candidates, against the rule written out item by item."""

from collections import Counter
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning import candidates as module
from cupel.cleaning.candidates import candidates
from cupel.cleaning.register import Register, Signed

CONNECTION = duckdb.connect()


class Found(NamedTuple):
    pairs: set[tuple[int, int]]
    left_out: int


def by_hand(bands: list[set[int]], first_own: int, is_compared: list[bool], ends: int, most: int) -> Found:
    """Return the pairs as the rule has them, looking at every item and band."""
    pairs, left_out = set(), 0
    for later in range(first_own, len(bands)):
        shared: Counter[int] = Counter()
        for band in bands[later] if is_compared[later] else ():
            before = [other for other in range(later) if is_compared[other] and band in bands[other]]
            if len(before) > 2 * ends:
                left_out += len(before) - 2 * ends
                before = before[:ends] + before[-ends:]
            shared.update(before)
        by_age = sorted(shared)
        by_bands = sorted(shared, key=lambda other: (-shared[other], other))
        chosen = {*by_age[:most], *by_bands[:most]}
        left_out += len(shared) - len(chosen)
        pairs |= {(later, other) for other in chosen}
    return Found(pairs, left_out)


def register_of(bands: list[set[int]], first_own: int) -> Register:
    """Return items in the order of their positions; two earlier batches where there are that many."""

    def signed(name: str, first: int, end: int) -> Signed:
        # High bits differ, as they do in hashes: they number the slots.
        lists = [[band * 0x9E3779B97F4A7C15 % 2**64 for band in sorted(own)] for own in bands[first:end]]
        columns = {
            "item_id": pa.array([f"{name}{place:03}" for place in range(first, end)], pa.string()),
            "text_sha256": pa.array([f"{place:064x}"[::-1] for place in range(first, end)], pa.string()),
            "bands": pa.array(lists, pa.list_(pa.uint64())),
        }
        return Signed.of(pa.table(columns), name)

    own = signed("c", first_own, len(bands))
    ids = [f"c{place:03}" for place in range(first_own, len(bands))]
    raw = pa.table(
        {"item_id": pa.array(ids, pa.string()), "source_file": pa.repeat("f", len(ids)), "line": np.arange(len(ids))}
    )
    half = first_own // 2
    return Register(own, [signed("a", 0, half), signed("b", half, first_own)], raw)


def search(bands: list[set[int]], first_own: int, is_compared: list[bool], ends: int, most: int, at_once: int) -> Found:
    found = candidates(register_of(bands, first_own), np.array(is_compared, np.bool_), ends, CONNECTION)
    pieces = list(found.pieces(ends, most, at_once))
    pairs = [pair for later, earlier, _ in pieces for pair in zip(later.tolist(), earlier.tolist(), strict=True)]
    assert pairs == sorted(set(pairs))
    return Found(set(pairs), sum(left_out for _, _, left_out in pieces))


@settings(max_examples=80, deadline=None)
@given(st.data(), st.integers(1, 3), st.integers(1, 4), st.integers(1, 9))
def test_candidates_are_those_of_the_rule(data: st.DataObject, ends: int, most: int, at_once: int) -> None:
    bands = data.draw(st.lists(st.sets(st.integers(1, 6), max_size=4), max_size=24))
    first_own = data.draw(st.integers(0, len(bands)))
    is_compared = data.draw(st.lists(st.booleans() | st.just(True), min_size=len(bands), max_size=len(bands)))
    expected = by_hand(bands, first_own, is_compared, ends, most)
    assert search(bands, first_own, is_compared, ends, most, at_once) == expected


def test_a_band_that_comes_in_several_pieces_is_one_band(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_SORTED_AT_ONCE", 2_048)
    bands = [{1, place % 2 + 2} for place in range(6_000)]
    found = search(bands, 5_990, [True] * 6_000, 2, 50, 100)
    assert found == by_hand(bands, 5_990, [True] * 6_000, 2, 50)
    assert {other for later, other in found.pairs if later == 5_999} == {0, 1, 3, 5_995, 5_997, 5_998}
