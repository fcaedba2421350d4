import itertools
from dataclasses import replace

import pytest
from scipy import stats

from cupel.certificate.acceptance import ENOUGH_CHANCE, Delivery, acceptance_limit, judge, look_sizes
from cupel.certificate.attempts import attempt_alpha
from cupel.certificate.hypergeometric import lower_count, upper_count
from cupel.errors import AuditError

DELIVERY = Delivery(population=5_000, error_budget=0.01, first_look=700)
FINAL = Delivery(population=1_000, error_budget=0.01, first_look=1_000)


def test_looks_double_until_everything_is_seen() -> None:
    assert look_sizes(1_000, 300) == (300, 600, 1_000)
    assert look_sizes(1_000, 1_000) == (1_000,)
    assert look_sizes(1_000, 300, 600) == (300, 600)


@pytest.mark.parametrize(("first", "most"), [(0, None), (1_001, None), (300, 200), (300, 1_001)])
def test_looks_that_cannot_be_are_an_error(first: int, most: int | None) -> None:
    with pytest.raises(AuditError, match="expected 1 <= first <= most <= labels"):
        look_sizes(1_000, first, most)


@pytest.mark.parametrize("look", [1, 2, 3])
def test_the_limit_accepts_and_one_more_does_not(look: int) -> None:
    drawn = look_sizes(5_000, 700)[look - 1]
    limit = acceptance_limit(5_000, drawn, 0.01, look)
    assert limit is not None
    accepted, beyond = judge(DELIVERY, look, limit), judge(DELIVERY, look, limit + 1)
    assert (accepted.outcome, accepted.look.most_wrong) == ("ACCEPT", limit)
    assert accepted.upper.without_contested <= 0.01 < beyond.upper.without_contested
    assert beyond.outcome != "ACCEPT"


def test_a_delivery_shown_to_be_over_its_budget_is_refused() -> None:
    fewest = next(k for k in range(700) if lower_count(5_000, 700, k, attempt_alpha(1)) > 50)
    refused, before = judge(DELIVERY, 1, fewest), judge(DELIVERY, 1, fewest - 1)
    assert (refused.outcome, refused.is_proven) == ("REFUSE", True)
    assert refused.lower.without_contested > 0.01 >= before.lower.without_contested
    assert not before.is_proven


def test_when_open_the_next_look_has_the_chance_that_is_said() -> None:
    verdict = judge(DELIVERY, 1, 3)
    assert (verdict.outcome, verdict.next_look) == ("OPEN", (3, 2_800, acceptance_limit(5_000, 2_800, 0.01, 3)))
    assert verdict.more == 2_100
    assert verdict.next_look is not None
    assert verdict.next_look.most_wrong is not None
    rest_wrong = round(3 / 700 * 4_300)
    chance = stats.hypergeom.cdf(verdict.next_look.most_wrong - 3, 4_300, rest_wrong, 2_100)
    assert verdict.chance == pytest.approx(chance)
    assert chance >= ENOUGH_CHANCE
    sooner = acceptance_limit(5_000, 1_400, 0.01, 2)
    assert sooner is not None
    assert stats.hypergeom.cdf(sooner - 3, 4_300, rest_wrong, 700) < ENOUGH_CHANCE


def test_where_no_further_look_is_worth_it_the_refusal_says_that_nothing_is_proven() -> None:
    hopeless = judge(DELIVERY, 1, 9)
    assert (hopeless.outcome, hopeless.is_proven, hopeless.more) == ("REFUSE", False, 0)
    assert "even checking everything" in hopeless.reason


def test_a_stated_maximum_ends_the_looks() -> None:
    limited = judge(replace(DELIVERY, most_drawn=1_400), 1, 3)
    assert (limited.outcome, limited.is_proven) == ("REFUSE", False)
    assert "even checking 1,400" in limited.reason


@pytest.mark.parametrize(("wrong", "outcome"), [(10, "ACCEPT"), (11, "REFUSE")])
def test_a_full_check_decides_by_the_count(wrong: int, outcome: str) -> None:
    verdict = judge(FINAL, 1, wrong)
    assert (verdict.outcome, verdict.is_proven) == (outcome, True)
    assert verdict.upper.without_contested == verdict.lower.without_contested == wrong / 1_000


@pytest.mark.parametrize(("wrong", "outcome"), [(9, "ACCEPT"), (10, "REFUSE")])
def test_contested_items_shrink_what_the_budget_is_a_share_of(wrong: int, outcome: str) -> None:
    verdict = judge(FINAL, 1, wrong, contested=50)
    assert verdict.outcome == outcome
    assert verdict.upper.without_contested == verdict.lower.without_contested == wrong / 950


def test_contested_items_are_counted_as_wrong_beside_it() -> None:
    verdict = judge(FINAL, 1, 4, contested=7)
    assert verdict.outcome == "ACCEPT"
    assert not verdict.is_accepted_with_contested
    assert verdict.upper.with_contested == verdict.lower.with_contested == 11 / 1_000
    assert judge(FINAL, 1, 4, contested=6).is_accepted_with_contested


def test_the_bound_with_contested_is_exact_at_the_looks_alpha() -> None:
    verdict = judge(DELIVERY, 2, 3, contested=20)
    assert verdict.upper.with_contested == upper_count(5_000, 1_400, 23, attempt_alpha(2)) / 5_000
    assert verdict.lower.with_contested == lower_count(5_000, 1_400, 23, attempt_alpha(2)) / 5_000


def chance_of_error(delivery: Delivery, wrong: int) -> float:
    """Return the exact chance that any look accepts a delivery over its budget, or proves a good one to be over."""
    is_over = wrong > delivery.error_budget * delivery.population
    sizes = (0, *look_sizes(delivery.population, delivery.first_look))
    chances, erred = {0: 1.0}, 0.0
    for look, (before, drawn) in enumerate(itertools.pairwise(sizes), 1):
        following: dict[int, float] = {}
        for found, chance in chances.items():
            for new in range(wrong - found + 1):
                more = stats.hypergeom.pmf(new, delivery.population - before, wrong - found, drawn - before)
                following[found + new] = following.get(found + new, 0.0) + chance * float(more)
        chances = {}
        for found, chance in following.items():
            verdict = judge(delivery, look, found) if chance > 1e-12 else None
            is_refused = verdict is not None and verdict.outcome == "REFUSE" and verdict.is_proven
            is_accepted = verdict is not None and verdict.outcome == "ACCEPT"
            if is_accepted if is_over else is_refused:
                erred += chance
            else:
                chances[found] = chance
    return erred


@pytest.mark.parametrize("first_look", [100])
@pytest.mark.parametrize("wrong", [16, 17])
def test_all_looks_together_err_at_most_five_times_in_a_hundred(wrong: int, first_look: int) -> None:
    # At 4% of 400, 17 wrong must not be accepted, and 16 must not be proven to be over the budget. The chances are
    # exact, and every look is taken, also where the one before would have ended the matter.
    delivery = Delivery(population=400, error_budget=0.04, first_look=first_look)
    looks = len(look_sizes(400, first_look))
    chance = chance_of_error(delivery, wrong)
    assert 0 < chance <= sum(attempt_alpha(look) for look in range(1, looks + 1)) < 0.05


@pytest.mark.parametrize(("look", "wrong", "contested"), [(0, 0, 0), (5, 0, 0), (1, -1, 0), (1, 700, 1)])
def test_looks_and_counts_that_cannot_be_are_an_error(look: int, wrong: int, contested: int) -> None:
    with pytest.raises(AuditError, match="expected"):
        judge(DELIVERY, look, wrong, contested)
