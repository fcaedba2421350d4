"""How large the first look at a delivery should be: the planner of audits, with a limit of undecided items."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from cupel.certificate.attempts import Levels, attempt_levels
from cupel.certificate.hypergeometric import tail
from cupel.certificate.plan import AuditPlan, plan_audits, smallest_audit
from cupel.certificate.sequence import floor_share


@dataclass(frozen=True)
class Terms:
    """What an acceptance must show: of how many items, at which attempt; `max_undecided` is None without a limit.

    `bounds_slices` tells that bounds by class and slice have a part of the alpha.
    """

    population: int
    error_budget: float
    attempt: int = 1
    can_be_contested: bool = True
    max_undecided: float | None = None
    bounds_slices: bool = False

    @property
    def levels(self) -> Levels:
        """The alpha of the attempt, divided."""
        return attempt_levels(self.attempt, self.can_be_contested, self.bounds_slices)


def plan_first_looks(terms: Terms, sizes: Sequence[int], true_errors: Sequence[float]) -> list[AuditPlan]:
    """Say for each size of a first look when it accepts, and with which chance at each true error.

    Chances are exact for a delivery without items that cannot be decided; see `plan_audits`. Below
    `fewest_for_undecided` no look accepts: it cannot show that few enough are so.
    """
    fewest = fewest_for_undecided(terms)
    return [
        plan if plan.drawn >= fewest else AuditPlan(plan.drawn, None, (0.0,) * len(plan.chances))
        for plan in plan_audits(terms.population, terms.error_budget, terms.levels, sizes, true_errors)
    ]


def smallest_first_look(terms: Terms, true_error: float, chance: float) -> AuditPlan | None:
    """Return the smallest first look that accepts with at least a given chance, if the true error is as guessed.

    None where the guessed error is over the budget; see `smallest_audit`.
    """
    best = smallest_audit(terms.population, terms.error_budget, terms.levels, true_error, chance)
    fewest = fewest_for_undecided(terms)
    if best is None or best.drawn >= fewest:
        return best
    # From `best` on, a size lets one more label through every few items, and so passes often enough again soon.
    for size in range(fewest, terms.population + 1):
        (plan,) = plan_audits(terms.population, terms.error_budget, terms.levels, [size], [true_error])
        if plan.chances[0] >= chance:
            return plan
    return None


def fewest_for_undecided(terms: Terms) -> int:
    """Return the smallest sample without an undecided item that shows that no more than allowed are so; 0: no limit.

    >>> fewest_for_undecided(Terms(5_000, 0.01, max_undecided=0.05)), fewest_for_undecided(Terms(5_000, 0.01))
    (102, 0)
    """
    if terms.max_undecided is None or not terms.levels.contested:
        return 0
    over = floor_share(terms.max_undecided, terms.population) + 1
    return bisect_left(
        range(terms.population + 1),
        True,
        key=lambda size: bool(tail(0, terms.population, over, size) <= terms.levels.contested),
    )
