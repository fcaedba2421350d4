from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.exchange.imports.bad_marks import BadMarkError
from cupel.exchange.imports.marks.item_facts import (
    ItemFacts,
    check_facts,
    describe_facts,
    frame_at,
    merge_facts,
    parse_rate,
    read_facts,
    time_of_frame,
)

RATES = st.one_of(
    st.sampled_from(
        [Fraction(text) for text in ("24000/1001", "25", "30000/1001", "50", "60000/1001", "12.5", "1/10")]
    ),
    st.fractions(min_value=Fraction(1, 100), max_value=1000, max_denominator=1001),
)


@given(rate=RATES, frame=st.integers(0, 10_000_000))
def test_frame_to_time_and_back_is_exact(rate: Fraction, frame: int) -> None:
    clip = ItemFacts(rate=rate)
    time = time_of_frame(frame, clip)
    assert abs(Fraction(time) - Fraction(frame) / rate * 1_000_000) <= Fraction(1, 2)
    assert frame_at(time, clip) == frame


@given(rate=RATES, frame=st.integers(0, 10_000_000), off=st.integers(1, 400))
def test_a_time_between_frames_is_no_frames(rate: Fraction, frame: int, off: int) -> None:
    clip = ItemFacts(rate=rate)
    time = time_of_frame(frame, clip) + off
    if time < time_of_frame(frame + 1, clip):
        assert frame_at(time, clip) is None


@given(times=st.lists(st.integers(1, 10**12), min_size=1, unique=True).map(sorted), last=st.integers(1, 10**6))
def test_frames_of_a_varying_rate_have_their_own_times(times: list[int], last: int) -> None:
    clip = ItemFacts(duration=times[-1] + last, frame_times=tuple(times))
    for frame in range(len(times) + 1):
        assert frame_at(time_of_frame(frame, clip), clip) == frame
    with pytest.raises(BadMarkError):
        time_of_frame(len(times) + 1, clip)


def test_how_long_the_last_frame_is_shown_must_be_known() -> None:
    with pytest.raises(BadMarkError, match="last frame"):
        time_of_frame(2, ItemFacts(frame_times=(0, 5)))


def test_a_clip_may_be_off_by_a_frame_and_no_more() -> None:
    check_facts(ItemFacts(duration=10_040_000, frames=250, rate=Fraction(25)))
    with pytest.raises(BadMarkError, match="wrong_rate"):
        check_facts(ItemFacts(duration=10_050_000, frames=250, rate=Fraction(25)))


def test_what_is_known_is_described_and_read_again() -> None:
    clip = ItemFacts(None, "a.mp4", 10, 2, Fraction(30000, 1001), (0, 5), 320, 240)
    assert describe_facts(clip)["rate"] == "30000/1001"
    assert read_facts(describe_facts(clip)) == clip
    assert parse_rate("30000/1001") == Fraction(30000, 1001)


def test_what_a_file_says_goes_before_what_was_known_and_may_not_contradict_it() -> None:
    known = ItemFacts(path="b.mp4", duration=10, rate=Fraction(25))
    assert merge_facts(ItemFacts(path="a.mp4"), known) == known._replace(path="a.mp4")
    with pytest.raises(BadMarkError, match="duration"):
        merge_facts(ItemFacts(duration=11), known)
