import numpy as np
import pytest

from cupel.certificate.risk import (
    course_of_chances,
    course_of_log_odds,
    course_of_quantiles,
    parse_shares,
    reference_courses,
)
from cupel.errors import AuditError


def test_a_course_adds_up_the_chances() -> None:
    chances = np.linspace(0, 0.4, 1_000)
    course = course_of_chances(chances)
    assert (course.population, course.items[0], course.wrong[0]) == (1_000, 0, 0)
    assert course.wrong[-1] == pytest.approx(chances.sum())
    assert np.all(np.diff(course.items) > 0)


def test_a_guessed_total_scales_the_chances() -> None:
    log_odds = np.linspace(9, -2, 1_000)
    assert course_of_log_odds(log_odds, 0.25).wrong[-1] == pytest.approx(250, rel=1e-6)
    assert course_of_log_odds(log_odds).wrong[-1] < 250
    assert course_of_log_odds(log_odds, 0.9).wrong[-1] == pytest.approx(900, rel=1e-3)


def test_reference_courses_never_hold_more_wrong_labels_than_items() -> None:
    for allowed in (0, 5, 400):
        courses = reference_courses(500, allowed)
        assert all(np.diff(course.wrong).max() <= np.diff(course.items).max() + 1e-9 for course in courses)


def test_parts_of_the_risk_order_make_a_course() -> None:
    course = course_of_quantiles(100, [0.0, 0.1])
    assert course.items.tolist() == [0, 50, 100]
    assert course.wrong.tolist() == [0, 0, 5]


@pytest.mark.parametrize("chances", [[], [0.5, 1.2], [float("nan")]])
def test_what_is_no_chance_is_an_error(chances: list[float]) -> None:
    with pytest.raises(AuditError, match="guess of the risk"):
        course_of_chances(chances)


@pytest.mark.parametrize("shares", [[], [0.1, -0.1], [0.1] * 11])
def test_impossible_parts_are_an_error(shares: list[float]) -> None:
    with pytest.raises(AuditError, match="guess of the risk"):
        course_of_quantiles(10, shares)


def test_a_share_that_is_no_number_is_an_error() -> None:
    with pytest.raises(AuditError, match="expected percentages"):
        parse_shares(["1%", "some"])
