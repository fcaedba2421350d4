import hashlib
from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cupel.certificate.sample import draw
from cupel.errors import AuditError

IDS = [("movies", str(number)) for number in range(20)]


def test_a_recorded_draw_can_be_repeated_for_ever() -> None:
    assert draw(IDS, 5, seed=20_140_601) == [3, 7, 13, 4, 0]


def test_the_rule_is_the_one_that_is_written_down() -> None:
    order = sorted(range(20), key=lambda place: hashlib.sha256(f"7/movies/{place}".encode()).hexdigest())
    assert draw(IDS, 6, seed=7) == order[:6]


@settings(max_examples=25, deadline=None)
@given(st.permutations(IDS), st.integers(0, 20), st.integers(0, 2**63 - 1))
def test_the_order_of_the_rows_does_not_matter(shuffled: list[tuple[str, str]], size: int, seed: int) -> None:
    assert [shuffled[place] for place in draw(shuffled, size, seed)] == [IDS[place] for place in draw(IDS, size, seed)]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 1_000))
def test_a_larger_sample_begins_with_the_smaller(one: int, other: int, seed: int) -> None:
    small, large = sorted((one, other))
    assert draw(IDS, large, seed)[:small] == draw(IDS, small, seed)


def test_every_set_of_items_is_drawn_equally_often() -> None:
    ids = IDS[:6]
    counts = Counter(frozenset(draw(ids, 3, seed)) for seed in range(4_000))
    observed = [counts[frozenset(places)] for places in combinations(range(6), 3)]
    assert stats.chisquare(observed).pvalue > 1e-3


def test_batches_are_told_apart() -> None:
    ids = [*IDS, *(("news", item) for _, item in IDS)]
    assert {ids[place][0] for place in draw(ids, 10, seed=1)} == {"movies", "news"}


def test_an_id_that_occurs_twice_is_an_error() -> None:
    with pytest.raises(AuditError, match="batch movies, item_id '3': occurs twice"):
        draw([*IDS, ("movies", "3")], 5, seed=1)


@pytest.mark.parametrize("size", [-1, 21])
def test_a_size_that_cannot_be_drawn_is_an_error(size: int) -> None:
    with pytest.raises(AuditError, match="expected 0 to 20"):
        draw(IDS, size, seed=1)
