from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from cupel.certificate.attempts import attempt_levels
from cupel.certificate.design import FixedSequence, Rising
from cupel.certificate.evidence import Evidence, Plants
from cupel.certificate.hypergeometric import upper_count
from cupel.certificate.result import Terms, assay, upper_of_all
from cupel.certificate.slice_bounds import PARTS, LeftBound, bound_left
from tests.cupel.certificate.sliced_audits import FinishedAudit, run_audit

SIZE = 200
ALPHA = attempt_levels(1, bounds_slices=True).slices
rng = np.random.default_rng(9)
EVERYTHING, NOBODY = np.ones(SIZE, np.bool_), np.zeros(SIZE, np.bool_)


def flags(size: int, places: object) -> np.ndarray:
    found = np.zeros(size, np.bool_)
    found[np.asarray(places, dtype=np.int64)] = True
    return found


def declare(design: FixedSequence | Rising, budget: float = 0.1, most: float = 1.0) -> Terms:
    return Terms(budget, 1, most, can_be_contested=False, bounds_slices=True, design=design)


def bound(done: FinishedAudit, terms: Terms, items: np.ndarray, is_counted: np.ndarray, alpha: float) -> LeftBound:
    return bound_left(done.evidence, terms, done.assay.result, items, is_counted & done.seen, alpha)


def count_under(counted: list[int], budget: float, alpha: float) -> float:
    """Return the share of all draws of five of eight items that show a bound below the truth."""
    size, drawn = 8, 5
    is_wrong, items = flags(size, counted), np.arange(size) != 1
    terms, under = declare(FixedSequence(drawn), budget), 0
    draws = list(combinations(range(size), drawn))
    for draw in draws:
        marks = np.where(flags(size, draw), 0.1, 0.9) + np.arange(size) / 100
        done = run_audit(terms, marks, is_wrong, lambda known: [])
        found, left = bound(done, terms, items, is_wrong, alpha), (is_wrong & items & ~done.seen).sum()
        assert found.left_upper is not None
        assert found.left_upper <= (items & ~done.seen).sum()
        under += found.left_upper < left or found.frozen_upper < (is_wrong & items).sum()
    return under / len(draws)


@pytest.mark.parametrize("counted", [[7], [0, 1], [0, 4, 7], [0, 1, 2, 3], [2, 3, 4, 5, 6, 7]])
@pytest.mark.parametrize("budget", [0.3, 0.8])
def test_of_all_draws_of_a_tiny_set_no_more_than_alpha_show_a_bound_below_the_truth(
    budget: float, counted: list[int]
) -> None:
    assert count_under(counted, budget, 0.4) <= 0.4


def test_some_draws_of_a_tiny_set_do_show_a_bound_below_the_truth() -> None:
    # Two of eight, and the five that are drawn hold neither.
    assert count_under([3, 4], 0.8, 0.95) == pytest.approx(3 / 28)


def test_the_bounds_of_the_parts_divide_the_chance_and_the_best_of_them_counts() -> None:
    terms, is_wrong = declare(FixedSequence(60)), flags(SIZE, range(190, 200))
    done = run_audit(terms, rng.random(SIZE), is_wrong, lambda known: [])
    found, drawn = bound(done, terms, EVERYTHING, is_wrong, ALPHA), done.evidence.drawn
    each = []
    for part in PARTS:
        end = int(np.ceil(part * SIZE))
        met = (done.evidence.is_audited & is_wrong)[:end].sum()
        if end >= done.assay.result.accepted:
            known = (is_wrong & done.seen)[:end].sum()
            each.append(upper_count(SIZE, drawn, int(met), ALPHA / len(PARTS)) - known)
    assert found.left_upper == max(0, min([*each, int((~done.seen).sum())]))
    assert found.audited == drawn


@pytest.mark.parametrize("design", [FixedSequence(60), Rising(1.0, 4)])
def test_what_was_audited_for_a_budget_counts_as_found_and_not_as_sampled(design: FixedSequence | Rising) -> None:
    terms, inside, is_wrong = declare(design), np.arange(SIZE) % 4 == 0, flags(SIZE, [4, 8, 100, 196])
    marks = rng.random(SIZE)
    marks[is_wrong] = 0.99
    plain = run_audit(terms, marks, is_wrong, lambda known: [])
    # All of a slice is audited besides, as a budget might have it.
    drawn = plain.evidence.is_audited | inside
    seen = plain.seen | inside
    more = Evidence(drawn, seen, is_wrong & seen, NOBODY, marks)
    before = bound_left(plain.evidence, terms, plain.assay.result, EVERYTHING, is_wrong & plain.seen, ALPHA)
    after = bound_left(more, terms, plain.assay.result, EVERYTHING, is_wrong & seen, ALPHA)
    assert after.frozen_upper == before.frozen_upper
    assert before.left_upper is not None
    assert after.left_upper == max(0, before.left_upper - int((is_wrong & seen & ~plain.seen).sum()))
    assert after.found == before.found + int((is_wrong & inside & ~plain.evidence.is_audited).sum())


def test_where_experts_have_seen_all_items_nothing_is_left() -> None:
    terms, is_wrong = declare(FixedSequence(SIZE)), flags(SIZE, [3, 50])
    done = run_audit(terms, rng.random(SIZE), is_wrong, lambda known: [])
    assert bound(done, terms, EVERYTHING, is_wrong, ALPHA) == LeftBound(SIZE, 2, 2, 0)


def test_of_a_refused_release_only_the_frozen_items_are_bounded() -> None:
    terms = declare(FixedSequence(60), 0.01, 0.4)
    done = run_audit(terms, rng.random(SIZE), flags(SIZE, range(80)), lambda known: [])
    assert done.assay.result.status == "refused"
    found = bound(done, terms, EVERYTHING, flags(SIZE, range(80)), ALPHA)
    assert found.left_upper is None
    assert found.frozen_upper >= 80


def test_a_slice_without_an_item_has_nothing_wrong_and_nothing_audited() -> None:
    terms = declare(FixedSequence(60))
    done = run_audit(terms, rng.random(SIZE), NOBODY, lambda known: [])
    assert bound(done, terms, NOBODY, NOBODY, ALPHA) == LeftBound(0, 0, 0, 0)


def test_a_wrong_verdict_of_an_adjudicator_counts_as_an_error_made_and_as_a_find_that_was_none() -> None:
    terms = declare(FixedSequence(60), 0.3)
    # The adjudicators call 30 right labels behind the cut wrong, so that all of these become wrong.
    marks, called = np.arange(SIZE) / SIZE, flags(SIZE, range(150, 180))
    drawn = flags(SIZE, range(60))
    settled = drawn | (np.arange(SIZE) >= 100)
    evidence = Evidence(drawn, settled, called, NOBODY, marks)
    result = assay(Evidence(drawn, EVERYTHING, called, NOBODY, marks), terms).result
    made_wrong = 30
    upper = upper_count(SIZE, 60, 0, ALPHA / len(PARTS))
    found = bound_left(evidence, terms, result, EVERYTHING, called, ALPHA, verdicts_left=made_wrong)
    assert found.left_upper == min(upper, 40) + made_wrong
    assert found.left_upper >= made_wrong


def test_what_auditors_called_right_behind_the_cut_may_be_wrong_where_they_err() -> None:
    drawn = flags(SIZE, range(0, SIZE, 2))
    planted = flags(SIZE, range(1, 61, 2))
    plants = Plants(planted, planted, planted, NOBODY)
    terms = Terms(0.3, 1, 1.0, False, planted_errors=30, bounds_slices=True, design=FixedSequence(100))
    marks = np.where(drawn, 0.1, 0.9)
    evidence = Evidence(drawn, EVERYTHING, NOBODY, NOBODY, marks, plants)
    result = assay(evidence, terms).result
    assert result.status == "certified"
    behind = np.arange(SIZE) >= 100
    found = drawn & behind & (np.arange(SIZE) < 160)
    early = bound_left(evidence, terms, replace(result, accepted=100), EVERYTHING, found, ALPHA)
    # Of the 50 audited behind the cut 30 were found; any of the other 20 may have been overlooked.
    before_the_cut = upper_of_all(evidence, terms, NOBODY, ALPHA / len(PARTS))
    assert early.left_upper == before_the_cut + 20


def test_contested_items_are_neither_wrong_nor_left() -> None:
    terms = Terms(0.1, 1, 1.0, bounds_slices=True, design=FixedSequence(150))
    contested, is_wrong = flags(SIZE, range(0, 40, 2)), flags(SIZE, [1, 191])
    done = run_audit(terms, rng.random(SIZE), is_wrong, lambda known: [], contested)
    found = bound(done, terms, EVERYTHING, is_wrong, ALPHA)
    assert found.found == (done.evidence.is_audited & is_wrong).sum()
    assert found.left_upper is not None
    assert found.left_upper >= (is_wrong & ~done.seen).sum()
