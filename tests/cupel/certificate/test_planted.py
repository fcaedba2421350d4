"""Planted items in every design: auditors who overlook wrong labels rarely certify a set that is over its budget."""

import dataclasses

import numpy as np
import pytest

from cupel.certificate.auditors import (
    LEAST_SENSITIVITY,
    Planted,
    PlantedKinds,
    hidden_upper,
    sensitivity_lower,
    shown_at_least,
)
from cupel.certificate.design import Design, EProcess, FixedSequence, Rising, Stratified
from cupel.certificate.evidence import Evidence, Plants
from cupel.certificate.hypergeometric import clopper_pearson_lower
from cupel.certificate.result import Assay, Terms, assay, at_least
from cupel.certificate.sequence import Flags
from cupel.certificate.wording import wording
from cupel.errors import AuditError
from tests.cupel.certificate.audits import flags

SIZE, PLANTED = 600, 80
DESIGNS: dict[str, Design] = {
    "fixed_sequence": FixedSequence(240),
    "rising": Rising(1.0, 4),
    "stratified": Stratified((0.5, 0.5), (120, 120)),
    "e_process": EProcess(60, 300),
}


def terms(design: Design, planted: int = PLANTED, budget: float = 0.05) -> Terms:
    return Terms(budget, 1, 0.95, planted_errors=planted, design=design)


def hold(agreed: Terms, marks: np.ndarray, wrong: Flags, flagged: Flags, plants: Plants | None) -> tuple[Assay, Flags]:
    """Hold an audit by auditors who see only what is flagged; behind the cut everything is decided rightly."""
    is_audited, none = agreed.design.first_wave(marks, agreed), np.zeros(SIZE, np.bool_)
    while True:
        said = Evidence(is_audited, is_audited, flagged & is_audited, none, marks, plants)
        due = agreed.design.due(said, agreed)
        if not (due & ~is_audited).any():
            break
        is_audited = is_audited | due
    first = assay(said, agreed)
    if first.result.status == "refused":
        return first, none
    behind = said.behind(first.result.accepted)
    is_seen = (is_audited & flagged) | (behind & wrong)
    judged = assay(Evidence(is_audited, is_audited | behind, is_seen, none, marks, plants), agreed)
    return judged, wrong & ~is_seen


def made(rng: np.random.Generator, sensitivity: float, wrong: Flags, planted: Flags) -> tuple[Flags, Plants]:
    """Return what the auditors flag if asked, and what they make of planted items."""
    is_right = rng.random(SIZE) < sensitivity
    return wrong & is_right, Plants(planted, planted, planted & is_right, planted & wrong & ~is_right)


@pytest.mark.parametrize("sensitivity", [0.8, 0.9])
@pytest.mark.parametrize("name", DESIGNS)
def test_auditors_who_miss_errors_rarely_certify_a_set_over_its_budget(name: str, sensitivity: float) -> None:
    rng, replays, false = np.random.default_rng(12), 80 if name == "stratified" else 300, 0
    wrong, planted = flags(SIZE, range(0, SIZE, 18)), flags(SIZE, range(1, 2 * PLANTED, 2))
    assert wrong.sum() > 30
    for _ in range(replays):
        flagged, plants = made(rng, sensitivity, wrong, planted)
        judged, left = hold(terms(DESIGNS[name]), rng.random(SIZE), wrong, flagged, plants)
        false += judged.result.status == "certified" and int(left.sum()) > 30
    assert clopper_pearson_lower(false, replays, 0.999) <= 0.04


def test_the_same_auditors_taken_at_their_word_certify_too_much() -> None:
    rng, replays, size, wrong = np.random.default_rng(13), 600, SIZE, 31
    false = 0
    agreed = Terms(0.05, 1, 1.0, can_be_contested=False, design=FixedSequence(240))
    is_wrong, none = flags(size, range(wrong)), np.zeros(size, np.bool_)
    is_drawn = np.argsort(rng.random((replays, size)), axis=1)[:, :240]
    for drawn in is_drawn:
        is_audited = flags(size, drawn)
        flagged = is_wrong & (rng.random(size) < 0.8)
        result = assay(Evidence(is_audited, is_audited, flagged & is_audited, none), agreed).result
        false += result.accepted >= wrong
    assert clopper_pearson_lower(false, replays, 0.999) > 0.05


@pytest.mark.parametrize("name", DESIGNS)
def test_planted_items_caught_cost_alpha_and_those_missed_cost_more(name: str) -> None:
    marks, wrong, planted = np.random.default_rng(3).random(SIZE), flags(SIZE, range(560, 600)), flags(SIZE, range(80))
    accepted = []
    for missed in (None, 0, 8, 30):
        plants = (
            None
            if missed is None
            else Plants(planted, planted, planted & (np.arange(SIZE) >= missed), ~planted & planted)
        )
        agreed = terms(DESIGNS[name], 0 if missed is None else PLANTED, 0.08)
        if name == "e_process":  # so that it looks to the end
            agreed = dataclasses.replace(agreed, max_experts_seen_share=0.0)
        accepted.append(hold(agreed, marks, wrong, wrong, plants)[0].result.accepted)
    assert accepted == sorted(accepted, reverse=True)
    assert accepted[0] > accepted[-1]


def test_experts_see_planted_items_too() -> None:
    marks, wrong = np.random.default_rng(4).random(SIZE), flags(SIZE, range(580, 600))
    planted = flags(SIZE, range(80))
    plants = Plants(planted, planted, planted, ~planted & planted)
    agreed = terms(FixedSequence(240), budget=0.1)
    result = hold(agreed, marks, wrong, wrong, plants)[0].result
    audited = agreed.design.first_wave(marks, agreed)
    behind = (np.arange(SIZE) >= result.accepted) & ~audited
    assert result.experts_seen == int((audited | behind | planted).sum()) > int((audited | behind).sum())
    most = dataclasses.replace(agreed, max_experts_seen_share=(result.experts_seen - 1) / SIZE)
    assert hold(most, marks, wrong, wrong, plants)[0].result.status == "refused"


def test_nothing_is_tested_while_a_planted_item_awaits_its_verdict() -> None:
    marks, planted = np.random.default_rng(5).random(SIZE), flags(SIZE, range(80))
    plants = Plants(planted, planted & (np.arange(SIZE) > 2), planted & (np.arange(SIZE) > 2), ~planted & planted)
    for design in DESIGNS.values():
        agreed, none = terms(design), np.zeros(SIZE, np.bool_)
        is_audited = design.first_wave(marks, agreed)
        said = Evidence(is_audited, is_audited, none, none, marks, plants)
        assert not (design.due(said, agreed) & ~is_audited).any()
        result = assay(said, agreed).result
        assert (result.status, result.reason) == ("open", "3 of 80 planted items await their experts")
        assert result.sensitivity_bound is None


def test_auditors_who_see_less_than_half_certify_nothing() -> None:
    marks, planted, none = np.random.default_rng(6).random(SIZE), flags(SIZE, range(80)), np.zeros(SIZE, np.bool_)
    caught = planted & (np.arange(SIZE) < 44)
    bound = sensitivity_lower(Planted(80, 44), 0.01)
    assert bound < LEAST_SENSITIVITY < 44 / 80
    for design in DESIGNS.values():
        judged, _ = hold(terms(design), marks, none, none, Plants(planted, planted, caught, none))
        assert judged.result.status == "refused"
        assert "at least 50% is needed" in judged.result.reason


@pytest.mark.parametrize("planted", [0, 79])
def test_evidence_without_the_planted_items_that_were_declared_is_an_error(planted: int) -> None:
    none, is_planted = np.zeros(SIZE, np.bool_), flags(SIZE, range(planted))
    plants = Plants(is_planted, is_planted, is_planted, none) if planted else None
    is_audited = flags(SIZE, range(240))
    with pytest.raises(AuditError, match=f"planted: found {planted} items; expected 80"):
        assay(Evidence(is_audited, is_audited, none, none, None, plants), terms(FixedSequence(240)))
    with pytest.raises(AuditError, match="found no verdicts"):
        terms(FixedSequence(240)).sensitivity(Evidence(is_audited, is_audited, none, none))


def test_alpha_is_divided_beforehand_among_all_proofs() -> None:
    for adjudicators in (0, 50):
        agreed = Terms(0.01, 1, 0.5, adjudicators_audited=adjudicators, planted_errors=50)
        assert sum(agreed.levels) + agreed.sensitivity_alpha + agreed.adjudicators_alpha == pytest.approx(0.04)
        assert agreed.sensitivity_alpha == 0.01
        assert agreed.adjudicators_alpha == (0.01 if adjudicators else 0.0)


def test_labels_that_show_themselves_are_as_many_as_their_binomial_says() -> None:
    rng = np.random.default_rng(7)
    shown = rng.binomial(200, 0.85, size=100_000)
    least = shown_at_least(200, 0.85, 0.005)
    assert (shown < least).mean() <= 0.005 < (shown < least + 1).mean()
    assert hidden_upper(least - 1, 1_000, 0.85, 0.005) < 200 <= hidden_upper(least, 1_000, 0.85, 0.005)


def test_the_wording_says_how_much_is_seen_and_what_the_same_panel_may_have_got_wrong() -> None:
    marks, wrong, planted = np.random.default_rng(8).random(SIZE), flags(SIZE, range(540, 600)), flags(SIZE, range(80))
    plants = Plants(planted, planted, planted & (np.arange(SIZE) >= 4), ~planted & planted)
    result = hold(terms(FixedSequence(240), budget=0.1), marks, wrong, wrong, plants)[0].result
    assert result.status == "certified"
    assert result.to_adjudicate
    one, two = (wording(result, "the panel", are_auditors_independent=flag) for flag in (False, True))
    for text in (one, two):
        assert (
            "80 items whose label the project knows were planted among theirs, and they gave the known label of 76"
            in text
        )
        assert f"sensitivity is at least {at_least(result.sensitivity_bound or 0)} at confidence 99%" in text
        assert "differs from what would be said, without a slip, by the panel" in text
    assert "no bound counts them" in one
    assert "no bound counts them" not in two


@pytest.mark.parametrize(
    ("erred", "confused", "counted"),
    [(0, 0, 80), (6, 0, 80), (7, 0, 7), (30, 40, 30), (3, 3, 80), (3, 4, 7), (80, 0, 80)],
)
def test_the_hardest_kind_that_is_not_too_small_bounds_the_sensitivity(erred: int, confused: int, counted: int) -> None:
    # 7 of which none is missed show 51.8%, 6 show 46.4%: less than the half that is asked for.
    planted, tier = flags(SIZE, range(80)), np.full(SIZE, 2)
    tier[:erred], tier[erred : erred + confused] = 0, 1
    plants = Plants(planted, planted, planted & (np.arange(SIZE) > 0), ~planted & planted, tier)
    assert plants.counted(0.01) == (counted, counted - 1)
    assert plants._replace(tier=None).counted(0.01) == plants.counts == (80, 79)


def test_the_certificate_says_which_planted_items_were_really_got_wrong() -> None:
    marks, wrong, planted = np.random.default_rng(8).random(SIZE), flags(SIZE, range(540, 600)), flags(SIZE, range(80))
    plants = Plants(planted, planted, planted, ~planted & planted)
    result = hold(terms(FixedSequence(240), budget=0.1), marks, wrong, wrong, plants)[0].result
    some, none = (
        wording(result, "the panel", are_auditors_independent=True, planted_kinds=kinds)
        for kinds in (PlantedKinds(30, 10, 40, 30, 30), PlantedKinds(0, 0, 80, 80, 80))
    )
    assert "really wrong on 30, only the checker on 10; the other 40 were drawn by their log-odds" in some
    assert "Only the hardest 30 count" in some
    assert "no harder to see than those, of which 30 are labels that crew or checker really got wrong" in some
    assert "none of which is known to have been got wrong by anybody" in none
    assert "the certificate does not hold" in none
