"""Fingerprints to candidate pairs, against the rule written out item by item."""

from collections import Counter
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cupel.cleaning.duplicates import candidates as module
from cupel.cleaning.duplicates.candidates import EarlierPiece, OwnItems, find_candidate_pairs, find_earlier_candidates
from cupel.cleaning.duplicates.fingerprints import SKETCH_WORDS

BANDS = 4


class Found(NamedTuple):
    pairs: list[tuple[int, int]]
    compared: int
    left_out: int


def by_hand(bands: list[list[int]], first_own: int, is_there: list[bool], within: bool, ends: int, most: int) -> Found:
    """Return the pairs as the rule has them, looking at every item and band."""
    pairs, left_out = set(), 0
    for later in range(first_own, len(bands)):
        shared: Counter[int] = Counter()
        for band in range(BANDS) if is_there[later] else ():
            others = range(later if within else first_own)
            before = [other for other in others if is_there[other] and bands[later][band] == bands[other][band]]
            if len(before) > 2 * ends:
                left_out += len(before) - 2 * ends
                before = before[:ends] + before[-ends:]
            shared.update(before)
        by_age = sorted(shared)
        by_bands = sorted(shared, key=lambda other: (-shared[other], other))
        chosen = {*by_age[:most], *by_bands[:most]}
        left_out += len(shared) - len(chosen)
        pairs |= {(later, other) for other in chosen}
    own = len(bands) - first_own
    every_pair = own * first_own + (own * (own - 1) // 2 if within else 0)
    return Found(sorted(pairs), len(pairs), min(left_out, every_pair))


def search(
    bands: list[list[int]], first_own: int, is_there: list[bool], within: bool, pieces: int, threads: int = 2
) -> Found:
    """Search with sketches that rule nothing out."""
    # Hashes differ in all their bits.
    hashes = (np.array(bands, np.uint64).reshape(-1, BANDS) * 0x9E3779B97F4A7C15 >> 32).astype(np.uint32)
    there, count = np.array(is_there, np.bool_), len(bands)
    sketches, sizes = np.zeros((count, SKETCH_WORDS), np.uint64), np.ones(count, np.int64)
    every = EarlierPiece(np.arange(count), hashes, sketches, sizes)
    parts = (
        every.choose((np.arange(count) >= first) & (np.arange(count) < min(first + pieces, first_own)) & there)
        for first in range(0, first_own, pieces)
    )
    own = every.choose(np.arange(count) >= first_own)
    before = find_earlier_candidates(own.bands[there[first_own:]], parts, threads)
    asked = OwnItems(own.bands.copy(), own.sketches, own.sizes, there[first_own:])
    found = find_candidate_pairs(asked, before, np.arange(count), 0.5, within, threads)
    return Found(list(zip(found.later.tolist(), found.earlier.tolist(), strict=True)), *found[2:])


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.booleans(), st.integers(1, 3), st.integers(1, 4), st.integers(1, 9))
def test_candidates_are_those_of_the_rule(
    monkeypatch: pytest.MonkeyPatch, data: st.DataObject, within: bool, ends: int, most: int, at_once: int
) -> None:
    item = st.lists(st.integers(1, 6), min_size=BANDS, max_size=BANDS)
    bands = data.draw(st.lists(item, max_size=24))
    first_own = data.draw(st.integers(0, len(bands)))
    is_there = data.draw(st.lists(st.booleans() | st.just(True), min_size=len(bands), max_size=len(bands)))
    monkeypatch.setattr(module, "COMPARED_AT_EACH_END", ends)
    monkeypatch.setattr(module, "COMPARED_OF_EACH_KIND", most)
    monkeypatch.setattr(module, "ITEMS_AT_ONCE", at_once)
    assert search(bands, first_own, is_there, within, at_once) == by_hand(
        bands, first_own, is_there, within, ends, most
    )


@pytest.mark.parametrize("within", [True, False])
def test_a_crowd_of_many_thousands_is_compared_with_both_its_ends(
    monkeypatch: pytest.MonkeyPatch, within: bool
) -> None:
    monkeypatch.setattr(module, "COMPARED_AT_EACH_END", 2)
    bands = [[1, place % 2 + 2, place + 10, place + 10_000] for place in range(6_000)]
    there = [True] * 6_000
    found = search(bands, 5_990, there, within, 1_000)
    assert found == by_hand(bands, 5_990, there, within, 2, 50)
    last = {5_995, 5_997, 5_998} if within else {5_987, 5_988, 5_989}
    assert {other for later, other in found.pairs if later == 5_999} == {0, 1, 3} | last


def test_pairs_do_not_depend_on_the_threads() -> None:
    rng = np.random.default_rng(5)
    bands = rng.integers(0, 300, (4_000, BANDS)).tolist()
    there = [True] * 4_000
    assert search(bands, 1_000, there, True, 100, threads=1) == search(bands, 1_000, there, True, 333, threads=4)
