"""The best case of a delivery's audit: which look would accept if not one label checked were wrong or undecided."""

from bisect import bisect_left
from dataclasses import replace

from cupel.accept.budget import money, percent
from cupel.accept.judging import Prices
from cupel.accept.plan import Plan, terms_of
from cupel.certificate.acceptance import CheckedLook, Delivery, accepts, look_sizes
from cupel.certificate.acceptance_plan import Terms, plan_first_looks, smallest_first_look
from cupel.errors import AuditError

# Budgets are looked for in steps of a thousandth.
BUDGETS = 1000


def find_accepting_look(delivery: Delivery, attempt: int = 1) -> int | None:
    """Return the first look that would accept a delivery without a wrong or undecided label; None where none would.

    A later look comes right after the first: each look in between would be one attempt more.

    Args:
        delivery: What is fixed beforehand.
        attempt: Of the first look.

    >>> find_accepting_look(Delivery(5000, 0.01, 700)), find_accepting_look(Delivery(5000, 0.01, 200))
    (1, 3)
    >>> find_accepting_look(Delivery(5000, 0.01, 200, 300)) is None
    True
    """
    sizes = look_sizes(delivery.population, delivery.first_look, delivery.most_drawn)
    first = CheckedLook(1, attempt, sizes[0], 0)
    if accepts(delivery, [first]):
        return 1
    for number, size in enumerate(sizes[1:], 2):
        if accepts(delivery, [first, CheckedLook(number, attempt + 1, size - sizes[0], 0)]):
            return number
    return None


def check_looks(plan: Plan, prices: Prices) -> None:
    """Refuse an audit of the whole that no look of could accept, before anything is recorded or drawn.

    Args:
        plan: What is about to be frozen.
        prices: What a check costs.

    Raises:
        AuditError: Nobody should check what is refused whatever they find.
    """
    if find_accepting_look(plan.fixed, plan.attempt) is not None:
        return
    most, terms = plan.sizes[-1], terms_of(plan.labels, plan.settings, plan.attempt)
    raise AuditError(
        f"{plan.delivery}: nobody is asked, for no look could accept it if not one label were wrong: {most:,} checked "
        f"of {plan.labels:,} cannot show that at most {percent(plan.settings.error_budget)} are wrong"
        f"{_undecided(plan)}{_price(most, prices, '; {} would be spent for nothing')}. "
        f"{_find_ways(terms, most, prices)}"
        " To have it checked all the same, which counts as an attempt, say --anyway"
    )


def _find_ways(terms: Terms, most: int, prices: Prices) -> str:
    """Return what would do: more labels at the first look, or a larger budget."""
    ways = []
    if (best := smallest_first_look(terms, 0.0, 1.0)) is not None:
        most_allowed = f" --at-most {best.drawn}" if best.drawn > most else ""
        ways.append(f"--audit {best.drawn}{most_allowed}{_price(best.drawn, prices, ' ({})')}")

    def is_enough(step: int) -> bool:
        (plan,) = plan_first_looks(replace(terms, error_budget=step / BUDGETS), [most], [0.0])
        return plan.most_wrong is not None

    first = max(1, int(terms.error_budget * BUDGETS))
    step = first + bisect_left(range(first, BUDGETS), True, key=is_enough)
    if step < BUDGETS:
        ways.append(f"--budget {percent(step / BUDGETS)} with --audit {most}")
    return f"At least it takes {', or '.join(ways)}." if ways else "No size of the audit would do."


def _undecided(plan: Plan) -> str:
    limit = plan.settings.max_undecided
    return "" if limit is None else f" and at most {percent(limit)} undecided"


def _price(checks: int, prices: Prices, words: str) -> str:
    return "" if prices.expert_answer is None else words.format(money(checks * prices.expert_answer, prices.currency))
