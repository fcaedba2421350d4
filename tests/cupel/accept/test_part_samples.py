from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.accept.part_samples import LookSizes, draw_samples, order_sheet

IDS = [f"i{number}" for number in range(200)]
RARE = np.arange(200) < 20


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 200), st.integers(0, 20), st.integers(0, 180), st.integers(0, 1000))
def test_a_part_draws_as_many_as_are_asked_for_or_as_the_whole_holds(
    whole: int, own: int, others: int, seed: int
) -> None:
    samples = draw_samples(IDS, [RARE], LookSizes(whole, ((own, others),)), seed)
    inside, outside = samples.parts[0]
    held = int(RARE[samples.whole].sum())
    assert (len(samples.whole), len(inside), len(outside)) == (whole, max(own, held), max(others, whole - held))
    assert RARE[inside].all()
    assert not RARE[outside].any()
    # What the whole holds of a part is in the part's sample.
    assert set(samples.whole.tolist()) <= {*inside.tolist(), *outside.tolist()}
    assert len(set(samples.places.tolist())) == len(samples.places)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 60), st.integers(0, 10), st.integers(0, 1000))
def test_each_sample_of_a_later_look_is_drawn_of_what_the_same_sample_left(whole: int, own: int, seed: int) -> None:
    first = draw_samples(IDS, [RARE], LookSizes(60, ((10, 0),)), seed)
    later = draw_samples(IDS, [RARE], LookSizes(whole, ((own, 0),)), seed + 1, [first])
    assert not set(first.whole.tolist()) & set(later.whole.tolist())
    assert not set(first.parts[0][0].tolist()) & set(later.parts[0][0].tolist())
    assert len(later.parts[0][0]) >= min(own, 20 - len(first.parts[0][0]))


def test_the_order_of_the_rows_draws_nothing_else() -> None:
    sizes = LookSizes(50, ((15, 0),))
    plain = draw_samples(IDS, [RARE], sizes, 7)
    turned = draw_samples(IDS[::-1], [RARE[::-1]], sizes, 7)
    assert {IDS[place] for place in plain.places} == {IDS[::-1][place] for place in turned.places}


def test_each_item_of_a_part_is_drawn_as_often_as_any_other() -> None:
    counts: Counter[int] = Counter()
    for seed in range(300):
        counts.update(draw_samples(IDS, [RARE], LookSizes(40, ((8, 0),)), seed).parts[0][0].tolist())
    expected = sum(counts.values()) / 20
    # Chi-square of 19 degrees of freedom: above 43.8 once in 1,000.
    assert sum((counts[place] - expected) ** 2 / expected for place in range(20)) < 43.8


def test_the_sheet_tells_nothing_of_why_an_item_was_drawn() -> None:
    samples = draw_samples(IDS, [RARE], LookSizes(40, ((20, 0),)), 5)
    ids = [IDS[place] for place in samples.places]
    ordered = order_sheet(ids, 5)
    assert sorted(ordered) == sorted(ids)
    added = {IDS[place] for place in samples.parts[0][0]} - {IDS[place] for place in samples.whole}
    rows = [row for row, item in enumerate(ordered) if item in added]
    assert max(rows) - min(rows) > len(rows)
    assert min(rows) < len(ordered) / 2 < max(rows)
