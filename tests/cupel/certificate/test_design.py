from dataclasses import replace

import numpy as np
import pytest

from cupel.certificate.design import (
    Design,
    EProcess,
    FixedSequence,
    Rising,
    Stratified,
    design_text,
    method_name,
    parse_design,
)
from cupel.certificate.evidence import Evidence
from cupel.certificate.result import Terms, assay
from cupel.certificate.sequence import floor_share
from cupel.certificate.wording import wording
from cupel.errors import AuditError
from tests.cupel.certificate.audits import flags, hold, left_wrong

SIZE, BUDGET = 2_000, 0.02
DESIGNS: list[Design] = [
    FixedSequence(400), Rising(1.0, 4), Stratified((0.5, 0.3, 0.2), (180, 130, 100)), EProcess(100, 600),
]  # fmt: skip
NOTHING = flags(SIZE, [])
# One error over the budget each: at the safe end, everywhere, at the risky end, and with contested items.
BAD = {
    "safe end": (flags(SIZE, range(41)), NOTHING),
    "uniform": (flags(SIZE, range(0, SIZE, SIZE // 41)), NOTHING),
    "behind the middle": (flags(SIZE, range(1_000, 1_041)), NOTHING),
    "contested": (flags(SIZE, range(37)), flags(SIZE, range(1_000, 1_200))),
}
GOOD = (flags(SIZE, [1_500, 1_700, 1_850, *range(1_900, SIZE, 8)]), flags(SIZE, [700]))


def terms(design: Design, contested: bool = True) -> Terms:
    return Terms(BUDGET, 1, 1.0, can_be_contested=contested, design=design)


@pytest.mark.parametrize("design", DESIGNS, ids=method_name)
def test_a_good_set_is_certified_and_its_bounds_hold(design: Design) -> None:
    wrong, contested = GOOD
    shares = []
    # The e-process audits until experts would see no more than they may.
    declared = replace(terms(design), max_experts_seen_share=0.55) if isinstance(design, EProcess) else terms(design)
    for seed in range(8):
        judged, said = hold(declared, np.random.default_rng(seed).random(SIZE), wrong, contested)
        assert judged.result.status == "certified"
        left = left_wrong(judged, said, wrong)
        assert judged.result.error_bound is not None
        assert judged.result.error_bound_with_contested is not None
        assert left / (SIZE - 1) <= judged.result.error_bound <= BUDGET
        assert judged.result.error_bound <= judged.result.error_bound_with_contested
        assert judged.result.experts_seen == said.drawn + said.behind(judged.result.accepted).sum()
        shares.append(judged.result.experts_seen_share)
    assert np.mean(shares) < 0.6


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("design", DESIGNS, ids=method_name)
def test_a_bad_set_is_rarely_certified(design: Design, name: str) -> None:
    wrong, contested = BAD[name]
    allowed = floor_share(BUDGET, SIZE - int(contested.sum()))
    rng = np.random.default_rng(7)
    replays, most = (400, 32) if isinstance(design, Rising) else (30, 7)
    failed = 0
    for _ in range(replays):
        judged, said = hold(terms(design), rng.random(SIZE), wrong, contested)
        failed += left_wrong(judged, said, wrong) > allowed
    # 4 in 100, and what chance adds in so many replays once in 10,000.
    assert failed <= most


@pytest.mark.parametrize("design", DESIGNS, ids=method_name)
def test_a_certificate_never_leaves_more_wrong_than_its_bound_more_often_than_it_says(design: Design) -> None:
    wrong, contested = flags(SIZE, range(0, SIZE, 30)), flags(SIZE, range(1, SIZE, 50))
    rng = np.random.default_rng(8)
    with_contested = without = 0
    for _ in range(30):
        judged, said = hold(terms(design), rng.random(SIZE), wrong, contested)
        assert judged.result.error_bound is not None
        assert judged.result.error_bound_with_contested is not None
        is_left = ~said.is_settled if judged.result.status == "certified" else np.ones(SIZE, dtype=bool)
        released = SIZE - int((contested & ~is_left).sum())
        without += (wrong & is_left).sum() / (SIZE - contested.sum()) > judged.result.error_bound + 1e-12
        either = ((wrong | contested) & is_left).sum()
        with_contested += either / released > judged.result.error_bound_with_contested + 1e-12
    assert without <= 7
    assert with_contested <= 7


@pytest.mark.parametrize("design", DESIGNS, ids=method_name)
def test_an_audit_with_answers_awaited_is_open_and_tests_nothing(design: Design) -> None:
    marks = np.random.default_rng(3).random(SIZE)
    drawn = design.first_wave(marks, terms(design))
    settled = drawn.copy()
    settled[np.flatnonzero(drawn)[0]] = False
    judged = assay(Evidence(drawn, settled, NOTHING, NOTHING, marks), terms(design))
    assert (judged.result.status, judged.cuts, judged.is_audited) == ("open", [], False)
    assert judged.result.reason == f"1 of {drawn.sum()} audited items await their experts"


@pytest.mark.parametrize("design", DESIGNS, ids=method_name)
def test_a_design_is_read_back_as_it_was_written(design: Design) -> None:
    assert parse_design(design_text(design), 0) == design


def test_a_plan_without_a_design_has_the_fixed_sequence() -> None:
    assert parse_design(None, 300) == FixedSequence(300)


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"method":"rising"}', '{"method":"guess"}', '{"method":"rising","a":1}']
)
def test_what_is_no_design_is_an_error(text: str) -> None:
    with pytest.raises(AuditError, match="design: found"):
        parse_design(text, 10)


@pytest.mark.parametrize("design", [Rising(1.0, 4), EProcess(100, 600)], ids=method_name)
def test_a_design_that_needs_marks_says_so(design: Design) -> None:
    with pytest.raises(AuditError, match="marks: missing"):
        design.due(Evidence(NOTHING, NOTHING, NOTHING, NOTHING), replace(terms(design), max_experts_seen_share=0.5))


def test_the_e_process_stops_when_the_project_s_terms_are_met() -> None:
    marks = np.random.default_rng(1).random(SIZE)
    design = EProcess(50, SIZE)
    loose, strict = (Terms(BUDGET, 1, share, design=design) for share in (1.0, 0.15))
    audited = [hold(one, marks, NOTHING, NOTHING)[1].drawn for one in (loose, strict)]
    assert audited[0] < audited[1] < SIZE
    assert all(count % 50 == 0 for count in audited)


def test_the_rising_audit_asks_no_more_once_it_is_refused() -> None:
    marks = np.random.default_rng(1).random(SIZE)
    wrong = flags(SIZE, range(0, SIZE, 5))
    free, bound = (hold(Terms(BUDGET, 1, share, design=Rising(1.0, 4)), marks, wrong, NOTHING) for share in (1.0, 0.5))
    assert bound[0].result.status == "refused"
    assert bound[1].drawn <= free[1].drawn
    assert bound[1].drawn < SIZE / 4


def test_the_wording_of_a_rising_audit_speaks_of_what_is_left() -> None:
    design = Rising(1.0, 4)
    judged, _ = hold(terms(design), np.random.default_rng(0).random(SIZE), *GOOD)
    text = wording(judged.result, "the panel", are_auditors_independent=True, design=design)
    assert text.startswith(
        "Certified at 2%: a set left with more than 2% wrong labels, contested items aside, would be"
    )
    assert "those found repaired," in judged.result.reason
