import numpy as np
import pytest

from benchmarks import certificate_slice_replays as replays
from benchmarks.certificate_slice_sets import RARE, SlicedSet, at_each_cut, declare, errors_over, sets
from benchmarks.certificate_slices import METHODS, undivide
from cupel.certificate.hypergeometric import clopper_pearson_lower
from cupel.certificate.sequence import Flags
from cupel.certificate.slice_bounds import bound_left
from cupel.certificate.slice_budgets import CLASS, MISSED, WRONG, Slice
from tests.cupel.certificate.sliced_audits import run_audit

SETS = {(one.name, counts): one for counts in (WRONG, MISSED) for one in sets(0.12, counts)}
COMPARED = (
    "rarest class just over, the whole just over",
    "smallest slice just over, with a budget",
    "10% contested, all just over",
)


def judged(one: SlicedSet, known: Flags) -> list[Slice]:
    found = (one.find(budget) for budget in one.budgets)
    return [Slice(items, counted & known, base, unfit & known) for items, counted, base, unfit in found]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("counts", [WRONG, MISSED])
@pytest.mark.parametrize("name", COMPARED)
def test_the_chains_own_audit_comes_to_what_the_replays_say(name: str, counts: str, method: str) -> None:
    one = SETS[name, counts]
    terms = declare(one, method)
    (marks,) = replays.draw_marks(len(one.labels), 3)
    found = replays.replay_marks(one, terms, marks)
    for place, own in enumerate(marks):
        done = run_audit(terms, own, one.is_wrong, lambda known: judged(one, known), one.is_contested)
        assert done.assay.result.status == "certified"
        assert done.seen.mean() == found.seen_share[place]
        shown = replays.shown_counts(one)
        alpha, is_under = terms.levels.slices / len(shown), False
        for items, counted in shown:
            bound = bound_left(done.evidence, terms, done.assay.result, items, counted & done.seen, alpha)
            assert bound.left_upper is not None
            is_under |= bound.frozen_upper < counted.sum() or bound.left_upper < (counted & ~done.seen).sum()
        assert is_under == found.is_under[place]
        released = np.where(done.seen, one.verdicts, one.labels)
        assert is_over(one, released) == found.is_false[place]


def is_over(one: SlicedSet, released: np.ndarray) -> bool:
    is_settled = ~one.is_contested
    is_wrong = (released != one.verdicts) & is_settled
    over = is_wrong.sum() > one.error_budget * is_settled.sum()
    for budget in one.budgets:
        inside = one.sources == int(budget.value) if budget.by != CLASS else released == RARE
        if budget.counts == MISSED:
            inside, is_counted = one.verdicts == RARE, (released != RARE)
        else:
            is_counted = is_wrong
        inside = inside & is_settled
        over |= (inside & is_counted).sum() > budget.share * inside.sum()
    return bool(over)


def test_the_sets_are_over_a_budget() -> None:
    assert all(is_over(one, one.labels) for one in SETS.values())


@pytest.mark.parametrize("counts", [WRONG, MISSED])
def test_one_error_less_keeps_the_rare_class_within_its_budget(counts: str) -> None:
    one = SETS["rarest class just over, the whole within", counts]
    assert one.is_wrong.sum() == errors_over(0.12, counts)
    verdicts = one.verdicts.copy()
    verdicts[np.flatnonzero(one.is_wrong)[0]] = one.labels[np.flatnonzero(one.is_wrong)[0]]
    assert is_over(one, one.labels)
    assert not is_over(one._replace(verdicts=verdicts), one.labels)


def test_errors_stand_before_and_behind_every_cut() -> None:
    many = list(at_each_cut(0.12, WRONG))
    assert len(many) == 382
    assert {int(one.is_wrong.sum()) for one in many} == {41}


def test_tests_that_have_the_whole_alpha_each_are_caught() -> None:
    one = next(one for (name, _), one in SETS.items() if "sources" in name)
    terms = declare(one, "rising")
    assert replays.replay(one, terms, 400, has_bounds=False).is_false.mean() <= 0.05
    found = replays.replay(one, undivide(terms), 400, has_bounds=False).is_false
    assert clopper_pearson_lower(int(found.sum()), 400) > 0.05
