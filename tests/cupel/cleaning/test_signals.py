"""Items to signals: a row each, in order, nothing dropped."""

import hashlib

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning.duplicates.folded_texts import fold_text
from cupel.cleaning.signals import item_signals
from cupel.config.cleaning import Cleaning
from cupel.contract.table import conform
from cupel.contract.tables.cleaning import ITEM_SIGNALS
from cupel.contract.tables.raw import RAW_ITEMS


def raw_items(texts: list[str]) -> pa.Table:
    rows = [
        {"batch": "b", "item_id": str(place), "source_file": "a.txt", "line": place + 1, "text": text, "licence": "MIT"}
        for place, text in enumerate(texts)
    ]
    return pa.Table.from_pylist(rows, RAW_ITEMS.schema)


def test_a_text_is_normalised_then_masked_then_measured() -> None:
    signals = item_signals(raw_items(["Mail\u00a0 me: a@b.example"]), Cleaning())
    (row,) = signals.to_pylist()
    assert row["text"] == "Mail me: <EMAIL>"
    assert (row["characters"], row["words"], row["emails_masked"], row["is_changed"]) == (16, 3, 1, True)


def test_masking_alone_is_no_change_by_normalising() -> None:
    (row,) = item_signals(raw_items(["Mail me: a@b.example"]), Cleaning()).to_pylist()
    assert row["is_changed"] is False


def test_no_items_have_no_signals() -> None:
    conform(item_signals(raw_items([]), Cleaning()), ITEM_SIGNALS)


def test_texts_that_differ_in_case_and_white_space_only_have_one_hash() -> None:
    signals = item_signals(raw_items(["The  Same\nTEXT ", "the same text", "the sametext"]), Cleaning())
    one, same, other = signals.column("text_sha256").to_pylist()
    assert one == same != other


@settings(deadline=None)
@given(st.lists(st.text(), max_size=6))
def test_every_item_has_its_signals_whatever_the_piece_it_comes_in(texts: list[str]) -> None:
    items = raw_items(texts)
    whole = conform(item_signals(items, Cleaning()), ITEM_SIGNALS)
    pieces = [item_signals(items.slice(place, 1), Cleaning()) for place in range(len(texts))]
    assert whole.equals(pa.concat_tables([ITEM_SIGNALS.schema.empty_table(), *pieces]))
    for row in whole.to_pylist():
        assert row["text_sha256"] == hashlib.sha256(fold_text(row["text"]).encode()).hexdigest()
        assert row["characters"] == len(row["text"])


@settings(deadline=None)
@given(st.text())
def test_a_folded_text_holds_no_run_of_white_space(text: str) -> None:
    assert fold_text(text) == " ".join(fold_text(text).split())


def test_a_declared_language_is_compared_with_the_one_found_as_far_as_both_are_told() -> None:
    english = "The neighbours said that their dog had been barking all night, and nobody was surprised."
    items = raw_items([english, english, english, "?"])
    declared = pa.array(["en", "de", None, "en"])
    items = items.set_column(items.column_names.index("declared_language"), "declared_language", declared)
    signals = item_signals(items, Cleaning())
    assert signals["language"].to_pylist() == ["eng_Latn"] * 3 + ["und"]
    assert signals["is_declared_language"].to_pylist() == [True, False, None, None]
