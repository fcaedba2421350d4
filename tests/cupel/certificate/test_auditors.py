import numpy as np
import pytest
from scipy.stats import binomtest

from cupel.certificate.attempts import Levels, attempt_levels
from cupel.certificate.auditors import (
    ALPHA_SENSITIVITY_SHARE,
    Planted,
    SecondAudit,
    adjudicated_upper,
    sensitivity_lower,
    share_alpha,
    shrunk_budget,
    thinned_tail,
)
from cupel.certificate.design import FixedSequence
from cupel.certificate.evidence import Evidence, Limits
from cupel.certificate.hypergeometric import tail
from cupel.certificate.result import Terms, assay
from cupel.errors import AuditError


def test_auditors_without_fault_cost_nothing_but_alpha() -> None:
    found = np.arange(5)
    assert np.array_equal(thinned_tail(found, 1_000, 31, 200, 1.0), tail(found, 1_000, 31, 200))


def test_the_thinned_tail_is_that_of_a_replay() -> None:
    rng = np.random.default_rng(6)
    visible = rng.binomial(31, 0.8, size=200_000)
    found = rng.hypergeometric(visible, 1_000 - visible, 200)
    for most in (1, 3, 6):
        exact = float(thinned_tail(np.array(most), np.array(1_000), 31, np.array(200), 0.8))
        assert (found <= most).mean() == pytest.approx(exact, abs=0.004)


def test_worse_auditors_prove_less() -> None:
    chances = [float(thinned_tail(np.array(1), np.array(1_000), 31, np.array(200), s)) for s in (0.5, 0.8, 0.95, 1.0)]
    assert chances == sorted(chances, reverse=True)


def test_the_bound_of_the_sensitivity_is_clopper_and_pearsons() -> None:
    exact = binomtest(97, 100, alternative="greater").proportion_ci(0.99, method="exact").low
    assert sensitivity_lower(Planted(100, 97), 0.01) == pytest.approx(exact)
    assert sensitivity_lower(Planted(10, 0), 0.01) == 0.0


@pytest.mark.parametrize("sensitivity", [0.7, 0.95])
def test_sets_over_their_budget_are_rarely_certified_by_auditors_who_miss_errors(sensitivity: float) -> None:
    size, allowed, drawn, planted = 2_000, 40, 500, 60
    shared = share_alpha(attempt_levels(1, can_be_contested=False), ALPHA_SENSITIVITY_SHARE)
    rng = np.random.default_rng(9)
    flagged = rng.binomial(planted, sensitivity, size=4_000)
    found = rng.binomial(rng.hypergeometric(allowed + 1, size - allowed - 1, drawn, size=4_000), sensitivity)
    naive = certified = 0
    for told in np.unique(flagged):
        bound = sensitivity_lower(Planted(planted, int(told)), shared.other)
        p_values = thinned_tail(np.arange(60), np.array(size), allowed + 1, np.array(drawn), bound)
        certified += (p_values[found[flagged == told]] <= shared.levels.wrong).sum()
    naive = (tail(found, size, allowed + 1, drawn) <= 0.04).sum()
    assert certified / 4_000 <= 0.04
    assert naive > certified


def test_alpha_is_shared_out_and_adds_up() -> None:
    levels = attempt_levels(1)
    shared = share_alpha(levels, 0.25)
    assert sum(shared.levels) + shared.other == pytest.approx(sum(levels))
    assert shared.levels.contested == levels.contested


def test_another_experts_audit_bounds_the_adjudicators() -> None:
    rng = np.random.default_rng(10)
    wrong, failed = 20, 0
    for _ in range(2_000):
        found = int(rng.hypergeometric(wrong, 1_000 - wrong, 300))
        failed += adjudicated_upper(1_000, 300, found, 0.01) < wrong - found
    assert failed / 2_000 <= 0.01
    assert adjudicated_upper(0, 0, 0, 0.01) == 0


def test_the_rule_of_thumb_shrinks_the_budget() -> None:
    assert shrunk_budget(30, 0.95) == 28


@pytest.mark.parametrize("planted", [Planted(0, 0), Planted(5, 6), Planted(5, -1)])
def test_impossible_plants_are_an_error(planted: Planted) -> None:
    with pytest.raises(AuditError, match="planted: found"):
        sensitivity_lower(planted, 0.01)


def test_more_alpha_than_there_is_cannot_be_shared_out() -> None:
    with pytest.raises(AuditError, match="alpha: found a share"):
        share_alpha(Levels(0.035, 0.005), 0.9)
    with pytest.raises(AuditError, match="sensitivity: found"):
        thinned_tail(np.array(0), np.array(10), 1, np.array(5), 1.5)


def test_adjudicators_who_leave_a_set_over_its_budget_are_rarely_certified() -> None:
    size, drawn, wrong_verdicts, again, replays = 600, 200, 45, 80, 60
    rng, certified, is_over = np.random.default_rng(11), 0, 0
    is_wrong, settled, none = np.arange(size) >= 300, np.ones(size, np.bool_), np.zeros(size, np.bool_)
    terms = Terms(0.05, 1, 1.0, adjudicators_audited=again, design=FixedSequence(drawn))
    plain = Terms(0.05, 1, 1.0, design=FixedSequence(drawn))
    for _ in range(replays):
        said = Evidence(np.isin(np.arange(size), rng.permutation(size)[:drawn]), settled, is_wrong, none)
        result = assay(said, terms, SecondAudit(again, 0, 0)).result
        assert result.status == "open"
        found = int(rng.hypergeometric(wrong_verdicts, result.to_adjudicate - wrong_verdicts, again))
        left = wrong_verdicts - found + int((is_wrong & ~said.is_audited)[: result.accepted].sum())
        is_certified = assay(said, terms, SecondAudit(again, again, found)).result.status == "certified"
        is_over += left > 30
        certified += is_certified and left > 30
    assert assay(said, plain).result.status == "certified"
    assert is_over / replays > 0.3
    assert certified == 0


def test_nobody_is_certified_before_the_other_expert_has_answered() -> None:
    size = 200
    is_audited = np.arange(size) % 2 == 0
    settled, none = np.ones(size, np.bool_), np.zeros(size, np.bool_)
    said = Evidence(is_audited, settled, np.arange(size) >= 100, none)
    terms = Terms(0.2, 1, 1.0, adjudicators_audited=40, design=FixedSequence(100))
    result = assay(said, terms, SecondAudit(40, 39, 0)).result
    assert (result.status, result.reason) == ("open", "1 of 40 adjudicated items await another expert")
    assert assay(said, terms, SecondAudit(40, 40, 0)).result.status == "certified"


def test_a_set_without_audited_adjudicators_is_tested_as_before() -> None:
    limits, audited = Limits(0.003, 1, 0.3), Limits(0.003, 1, 0.3, adjudicators_audited=10)
    assert (limits.levels, limits.tested_budget, limits.adjudicators_alpha) == (attempt_levels(1), 0.003, 0.0)
    assert (audited.levels, audited.tested_budget) == (Levels(0.025, 0.005), 0.00225)
    assert sum(audited.levels) + audited.adjudicators_alpha == pytest.approx(0.04)
