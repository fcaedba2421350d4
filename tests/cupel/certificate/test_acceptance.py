import itertools
from dataclasses import replace

import pytest
from scipy import stats

from cupel.certificate.acceptance import ENOUGH_CHANCE, Acceptance, CheckedLook, Delivery, judge, look_sizes
from cupel.certificate.attempts import attempt_alpha
from cupel.certificate.hypergeometric import lower_count, upper_count
from cupel.errors import AuditError

DELIVERY = Delivery(population=5_000, error_budget=0.01, first_look=700)
FINAL = Delivery(population=1_000, error_budget=0.01, first_look=1_000)


def judge_first(delivery: Delivery, wrong: int, contested: int = 0) -> Acceptance:
    return judge(delivery, [CheckedLook(1, 1, delivery.first_look, wrong, contested)])


def test_looks_double_until_everything_is_seen() -> None:
    assert look_sizes(1_000, 300) == (300, 600, 1_000)
    assert look_sizes(1_000, 1_000) == (1_000,)
    assert look_sizes(1_000, 300, 600) == (300, 600)


@pytest.mark.parametrize(("first", "most"), [(0, None), (1_001, None), (300, 200), (300, 1_001)])
def test_looks_that_cannot_be_are_an_error(first: int, most: int | None) -> None:
    with pytest.raises(AuditError, match="expected 1 <= first <= most <= labels"):
        look_sizes(1_000, first, most)


@pytest.mark.parametrize("attempt", [1, 2, 5])
@pytest.mark.parametrize("known", [(), (CheckedLook(1, 1, 700, 3),)])
def test_the_limit_accepts_and_one_more_does_not(known: tuple[CheckedLook, ...], attempt: int) -> None:
    number = 3 if known else 1
    before, rest = sum(one.wrong for one in known), 5_000 - sum(one.drawn for one in known)
    drawn = look_sizes(5_000, 700)[number - 1] - (5_000 - rest)
    chances = stats.hypergeom.cdf(range(drawn), rest, 51 - before, drawn)
    limit = before + int((chances <= attempt_alpha(attempt)).sum()) - 1
    exact = replace(DELIVERY, can_be_contested=False)
    if limit < before:
        return
    accepted, beyond = (
        judge(exact, [*known, CheckedLook(number, attempt, drawn, limit - before + more)]) for more in (0, 1)
    )
    assert (accepted.outcome, accepted.look.most_wrong) == ("ACCEPT", limit)
    assert accepted.upper.without_contested <= 0.01 < beyond.upper.without_contested
    assert beyond.outcome != "ACCEPT"


def test_a_delivery_shown_to_be_over_its_budget_is_refused() -> None:
    fewest = next(k for k in range(700) if lower_count(5_000, 700, k, attempt_alpha(1)) > 50)
    refused, before = judge_first(DELIVERY, fewest), judge_first(DELIVERY, fewest - 1)
    assert (refused.outcome, refused.is_proven) == ("REFUSE", True)
    assert refused.lower.without_contested > 0.01 >= before.lower.without_contested
    assert not before.is_proven


def test_when_open_the_next_look_has_the_chance_that_is_said() -> None:
    exact = replace(DELIVERY, can_be_contested=False)
    verdict = judge_first(exact, 3)
    assert verdict.outcome == "OPEN"
    assert verdict.next_look is not None
    assert verdict.next_look.most_wrong is not None
    rest_wrong = round(3 / 700 * 4_300)
    chances = {}
    for drawn in (1_400, 2_800, 5_000):
        limit = (stats.hypergeom.cdf(range(-1, 48), 4_300, 51 - 3, drawn - 700) <= attempt_alpha(2)).sum() - 2
        chances[drawn] = stats.hypergeom.cdf(limit, 4_300, rest_wrong, drawn - 700)
    assert verdict.next_look.drawn == next(drawn for drawn in chances if chances[drawn] >= ENOUGH_CHANCE)
    assert verdict.chance == pytest.approx(chances[verdict.next_look.drawn])
    assert verdict.more == verdict.next_look.drawn - 700


def test_where_no_further_look_is_worth_it_the_refusal_says_that_nothing_is_proven() -> None:
    hopeless = judge_first(DELIVERY, 9)
    assert (hopeless.outcome, hopeless.is_proven, hopeless.more) == ("REFUSE", False, 0)
    assert "even checking everything" in hopeless.reason


def test_a_stated_maximum_ends_the_looks() -> None:
    limited = judge_first(replace(DELIVERY, most_drawn=1_400), 3)
    assert (limited.outcome, limited.is_proven) == ("REFUSE", False)
    assert "even checking 1,400" in limited.reason


@pytest.mark.parametrize(("wrong", "outcome"), [(10, "ACCEPT"), (11, "REFUSE")])
def test_a_full_check_decides_by_the_count(wrong: int, outcome: str) -> None:
    verdict = judge_first(FINAL, wrong)
    assert (verdict.outcome, verdict.is_proven) == (outcome, True)
    assert verdict.upper.without_contested == verdict.lower.without_contested == wrong / 1_000


@pytest.mark.parametrize(("wrong", "outcome"), [(9, "ACCEPT"), (10, "REFUSE")])
def test_contested_items_shrink_what_the_budget_is_a_share_of(wrong: int, outcome: str) -> None:
    verdict = judge_first(FINAL, wrong, 50)
    assert verdict.outcome == outcome
    assert verdict.upper.without_contested == verdict.lower.without_contested == wrong / 950


def test_contested_items_are_counted_as_wrong_beside_it() -> None:
    verdict = judge_first(FINAL, 4, 7)
    assert verdict.outcome == "ACCEPT"
    assert not verdict.is_accepted_with_contested
    assert verdict.upper.with_contested == verdict.lower.with_contested == 11 / 1_000
    assert judge_first(FINAL, 4, 6).is_accepted_with_contested


def test_what_earlier_looks_found_is_counted_exactly_and_the_rest_is_bounded() -> None:
    first, later = CheckedLook(1, 2, 700, 3, 8), CheckedLook(2, 5, 700, 1, 12)
    verdict = judge(DELIVERY, [first, later])
    alpha = attempt_alpha(5)
    assert verdict.upper.with_contested == (11 + upper_count(4_300, 700, 13, alpha)) / 5_000
    assert verdict.lower.with_contested == (11 + lower_count(4_300, 700, 13, alpha)) / 5_000
    assert verdict.undecided.upper == (8 + upper_count(4_300, 700, 12, alpha / 8)) / 5_000
    assert (verdict.attempt, verdict.wrong, verdict.contested) == (5, 4, 20)


def test_an_audit_of_an_earlier_version_goes_on_by_its_own_rule() -> None:
    # Its looks test all items so far, look j at the alpha of attempt j: 17 of 2,800 pass, where a fresh look allows 16.
    old = replace(DELIVERY, is_accumulated=True)
    looks = [CheckedLook(1, 1, 700, 3), CheckedLook(3, 3, 2_100, 14)]
    assert [judge(old, looks).outcome, judge(old, looks).look.most_wrong] == ["ACCEPT", 17]
    assert judge(old, looks).lower.with_contested == lower_count(5_000, 2_800, 17, attempt_alpha(3)) / 5_000


LIMITED = replace(DELIVERY, max_undecided=0.05)


@pytest.mark.parametrize("share", [0.06, 0.1, 0.18])
def test_no_share_of_undecided_items_above_the_limit_is_accepted(share: float) -> None:
    # As if each wrong label had been called undecided: none is wrong.
    for contested in (round(700 * share), round(700 * share) + 20):
        verdict = judge_first(LIMITED, 0, contested)
        assert verdict.outcome in ("REFUSE", "OPEN")
        assert "cannot be decided" in verdict.reason
        assert "neither shows that 1%" not in verdict.reason
    assert judge_first(DELIVERY, 0, round(700 * share)).outcome == "ACCEPT"


def test_undecided_items_pass_while_their_bound_keeps_the_limit() -> None:
    fits = next(count for count in range(100) if upper_count(5_000, 700, count + 1, attempt_alpha(1) / 8) > 250)
    accepted, beyond = judge_first(LIMITED, 0, fits), judge_first(LIMITED, 0, fits + 1)
    assert (accepted.outcome, beyond.outcome) == ("ACCEPT", "OPEN")
    assert accepted.undecided.upper <= 0.05 < beyond.undecided.upper
    assert "5% allowed" in accepted.reason
    assert beyond.next_look is not None


def test_more_undecided_items_than_the_limit_are_proven_to_be_so() -> None:
    fewest = next(count for count in range(700) if lower_count(5_000, 700, count, attempt_alpha(1) / 8) > 250)
    refused, before = judge_first(LIMITED, 0, fewest), judge_first(LIMITED, 0, fewest - 1)
    assert (refused.outcome, refused.is_proven) == ("REFUSE", True)
    assert "more than 5% of the delivery" in refused.reason
    assert not before.is_proven


def test_a_reason_names_both_where_both_are_open() -> None:
    reason = judge_first(LIMITED, 4, 30).reason
    assert "neither shows that 1% is kept" in reason
    assert "30 of 700 checked cannot be decided" in reason


def chance_of_error(delivery: Delivery, wrong: int, attempts: tuple[int, ...]) -> float:
    """Return the exact chance that any look accepts a delivery over its budget, or proves a good one to be over."""
    is_over = wrong > delivery.error_budget * delivery.population
    sizes = (0, *look_sizes(delivery.population, delivery.first_look))
    chances: dict[tuple[CheckedLook, ...], float] = {(): 1.0}
    erred = 0.0
    for look, (before, drawn) in enumerate(itertools.pairwise(sizes), 1):
        following: dict[tuple[CheckedLook, ...], float] = {}
        for seen, chance in chances.items():
            found = sum(one.wrong for one in seen)
            more = stats.hypergeom.pmf(
                range(wrong - found + 1), delivery.population - before, wrong - found, drawn - before
            )
            for new, times in enumerate(more):
                looks = (*seen, CheckedLook(look, attempts[look - 1], drawn - before, new))
                if chance * times > 1e-9:
                    following[looks] = chance * float(times)
        chances = {}
        for looks, chance in following.items():
            verdict = judge(delivery, looks)
            is_refused = verdict.outcome == "REFUSE" and verdict.is_proven
            if verdict.outcome == "ACCEPT" if is_over else is_refused:
                erred += chance
            else:
                # What counts of the looks before is their sum.
                drawn_so_far = sum(one.drawn for one in looks)
                total = CheckedLook(look, 1, drawn_so_far, sum(one.wrong for one in looks))
                chances[(total,)] = chances.get((total,), 0.0) + chance
    return erred


@pytest.mark.parametrize("attempts", [(1, 2, 3), (2, 5, 6)])
@pytest.mark.parametrize("wrong", [16, 17])
def test_all_looks_together_err_at_most_as_often_as_their_attempts_may(wrong: int, attempts: tuple[int, ...]) -> None:
    # At 4% of 400, 17 wrong must not be accepted, and 16 must not be proven to be over the budget. The chances are
    # exact, and every look is taken, also where the one before would have ended the matter.
    delivery = Delivery(population=400, error_budget=0.04, first_look=100)
    chance = chance_of_error(delivery, wrong, attempts)
    assert chance <= sum(map(attempt_alpha, attempts)) < 0.05
    assert chance > 0 or attempts[0] > 1


@pytest.mark.parametrize(
    "looks",
    [(), ((1, 1, 600, 0, 0),), ((5, 1, 700, 0, 0),), ((1, 1, 700, -1, 0),), ((1, 1, 700, 700, 1),),
     ((1, 1, 700, 0, 0), (1, 2, 700, 0, 0))],
)  # fmt: skip
def test_looks_and_counts_that_cannot_be_are_an_error(looks: tuple[tuple[int, ...], ...]) -> None:
    with pytest.raises(AuditError, match="expected"):
        judge(DELIVERY, [CheckedLook(*one) for one in looks])
