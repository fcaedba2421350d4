"""Items to signals: a row each, in order, nothing dropped."""

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning.folding import folded
from cupel.cleaning.signals import item_signals
from cupel.cleaning.text_hashes import text_sha256
from cupel.config.cleaning import Cleaning
from cupel.tables import ITEM_SIGNALS, RAW_ITEMS, conform


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
    assert text_sha256("The  Same\nTEXT ") == text_sha256("the same text")
    assert text_sha256("the same text") != text_sha256("the sametext")


@settings(deadline=None)
@given(st.lists(st.text(), max_size=6))
def test_every_item_has_its_signals_whatever_the_piece_it_comes_in(texts: list[str]) -> None:
    items = raw_items(texts)
    whole = conform(item_signals(items, Cleaning()), ITEM_SIGNALS)
    pieces = [item_signals(items.slice(place, 1), Cleaning()) for place in range(len(texts))]
    assert whole.equals(pa.concat_tables([ITEM_SIGNALS.schema.empty_table(), *pieces]))
    for row in whole.to_pylist():
        assert row["text_sha256"] == text_sha256(row["text"])
        assert row["characters"] == len(row["text"])


@settings(deadline=None)
@given(st.text())
def test_a_folded_text_holds_no_run_of_white_space(text: str) -> None:
    assert folded(text) == " ".join(folded(text).split())


def test_a_declared_language_is_compared_with_the_one_found_as_far_as_both_are_told() -> None:
    english = "The neighbours said that their dog had been barking all night, and nobody was surprised."
    items = raw_items([english, english, english, "?"])
    declared = pa.array(["en", "de", None, "en"])
    items = items.set_column(items.column_names.index("declared_language"), "declared_language", declared)
    signals = item_signals(items, Cleaning())
    assert signals["language"].to_pylist() == ["eng_Latn"] * 3 + ["und"]
    assert signals["is_declared_language"].to_pylist() == [True, False, None, None]
