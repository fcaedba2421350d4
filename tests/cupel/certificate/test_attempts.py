from fractions import Fraction

import pytest

from cupel.certificate.attempts import ALPHA_TOTAL, attempt_alpha, attempt_levels
from cupel.errors import AuditError


def test_all_attempts_together_stay_under_five_in_a_hundred() -> None:
    assert sum(attempt_alpha(attempt) for attempt in range(1, 200)) <= ALPHA_TOTAL
    assert attempt_alpha(1) + 2 * attempt_alpha(2) == pytest.approx(ALPHA_TOTAL)


def test_each_later_attempt_has_half_of_the_one_before() -> None:
    assert [attempt_alpha(attempt) for attempt in range(1, 5)] == [0.04, 0.01 / 2, 0.01 / 4, 0.01 / 8]


@pytest.mark.parametrize("attempt", [1, 2, 7])
@pytest.mark.parametrize("can_be_contested", [True, False])
def test_levels_add_up_to_the_attempts_alpha(attempt: int, can_be_contested: bool) -> None:
    levels = attempt_levels(attempt, can_be_contested)
    assert sum(levels) == pytest.approx(attempt_alpha(attempt))
    share = Fraction(1, 8) if can_be_contested else 0
    assert levels.contested == pytest.approx(attempt_alpha(attempt) * share)


def test_there_is_no_attempt_before_the_first() -> None:
    with pytest.raises(AuditError, match="found 0; expected 1 or more"):
        attempt_alpha(0)
