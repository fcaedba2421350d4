"""The budget of undecided items: what it refuses, when, and that it never adds a chance of a false certificate."""

import numpy as np
import pytest

from cupel.certificate.attempts import attempt_levels
from cupel.certificate.design import Design, EProcess, FixedSequence, Rising, Stratified
from cupel.certificate.evidence import Evidence
from cupel.certificate.hypergeometric import upper_count
from cupel.certificate.result import Terms, assay, percent
from cupel.certificate.sequence import Flags
from cupel.certificate.undecided import undecided_upper
from cupel.certificate.wording import wording
from cupel.errors import AuditError
from tests.cupel.certificate.audits import flags, hold

SIZE, DRAWN = 2_000, 500
NONE = np.zeros(SIZE, np.bool_)
DESIGNS: dict[str, Design] = {
    "fixed_sequence": FixedSequence(700),
    "rising": Rising(1.0, 6),
    "stratified": Stratified((0.7, 0.3), (490, 210)),
    "e_process": EProcess(100, 700),
}


def clean_audit(contested: int, size: int = SIZE, drawn: int = DRAWN) -> Evidence:
    """Return an audit that found nothing wrong, and so many contested."""
    audited = flags(size, range(0, size, size // drawn))
    return Evidence(audited, audited, np.zeros(size, np.bool_), audited & flags(size, range(contested * size // drawn)))


def terms(limit: float | None = 0.05, **more: object) -> Terms:
    return Terms(0.02, 1, 0.6, max_undecided_share=limit, **more)  # type: ignore[arg-type]


def test_a_set_within_the_limit_just_passes_and_one_item_more_just_fails() -> None:
    level = attempt_levels(1).contested
    most = max(found for found in range(50) if upper_count(SIZE, DRAWN, found, level) <= 100)
    one, other = (assay(clean_audit(found), terms()).result for found in (most, most + 1))
    assert (one.status, other.status) == ("certified", "refused")
    assert one.undecided_bound == upper_count(SIZE, DRAWN, most, level) / SIZE <= 0.05
    assert other.undecided_bound == upper_count(SIZE, DRAWN, most + 1, level) / SIZE > 0.05
    for said in (f"{round(other.undecided_bound * SIZE)} of 2,000 items undecided", "max_undecided_share allows 5%"):
        assert said in other.reason
    without = assay(clean_audit(most + 1), terms(None)).result
    assert (without.status, without.undecided_bound) == ("certified", None)


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("wrong_share", [0.051, 0.1, 0.18])
def test_wrong_labels_that_are_all_called_undecidable_are_refused(name: str, wrong_share: float) -> None:
    # The attack: who should find 5 to 18% of 5,000 labels wrong answers each of them with "cannot be decided".
    size = 5_000
    rng = np.random.default_rng(17)
    wrong = flags(size, rng.choice(size, round(wrong_share * size), replace=False))
    design = DESIGNS[name]
    agreed = Terms(0.01, 1, 0.4, design=design, max_undecided_share=0.05)
    judged, _ = hold(agreed, rng.random(size), np.zeros(size, np.bool_), wrong)
    assert judged.result.status == "refused"
    assert "undecided" in judged.result.reason


def test_the_attack_at_the_limit_itself_is_certified_at_most_as_often_as_its_alpha() -> None:
    # 5.02% of 5,000 are contested, the audit's bound being below it with chance 1/200 at most.
    size, drawn, contested, replays = 5_000, 700, 251, 20_000
    found = np.random.default_rng(3).hypergeometric(contested, size - contested, drawn, size=replays)
    level = attempt_levels(1).contested
    passes = np.array([upper_count(size, drawn, int(k), level) <= 250 for k in range(found.max() + 1)])
    assert 0 < passes[found].mean() <= level
    most = int(np.flatnonzero(passes)[-1])
    for k, status in ((most, "certified"), (most + 1, "refused")):
        audited = flags(size, range(drawn))
        said = Evidence(audited, audited, flags(size, []), flags(size, range(k)))
        assert assay(said, Terms(0.05, 1, 0.9, max_undecided_share=0.05)).result.status == status


def test_what_experts_decide_behind_the_cut_is_counted_and_not_bounded() -> None:
    # All is seen but 40 items, so that no more than these can be undecided beside those that were found.
    audited = flags(SIZE, range(0, SIZE, 2))
    contested = audited & flags(SIZE, range(0, 120))
    said = Evidence(audited, audited, NONE, contested)
    assert undecided_upper(said, 80, 900) == 60 + 40
    assert undecided_upper(said, 80, 70) == 70
    assert undecided_upper(said, 80, 900, verdicts_left=5) == 105
    assert undecided_upper(said, 80, 10) == 60


def test_contested_items_behind_the_cut_refuse_the_set_as_soon_as_they_are_too_many() -> None:
    wrong = flags(SIZE, range(1500, SIZE, 8))
    audited = flags(SIZE, range(0, SIZE, 2))
    first = assay(Evidence(audited, audited, wrong & audited, NONE), terms())
    assert first.result.status == "open"
    behind = (np.arange(SIZE) >= first.result.accepted) & ~audited
    places = np.flatnonzero(behind)
    assert len(places) > 110

    def judged(number: int, settled: Flags) -> str:
        contested = flags(SIZE, places[:number])
        return assay(Evidence(audited, audited | settled, wrong & audited, contested), terms()).result.status

    some = flags(SIZE, places[:101])
    assert judged(100, some) == "open"
    assert judged(101, some) == "refused"
    assert judged(100, behind) in ("certified", "refused")


def test_the_bound_never_hides_an_undecided_item_while_the_audit_is_right() -> None:
    rng = np.random.default_rng(5)
    for _ in range(300):
        size = int(rng.integers(5, 60))
        audited, contested = rng.random(size) < 0.4, rng.random(size) < rng.random()
        said = Evidence(audited, audited, np.zeros(size, np.bool_), contested & audited)
        accepted = int(rng.integers(0, size + 1))
        behind = said.behind(accepted)
        whole = said._replace(is_settled=audited | behind, is_contested=contested & (audited | behind))
        truth = int(contested.sum())
        assert undecided_upper(whole, accepted, int(rng.integers(truth, size + 1))) >= truth


def test_experts_who_can_leave_nothing_undecided_are_within_any_limit() -> None:
    result = assay(clean_audit(0), terms(0.0, can_be_contested=False)).result
    assert (result.status, result.undecided_bound) == ("certified", 0.0)


def test_an_e_process_goes_on_while_the_bound_of_undecided_items_is_too_high() -> None:
    marks = np.random.default_rng(8).random(SIZE)
    free, bound = (
        hold(Terms(0.05, 1, 0.9, design=EProcess(100, 600), max_undecided_share=limit), marks, NONE, NONE)[0].result
        for limit in (None, 0.02)
    )
    assert free.audited < bound.audited
    assert bound.status == "certified"


def test_a_rising_audit_that_cannot_keep_the_limit_any_more_asks_no_further() -> None:
    marks, contested = np.random.default_rng(9).random(SIZE), flags(SIZE, range(0, SIZE, 5))
    wrong = flags(SIZE, range(1, SIZE, 10))
    free, bound = (
        hold(Terms(0.05, 1, 0.9, design=Rising(1.0, 6), max_undecided_share=limit), marks, wrong, contested)[0].result
        for limit in (None, 0.05)
    )
    assert bound.status == "refused"
    assert bound.audited < free.audited


def test_the_certificate_says_what_share_may_be_undecided() -> None:
    result = assay(clean_audit(3), terms()).result
    text = wording(result, "the panel", are_auditors_independent=True, max_undecided_share=0.05)
    assert "contested items aside, or with more than 5% of its items contested, would be certified at most" in text
    assert f"of all items as frozen, experts leave at most {percent(result.undecided_bound or 0)} undecided" in text


@pytest.mark.parametrize("limit", [-0.1, 1.1])
def test_a_limit_that_is_no_share_is_an_error(limit: float) -> None:
    with pytest.raises(AuditError, match="max_undecided_share"):
        assay(clean_audit(0), terms(limit))
