import numpy as np
import pytest
from scipy.stats import hypergeom

from cupel.certificate.design import Design, EProcess, FixedSequence, Rising
from cupel.certificate.evidence import Limits
from cupel.certificate.outlook import Prices, outlook, outlooks, sensible_sizes
from cupel.certificate.result import Terms
from cupel.certificate.rising import Rise
from cupel.certificate.risk import course_of_chances, course_of_quantiles
from cupel.errors import AuditError
from tests.cupel.certificate.audits import flags, hold

SIZE = 2_000
LIMITS = Limits(0.02, 1, 0.4, can_be_contested=False)
CHANCES = 0.3 * np.linspace(0, 1, SIZE) ** 8
COURSE = course_of_chances(CHANCES)


@pytest.mark.parametrize("design", [Rising(1.0, 4), FixedSequence(300)])
def test_the_outlook_is_what_audits_of_such_sets_come_to(design: Design) -> None:
    rng = np.random.default_rng(3)
    terms = Terms(LIMITS.error_budget, 1, 1.0, can_be_contested=False, design=design)
    seen = [
        hold(terms, rng.random(SIZE), rng.random(SIZE) < CHANCES, flags(SIZE, []))[0].result.experts_seen_share
        for _ in range(40)
    ]
    expected = outlook("a guess", COURSE, design, LIMITS, Prices())
    assert expected.seen_share == pytest.approx(np.mean(seen), abs=0.05)
    assert expected.pass_chance == pytest.approx(np.mean(np.array(seen) <= 0.4), abs=0.2)
    assert expected.seen_share <= expected.seen_share_high


def test_prices_make_it_money_and_hours() -> None:
    row = outlook("a guess", COURSE, Rising(1.0, 4), LIMITS, Prices(2, 0.5, 36))
    answers = row.seen_share * SIZE * 2
    assert row.cost == pytest.approx(answers * 0.5)
    assert row.hours == pytest.approx(answers / 100)
    assert row.cost_high == pytest.approx(row.seen_share_high * SIZE)


def test_a_worse_guess_costs_more_and_passes_less() -> None:
    worse = course_of_chances(np.minimum(1.0, 3 * CHANCES))
    rows = outlooks([("as it is", COURSE), ("three times", worse)], Rise(1.0, 4), [300], LIMITS, Prices())
    assert [row.guess for row in rows] == ["as it is"] * 2 + ["three times"] * 2
    assert rows[0].seen_share < rows[2].seen_share
    assert rows[1].seen_share < rows[3].seen_share
    assert rows[0].pass_chance >= rows[2].pass_chance


def test_a_set_without_errors_is_only_audited() -> None:
    clean = course_of_quantiles(SIZE, [0.0])
    for design in (Rising(1.0, 4), FixedSequence(300)):
        row = outlook("none wrong", clean, design, LIMITS, Prices())
        assert row.seen_share == pytest.approx(row.audited / SIZE, abs=0.06)
        assert row.pass_chance == 1.0


def test_the_smallest_sensible_audit_can_prove_the_budget_and_no_smaller_one_can() -> None:
    smallest = sensible_sizes(SIZE, LIMITS)[0]
    assert hypergeom.cdf(0, SIZE, 41, smallest) <= 0.04 < hypergeom.cdf(0, SIZE, 41, smallest - 1)
    assert sensible_sizes(SIZE, LIMITS) == sorted(sensible_sizes(SIZE, LIMITS))


def test_other_designs_are_not_planned() -> None:
    with pytest.raises(AuditError, match="can be planned"):
        outlook("a guess", COURSE, EProcess(100, 500), LIMITS, Prices())
