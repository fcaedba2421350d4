"""Signatures to similar items: what is found, what it points to, and what a crowd of alike texts costs."""

import random
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning import candidates, jaccard
from cupel.cleaning.duplicates import Similar, similar_items
from cupel.cleaning.register import Signed, delivery_ranks
from cupel.cleaning.signals import item_signals
from cupel.cleaning.signatures import signatures
from cupel.config.cleaning import Cleaning
from cupel.tables import RAW_ITEMS, SIGNATURES, SIMILAR_ITEMS, conform

SETTINGS = Cleaning()
NONE = SIGNATURES.schema.empty_table()
A = "the quick brown fox jumps over the lazy dog while the cat looks on from the garden wall"
B = "a completely different sentence about something else, with no words in common at all"


def batch(name: str, texts: list[str], ids: list[str] | None = None) -> tuple[pa.Table, pa.Table]:
    """Return signatures and raw items of texts, delivered in this order."""
    ids = ids or [f"{name}{place}" for place in range(len(texts))]
    rows = [
        {"batch": name, "item_id": item_id, "source_file": "a", "line": place + 1, "text": text, "licence": "MIT"}
        for place, (item_id, text) in enumerate(zip(ids, texts, strict=True))
    ]
    raw = pa.Table.from_pylist(rows, RAW_ITEMS.schema)
    return conform(signatures(item_signals(raw, SETTINGS), name, SETTINGS), SIGNATURES), raw


def search(own: tuple[pa.Table, pa.Table], earlier: pa.Table = NONE, rows: int = 1_000) -> Similar:
    """Search the pairs of a batch `b` or `c`; `earlier` holds batches one after the other."""
    before = [
        Signed(name, lambda columns, name=name: in_pieces(earlier.filter(pc.field("batch") == name), columns, rows))
        for name in earlier.column("batch").unique().to_pylist()
    ]
    signed, raw = own
    name = signed.column("batch")[0].as_py() if signed.num_rows else "b"
    return similar_items(Signed(name, lambda columns: in_pieces(signed, columns, rows)), before, raw, SETTINGS)


def in_pieces(table: pa.Table, columns: Sequence[str], rows: int) -> list[pa.Table]:
    """Return columns of a table in pieces of so many rows."""
    return [table.select(list(columns)).slice(first, rows) for first in range(0, table.num_rows, rows)]


def pairs(own: tuple[pa.Table, pa.Table], earlier: pa.Table = NONE) -> list[tuple[str, str, str, float]]:
    found = conform(search(own, earlier).pairs, SIMILAR_ITEMS)
    return [
        (row["item_id"], row["earlier_batch"], row["earlier_item_id"], row["similarity"]) for row in found.to_pylist()
    ]


def shingles(text: str) -> set[str]:
    return {text[place : place + 5] for place in range(len(text) - 4)}


def test_a_near_duplicate_points_to_the_earlier_item_with_the_exact_similarity() -> None:
    edited = A.replace("fox", "dog")
    one, other = shingles(A), shingles(edited)
    assert pairs(batch("b", [A, B, edited])) == [("b2", "b", "b0", len(one & other) / len(one | other))]


def test_equal_texts_point_to_the_first_of_them_only() -> None:
    assert pairs(batch("b", [A, A.upper(), B, f" {A}\n"])) == [("b1", "b", "b0", 1.0), ("b3", "b", "b0", 1.0)]


def test_earlier_is_what_was_delivered_earlier_whatever_the_ids_and_the_rows_order() -> None:
    signed, raw = batch("b", [A, A], ids=["z", "a"])
    assert pairs((signed, raw)) == [("a", "b", "z", 1.0)]
    mixed = signed.take([1, 0]), raw.take([1, 0])
    assert pairs(mixed) == [("a", "b", "z", 1.0)]


def test_items_of_earlier_batches_are_found_and_never_compared_with_each_other() -> None:
    edited = A.replace("fox", "dog")
    earlier = pa.concat_tables([batch("a", [A, B])[0], batch("b", [edited])[0]])
    found = pairs(batch("c", [A.replace("cat", "cow"), B]), earlier)
    assert [(item, before, target) for item, before, target, _ in found] == [
        ("c0", "a", "a0"),
        ("c0", "b", "b0"),
        ("c1", "a", "a1"),
    ]


def test_an_own_text_that_an_earlier_batch_holds_is_still_compared() -> None:
    edited = A.replace("fox", "dog")
    found = pairs(batch("b", [A]), batch("a", [A, edited])[0])
    assert [(item, target) for item, _, target, _ in found] == [("b0", "a0"), ("b0", "a1")]


def test_nothing_resembles_nothing() -> None:
    assert pairs(batch("b", [])) == []
    assert pairs(batch("b", [A])) == []
    assert pairs(batch("b", []), batch("a", [A])[0]) == []


WORDS = st.lists(
    st.sampled_from(["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]), min_size=1, max_size=12
)


@settings(max_examples=25, deadline=None)
@given(st.lists(WORDS.map(" ".join), max_size=12), st.integers(0, 12), st.randoms(use_true_random=False))
def test_pairs_are_exact_and_independent_of_row_order(texts: list[str], cut: int, draw: random.Random) -> None:
    earlier, (signed, raw) = batch("a", texts[:cut])[0], batch("b", texts[cut:])
    found = search((signed, raw), earlier).pairs
    order = pa.array(draw.sample(range(signed.num_rows), signed.num_rows), pa.int64())
    assert search((signed.take(order), raw), earlier, rows=draw.randint(1, 5)).pairs.equals(found)
    text_of = {("a", f"a{place}"): text for place, text in enumerate(texts[:cut])}
    text_of |= {("b", f"b{place}"): text for place, text in enumerate(texts[cut:])}
    for row in found.to_pylist():
        one = text_of["b", row["item_id"]]
        other = text_of[row["earlier_batch"], row["earlier_item_id"]]
        left, right = ({text} if len(text) < 5 else shingles(text) for text in (one, other))
        assert row["similarity"] == len(left & right) / len(left | right) >= 0.5
        before = (row["earlier_batch"], row["earlier_item_id"])
        assert before[0] == "a" or int(before[1][1:]) < int(row["item_id"][1:])


def test_every_pair_of_similarity_over_seven_tenths_is_found() -> None:
    draw = random.Random(11)
    base = " ".join("".join(draw.choices("abcdefghij", k=6)) for _ in range(40)).split()
    texts = []
    for _ in range(60):
        words = list(base)
        for place in draw.sample(range(40), draw.randint(0, 5)):
            words[place] = "".join(draw.choices("klmnop", k=6))
        texts.append(" ".join(words))
    texts = list(dict.fromkeys(texts))
    found = {(int(item[1:]), int(target[1:])) for item, _, target, _ in pairs(batch("b", texts))}
    for later in range(len(texts)):
        for earlier in range(later):
            one, other = shingles(texts[later]), shingles(texts[earlier])
            similarity = len(one & other) / len(one | other)
            if similarity >= 0.7:
                assert (later, earlier) in found
            if similarity < 0.5:
                assert (later, earlier) not in found


def crowd(count: int) -> list[str]:
    """Texts that all share most of their words, and differ in a number and a word."""
    return [f"your order number {place} has been shipped and will arrive at your door soon" for place in range(count)]


def test_a_crowd_of_alike_texts_costs_a_bounded_number_of_comparisons_and_says_so() -> None:
    signed, raw = batch("b", crowd(1_000))
    found = search((signed, raw))
    assert found.compared <= 1_000 * 2 * candidates.COMPARED_OF_EACH_KIND < 1_000 * 999 / 2
    assert 0 < found.not_compared <= 1_000 * 999 / 2
    # Every item but the first is still tied to an earlier one.
    assert set(found.pairs.column("item_id").to_pylist()) == {f"b{place}" for place in range(1, 1_000)}


@pytest.mark.parametrize(
    ("name", "fits", "leaves_out"),
    [("COMPARED_AT_EACH_END", 20, 1), ("COMPARED_OF_EACH_KIND", 40, 19)],
)
def test_a_crowd_within_the_bounds_is_compared_completely(
    monkeypatch: pytest.MonkeyPatch, name: str, fits: int, leaves_out: int
) -> None:
    signed, raw = batch("b", crowd(41))
    # The last of 41 texts has 40 before it: as many as may be compared, or as twice the ends.
    monkeypatch.setattr(candidates, name, fits)
    complete = search((signed, raw))
    assert complete.not_compared == 0
    assert complete.compared == 41 * 40 / 2
    monkeypatch.setattr(candidates, name, leaves_out)
    assert search((signed, raw)).not_compared > 0


def test_of_a_crowd_of_near_duplicates_every_one_is_compared_with_the_first() -> None:
    # Those that come just before an item are more like it than the first is, and are dropped themselves.
    signed, raw = batch("b", crowd(1_000))
    found = search((signed, raw)).pairs.to_pylist()
    assert {row["item_id"] for row in found if row["earlier_item_id"] == "b0"} == {f"b{n}" for n in range(1, 1_000)}


def test_items_looked_for_in_pieces_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    own, earlier = batch("b", crowd(40)), batch("a", crowd(50)[40:])[0]
    whole = search(own, earlier)
    monkeypatch.setattr(candidates, "ITEMS_AT_ONCE", 7)
    monkeypatch.setattr(jaccard, "HASHES_AT_ONCE", 200)
    again = search(own, earlier, rows=3)
    assert again.pairs.equals(whole.pairs)
    assert again[1:] == whole[1:]


def test_equal_texts_are_compared_with_nothing() -> None:
    found = search(batch("b", [A] * 5_000))
    assert (found.compared, found.not_compared, found.pairs.num_rows) == (0, 0, 4_999)


def test_ranks_go_by_file_and_line() -> None:
    rows = [("x", "b.csv", 1), ("y", "a.csv", 10), ("z", "a.csv", 9)]
    raw = pa.Table.from_pylist([{"item_id": i, "source_file": file, "line": line} for i, file, line in rows])
    assert delivery_ranks(raw.column("item_id"), raw).tolist() == [2, 1, 0]
    assert np.issubdtype(delivery_ranks(raw.slice(0, 0).column("item_id"), raw).dtype, np.integer)
