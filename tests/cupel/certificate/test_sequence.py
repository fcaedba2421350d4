from collections.abc import Iterable
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.certificate.attempts import Levels, attempt_levels
from cupel.certificate.hypergeometric import upper_count
from cupel.certificate.sequence import Cutting, Flags, cut_positions, find_cut, floor_share
from cupel.errors import AuditError

NEVER_CONTESTED = attempt_levels(1, can_be_contested=False)


def flags(size: int, places: Iterable[int]) -> Flags:
    array = np.zeros(size, dtype=bool)
    array[list(places)] = True
    return array


def cut(
    size: int, audited: Iterable[int], wrong: Iterable[int] = (), contested: Iterable[int] = (),
    budget: float = 0.1, levels: Levels = NEVER_CONTESTED,
) -> Cutting:  # fmt: skip
    return find_cut(flags(size, audited), flags(size, wrong), flags(size, contested), budget, levels)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5_000))
def test_cuts_ascend_to_everything(population: int) -> None:
    positions = cut_positions(population)
    assert positions[0] >= 1
    assert positions[-1] == population
    assert np.all(np.diff(positions) > 0)


def test_cuts_are_half_percents_from_the_safest_twentieth() -> None:
    assert cut_positions(10_000).tolist() == list(range(500, 10_001, 50))


def test_a_budget_is_the_decimal_that_was_written() -> None:
    assert [floor_share(0.29, 100), floor_share(0.003, 10_000), floor_share(0.003, 9_999)] == [29, 30, 29]


def test_a_p_value_is_the_hypergeometric_tail() -> None:
    cutting = cut(200, range(0, 200, 2), wrong=[100])
    row = cutting.cuts[-1]
    # B = 20: of 200 items 21 wrong, and a sample of 100 shows at most 1.
    ways = comb(179, 100) + 21 * comb(179, 99)
    assert (row.accepted, row.audited, row.wrong) == (200, 100, 1)
    assert row.p_value == pytest.approx(ways / comb(200, 100))
    assert cutting.accepted == 200
    assert cutting.allowed_wrong == 20


def test_the_sequence_ends_at_the_first_failure_even_if_a_later_cut_would_pass() -> None:
    # The draw spared the safest 200 of 1,000. 50 items cannot hold more than 50 wrong ones, 55 can.
    cutting = cut(1_000, range(200, 1_000), budget=0.05)
    assert [(row.accepted, row.p_value, row.is_passed) for row in cutting.cuts] == [(50, 0, True), (55, 1, False)]
    assert cutting.accepted == 50
    assert upper_count(1_000, 800, 0, NEVER_CONTESTED.wrong) <= cutting.allowed_wrong


def test_where_the_first_cut_fails_nothing_is_accepted() -> None:
    cutting = cut(1_000, range(0, 1_000, 2), wrong=range(0, 50, 2), budget=0.01)
    assert cutting.accepted == 0
    assert [row.is_passed for row in cutting.cuts] == [False]


@pytest.mark.parametrize(("drawn", "accepted_all"), [(332, True), (331, False)])
def test_one_item_more_makes_the_difference(drawn: int, accepted_all: bool) -> None:
    # The smallest clean sample of 10,000 that proves 1% at 3.5% with none contested in it, see `smallest_audit`.
    # It lies in the safest part, so that all cuts before the last pass.
    cutting = cut(10_000, range(drawn), budget=0.01, levels=Levels(0.035, 0.005))
    assert (cutting.cuts[-1].p_value <= 0.035) == accepted_all
    assert (cutting.accepted == 10_000) == accepted_all


def test_contested_items_lower_the_number_of_wrong_labels_allowed() -> None:
    levels = attempt_levels(1)
    cutting = cut(1_000, range(0, 1_000, 2), contested=range(0, 200, 2), levels=levels)
    assert cutting.contested_upper == upper_count(1_000, 500, 100, levels.contested) > 200
    assert cutting.allowed_wrong == (1_000 - cutting.contested_upper) // 10
    assert cutting.cuts[0].alpha == levels.wrong


def test_where_all_may_be_contested_no_cut_is_tested() -> None:
    cutting = cut(100, range(50), contested=range(50), levels=attempt_levels(1))
    assert (cutting.cuts, cutting.accepted, cutting.contested_upper) == ([], 0, 100)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_an_error_more_never_accepts_more(data: st.DataObject) -> None:
    size = data.draw(st.integers(20, 400))
    audited = data.draw(st.sets(st.integers(0, size - 1), min_size=10))
    wrong = data.draw(st.sets(st.sampled_from(sorted(audited)), max_size=5))
    more = wrong | {data.draw(st.sampled_from(sorted(audited)))}
    assert cut(size, audited, more).accepted <= cut(size, audited, wrong).accepted


@pytest.mark.parametrize(
    ("wrong", "contested", "message"),
    [([1], [], "is_wrong: set for the item at risk rank 2, which was not drawn"),
     ([], [3], "is_contested: set for the item at risk rank 4, which was not drawn"),
     ([2], [2], "risk rank 3: both wrong and contested")],
)  # fmt: skip
def test_verdicts_that_cannot_be_are_an_error(wrong: list[int], contested: list[int], message: str) -> None:
    with pytest.raises(AuditError, match=message):
        cut(10, range(0, 10, 2), wrong, contested, levels=attempt_levels(1))


def test_contested_items_that_were_ruled_out_are_an_error() -> None:
    with pytest.raises(AuditError, match="leave no item contested"):
        cut(10, range(10), contested=[4])


def test_arrays_of_different_items_are_an_error() -> None:
    with pytest.raises(AuditError, match="found 3, 3 and 2"):
        find_cut(flags(3, [0]), flags(3, []), flags(2, []), 0.1, NEVER_CONTESTED)


def test_without_an_audit_nothing_is_certified() -> None:
    with pytest.raises(AuditError, match="nothing was drawn"):
        cut(10, [])
