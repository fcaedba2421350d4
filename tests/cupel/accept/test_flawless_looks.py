"""No look could accept: one label fewer cannot, one more can, and nobody is asked in vain."""

from collections.abc import Callable

import pytest

from cupel.accept.flawless_looks import find_accepting_look
from cupel.accept.judging import Prices
from cupel.certificate.acceptance import CheckedLook, Delivery, accepts, judge
from cupel.certificate.acceptance_plan import Terms, smallest_first_look
from cupel.certificate.attempts import attempt_levels
from cupel.certificate.plan import smallest_audit
from cupel.commands.accept_delivery import ExitCode
from cupel.errors import AuditError
from label_buyer import Buyer


@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.parametrize("budget", [0.01, 0.05])
def test_one_label_fewer_than_the_smallest_flawless_proof_cannot_be_accepted(attempt: int, budget: float) -> None:
    levels = attempt_levels(attempt, True, True)
    least = smallest_audit(1000, budget, levels, 0.0)
    assert least is not None
    enough, short = (Delivery(1000, budget, size, size, bounds_slices=True) for size in (least.drawn, least.drawn - 1))
    assert find_accepting_look(enough, attempt) == 1
    assert find_accepting_look(short, attempt) is None
    assert accepts(enough, [CheckedLook(1, attempt, least.drawn, 0)])
    assert judge(short, [CheckedLook(1, attempt, least.drawn - 1, 0)]).outcome == "REFUSE"


def test_the_limit_of_undecided_items_needs_its_own_labels() -> None:
    terms = Terms(1000, 0.2, max_undecided=0.02, bounds_slices=True)
    least = smallest_first_look(terms, 0.0, 1.0)
    assert least is not None
    enough, short = (
        Delivery(1000, 0.2, size, size, max_undecided=0.02, bounds_slices=True)
        for size in (least.drawn, least.drawn - 1)
    )
    assert (find_accepting_look(enough), find_accepting_look(short)) == (1, None)


def test_a_later_look_is_tried_where_the_buyer_would_check_more() -> None:
    assert find_accepting_look(Delivery(1000, 0.02, 100, 400)) == 3
    assert find_accepting_look(Delivery(1000, 0.02, 100, 110)) is None
    assert find_accepting_look(Delivery(1000, 0.02, 100)) == 3


def test_an_audit_that_cannot_accept_is_refused_before_anything_is_written(make_buyer: Callable[..., Buyer]) -> None:
    buyer = make_buyer(0)
    with pytest.raises(AuditError) as refused:
        buyer.run(budget=0.01, audit=100, at_most=120, prices=Prices(expert_answer=0.5))
    assert str(refused.value) == (
        "delivery.csv: nobody is asked, for no look could accept it if not one label were wrong: 120 checked of 1,000 "
        "cannot show that at most 1% are wrong and at most 5% undecided; 60.00 USD would be spent for nothing. At "
        "least it takes --audit 284 --at-most 284 (142.00 USD), or --budget 2.7% with --audit 120. To have it checked "
        "all the same, which counts as an attempt, say --anyway"
    )
    assert [path.name for path in buyer.delivery.parent.iterdir()] == ["delivery.csv"]


def test_who_only_plans_is_shown_the_sizes_of_an_audit_that_cannot_accept(make_buyer: Callable[..., Buyer]) -> None:
    buyer = make_buyer(0)
    code, said = buyer.run(budget=0.01, audit=100, at_most=120, is_only_planned=True)
    assert code == ExitCode.OPEN
    assert "Only planned: nothing is frozen, drawn or written" in said
    assert [path.name for path in buyer.delivery.parent.iterdir()] == ["delivery.csv"]


def test_what_it_names_as_enough_is_drawn_and_who_insists_is_served(make_buyer: Callable[..., Buyer]) -> None:
    assert make_buyer(0, "a.csv").run(budget=0.01, audit=100, at_most=120, is_checked_anyway=True)[0] == ExitCode.OPEN
    enough = make_buyer(0, "b.csv", 990)
    assert enough.run(budget=0.05, audit=144, at_most=144)[0] == ExitCode.OPEN
    enough.fill()
    assert enough.run()[0] == ExitCode.ACCEPT
