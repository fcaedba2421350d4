import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cupel.certificate.attempts import Levels, attempt_levels
from cupel.certificate.hypergeometric import upper_count
from cupel.certificate.plan import most_wrong, plan_audits, smallest_audit
from cupel.certificate.sequence import floor_share
from cupel.errors import AuditError

LEVELS = attempt_levels(1)
PLAIN = attempt_levels(1, can_be_contested=False)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_the_limit_just_passes_and_one_more_just_fails(data: st.DataObject) -> None:
    population = data.draw(st.integers(1, 400))
    drawn = data.draw(st.integers(0, population))
    budget = data.draw(st.sampled_from([0.003, 0.01, 0.1]))
    limit = most_wrong(population, drawn, budget, PLAIN)
    allowed = floor_share(budget, population)
    passes = [k for k in range(min(drawn, allowed) + 1) if upper_count(population, drawn, k, PLAIN.wrong) <= allowed]
    assert limit == max(passes, default=None)


def test_contested_items_in_the_sample_lower_the_limit() -> None:
    free, split = (most_wrong(5_000, 2_000, 0.02, LEVELS, contested) for contested in (0, 600))
    assert free is not None
    assert split is not None
    assert split < free


def test_where_all_are_contested_no_count_passes() -> None:
    assert most_wrong(100, 100, 0.02, LEVELS, 100) is None


def test_chances_are_those_of_scipy() -> None:
    plans = plan_audits(5_000, 0.01, PLAIN, [200, 1_000, 5_000], [0.0, 0.0051, 0.02])
    assert [plan.drawn for plan in plans] == [200, 1_000, 5_000]
    assert plans[0] == (200, None, (0.0, 0.0, 0.0))
    limit = plans[1].most_wrong
    expected = [stats.hypergeom.cdf(limit, 5_000, wrong, 1_000) for wrong in (0, 26, 100)]
    assert plans[1].chances == pytest.approx(expected)
    assert plans[2] == (5_000, 50, (1.0, 1.0, 0.0))


@pytest.mark.parametrize("levels", [PLAIN, attempt_levels(3)])
@pytest.mark.parametrize(("population", "budget", "true_error"), [(120, 0.05, 0.02), (100, 0.1, 0)])
def test_no_smaller_audit_would_do(levels: Levels, population: int, budget: float, true_error: float) -> None:
    best = smallest_audit(population, budget, levels, true_error, 0.8)
    assert best is not None
    every = plan_audits(population, budget, levels, range(population + 1), [true_error])
    assert best == next(plan for plan in every if plan.chances[0] >= 0.8)


def test_a_set_at_its_budget_must_be_seen_nearly_whole() -> None:
    plan = smallest_audit(1_000, 0.01, PLAIN, 0.01, 0.9)
    assert plan is not None
    assert plan.drawn > 900


def test_a_set_over_its_budget_has_no_audit() -> None:
    assert smallest_audit(1_000, 0.01, PLAIN, 0.011) is None


@pytest.mark.parametrize(
    ("population", "drawn", "budget", "contested"),
    [(0, 0, 0.1, 0), (10, 11, 0.1, 0), (10, 5, 0.0, 0), (10, 5, 0.1, 6)],
)
def test_impossible_plans_are_an_error(population: int, drawn: int, budget: float, contested: int) -> None:
    with pytest.raises(AuditError, match="expected"):
        most_wrong(population, drawn, budget, LEVELS, contested)


def test_contested_items_need_their_share_of_alpha() -> None:
    with pytest.raises(AuditError, match="no alpha was set aside"):
        most_wrong(10, 5, 0.1, PLAIN, 1)
