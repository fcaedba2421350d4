"""Texts that nobody should have written: each has its signals or a reason, and takes work in step with its length."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from cupel.cleaning.decide import decide
from cupel.cleaning.signals import item_signals
from cupel.config.cleaning import Cleaning, Repairs, WebRules
from cupel.contract.table import conform
from cupel.contract.tables.cleaning import ITEM_SIGNALS, SIMILAR_ITEMS
from cupel.contract.tables.raw import RAW_ITEMS
from cupel.modalities.text.languages.identify import identify
from cupel.modalities.text.scan.measures import measures
from cupel.modalities.text.scan.rules import RULES, reasons

SIZES = (300, 600)
EVERYTHING = Cleaning(
    repairs=Repairs(mojibake=True, unwrap=True, policy_lines=True, repeated_lines=2, c4_lines=True),
    web_rules=WebRules(sets=("gopher_quality", "gopher_repetition", "c4", "fineweb")),
)
TEXTS = [
    "", " ", "\n\n\n", "\u202e\u2066\u200f", "\u05e9\u05dc\u05d5\u05dd \u202edlrow\u202c", "\u200b\u200c\u200d\ufeff",
    "\x00\x07\x1b[31m\x7f", "a" * 100_000, "spam " * 20_000, "\u0301" * 1_000, "\U0010ffff\ue000\ufffe", "]" * 5_000,
    "[1]" * 5_000 + "x", "\u00c3\u0192" * 2_000, "{", "lorem ipsum", "\ud7ff\u4e2d\u6587\u3002" * 50,
    "- \u2022\n" * 500,
]  # fmt: skip
SURROGATES = [b"\xed\xa0\x80 half a character", b"\xff\xfe\x00", b"\xc3", b"\xf4\x90\x80\x80", b"ok \x80 ok"]


def raw_items(texts: list[str]) -> pa.Table:
    rows = [
        {"batch": "b", "item_id": str(place), "source_file": "a", "line": place + 1, "text": text, "licence": "MIT"}
        for place, text in enumerate(texts)
    ]
    return pa.Table.from_pylist(rows, RAW_ITEMS.schema)


@pytest.mark.parametrize("settings", [Cleaning(), EVERYTHING], ids=["by default", "everything on"])
def test_every_text_has_signals_and_is_kept_or_has_a_reason(settings: Cleaning) -> None:
    items = raw_items(TEXTS)
    signals = conform(item_signals(items, settings), ITEM_SIGNALS)
    assert signals.num_rows == len(TEXTS)
    decision = decide("b", items, signals, SIMILAR_ITEMS.schema.empty_table(), settings)
    kept = decision.decided["group_id"].is_valid().to_pylist()
    assert sum(kept) + decision.rejected_items.num_rows == len(TEXTS)
    assert all(decision.rejected_items["reason"].to_pylist())


def test_bytes_that_are_no_text_are_measured_and_told_apart_from_languages() -> None:
    column = pa.array(SURROGATES, pa.binary())
    assert measures(column)["characters"].null_count == 0
    assert set(identify(pa.array(SURROGATES[1:4], pa.binary()))["language"].to_pylist()) == {"und"}


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.null()], ids=str)
def test_empty_and_all_null_columns_have_no_measures(kind: pa.DataType) -> None:
    nothing = pa.nulls(5, kind)
    assert measures(nothing)["words"].null_count == 5
    assert identify(nothing)["language"].to_pylist() == ["und"] * 5
    for name in RULES:
        assert reasons(name, measures(nothing)).to_pylist() == ["not measured"] * 5
    assert measures(nothing.slice(0, 0)).num_rows == identify(nothing.slice(0, 0)).num_rows == 0


def test_a_document_of_100_megabytes_has_a_language_and_a_reason() -> None:
    column = pa.array(["It was a long and tedious document of many words. " * 2_000_000], pa.large_string())
    assert column.nbytes > 100_000_000
    assert measures(column)["characters"].to_pylist() == [None]
    assert identify(column)["language"].to_pylist() == ["eng_Latn"]
    assert reasons("c4", measures(column)).to_pylist() == ["not measured"]


def test_one_word_a_million_times_is_rejected_for_repeating_itself() -> None:
    settings = Cleaning(max_characters=None, max_words=None, web_rules=WebRules(sets=("gopher_repetition",)))
    items = raw_items(["spam " * 1_000_000])
    decision = decide("b", items, item_signals(items, settings), SIMILAR_ITEMS.schema.empty_table(), settings)
    (row,) = decision.rejected_items.to_pylist()
    assert row["reason"] == "gopher_repetition.commonest_2_gram"
    assert row["value"] > 0.9


def test_twice_the_text_is_twice_the_work() -> None:
    """Count executed lines of the loops, which are plain Python here, on texts made to be slow."""
    counting = Path(__file__).with_name("counted_work.py")
    done = subprocess.run(
        [sys.executable, str(counting), *map(str, SIZES)],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert set(found) == {"scan", "basics", "languages"}
    for step, kinds in found.items():
        for kind, (once, twice) in kinds.items():
            assert once > 0
            assert twice <= 2.2 * once + 1_000, f"{step}, {kind}: {once} lines, then {twice}"
