from collections import Counter
from itertools import permutations, product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.certificate import attempts, slice_budgets
from cupel.certificate.design import EProcess, FixedSequence, Rising
from cupel.certificate.evidence import Evidence, Plants
from cupel.certificate.result import Terms
from cupel.certificate.rising import Rise, chance_of_more, rising_shares, walk
from cupel.certificate.slice_budgets import (
    MISSED,
    WRONG,
    Slice,
    SliceBudget,
    budget_levels,
    budgets_text,
    first_wave_of,
    follow_budget,
    most_allowed,
    parse_budgets,
)
from cupel.errors import AuditError
from tests.cupel.certificate.sliced_audits import FinishedAudit, run_audit

SIZE = 200
rng = np.random.default_rng(5)
INSIDE = np.arange(SIZE) % 4 == 0
counts = st.integers(0, 60)
rises = st.builds(Rise, st.sampled_from([0.0, 0.25, 1.0, 3.0, 100.0]), st.integers(1, 8))
sensitivities = st.floats(0.5, 1.0)


def flags(size: int, places: object) -> np.ndarray:
    found = np.zeros(size, np.bool_)
    found[np.asarray(places, dtype=np.int64)] = True
    return found


def source(share: float, design: object, value: str = "web") -> SliceBudget:
    return SliceBudget("source", value, WRONG, share, design)  # type: ignore[arg-type]


def audit(terms: Terms, marks: np.ndarray, is_wrong: np.ndarray, *insides: np.ndarray) -> FinishedAudit:
    nobody = np.zeros(len(marks), np.bool_)

    def judged(known: np.ndarray) -> list[Slice]:
        return [Slice(inside, inside & is_wrong & known, inside, nobody) for inside in insides]

    return run_audit(terms, marks, is_wrong, judged)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of any size, and so much alpha that a handful of items can prove something."""
    monkeypatch.setattr(slice_budgets, "LEAST_SLICE_ITEMS", 1)
    monkeypatch.setattr(attempts, "ALPHA_FIRST", 0.3)


def count_accepted(
    order: tuple[int, ...], items: list[int], wrong: set[int], drawn: int, allowed: int, level: float
) -> int:
    """Count what a fixed sequence accepts of some items, from binomial coefficients alone."""
    sample = set([item for item in order if item in items][:drawn])
    accepted = 0
    for cut in range(1, len(items) + 1):
        before = items[:cut]
        audited, found = len(sample & set(before)), len(sample & set(before) & wrong)
        bad = allowed + 1
        ways = sum(comb(bad, k) * comb(cut - bad, audited - k) for k in range(found + 1)) if bad <= cut else 0
        if ways > level * comb(cut, audited):
            break
        accepted = cut
    return accepted


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("wrong", [{6, 7}, {1, 3, 5}, {2, 4, 5, 7}, {0, 2, 4, 6, 7}])
def test_of_all_draws_of_a_tiny_set_no_more_than_alpha_leave_the_whole_or_a_slice_over_its_budget(
    wrong: set[int],
) -> None:
    inside, everything = [0, 2, 4, 6, 7], list(range(8))
    budget = source(0.2, FixedSequence(3))
    terms = Terms(0.25, 1, 1.0, can_be_contested=False, bounds_slices=True, design=FixedSequence(4), budgets=(budget,))
    draws = Counter(
        (frozenset(order[:4]), frozenset([item for item in order if item in inside][:3]))
        for order in permutations(everything)
    )
    one_of = {
        (frozenset(order[:4]), frozenset([item for item in order if item in inside][:3])): order
        for order in permutations(everything)
    }
    false = 0
    for draw, number in draws.items():
        order = one_of[draw]
        done = audit(terms, np.argsort(order) / 8, flags(8, sorted(wrong)), flags(8, inside))
        whole = count_accepted(order, everything, wrong, 4, 2, terms.levels.wrong)
        own = count_accepted(order, inside, wrong, 3, 1, budget_levels(terms).wrong)
        seen = draw[0] | draw[1] | set(everything[whole:]) | set(inside[own:])
        assert set(np.flatnonzero(done.seen).tolist()) == seen
        left = wrong - seen
        false += number * (len(left) > 2 or len(left & set(inside)) > 1)
    chance = false / sum(draws.values())
    assert chance <= terms.levels.wrong + budget_levels(terms).wrong


@pytest.mark.usefixtures("tiny")
def test_some_draws_of_a_tiny_set_do_leave_a_slice_over_its_budget() -> None:
    budget = source(0.2, FixedSequence(3))
    terms = Terms(0.25, 1, 1.0, can_be_contested=False, bounds_slices=True, design=FixedSequence(4), budgets=(budget,))
    inside = flags(8, [0, 2, 4, 6, 7])
    done = audit(terms, np.argsort([0, 2, 4, 1, 3, 5, 6, 7]) / 8, flags(8, [6, 7]), inside)
    assert (inside & ~done.seen)[[6, 7]].all()


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("wrong", [[0, 1, 2, 3], [0, 2, 5, 7]])
def test_over_all_marks_a_rising_audit_leaves_the_whole_or_a_slice_over_budget_as_often_as_declared_at_most(
    wrong: list[int],
) -> None:
    inside, is_wrong = np.arange(8) < 6, flags(8, wrong)
    budget = source(0.2, Rising(1.0, 2))
    terms = Terms(0.25, 1, 1.0, can_be_contested=False, bounds_slices=True, design=Rising(0.5, 2), budgets=(budget,))
    shares = (
        rising_shares(Rise(0.5, 2), 2, terms.levels.wrong),
        rising_shares(Rise(1.0, 2), 1, budget_levels(terms).wrong),
    )
    ends = np.unique(np.concatenate([[0.0], *shares, [1.0]]))
    chance = each = 0.0
    for cells in product(range(len(ends) - 1), repeat=len(wrong)):
        places = np.array(cells)
        marks = np.full(8, 0.999999)
        marks[wrong] = (ends[places] + ends[places + 1]) / 2
        left = is_wrong & ~audit(terms, marks, is_wrong, inside).seen
        weight = float(np.prod(np.diff(ends)[places]))
        chance += weight * (left.sum() > 2 or (left & inside).sum() > 1)
        each += weight
    assert each == pytest.approx(1)
    assert 0 < chance <= chance_of_more(shares[0], 2) + chance_of_more(shares[1], 1) <= 0.3 * 15 / 16


@pytest.mark.parametrize("budgets", [0, 1, 2, 7, 2000])
@pytest.mark.parametrize("bounds_slices", [True, False])
@pytest.mark.parametrize("can_be_contested", [True, False])
def test_the_whole_its_budgets_and_the_bounds_by_slice_spend_the_attempts_alpha_and_no_more(
    can_be_contested: bool, bounds_slices: bool, budgets: int
) -> None:
    terms = Terms(
        0.02, 1, 1.0, can_be_contested, bounds_slices=bounds_slices, budgets=(source(0.05, FixedSequence(1)),) * budgets
    )
    spent = sum(terms.levels) + budgets * sum(budget_levels(terms))
    assert spent == pytest.approx(0.04)


@given(rises, counts, counts, sensitivities, st.sampled_from([0.035, 0.0175, 0.0004]))
@settings(deadline=None, max_examples=60)
def test_where_fewer_may_count_every_share_is_as_large_or_larger(
    rise: Rise, one: int, other: int, sensitivity: float, level: float
) -> None:
    fewer, more = sorted((one, other))
    assert (rising_shares(rise, fewer, level, sensitivity) >= rising_shares(rise, more, level, sensitivity)).all()
    assert (rising_shares(rise, fewer, level, sensitivity) >= rising_shares(rise, fewer, level)).all()


@given(rises, counts, counts, st.integers(0, 10_000))
@settings(deadline=None, max_examples=60)
def test_larger_shares_leave_no_more_unseen_whatever_the_marks(rise: Rise, one: int, other: int, seed: int) -> None:
    fewer, more = sorted((one, other))
    own = np.random.default_rng(seed)
    marks, is_wrong = own.random(120), own.random(120) < own.random()
    left = []
    for allowed in (fewer, more):
        way = walk(marks, is_wrong, rising_shares(rise, allowed, 0.0175))
        left.append(is_wrong & ~way.is_due & (np.arange(120) < way.accepted))
    assert not (left[0] & ~left[1]).any()


def of_method(method: str, share: float = 0.05) -> tuple[Terms, SliceBudget]:
    design = FixedSequence(80) if method == "fixed_sequence" else Rising(1.0, 4)
    own = FixedSequence(40) if method == "fixed_sequence" else Rising(0.5, 3)
    return Terms(0.05, 1, 1.0, can_be_contested=False, bounds_slices=True, design=design), source(share, own)


@given(st.integers(0, 10_000), st.sampled_from(["fixed_sequence", "rising"]), st.floats(0.0, 0.2))
@settings(deadline=None, max_examples=15)
def test_a_budget_more_never_shows_experts_less_and_the_order_of_budgets_changes_nothing(
    seed: int, method: str, share: float
) -> None:
    own = np.random.default_rng(seed)
    marks, is_wrong = own.random(SIZE), own.random(SIZE) < share
    plain, budget = of_method(method)
    first, second = budget._replace(value="a"), budget._replace(value="b", share=0.1)
    alone = audit(plain, marks, is_wrong)
    parts = (INSIDE, ~INSIDE)
    terms = Terms(0.05, 1, 1.0, False, bounds_slices=True, design=plain.design, budgets=(first, second))
    turned = Terms(0.05, 1, 1.0, False, bounds_slices=True, design=plain.design, budgets=(second, first))
    both, other = audit(terms, marks, is_wrong, *parts), audit(turned, marks, is_wrong, *parts[::-1])
    assert not (alone.seen & ~both.seen).any()
    assert both.seen.tolist() == other.seen.tolist()
    assert both.assay.result == other.assay.result


@given(st.integers(0, 10_000), st.sampled_from(["fixed_sequence", "rising"]), st.floats(0.0, 0.2))
@settings(deadline=None, max_examples=15)
def test_a_budget_for_all_items_is_the_test_of_the_whole(seed: int, method: str, share: float) -> None:
    own = np.random.default_rng(seed)
    marks, is_wrong = own.random(SIZE), own.random(SIZE) < share
    plain, budget = of_method(method)
    everything = np.ones(SIZE, np.bool_)
    terms = Terms(
        0.05, 1, 1.0, bounds_slices=True, design=plain.design, budgets=(budget._replace(design=plain.design),)
    )
    done = audit(terms, marks, is_wrong, everything)
    (state,) = done.assay.budgets
    assert (state.accepted, state.allowed) == (done.assay.result.accepted, done.assay.allowed_wrong)


def test_a_share_of_a_class_is_of_what_is_labelled_so_in_the_end() -> None:
    for base in range(30, 400, 7):
        for unfit in (0, base // 10, base // 2):
            allowed = most_allowed(SliceBudget("class", "spam", WRONG, 0.05, FixedSequence(1)), base, unfit)
            right = base - unfit
            assert allowed <= 0.05 * (right + allowed) + 1e-9
            assert allowed + 1 > 0.05 * (right + allowed + 1) - 1e-9
    assert most_allowed(source(0.29, FixedSequence(1)), 100) == 29
    assert most_allowed(source(0.29, FixedSequence(1)), 100, 100) == -1


def test_errors_that_auditors_overlook_are_not_taken_for_items_of_the_class() -> None:
    size, wrong = 1000, 300
    marks = rng.random(size)
    is_wrong = flags(size, rng.choice(size, wrong, replace=False))
    is_noticed = is_wrong & (np.arange(size) % 10 < 6)
    budget = SliceBudget("class", "spam", WRONG, 0.05, FixedSequence(700))
    planted = flags(size, range(100))
    caught = flags(size, range(60))
    plants = Plants(planted, planted, caught, np.zeros(size, np.bool_))
    terms = Terms(0.1, 1, 1.0, bounds_slices=True, planted_errors=100, design=FixedSequence(100), budgets=(budget,))
    everything = np.ones(size, np.bool_)
    evidence = Evidence(everything, everything, is_noticed, np.zeros(size, np.bool_), marks, plants)
    state = follow_budget(budget, Slice(everything, is_noticed, everything, is_noticed), evidence, terms)
    assert state.allowed is not None
    assert state.allowed <= most_allowed(budget, size, wrong) == 36


def test_a_cut_of_the_whole_ends_where_audits_for_a_budget_have_found_more_than_it_says() -> None:
    size, inside = 400, np.arange(400) >= 340
    is_wrong = flags(size, range(340, 360))
    # The sample of the whole meets none of the wrong labels, and all items of the slice are audited.
    marks = np.concatenate([np.linspace(0, 0.8, 340), np.linspace(0.9, 0.99, 60)])
    budget = source(0.5, FixedSequence(60))
    terms = Terms(
        0.02, 1, 1.0, can_be_contested=False, bounds_slices=True, design=FixedSequence(300), budgets=(budget,)
    )
    done = audit(terms, marks, is_wrong, inside)
    result = done.assay.result
    assert 0 < is_wrong[: result.accepted].sum() <= done.assay.allowed_wrong == 8
    assert result.status == "certified"
    assert result.error_bound is not None
    assert result.error_bound >= 0


@pytest.mark.parametrize("items", [0, 3, 29])
@pytest.mark.parametrize("method", ["fixed_sequence", "rising"])
def test_of_a_slice_of_few_items_nothing_is_proven_and_the_release_is_refused(method: str, items: int) -> None:
    plain, budget = of_method(method)
    terms = Terms(0.05, 1, 1.0, False, bounds_slices=True, design=plain.design, budgets=(budget,))
    nobody, inside = np.zeros(SIZE, np.bool_), np.arange(SIZE) < items
    done = audit(terms, rng.random(SIZE), nobody, inside)
    assert done.assay.result.status == "refused"
    assert "unproven" in done.assay.result.reason
    assert f"it has {items} items" in done.assay.result.reason
    assert done.assay.budgets[0].accepted is None


def test_a_budget_needs_marks_and_a_design_that_it_knows() -> None:
    plain, budget = of_method("fixed_sequence")
    nobody = np.zeros(SIZE, np.bool_)
    part = Slice(INSIDE, nobody, INSIDE, nobody)
    with pytest.raises(AuditError, match="marks: missing"):
        follow_budget(budget, part, Evidence(nobody, nobody, nobody, nobody), plain)
    with pytest.raises(AuditError, match="expected fixed_sequence or rising"):
        first_wave_of(source(0.05, EProcess(10, 20)), part, rng.random(SIZE), plain)


@pytest.mark.parametrize(
    "changed",
    [
        {"counts": "all"},
        {"share": 0.0},
        {"share": 1.0},
        {"share": "much"},
        {"design": {"method": "e_process", "step": 10, "most": 20}},
        {"design": {"method": "unknown"}},
    ],
)
def test_budgets_that_no_release_was_frozen_with_are_not_read(changed: dict[str, object]) -> None:
    budgets = (SliceBudget("class", "spam", MISSED, 0.05, Rising(1.0, 4)), source(0.02, FixedSequence(50)))
    text = budgets_text(budgets)
    assert parse_budgets(text) == budgets
    with pytest.raises(AuditError):
        parse_budgets([{**text[0], **changed}])
    with pytest.raises(AuditError, match="budgets: found"):
        parse_budgets([{"by": "class"}])
