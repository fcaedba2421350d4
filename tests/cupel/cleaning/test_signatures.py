"""Signals to signatures: stable hashes, exact shingles, bands that bring similar texts together."""

import os
import random
import subprocess
import sys

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning.folding import folded
from cupel.cleaning.signals import item_signals
from cupel.cleaning.signatures import BANDING, signatures
from cupel.config.cleaning import Cleaning
from cupel.tables import ITEM_SIGNALS, RAW_ITEMS, SIGNATURES, conform

HASHES = ("shingles", "bands", "sketch")


def signed(texts: list[str], width: int = 5) -> list[dict]:
    rows = [
        {"batch": "b", "item_id": str(place), "source_file": "a", "line": place + 1, "text": text, "licence": "MIT"}
        for place, text in enumerate(texts)
    ]
    settings = Cleaning(shingle_characters=width)
    signals = item_signals(pa.Table.from_pylist(rows, RAW_ITEMS.schema), settings)
    rows = conform(signatures(signals, "b", settings), SIGNATURES).to_pylist()
    return [row | {name: np.frombuffer(row[name], "<u4").tolist() for name in HASHES} for row in rows]


def shingles(text: str, width: int) -> set[str]:
    text = folded(text)
    return {text[place : place + width] for place in range(max(1, len(text) - width + 1))}


@settings(deadline=None)
@given(
    st.lists(st.text(alphabet=st.sampled_from("abA \u00e9\U0001f600\n"), max_size=30), max_size=5), st.integers(1, 8)
)
def test_distinct_shingles_have_distinct_ascending_hashes(texts: list[str], width: int) -> None:
    sets = []
    for row in signed(texts, width):
        assert row["shingles"] == sorted(set(row["shingles"]))
        assert row["shingle_count"] == len(row["shingles"])
        assert len(row["bands"]) == BANDING.bands
        sets.append(set(row["shingles"]))
    # The text of the signals is normalised; these characters stay as they are but for white space.
    expected = [shingles(" ".join(text.split()), width) for text in texts]
    assert [len(found) for found in sets] == [len(wanted) for wanted in expected]
    for one in range(len(texts)):
        for other in range(one):
            assert len(sets[one] & sets[other]) == len(expected[one] & expected[other])


def test_a_text_shorter_than_a_shingle_is_one_shingle() -> None:
    rows = signed(["", "a", "ab", "abcde", "aaaaaaaaa"])
    assert [len(row["shingles"]) for row in rows] == [1] * 5
    assert len({row["shingles"][0] for row in rows}) == 5


def test_texts_that_differ_in_case_and_white_space_only_have_one_signature() -> None:
    one, other = signed(["The same  TEXT", "the same\ntext"])
    assert [one[name] for name in ("text_sha256", "shingles", "bands", "sketch")] == [
        other[name] for name in ("text_sha256", "shingles", "bands", "sketch")
    ]


def test_no_signals_have_no_signatures() -> None:
    assert signatures(ITEM_SIGNALS.schema.empty_table(), "b", Cleaning()).num_rows == 0


def test_a_signature_does_not_depend_on_the_texts_beside_it() -> None:
    texts = ["a first text of some words", "x", "", "another text with other words", "caf\u00e9"]
    whole = signed(texts * 100)
    alone = [signed([text])[0] for text in texts]
    for row, single in zip(whole, alone * 100, strict=True):
        assert all(row[name] == single[name] for name in ("shingle_count", "shingles", "bands", "sketch"))


def test_hashes_are_the_same_in_every_process_and_with_every_hash_seed() -> None:
    code = (
        "import pyarrow as pa; from cupel.cleaning.signatures import signatures;"
        "from cupel.config.cleaning import Cleaning;"
        "t = pa.table({'item_id': ['1'], 'text': ['Two films and three short years'], 'text_sha256': ['x']});"
        "r = signatures(t, 'b', Cleaning()).to_pylist()[0]; print(r['shingles'][:8].hex(), r['bands'][:8].hex())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    ).stdout
    row = signed(["Two films and three short years"])[0]
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

    (row,) = signed(["Two films and three short years"])
    assert row["shingles"] == sorted(map(hash_of, shingles("Two films and three short years", 5)))


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
        rows = signed(texts)
        expected = 0.0
        for one, other in zip(rows[::2], rows[1::2], strict=True):
            left, right = set(one["shingles"]), set(other["shingles"])
            jaccard = len(left & right) / len(left | right)
            expected += BANDING.chance(jaccard)
            hits += bool(set(one["bands"]) & set(other["bands"]))
        # Three standard deviations of a binomial count, at most.
        assert abs(hits - expected) <= 3 * (pairs * 0.25) ** 0.5
