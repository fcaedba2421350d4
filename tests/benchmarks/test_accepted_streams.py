import pytest

from benchmarks.accepted_streams import LIMIT, chain_costs, just_over, measure, streams
from cupel.certificate.hypergeometric import clopper_pearson_lower

REPLAYS = 50


@pytest.mark.parametrize("name", ["100% shared with the one before", "whole, then its halves by turns"])
def test_linked_deliveries_are_together_accepted_as_rarely_as_one_may_be(name: str) -> None:
    # So few replays can only show that a stream is accepted far too often, as attempts by name are below.
    stream = next(one for one in streams(6) if one.name == name)
    for policy in ("stubborn", "hopeful"):
        assert measure(stream, just_over()[0][1], policy, REPLAYS)["low"] <= LIMIT


def test_attempts_counted_by_name_are_caught() -> None:
    stream = next(one for one in streams(6) if one.name.startswith("100%"))
    found = measure(stream, just_over()[0][1], "stubborn", REPLAYS, is_counted=False)
    assert clopper_pearson_lower(found["false"], REPLAYS, 0.99) > LIMIT


def test_a_chain_of_overlaps_costs_more_at_each_delivery() -> None:
    costs = chain_costs((1, 2, 5))
    assert [row["attempt"] for row in costs] == [1, 2, 5]
    assert 1 == costs[0]["times"] < costs[1]["times"] < costs[2]["times"] < 2
