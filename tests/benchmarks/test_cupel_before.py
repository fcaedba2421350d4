"""Cupel as it was: its shares, its choice and its rounds stay what they were, and its replay is the audit's."""

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.double_check.before.chooser import CANDIDATES, choose_by_held_out_answers
from benchmarks.double_check.before.fusion import fuse_before
from benchmarks.double_check.before.rise import plan_shares_before
from benchmarks.double_check.before.rounds import StandingBefore, next_end_before, pays_before
from benchmarks.double_check.orders import replay_rising
from cupel.certificate.rising import chance_of_more
from cupel.consensus.coding import code


def test_shares_are_those_that_were_planned_and_as_small_as_the_chance_allows() -> None:
    # A share of 13.0% at first, doubled in its power by each error, six times: what the reference told of 10,000 items.
    shares = plan_shares_before(10_000, 0.003)
    assert len(shares) == 6
    powers = np.log(1 - shares) / np.log(1 - shares[0])
    assert powers == pytest.approx(np.arange(1, 7), abs=1e-4)
    assert 0.0399 < chance_of_more(shares, 30) <= 0.04


def test_a_replay_sees_what_a_walk_item_by_item_with_all_answers_sees() -> None:
    rng = np.random.default_rng(8)
    shares = np.array([0.1, 0.25, 0.5])
    for wrong in (0.0, 0.02, 0.3):
        is_wrong, marks = rng.random(400) < wrong, rng.random(400)
        found, seen, hidden = 0, set(), 0
        for place in range(400):
            if found == len(shares):
                seen.add(place)
            elif marks[place] < shares[found]:
                seen.add(place)
                found += bool(is_wrong[place])
            else:
                hidden += bool(is_wrong[place])
        outcome = replay_rising(100, is_wrong, marks, shares, 0.02)
        assert outcome.seen_share == (100 + len(seen)) / 500
        assert outcome.final_error == hidden / 500
        assert outcome.is_false == (hidden > 10)


def test_the_consensus_is_one_of_five_and_the_default_where_no_answer_can_be_held_out() -> None:
    rows = {"item_id": ["a", "b"], "annotator": ["p", "q"], "label": ["x", "y"]}
    assert choose_by_held_out_answers(code(pa.table(rows), ["a", "b"], ("x", "y"))) == "dawid_skene"
    # Annotators who differ in what they confuse: the same answer says another thing of each.
    rng = np.random.default_rng(2)
    truth = rng.integers(3, size=300)
    said = [
        np.where(rng.random(300) < 0.9, (truth + shift) % 3, rng.integers(3, size=300)) for shift in (0, 0, 0, 1, 2)
    ]
    table = pa.table(
        {
            "item_id": [f"{item:03}" for item in range(300)] * 5,
            "annotator": [f"w{person}" for person in range(5) for _ in range(300)],
            "label": [str(label) for one in said for label in one],
        }
    )
    chosen = choose_by_held_out_answers(code(table, [f"{item:03}" for item in range(300)], ("0", "1", "2")))
    assert chosen in CANDIDATES
    assert chosen != "one_coin"


def test_four_nats_of_verdicts_call_in_another_consensus_and_three_do_not() -> None:
    right, wrong = np.tile([0.9, 0.1], (40, 1)), np.tile([0.5, 0.5], (40, 1))
    silent = np.full((40, 2), np.nan)
    items = np.arange(40)

    def method(verdicts: int) -> str:
        return fuse_before({"chosen": wrong, "other": right}, silent, (items[:verdicts], np.zeros(verdicts, np.int64)))[
            0
        ]

    assert fuse_before({"chosen": wrong, "other": right}, silent, None)[0] == "chosen"
    assert method(1) == "chosen"
    assert method(40) == "other"


def test_rounds_are_always_begun_and_end_where_their_items_would_hardly_be_seen() -> None:
    assert [next_end_before(1_000, asked) for asked in (0, 5, 320)] == [5, 10, None]
    sure = StandingBefore(1_000, 0, np.full(1_000, 9.0), np.empty(0), np.empty(0, np.bool_))
    assert pays_before(sure, 0.05)
    after = sure._replace(asked=5, last_log_odds=np.full(5, 9.0), last_is_wrong=np.zeros(5, np.bool_))
    assert not pays_before(after, 0.05)
    unsure = after._replace(log_odds=np.concatenate([np.full(500, 9.0), np.zeros(495)]))
    assert pays_before(unsure._replace(last_log_odds=np.zeros(5), last_is_wrong=np.ones(5, np.bool_)), 0.01)
