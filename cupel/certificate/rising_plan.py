"""Which rise to declare, and what a rising audit will cost if the guessed risk is right."""

from collections.abc import Iterable

import numpy as np

from cupel.certificate.hypergeometric import Reals
from cupel.certificate.rising import Rise, rising_shares
from cupel.certificate.risk import Course, reference_courses

GAINS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
PATHS, MANY_PATHS, SEED = 60, 1_000, 1662


def rising_costs(shares: Reals, course: Course, paths: Reals) -> Reals:
    """Return the share of items that experts would see, audited or adjudicated, in replayed audits.

    Wrong labels are taken to come along the risk order as a Poisson process with the guessed course.

    Args:
        shares: Audited share while 0, 1, 2, ... errors have been found.
        course: Guess of the wrong labels.
        paths: Exponential variates of mean 1, of shape (replays, at least as many as shares).

    Returns:
        Shares, of shape replays.

    >>> clean = Course(np.array([0.0, 100.0]), np.array([0.0, 0.0]))
    >>> rising_costs(np.array([0.1, 0.3]), clean, np.ones((2, 2))).round(3).tolist()
    [0.1, 0.1]
    """
    met = np.cumsum(paths[:, : len(shares)] / np.maximum(shares, 1e-12), axis=1)
    # An item more than there are is never reached: what is met beyond the last wrong label lies there.
    size = course.items[-1]
    places = np.interp(met, course.wrong, course.items, right=size)
    places = np.where(met > course.wrong[-1], size, places)
    between = np.diff(np.concatenate([np.zeros((len(met), 1)), places], axis=1), axis=1)
    cost: Reals = ((between * shares).sum(axis=1) + size - places[:, -1]) / size
    return cost


def exponentials(replays: int, steps: int) -> Reals:
    """Return the paths that plans are made with; the same for all, so that plans differ by what they are."""
    return np.random.default_rng(SEED).exponential(size=(replays, steps))


def choose_rise(
    population: int, allowed: int, alpha: float, courses: Iterable[Course] | None = None, steps: Iterable[int] = STEPS
) -> Rise:
    """Return the rise with which experts see least, on geometric average over some guesses of the risk.

    Any rise is valid; a better guess makes a cheaper one.

    Args:
        population: Items in all, at least 1.
        allowed: Wrong labels that may stay unseen.
        alpha: Chance that more stay unseen.
        courses: Guesses of the risk; None for `reference_courses`, which know nothing of the labels.
        steps: Numbers of errors to consider.

    >>> choose_rise(10_000, 30, 0.04)
    Rise(gain=1.0, steps=6)
    """
    paths = exponentials(PATHS, max(STEPS))
    guesses = list(reference_courses(population, allowed) if courses is None else courses)
    rises = [Rise(gain, count) for gain in GAINS for count in steps]
    costs = [
        np.mean([np.log(rising_costs(rising_shares(rise, allowed, alpha), guess, paths).mean()) for guess in guesses])
        for rise in rises
    ]
    return rises[int(np.argmin(np.round(costs, 9)))]
