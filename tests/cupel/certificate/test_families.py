from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.certificate.attempts import attempt_alpha
from cupel.certificate.families import (
    Families,
    Keys,
    add_audit,
    are_known,
    count_attempt,
    find_keys,
    parse_keys,
    sort_keys,
)
from cupel.errors import AuditError

# Few different numbers, so that halves of keys are often equal.
KEYS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=12)
STREAMS = st.lists(st.sets(st.integers(0, 14), min_size=1, max_size=8), max_size=20)


def make_keys(items: Iterable[tuple[int, int] | int]) -> Keys:
    rows = [item if isinstance(item, tuple) else (item // 4, item % 4) for item in items]
    return np.array(rows, np.uint64).reshape(-1, 2)


def replay(stream: list[set[int]]) -> tuple[list[int], Families]:
    """Audit each set in turn; return the attempts, and the families at the end."""
    families, attempts = Families.empty(), []
    for items in stream:
        attempts.append(count_attempt(families, make_keys(items)))
        families = add_audit(families, make_keys(items), attempts[-1])
    return attempts, families


def count_naively(stream: list[set[int]]) -> tuple[list[int], dict[int, int]]:
    """Return the attempts of a stream and the family of each item, by dictionaries."""
    family: dict[int, int] = {}
    depth: list[int] = []
    attempts = []
    for items in stream:
        touched = {family[item] for item in items if item in family}
        attempts.append(1 + max((depth[one] for one in touched), default=0))
        new = [item for item in items if item not in family]
        if new and len(touched) != 1:
            depth.append(0)
            own = len(depth) - 1
        elif new:
            (own,) = touched
        for item in new:
            family[item] = own
        for one in touched | {family[item] for item in new}:
            depth[one] = attempts[-1]
    return attempts, family


@settings(max_examples=200, deadline=None)
@given(STREAMS)
def test_attempts_and_families_are_those_of_the_rule(stream: list[set[int]]) -> None:
    attempts, families = replay(stream)
    expected, family = count_naively(stream)
    assert attempts == expected
    items = sorted(family)
    assert families.keys.tolist() == make_keys(items).tolist()
    assert families.members.tolist() == [family[item] for item in items]


@settings(max_examples=200, deadline=None)
@given(STREAMS)
def test_the_audits_that_hold_an_item_of_a_family_have_ascending_attempts(stream: list[set[int]]) -> None:
    attempts, families = replay(stream)
    for family in range(len(families.depths)):
        members = {tuple(key) for key in families.keys[families.members == family].tolist()}
        held = [
            attempt for attempt, items in zip(attempts, stream, strict=True)
            if members & {(item // 4, item % 4) for item in items}
        ]  # fmt: skip
        assert all(one < following for one, following in pairwise(held))
        assert sum(map(exact_alpha, held)) < Fraction(5, 100)
        assert families.depths[family] == held[-1]


@settings(max_examples=200, deadline=None)
@given(STREAMS)
def test_all_audits_together_spend_less_than_five_per_cent_for_each_first_attempt(stream: list[set[int]]) -> None:
    attempts, _ = replay(stream)
    assert sum(map(exact_alpha, attempts)) <= Fraction(5, 100) * attempts.count(1)


def exact_alpha(attempt: int) -> Fraction:
    exact = Fraction(4, 100) if attempt == 1 else Fraction(1, 100) / 2 ** (attempt - 1)
    assert float(exact) == pytest.approx(attempt_alpha(attempt))
    return exact


@settings(max_examples=100, deadline=None)
@given(KEYS, KEYS)
def test_keys_are_found_where_they_stand(some: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    ordered = sort_keys(make_keys(some))
    assert [tuple(key) for key in ordered.tolist()] == sorted(set(some))
    expected = [sorted(set(some)).index(key) if key in some else -1 for key in others]
    assert find_keys(ordered, make_keys(others)).tolist() == expected


def test_a_part_of_a_refused_set_counts_on_and_so_does_the_next_part() -> None:
    whole = set(range(12))
    assert replay([whole, {0, 1}, {2, 3}, {4, 5}])[0] == [1, 2, 3, 4]


def test_a_chain_of_overlaps_is_one_family() -> None:
    attempts, families = replay([{0, 1, 2}, {2, 3, 4}, {4, 5, 6}, {6, 7, 8}])
    assert attempts == [1, 2, 3, 4]
    assert families.depths.tolist() == [4]


def test_a_union_of_first_audits_is_the_second_attempt_and_later_parts_count_what_they_were_in() -> None:
    parts = [{0, 1}, {2, 3}, {4, 5}]
    union = set().union(*parts)
    assert replay([*parts, union, *parts, union])[0] == [1, 1, 1, 2, 3, 3, 3, 4]


def test_disjoint_sets_are_first_attempts() -> None:
    attempts, families = replay([{0, 1}, {2, 3}, {4}])
    assert attempts == [1, 1, 1]
    assert are_known(families, make_keys([0, 4, 9])).tolist() == [True, True, False]


def test_looks_that_may_follow_count_from_the_first_on() -> None:
    families = add_audit(Families.empty(), make_keys([1, 2]), 6)
    assert count_attempt(families, make_keys([2, 3])) == 7


def test_an_attempt_that_was_counted_too_low_never_lowers_a_depth() -> None:
    families = add_audit(Families.empty(), make_keys([1, 2]), 3)
    assert count_attempt(add_audit(families, make_keys([1]), 1), make_keys([2])) == 5


def test_an_attempt_of_zero_is_refused() -> None:
    with pytest.raises(AuditError, match="attempt: found 0; expected 1 or more"):
        add_audit(Families.empty(), make_keys([1]), 0)


@pytest.mark.parametrize("digits", [b"0" * 63, b"0" * 65, b"g" * 64, b"0" * 62 + b"  ", "é".encode() * 32])
def test_what_is_no_digest_is_refused(digits: bytes) -> None:
    with pytest.raises(AuditError, match="digests: found"):
        parse_keys(digits)
