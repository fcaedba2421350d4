from math import comb

import numpy as np
import pytest

from cupel.certificate.e_process import cut_bet, cut_p_values, log_e_values, look_counts, upper_sequence
from cupel.errors import AuditError


def chance_ever(size: int, wrong: int, least: int, bet: tuple[float, float], alpha: float) -> float:
    """The exact chance that the evidence against "at least `least` wrong" ever reaches 1 / alpha.

    All paths of the draw are followed, an item at a time, looking after each.
    """
    at = {0: 1.0}
    crossed = 0.0
    for n in range(size):
        after: dict[int, float] = {}
        for k, chance in at.items():
            hit = (wrong - k) / (size - n)
            for more, share in ((1, hit), (0, 1 - hit)):
                if share > 0:
                    after[k + more] = after.get(k + more, 0.0) + chance * share
        at = {}
        for k, chance in after.items():
            if float(log_e_values(size, n + 1, k, least, bet)) >= -np.log(alpha):
                crossed += chance
            else:
                at[k] = chance
    return crossed


def test_the_evidence_is_a_quotient_of_chances() -> None:
    # 10 items, 4 drawn, 1 wrong; "at least 5 wrong"; a flat bet on 0 to 10.
    def chance(wrong: int) -> float:
        return comb(6, wrong - 1) / comb(10, wrong) if 1 <= wrong <= 7 else 0.0

    bet = sum(chance(wrong) / 11 for wrong in range(11))
    expected = bet / max(chance(wrong) for wrong in range(5, 11))
    assert float(np.exp(log_e_values(10, 4, 1, 5, (1, 1)))) == pytest.approx(expected)


@pytest.mark.parametrize(("wrong", "least"), [(21, 21), (30, 21), (60, 21), (3, 3)])
def test_looking_after_each_item_deceives_no_more_often_than_alpha(wrong: int, least: int) -> None:
    for bet in ((1.0, 30.0), (0.5, 0.5), (1.0, 1.0)):
        assert chance_ever(200, wrong, least, bet, 0.05) <= 0.05


def test_the_exact_chance_sees_deceit_where_alpha_allows_it() -> None:
    assert chance_ever(200, 21, 21, (1.0, 30.0), 0.05) > 0.02


def test_a_good_set_is_shown_to_be_good() -> None:
    first, second = cut_bet([2_000], 40)
    assert float(log_e_values(2_000, 250, 0, 41, (first, second[0]))) > np.log(25)
    assert float(log_e_values(2_000, 400, 2, 41, (first, second[0]))) > np.log(25)
    assert float(log_e_values(2_000, 50, 0, 41, (first, second[0]))) < np.log(25)


def test_what_cannot_be_is_refuted_without_end() -> None:
    assert log_e_values(10, 8, 0, 3, (1, 1)) == np.inf


def test_less_allowed_is_never_easier() -> None:
    counts = [float(log_e_values(500, 100, 1, least, (1, 30))) for least in range(1, 60)]
    assert np.all(np.diff(counts) >= -1e-12)


def test_upper_bounds_of_all_looks_hold_together() -> None:
    rng = np.random.default_rng(4)
    failed = 0
    sizes = np.arange(10, 201, 10)
    for _ in range(300):
        order = rng.permutation(200) < 25
        found = np.cumsum(order)[sizes - 1]
        bounds = upper_sequence(200, sizes, found, 0.1)
        assert np.all(np.diff(bounds) <= 0)
        failed += bool((bounds < 25).any())
    assert failed <= 0.1 * 300
    assert bounds[-1] == 25


def test_counts_follow_the_order_of_the_draw() -> None:
    marks = np.array([0.9, 0.1, 0.4, 0.2, 0.8, 0.3])
    audited = marks < 0.5
    looks = look_counts(marks, audited, np.array([0, 0, 1, 1, 0, 0], dtype=bool), np.array([1, 2, 4]), np.array([2, 6]))
    assert looks.drawn.tolist() == [[1, 1], [1, 2], [1, 4]]
    assert looks.found.tolist() == [[0, 0], [0, 1], [0, 2]]


def test_a_cut_that_passed_at_one_look_has_passed() -> None:
    marks = np.linspace(0, 1, 400, endpoint=False)[np.random.default_rng(1).permutation(400)]
    late = marks >= 0.7
    everything = np.ones(400, dtype=bool)
    looks = look_counts(marks, everything, late, np.array([200, 400]), np.array([400]))
    assert looks.found.tolist() == [[0], [120]]
    assert cut_p_values(np.array([400]), looks, np.array([20, 20]), 20)[0] < 0.04


def test_an_audit_out_of_order_is_an_error() -> None:
    marks = np.array([0.1, 0.2, 0.3])
    with pytest.raises(AuditError, match="looks follow the draw"):
        look_counts(marks, np.array([True, False, True]), np.zeros(3, dtype=bool), np.array([2]), np.array([3]))
