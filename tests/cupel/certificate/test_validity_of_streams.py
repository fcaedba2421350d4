import numpy as np
import pytest

from benchmarks.certificate_streams import (
    BUDGET,
    SIZE,
    Stream,
    count_attempts,
    judge_falsely,
    make_bad_set,
    make_streams,
    measure_adaptive,
    measure_stream,
)
from cupel.certificate.attempts import ALPHA_TOTAL, attempt_alpha
from cupel.certificate.sequence import floor_share

REPLAYS = 400
STREAMS = list(make_streams())


@pytest.mark.parametrize("stream", STREAMS, ids=[stream.name for stream in STREAMS])
def test_no_family_spends_more_than_five_per_cent(stream: Stream) -> None:
    audits = count_attempts(stream)
    for held in audits.holds:
        attempts = [attempt for attempt, is_held in zip(audits.attempts, held, strict=True) if is_held]
        assert sum(map(attempt_alpha, attempts)) < ALPHA_TOTAL


def test_the_same_items_under_twenty_names_are_twenty_attempts() -> None:
    (stream,) = (stream for stream in STREAMS if "renamed" in stream.name)
    assert count_attempts(stream).attempts == list(range(1, 21))
    assert measure_stream(stream, REPLAYS, 1)["low"] <= ALPHA_TOTAL
    # Counted by names it is one first attempt after the other.
    assert measure_stream(stream, REPLAYS, 1, is_by_name=True)["low"] > 0.4


def test_the_bad_sets_are_over_their_budget_and_certified_as_often_as_is_allowed() -> None:
    for attempt in (1, 2, 5, 20):
        bad = make_bad_set(SIZE, attempt)
        assert int(bad.is_wrong.sum()) == floor_share(BUDGET, SIZE) + 1
        assert 0.9 * attempt_alpha(attempt) < bad.chance <= attempt_alpha(attempt)


def test_what_the_replays_leave_to_the_count_is_what_assay_says() -> None:
    bad, rng = make_bad_set(SIZE, 1), np.random.default_rng(0)
    assert sum(judge_falsely(bad, bad.most_found, rng) for _ in range(40)) >= 36
    assert not any(judge_falsely(bad, bad.most_found + 1, rng) for _ in range(40))


def test_who_looks_at_each_refusal_before_the_next_delivery_gains_nothing() -> None:
    assert measure_adaptive(100)["low"] <= ALPHA_TOTAL
