import numpy as np
import pytest

from cupel.certificate.rising import Rise, rising_shares, walk
from cupel.certificate.rising_plan import choose_rise, exponentials, rising_costs
from cupel.certificate.risk import course_of_chances


def replayed_cost(chances: np.ndarray, shares: np.ndarray, replays: int) -> float:
    rng = np.random.default_rng(5)
    seen = []
    for _ in range(replays):
        way = walk(rng.random(len(chances)), rng.random(len(chances)) < chances, shares)
        seen.append(way.is_due[: way.accepted].sum() + len(chances) - way.accepted)
    return float(np.mean(seen)) / len(chances)


@pytest.mark.parametrize("rise", [Rise(0.0, 2), Rise(1.0, 6)])
def test_the_planned_cost_is_that_of_replayed_audits(rise: Rise) -> None:
    chances = 0.2 * np.linspace(0, 1, 5_000) ** 9
    shares = rising_shares(rise, 15, 0.04)
    planned = rising_costs(shares, course_of_chances(chances), exponentials(1_000, 40)).mean()
    assert planned == pytest.approx(replayed_cost(chances, shares, 300), rel=0.05)


def test_a_better_guess_makes_a_cheaper_rise() -> None:
    guess = course_of_chances(0.5 * np.linspace(0, 1, 5_000) ** 25)
    paths = exponentials(1_000, 40)

    def cost(rise: Rise) -> float:
        return float(rising_costs(rising_shares(rise, 15, 0.04), guess, paths).mean())

    known, unknown = choose_rise(5_000, 15, 0.04, [guess]), choose_rise(5_000, 15, 0.04)
    assert cost(known) <= cost(unknown) <= 1.25 * cost(known)
    assert cost(unknown) < cost(Rise(0.0, 4))


def test_the_choice_knows_nothing_of_the_labels_and_is_the_same_every_time() -> None:
    assert choose_rise(2_000, 20, 0.035) == choose_rise(2_000, 20, 0.035)
