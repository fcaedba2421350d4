"""Signals to signatures to similar items: stable hashes, what is found and what it points to, and what crowds cost."""

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning.duplicates import candidates
from cupel.cleaning.duplicates import similarity as similarity_module
from cupel.cleaning.duplicates.folded_texts import fold_text
from cupel.cleaning.duplicates.similar_items import (
    BANDING,
    BatchSignatures,
    ItemPositions,
    SimilarItems,
    delivery_ranks,
    signatures,
    similar_items,
)
from cupel.cleaning.signals import item_signals
from cupel.config.cleaning import Cleaning
from cupel.contract.table import conform
from cupel.contract.tables.cleaning import ITEM_SIGNALS, SIGNATURES, SIMILAR_ITEMS
from cupel.contract.tables.raw import RAW_ITEMS

HASHES = ("shingles", "bands", "sketch")


def signed_rows(texts: list[str], width: int = 5) -> list[dict]:
    rows = [
        {"batch": "b", "item_id": str(place), "source_file": "a", "line": place + 1, "text": text, "licence": "MIT"}
        for place, text in enumerate(texts)
    ]
    settings = Cleaning(shingle_characters=width)
    signals = item_signals(pa.Table.from_pylist(rows, RAW_ITEMS.schema), settings)
    rows = conform(signatures(signals, "b", settings), SIGNATURES).to_pylist()
    return [row | {name: np.frombuffer(row[name], "<u4").tolist() for name in HASHES} for row in rows]


def shingles_of(text: str, width: int) -> set[str]:
    text = fold_text(text)
    return {text[place : place + width] for place in range(max(1, len(text) - width + 1))}


@settings(deadline=None)
@given(
    st.lists(st.text(alphabet=st.sampled_from("abA \u00e9\U0001f600\n"), max_size=30), max_size=5), st.integers(1, 8)
)
def test_distinct_shingles_have_distinct_ascending_hashes(texts: list[str], width: int) -> None:
    sets = []
    for row in signed_rows(texts, width):
        assert row["shingles"] == sorted(set(row["shingles"]))
        assert row["shingle_count"] == len(row["shingles"])
        assert len(row["bands"]) == BANDING.bands
        sets.append(set(row["shingles"]))
    # The text of the signals is normalised; these characters stay as they are but for white space.
    expected = [shingles_of(" ".join(text.split()), width) for text in texts]
    assert [len(found) for found in sets] == [len(wanted) for wanted in expected]
    for one in range(len(texts)):
        for other in range(one):
            assert len(sets[one] & sets[other]) == len(expected[one] & expected[other])


def test_a_text_shorter_than_a_shingle_is_one_shingle() -> None:
    rows = signed_rows(["", "a", "ab", "abcde", "aaaaaaaaa"])
    assert [len(row["shingles"]) for row in rows] == [1] * 5
    assert len({row["shingles"][0] for row in rows}) == 5


def test_texts_that_differ_in_case_and_white_space_only_have_one_signature() -> None:
    one, other = signed_rows(["The same  TEXT", "the same\ntext"])
    assert [one[name] for name in ("text_sha256", "shingles", "bands", "sketch")] == [
        other[name] for name in ("text_sha256", "shingles", "bands", "sketch")
    ]


def test_no_signals_have_no_signatures() -> None:
    assert signatures(ITEM_SIGNALS.schema.empty_table(), "b", Cleaning()).num_rows == 0


def test_a_signature_does_not_depend_on_the_texts_beside_it() -> None:
    texts = ["a first text of some words", "x", "", "another text with other words", "caf\u00e9"]
    whole = signed_rows(texts * 100)
    alone = [signed_rows([text])[0] for text in texts]
    for row, single in zip(whole, alone * 100, strict=True):
        assert all(row[name] == single[name] for name in ("shingle_count", "shingles", "bands", "sketch"))


def test_hashes_are_the_same_in_every_process_and_with_every_hash_seed() -> None:
    code = (
        "import pyarrow as pa; from cupel.cleaning.duplicates.similar_items import signatures;"
        "from cupel.config.cleaning import Cleaning;"
        "t = pa.table({'item_id': ['1'], 'text': ['Two films and three short years'], 'text_sha256': ['x']});"
        "r = signatures(t, 'b', Cleaning()).to_pylist()[0]; print(r['shingles'][:8].hex(), r['bands'][:8].hex())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    ).stdout
    row = signed_rows(["Two films and three short years"])[0]
    first = [np.array(row[name][:2], "<u4").tobytes().hex() for name in ("shingles", "bands")]
    assert output == f"{first[0]} {first[1]}\n"
    # Fixed here, so that a change of the hashes is noticed: it makes all signatures stale.
    assert row["shingles"][:2] == [80747041, 476248558]
    assert row["bands"][:2] == [1169308073, 3942231867]


def test_shingles_of_words_are_runs_of_words() -> None:
    rows = [{"item_id": "1", "text": "One two  three FOUR five", "text_sha256": "x"}]
    signals = pa.Table.from_pylist(rows)
    counts = [
        signatures(signals, "b", Cleaning(shingle_words=width)).column("shingle_count")[0].as_py()
        for width in (1, 2, 5, 9)
    ]
    assert counts == [5, 4, 1, 1]


def test_a_shingle_hash_is_a_polynomial_of_its_characters_well_mixed() -> None:
    def hash_of(shingle: str) -> int:
        value = ord(shingle[0]) + 1
        for character in shingle[1:]:
            value = value * 0x9E3779B97F4A7C15 + ord(character)
        value %= 2**64
        value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        value = (value ^ value >> 27) * 0x94D049BB133111EB % 2**64
        return (value ^ value >> 31) >> 32

    (row,) = signed_rows(["Two films and three short years"])
    assert row["shingles"] == sorted(map(hash_of, shingles_of("Two films and three short years", 5)))


def test_texts_share_a_band_as_often_as_theory_says() -> None:
    draw = random.Random(7)
    words = ["".join(draw.choices("abcdefghij", k=6)) for _ in range(5_000)]
    for similarity in (0.5, 0.8):
        hits, pairs = 0, 300
        common = round(200 * similarity)
        texts = []
        for _ in range(pairs):
            chosen = draw.sample(words, 400 - common)
            texts += [" ".join(chosen[:200]), " ".join(chosen[200 - common :][:200])]
        rows = signed_rows(texts)
        expected = 0.0
        for one, other in zip(rows[::2], rows[1::2], strict=True):
            left, right = set(one["shingles"]), set(other["shingles"])
            jaccard = len(left & right) / len(left | right)
            expected += BANDING.chance(jaccard)
            hits += bool(set(one["bands"]) & set(other["bands"]))
        # Three standard deviations of a binomial count, at most.
        assert abs(hits - expected) <= 3 * (pairs * 0.25) ** 0.5


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


def search(own: tuple[pa.Table, pa.Table], earlier: pa.Table = NONE, rows: int = 1_000) -> SimilarItems:
    """Search the pairs of a batch `b` or `c`; `earlier` holds batches one after the other."""
    before = [
        BatchSignatures(
            name, lambda columns, name=name: in_pieces(earlier.filter(pc.field("batch") == name), columns, rows)
        )
        for name in earlier.column("batch").unique().to_pylist()
    ]
    signed, raw = own
    name = signed.column("batch")[0].as_py() if signed.num_rows else "b"
    return similar_items(BatchSignatures(name, lambda columns: in_pieces(signed, columns, rows)), before, raw, SETTINGS)


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
    monkeypatch.setattr(similarity_module, "HASHES_AT_ONCE", 200)
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


def texts_of(batch: str, **texts: str) -> BatchSignatures:
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in texts.values()]
    table = pa.table({"item_id": list(texts), "text_sha256": hashes})
    return BatchSignatures(
        batch, lambda columns: [table.select(list(columns)).slice(row, 1) for row in range(len(hashes))]
    )


DELIVERED = pa.table({"item_id": ["x", "y", "z"], "source_file": ["b", "a", "a"], "line": [1, 2, 1]})
POSITIONS = ItemPositions(
    texts_of("c", x="one", y="two", z="one"),
    [texts_of("a", p="two"), texts_of("b"), texts_of("b2", q="six")],
    DELIVERED,
)


def test_the_batch_stands_behind_the_earlier_ones_in_the_order_of_its_delivery() -> None:
    assert (POSITIONS.first_own, POSITIONS.count) == (2, 5)
    batches, ids = POSITIONS.find_names(pa.array(range(5)).to_numpy())
    assert list(zip(batches.to_pylist(), ids.to_pylist(), strict=True)) == [
        ("a", "p"), ("b2", "q"), ("c", "z"), ("c", "y"), ("c", "x"),
    ]  # fmt: skip


def test_equal_texts_have_one_first_position() -> None:
    assert POSITIONS.firsts.tolist() == [0, 1, 2, 0, 2]


def test_pieces_bring_the_positions_of_their_rows() -> None:
    own = [
        (positions.tolist(), piece["item_id"].to_pylist()) for positions, piece in POSITIONS.iterate_own(["item_id"])
    ]
    assert own == [([4], ["x"]), ([3], ["y"]), ([2], ["z"])]
    earlier = [
        (positions.tolist(), piece["item_id"].to_pylist())
        for positions, piece in POSITIONS.iterate_earlier(["item_id"])
    ]
    assert earlier == [([0], ["p"]), ([1], ["q"])]


def test_names_may_be_asked_in_any_order_and_twice() -> None:
    batches, ids = POSITIONS.find_names(pa.array([4, 0, 4]).to_numpy())
    assert (batches.to_pylist(), ids.to_pylist()) == (["c", "a", "c"], ["x", "p", "x"])


def test_batches_in_which_nothing_is_wanted_are_not_read() -> None:
    read: list[str] = []

    def watched(batch: str, **texts: str) -> BatchSignatures:
        whole = texts_of(batch, **texts)

        def pieces(columns: Sequence[str]) -> Iterable[pa.Table]:
            read.append(batch)
            return whole.pieces(columns)

        return BatchSignatures(batch, pieces)

    own = texts_of("c", x="one", y="two", z="one")
    register = ItemPositions(own, [watched("a", p="two"), watched("b2", q="six")], DELIVERED)
    read.clear()
    wanted = np.array([False, True, True, False, False])
    assert [positions.tolist() for positions, _ in register.iterate_earlier(["item_id"], wanted)] == [[1]]
    assert read == ["b2"]


CONTAINED = SETTINGS.model_copy(update={"duplicate_containment": 0.9})
FRAMED = f"Read this on our pages every day of the week. {A}. All rights are with those who wrote and made it."


def signed_texts(name: str, texts: list[str], settings: Cleaning) -> tuple[pa.Table, pa.Table]:
    rows = [
        {
            "batch": name,
            "item_id": f"{name}{place}",
            "source_file": "a",
            "line": place + 1,
            "text": text,
            "licence": "MIT",
        }
        for place, text in enumerate(texts)
    ]
    raw = pa.Table.from_pylist(rows, RAW_ITEMS.schema)
    return conform(signatures(item_signals(raw, settings), name, settings), SIGNATURES), raw


@pytest.mark.parametrize(("before", "own", "is_longer"), [(A, FRAMED, True), (FRAMED, A, False)])
def test_a_text_in_an_earlier_batch_is_found_whichever_of_the_two_is_longer(
    before: str, own: str, is_longer: bool
) -> None:
    earlier, _ = signed_texts("a", [B, before], CONTAINED)
    signed, raw = signed_texts("b", [B[:50] + "something new", own], CONTAINED)
    found = similar_items(BatchSignatures.of(signed, "b"), [BatchSignatures.of(earlier, "a")], raw, CONTAINED).pairs
    (row,) = [row for row in conform(found, SIMILAR_ITEMS).to_pylist() if row["item_id"] == "b1"]
    assert (row["earlier_item_id"], row["is_longer"], row["differs_in_digits"]) == ("a1", is_longer, False)
    assert row["similarity"] < 0.6 < 0.9 <= row["containment"]


def test_pairs_of_earlier_batches_and_pieces_are_those_of_one_batch() -> None:
    texts = [A, FRAMED, B, B + " and 17 more words", B + " and 94 more words", A[:70]]
    whole, raw = signed_texts("b", texts, CONTAINED)
    found = similar_items(
        BatchSignatures("b", lambda columns: in_pieces(whole, columns, 2)), [], raw, CONTAINED
    ).pairs.to_pylist()
    pairs = {(row["item_id"][1:], row["earlier_item_id"][1:]): row for row in found}
    earlier, _ = signed_texts("a", texts[:3], CONTAINED)
    own, own_raw = signed_texts("c", texts[3:], CONTAINED)
    before = [BatchSignatures("a", lambda columns: in_pieces(earlier, columns, 2))]
    found = similar_items(
        BatchSignatures("c", lambda columns: in_pieces(own, columns, 1)), before, own_raw, CONTAINED
    ).pairs
    for row in found.to_pylist():
        first = int(row["earlier_item_id"][1:]) + (3 if row["earlier_batch"] == "c" else 0)
        one = pairs[(str(int(row["item_id"][1:]) + 3), str(first))]
        names = ("similarity", "containment", "is_longer", "differs_in_digits")
        assert [one[name] for name in names] == [row[name] for name in names]
    assert len(found) == sum(int(later) >= 3 for later, _ in pairs)
    assert pairs[("4", "3")]["differs_in_digits"]


def test_without_containment_no_keys_are_kept() -> None:
    signed, _ = signed_texts("b", [A], SETTINGS)
    assert signed.column("keys").null_count == 1
