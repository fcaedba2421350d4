"""Texts of which one holds the other: found both ways, exact, at a bounded cost, the same with any threads."""

import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning.duplicates.contained_candidates import KeyedItems, choose_key_runs
from cupel.cleaning.duplicates.fingerprints import KeyRuns, ShingleShape, take_fingerprints
from cupel.cleaning.duplicates.folded_texts import fold_text
from cupel.cleaning.duplicates.near_duplicates import find_near_duplicates, match_texts
from cupel.cleaning.duplicates.similarity import LEAST_CONTAINED_SHINGLES

RNG = random.Random(11)
WORDS = ["".join(RNG.choices("abcdefghijklmnop", k=RNG.randint(3, 9))) for _ in range(400)]
LONG = [" ".join(RNG.choices(WORDS, k=50)) for _ in range(60)]
CUT = [text[len(text) // 5 : len(text) * 4 // 5] for text in LONG]
FRAME = "Sign in to read the news of today. {} Terms of use apply to all that stands on these pages, and to readers."


def shingles(text: str) -> set[str]:
    folded = fold_text(text)
    return {folded[place : place + 5] for place in range(max(1, len(folded) - 4))}


def containment(one: str, other: str) -> float:
    left, right = shingles(one), shingles(other)
    return len(left & right) / min(len(left), len(right))


@pytest.mark.parametrize("others", [CUT, [FRAME.format(text) for text in LONG]])
@pytest.mark.parametrize("is_longer_first", [True, False])
def test_what_was_cut_or_framed_is_found_whichever_comes_first(others: list[str], is_longer_first: bool) -> None:
    texts = LONG + others if is_longer_first else others + LONG
    alone = find_near_duplicates(pa.array(texts), 0.9)
    found = find_near_duplicates(pa.array(texts), 0.9, containment=0.9)
    expected = [(60 + place, place) for place in range(60)]
    pairs = list(zip(found.later.tolist(), found.earlier.tolist(), strict=True))
    assert len(alone.later) == 0
    assert set(expected) <= set(pairs)
    for place, (later, earlier) in enumerate(pairs):
        assert found.containment[place] == containment(texts[later], texts[earlier]) >= 0.9
        assert found.is_longer[place] == (len(shingles(texts[later])) > len(shingles(texts[earlier])))


def test_another_column_is_searched_both_ways() -> None:
    found = match_texts(pa.array([*CUT[:20], *LONG[20:40]]), pa.array([*LONG[:20], *CUT[20:40]]), containment=0.9)
    assert list(zip(found.row.tolist(), found.other.tolist(), strict=True)) == [(row, row) for row in range(40)]
    assert found.is_longer.tolist() == [False] * 20 + [True] * 20


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.lists(st.sampled_from(WORDS[:12]), max_size=14).map(" ".join), max_size=10), st.sampled_from([0.7, 1])
)
def test_no_pair_is_told_that_does_not_share_so_much(texts: list[str], least: float) -> None:
    column = pa.array(texts, pa.string())
    found = find_near_duplicates(column, 1.0, containment=least, threads=1)
    again = find_near_duplicates(column, 1.0, containment=least, threads=3)
    assert all((one == other).all() for one, other in zip(found[:7], again[:7], strict=True))
    for later, earlier, share in zip(found.later, found.earlier, found.containment, strict=True):
        assert share == containment(texts[later], texts[earlier])
        assert share >= least


def test_a_text_too_short_to_say_much_is_held_by_none() -> None:
    short = LONG[0][: LEAST_CONTAINED_SHINGLES // 2]
    assert len(find_near_duplicates(pa.array([LONG[0], short]), containment=0.9).later) == 0
    with pytest.raises(ValueError, match=r"containment 1\.5"):
        find_near_duplicates(pa.array([short]), containment=1.5)


def test_thousands_of_texts_in_one_frame_cost_a_bounded_number_of_comparisons() -> None:
    texts = [FRAME.format(" ".join(RNG.choices(WORDS, k=20))) for _ in range(3_000)]
    found = find_near_duplicates(pa.array([*texts, texts[7][:200]]), containment=0.9)
    assert found.compared <= 3_001 * 200
    assert (3_000, 7) in set(zip(found.later.tolist(), found.earlier.tolist(), strict=True))


@given(st.text(alphabet="abc ", min_size=60, max_size=90), st.text(max_size=40), st.text(max_size=40))
@settings(deadline=None, max_examples=60)
def test_texts_that_share_a_run_share_a_key(shared: str, before: str, behind: str) -> None:
    runs = KeyRuns(12, 8)
    texts = [fold_text(f"x{shared}x"), fold_text(f"{before} x{shared}x {behind}")]
    found = take_fingerprints(pa.array(texts), runs=runs)
    own, other = found.keys[: found.key_counts[0]], found.keys[found.key_counts[0] :]
    if texts[0] in texts[1] and len(texts[0]) >= runs.width + runs.window - 1:
        assert set(own.tolist()) & set(other.tolist())
    assert len(take_fingerprints(pa.array(texts)).keys) == 0


def test_runs_are_shorter_where_more_may_be_edited() -> None:
    widths = [choose_key_runs(share).width for share in (1.0, 0.9, 0.8, 0.7, 0.5)]
    assert widths == sorted(widths, reverse=True)
    assert choose_key_runs(None).width == 0


def test_earlier_items_are_held_only_where_they_share_a_key() -> None:
    found = take_fingerprints(pa.array([LONG[0], LONG[1], CUT[0]]), runs=KeyRuns(24))
    bounds = np.cumsum(found.key_counts)[:2]
    items = KeyedItems(
        np.array([4, 9]), found.keys[: bounds[1]], found.key_counts[:2], found.sketches[:2], found.sizes[:2]
    )
    shared = items.choose_sharing(np.unique(found.keys[bounds[1] :]))
    assert shared.positions.tolist() == [4]
    assert items.choose_sharing(np.empty(0, np.uint32)).positions.tolist() == []


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Invoice 17 of 2024-03-01: 1,234.50", "invoice 9 of 2024-11-30:  87.00", True),
        ("at 10:30 in 2 rooms", "at 9:05 in 12 rooms", True),
        ("paid 17", "unpaid 17", False),
        ("page 1", "page", False),
        ("a1b", "a1 b", False),
    ],
)
def test_texts_are_the_same_but_for_their_numbers(one: str, other: str, is_same: bool) -> None:
    hashes = take_fingerprints(pa.array([one, other])).numberless
    assert (hashes[0] == hashes[1]) == is_same


def test_texts_that_differ_in_digits_only_may_be_kept_apart() -> None:
    texts = pa.array([f"{LONG[0]} invoice {number:04} of May" for number in range(20)] + [f"{LONG[0]} invoices of May"])
    found = find_near_duplicates(texts, 0.8)
    assert found.differ_in_digits.sum() == 190
    apart = find_near_duplicates(texts, 0.8, keep_other_digits=True)
    assert (apart.later.tolist(), apart.other_digits) == ([20] * 20, 190)


def test_accents_are_folded_where_that_is_asked_for() -> None:
    texts = pa.array(
        ["le caf\u00e9 \u00e9tait ferm\u00e9 \u00e0 No\u00ebl", "Le cafe etait ferme a Noel", "cafe\u0301", "caf\u00e9"]
    )
    assert find_near_duplicates(texts, 1.0).later.tolist() == []
    found = find_near_duplicates(texts, 1.0, ShingleShape(5, fold_accents=True))
    assert list(zip(found.later.tolist(), found.earlier.tolist(), strict=True)) == [(1, 0), (3, 2)]
    others = pa.array(["\u304c\u3093", "\u304b\u3093", "\u0439\u043e\u0434", "\u0438\u043e\u0434"])
    assert find_near_duplicates(others, 1.0, ShingleShape(5, fold_accents=True)).later.tolist() == []
