"""Signals to decisions: thresholds, duplicates of kept items only, nothing lost."""

import itertools
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning import decide as deciding
from cupel.cleaning.decide import RULES
from cupel.cleaning.duplicates.kept_items import EARLIER_ITEMS, CleanedBatch, earlier_items
from cupel.cleaning.duplicates.similar_items import BatchSignatures, signatures, similar_items
from cupel.cleaning.images.rules import IMAGE_RULES
from cupel.cleaning.reasons import DUPLICATES, REASONS
from cupel.cleaning.signals import item_signals
from cupel.config.cleaning import RULE_NAMES, Cleaning
from cupel.contract.table import conform
from cupel.contract.tables.cleaning import CLEAN_ITEMS, ITEM_SIGNALS, REJECTED_ITEMS, SIMILAR_ITEMS
from cupel.contract.tables.raw import RAW_ITEMS
from cupel.errors import TableError

OFF = Cleaning(
    min_characters=None, max_characters=None, min_words=None, max_words=None, max_mean_word_length=None,
    min_letter_share=None, max_symbol_word_share=None, max_repeated_line_share=None,
)  # fmt: skip


def raw_items(count: int, sources: list[str | None] | None = None, batch: str = "b") -> pa.Table:
    rows = [
        {"batch": batch, "item_id": f"{batch}{place}", "source_file": "a", "line": place + 1, "text": "raw",
         "group_id": sources[place] if sources else None, "licence": "MIT"}
        for place in range(count)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, RAW_ITEMS.schema)


def signals(texts: list[str], batch: str = "b", **measures: list[float]) -> pa.Table:
    """Return signals of unremarkable items with these texts, with some measures as given."""
    plain = {
        "characters": 100, "words": 20, "mean_word_length": 4.0, "letter_share": 0.8, "symbol_word_share": 0.0,
        "repeated_line_share": 0.0, "repeated_word_share": 0.1, "is_changed": False, "emails_masked": 0, "repairs": [],
        "lines_removed": 0, "removed_lines": [], "phones_masked": 0, "cards_masked": 0, "ibans_masked": 0,
        "ips_masked": 0, "addresses_masked": 0, "language": "eng_Latn", "language_confidence": 1.0,
    }  # fmt: skip
    rows = []
    for place, text in enumerate(texts):
        own = {name: values[place] for name, values in measures.items()}
        rows.append({**plain, "item_id": f"{batch}{place}", "text": text, "text_sha256": text, **own})
    return pa.Table.from_pylist(rows, ITEM_SIGNALS.schema)


def similar(*rows: tuple[str, str, float]) -> pa.Table:
    """Return pairs of items like b1 (item 1 of batch b)."""
    return pa.Table.from_pylist(
        [
            {"item_id": item, "earlier_batch": before[0], "earlier_item_id": before, "similarity": similarity}
            for item, before, similarity in rows
        ],
        SIMILAR_ITEMS.schema,
    )


def earlier(*rows: tuple[str, str, str | None]) -> pa.Table:
    """Return earlier items as (item, text, group); a group of None was rejected."""
    return pa.Table.from_pylist(
        [
            {"batch": item[0], "item_id": item, "text_sha256": text, "group_id": group, "group_place": place}
            for place, (item, text, group) in enumerate(rows)
        ],
        EARLIER_ITEMS,
    )


class Decision(NamedTuple):
    """What came of a batch: every raw item is in one of the two."""

    clean_items: pa.Table
    rejected_items: pa.Table


def decide(
    batch: str, raw: pa.Table, signals: pa.Table, similar: pa.Table, settings: Cleaning,
    earlier: pa.Table | None = None, licences: tuple[str, ...] = (),
) -> Decision:  # fmt: skip
    """Decide on a batch as the chain does: texts are put to what was kept later, piece by piece."""
    slim = raw.drop_columns(["text", "fields", *([] if settings.allowed_licences or licences else ["licence"])])
    measured = signals.drop_columns(["text"])
    found = deciding.decide(batch, slim, measured, similar, settings, earlier, licences)
    pieces = (measured.slice(first, 2) for first in range(0, measured.num_rows, 2))
    assert deciding.decide(batch, slim, pieces, similar, settings, earlier, licences) == found
    ids = raw.column("item_id").to_pylist()
    assert found.decided.column("item_id").to_pylist() == ids
    texts = signals.take(pc.index_in(raw.column("item_id"), signals.column("item_id").combine_chunks()))
    pieces = [
        deciding.clean_items(*(table.slice(first, 2) for table in (raw, texts, found.decided)))
        for first in range(0, raw.num_rows, 2)
    ]
    return Decision(pa.concat_tables([CLEAN_ITEMS.schema.empty_table(), *pieces]), found.rejected_items)


def kept(decision: Decision) -> dict[str, str]:
    conform(decision.clean_items, CLEAN_ITEMS)
    return {row["item_id"]: row["group_id"] for row in decision.clean_items.to_pylist()}


def dropped(decision: Decision) -> dict[str, tuple[str, str | None]]:
    conform(decision.rejected_items, REJECTED_ITEMS)
    return {row["item_id"]: (row["reason"], row["evidence"]) for row in decision.rejected_items.to_pylist()}


THRESHOLDS = [
    ("too_short", {"min_characters": 10}, "characters", 10, 9),
    ("too_long", {"max_characters": 10}, "characters", 10, 11),
    ("few_words", {"min_words": 2}, "words", 2, 1),
    ("many_words", {"max_words": 2}, "words", 2, 3),
    ("short_words", {"min_mean_word_length": 3.0}, "mean_word_length", 3.0, 2.9),
    ("long_words", {"max_mean_word_length": 3.0}, "mean_word_length", 3.0, 3.1),
    ("few_letters", {"min_letter_share": 0.5}, "letter_share", 0.5, 0.49),
    ("many_symbols", {"max_symbol_word_share": 0.5}, "symbol_word_share", 0.5, 0.51),
    ("repeated_lines", {"max_repeated_line_share": 0.3}, "repeated_line_share", 0.3, 0.31),
    ("repeated_words", {"max_repeated_word_share": 0.3}, "repeated_word_share", 0.3, 0.31),
]


@pytest.mark.parametrize(("reason", "setting", "measure", "passes", "fails"), THRESHOLDS)
def test_an_item_on_the_threshold_is_kept_and_one_beyond_it_is_dropped(
    reason: str, setting: dict[str, float], measure: str, passes: float, fails: float
) -> None:
    measured = signals(["x", "y"], **{measure: [passes, fails]})
    decision = decide("b", raw_items(2), measured, similar(), OFF.model_copy(update=setting))
    assert list(kept(decision)) == ["b0"]
    (row,) = decision.rejected_items.to_pylist()
    (threshold,) = setting.values()
    assert (row["reason"], row["value"], row["threshold"], row["evidence"]) == (reason, fails, threshold, None)
    assert list(kept(decide("b", raw_items(2), measured, similar(), OFF))) == ["b0", "b1"]


def test_every_rule_has_both_sides_tried_and_every_reason_has_its_place() -> None:
    assert [reason for reason, *_ in THRESHOLDS] == [rule.reason for rule in RULES]
    rules = ["unknown_licence", "forbidden_licence", *(rule.reason for rule in RULES), *RULE_NAMES, "not_measured"]
    images = ["unreadable_image", *(rule.reason for rule in IMAGE_RULES)]
    duplicates = list(DUPLICATES)
    assert [*rules, "evaluation_overlap", *images, *duplicates, "contaminated"] == list(REASONS)


def test_the_first_rule_that_an_item_breaks_is_its_reason() -> None:
    measured = signals(["x"], characters=[0], words=[0], letter_share=[0.0])
    assert dropped(decide("b", raw_items(1), measured, similar(), Cleaning())) == {"b0": ("too_short", None)}


def test_an_equal_text_is_dropped_for_the_first_that_was_kept() -> None:
    decision = decide("b", raw_items(3), signals(["x", "x", "x"]), similar(("b1", "b0", 1.0), ("b2", "b0", 1.0)), OFF)
    assert dropped(decision) == {"b1": ("exact_duplicate", "b/b0"), "b2": ("exact_duplicate", "b/b0")}


def test_a_near_duplicate_on_the_threshold_is_dropped_and_one_below_it_is_kept() -> None:
    pairs = similar(("b1", "b0", 0.8), ("b2", "b0", 0.79))
    decision = decide("b", raw_items(3), signals(["x", "y", "z"]), pairs, OFF)
    assert dropped(decision) == {"b1": ("near_duplicate", "b/b0")}
    (row,) = decision.rejected_items.to_pylist()
    assert (row["value"], row["threshold"]) == (0.8, 0.8)


def alike(*rows: tuple[str, str, float, float, bool, bool]) -> pa.Table:
    """Return pairs of batch b: items, similarity, containment, is_longer, differs_in_digits."""
    names = ["item_id", "earlier_item_id", "similarity", "containment", "is_longer", "differs_in_digits"]
    return pa.Table.from_pylist(
        [{"earlier_batch": "b", **dict(zip(names, row, strict=True))} for row in rows], SIMILAR_ITEMS.schema
    )


def test_an_item_that_holds_or_is_held_by_a_kept_one_is_dropped_where_that_is_asked_for() -> None:
    pairs = alike(
        ("b1", "b0", 0.4, 0.9, False, False),
        ("b2", "b0", 0.4, 0.95, True, False),
        ("b3", "b0", 0.4, 0.89, False, False),
    )
    decision = decide("b", raw_items(4), signals(["w", "x", "y", "z"]), pairs, OFF)
    assert dropped(decision) == {}
    asked = OFF.model_copy(update={"duplicate_containment": 0.9})
    decision = decide("b", raw_items(4), signals(["w", "x", "y", "z"]), pairs, asked)
    assert dropped(decision) == {"b1": ("contained_in", "b/b0"), "b2": ("contains", "b/b0")}
    assert [(row["value"], row["threshold"]) for row in decision.rejected_items.to_pylist()] == [
        (0.9, 0.9),
        (0.95, 0.9),
    ]


def test_items_of_which_one_holds_the_other_stay_in_one_split() -> None:
    pairs = alike(("b1", "b0", 0.4, 0.95, False, True))
    asked = OFF.model_copy(update={"duplicate_containment": 0.9, "keep_other_digits": True})
    groups = kept(decide("b", raw_items(2), signals(["x", "y"]), pairs, asked))
    assert groups["b0"] == groups["b1"]


def test_what_differs_in_digits_only_is_told_and_may_be_kept() -> None:
    pairs = alike(("b1", "b0", 0.9, 0.95, False, True), ("b2", "b0", 0.9, 0.95, False, False))
    decision = decide("b", raw_items(3), signals(["x", "y", "z"]), pairs, OFF)
    assert dropped(decision) == {"b1": ("other_digits", "b/b0"), "b2": ("near_duplicate", "b/b0")}
    decision = decide(
        "b", raw_items(3), signals(["x", "y", "z"]), pairs, OFF.model_copy(update={"keep_other_digits": True})
    )
    assert dropped(decision) == {"b2": ("near_duplicate", "b/b0")}


def test_a_chain_of_similar_items_breaks_where_one_is_dropped() -> None:
    pairs = similar(("b1", "b0", 0.9), ("b2", "b1", 0.9), ("b3", "b2", 0.9))
    decision = decide("b", raw_items(4), signals(["w", "x", "y", "z"]), pairs, OFF)
    assert dropped(decision) == {"b1": ("near_duplicate", "b/b0"), "b3": ("near_duplicate", "b/b2")}


def test_what_resembles_an_item_dropped_for_its_quality_is_judged_on_its_own() -> None:
    measured = signals(["x", "x", "y"], words=[1, 20, 20])
    pairs = similar(("b1", "b0", 1.0), ("b2", "b0", 0.9))
    decision = decide("b", raw_items(3), measured, pairs, OFF.model_copy(update={"min_words": 2}))
    assert dropped(decision) == {"b0": ("few_words", None), "b2": ("near_duplicate", "b/b1")}


def test_the_item_kept_in_an_earlier_batch_wins_over_one_of_the_batch() -> None:
    before = earlier(("a7", "old", "ga"))
    pairs = similar(("b0", "a7", 0.9), ("b1", "b0", 1.0), ("b2", "a7", 1.0))
    decision = decide("b", raw_items(3), signals(["x", "x", "old"]), pairs, OFF, before)
    assert dropped(decision) == {
        "b0": ("near_duplicate", "a/a7"),
        "b1": ("near_duplicate", "a/a7"),
        "b2": ("exact_duplicate", "a/a7"),
    }


def test_an_earlier_item_that_was_rejected_drops_nothing() -> None:
    before = earlier(("a0", "x", None))
    decision = decide("b", raw_items(2), signals(["x", "y"]), similar(("b0", "a0", 1.0)), OFF, before)
    assert list(kept(decision)) == ["b0", "b1"]


def test_without_a_similarity_near_duplicates_stay_and_equal_texts_do_not() -> None:
    off = OFF.model_copy(update={"duplicate_similarity": None})
    pairs = similar(("b1", "b0", 0.99), ("b2", "b0", 1.0))
    decision = decide("b", raw_items(3), signals(["x", "y", "x"]), pairs, off)
    assert dropped(decision) == {"b2": ("exact_duplicate", "b/b0")}
    groups = kept(decision)
    assert groups["b0"] == groups["b1"]


def test_an_item_without_signals_or_a_pair_with_a_stranger_is_an_error() -> None:
    with pytest.raises(TableError, match="'b1' is missing"):
        decide("b", raw_items(2), signals(["x"]), similar(), OFF)
    with pytest.raises(TableError, match="'a/a9' is neither"):
        decide("b", raw_items(1), signals(["x"]), similar(("b0", "a9", 0.9)), OFF)


def test_an_empty_batch_is_decided() -> None:
    decision = decide("b", raw_items(0), signals([]), similar(), OFF)
    assert (decision.clean_items.num_rows, decision.rejected_items.num_rows) == (0, 0)


def test_decisions_depend_on_the_delivery_and_not_on_the_order_of_rows() -> None:
    raw, measured = raw_items(4), signals(["x", "y", "x", "z"])
    pairs = similar(("b1", "b0", 0.85), ("b2", "b0", 1.0), ("b3", "b1", 0.6))
    expected = decide("b", raw, measured, pairs, OFF)
    for order in itertools.permutations(range(4)):
        mixed = decide("b", raw.take(list(order)), measured.take(list(reversed(order))), pairs, OFF)
        assert mixed.clean_items.sort_by("line").equals(expected.clean_items)
        assert mixed.rejected_items.equals(expected.rejected_items)


def clean(texts: list[str], batch: str, before: list[tuple[pa.Table, pa.Table]]) -> tuple[Decision, pa.Table]:
    """Take texts through the whole of cleaning; `before` holds signatures and clean items of earlier batches."""
    raw = raw_items(len(texts), batch=batch)
    raw = raw.set_column(raw.column_names.index("text"), RAW_ITEMS.schema.field("text"), pa.array(texts, pa.string()))
    measured = item_signals(raw, Cleaning())
    signed = signatures(measured, batch, Cleaning())
    known = [BatchSignatures.of(part, "a") for part, _ in before]
    pairs = similar_items(BatchSignatures.of(signed, batch), known, raw, Cleaning()).pairs
    return decide(batch, raw, measured, pairs, Cleaning(), earlier_of(measured, pairs, before)), signed


def earlier_of(measured: pa.Table, pairs: pa.Table, before: list[tuple[pa.Table, pa.Table]]) -> pa.Table:
    batches = [
        CleanedBatch(
            "a",
            lambda part=signed: part.select(["item_id", "text_sha256"]),
            lambda part=clean: part.select(["item_id", "group_id", "source_file", "line", "licence"]),
        )
        for signed, clean in before
    ]
    return earlier_items(measured.column("text_sha256"), pairs, batches)


TEXTS = st.lists(
    st.lists(
        st.sampled_from(["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "!!", "12", "##"]), max_size=10
    ).map(" ".join),
    max_size=10,
)


@settings(max_examples=20, deadline=None)
@given(TEXTS, TEXTS)
def test_every_item_is_kept_or_dropped_and_no_kept_item_duplicates_another(first: list[str], second: list[str]) -> None:
    one, signed = clean(first, "a", [])
    two, _ = clean(second, "b", [(signed, one.clean_items)])
    for decision, texts in ((one, first), (two, second)):
        ids = [*kept(decision), *dropped(decision)]
        assert len(ids) == len(set(ids)) == len(texts)
        assert {reason for reason, _ in dropped(decision).values()} <= set(REASONS)
    texts = [*one.clean_items.column("text").to_pylist(), *two.clean_items.column("text").to_pylist()]
    assert len({text.lower() for text in texts}) == len(texts)
    names = {f"a/{item}" for item in kept(one)} | {f"b/{item}" for item in kept(two)}
    for reason, shown in [*dropped(one).values(), *dropped(two).values()]:
        assert (shown in names) == reason.endswith("_duplicate")


@settings(max_examples=15, deadline=None)
@given(TEXTS)
def test_the_same_delivery_again_adds_nothing(texts: list[str]) -> None:
    one, signed = clean(texts, "a", [])
    again, _ = clean(texts, "b", [(signed, one.clean_items)])
    assert again.clean_items.num_rows == 0


def test_an_item_that_holds_too_much_of_a_reference_is_dropped_with_its_name_before_duplicates() -> None:
    settings = Cleaning.model_validate({"overlap": [{"name": "sums", "path": "sums.csv"}], "max_overlap_share": 0.5})
    found = signals(["w", "x", "y", "y"])
    shares, names = pa.array([None, 0.5, 0.51, 1.0]), pa.array([None, "row 1", "row 2", "row 3"])
    for name, column in (("overlap_share", shares), ("overlap_with", names)):
        found = found.set_column(found.column_names.index(name), name, column)
    decision = decide("b", raw_items(4), found, similar(), settings)
    assert dropped(decision) == {"b2": ("evaluation_overlap", "row 2"), "b3": ("evaluation_overlap", "row 3")}
    assert decision.rejected_items["value"].to_pylist() == [0.51, 1.0]
    without = decide("b", raw_items(4), found, similar(), settings.model_copy(update={"overlap": ()}))
    assert dropped(without) == {"b3": ("exact_duplicate", "b/b2")}


def test_an_item_of_another_licence_is_dropped_and_its_allowed_copy_is_kept() -> None:
    raw = raw_items(3)
    raw = raw.set_column(raw.column_names.index("licence"), "licence", pa.array(["bought", "MIT", "bought"]))
    settings = OFF.model_copy(update={"allowed_licences": ("MIT", "CC0-1.0")})
    pairs = similar(("b1", "b0", 1.0), ("b2", "b0", 1.0))
    decision = decide("b", raw, signals(["x", "x", "x"]), pairs, settings)
    assert list(kept(decision)) == ["b1"]
    assert dropped(decision) == {"b0": ("forbidden_licence", "bought"), "b2": ("forbidden_licence", "bought")}
    everything = decide("b", raw, signals(["x", "x", "x"]), pairs, OFF)
    assert list(kept(everything)) == ["b0"]


def licensed(raw: pa.Table, *licences: str) -> pa.Table:
    return raw.set_column(raw.column_names.index("licence"), "licence", pa.array(licences))


ORDER = ("own", "MIT", "bought")


def test_of_one_batchs_copies_the_one_with_the_better_licence_is_kept() -> None:
    raw = licensed(raw_items(4), "bought", "own", "MIT", "own")
    decision = decide("b", raw, signals(["x", "x", "x", "x"]), similar(), OFF, licences=ORDER)
    assert list(kept(decision)) == ["b1"]
    assert dropped(decision) == {item: ("exact_duplicate", "b/b1") for item in ("b0", "b2", "b3")}


def test_a_near_copy_with_a_worse_licence_is_dropped_though_it_came_first() -> None:
    raw, pairs = licensed(raw_items(2), "bought", "MIT"), similar(("b1", "b0", 0.9))
    decision = decide("b", raw, signals(["x", "y"]), pairs, OFF, licences=ORDER)
    assert dropped(decision) == {"b0": ("near_duplicate", "b/b1")}


def test_an_earlier_kept_item_keeps_out_no_better_licence_and_no_worse_one_comes_in() -> None:
    before = earlier(("a0", "x", "g")).set_column(5, "licence", pa.array(["MIT"]))
    for licence, reason in (("own", None), ("MIT", "exact_duplicate"), ("bought", "exact_duplicate")):
        raw = licensed(raw_items(1), licence)
        decision = decide("b", raw, signals(["x"]), similar(), OFF, before, ORDER)
        assert [why for why, _ in dropped(decision).values()] == ([] if reason is None else [reason])
        assert set(kept(decision).values()) == (set() if reason else {"g"})  # it stays in the group of its copy


def test_of_several_earlier_copies_the_one_with_the_best_licence_is_named() -> None:
    before = earlier(("a0", "x", "g"), ("a1", "x", "g"), ("a2", "x", "g"))
    before = before.set_column(5, "licence", pa.array(["bought", "own", "own"]))
    decision = decide("b", licensed(raw_items(1), "own"), signals(["x"]), similar(), OFF, before, ORDER)
    assert dropped(decision) == {"b0": ("exact_duplicate", "a/a1")}


def test_an_item_of_a_licence_that_the_project_does_not_name_is_dropped() -> None:
    decision = decide("b", licensed(raw_items(2), "own", "mit"), signals(["x", "y"]), similar(), OFF, licences=ORDER)
    assert dropped(decision) == {"b1": ("unknown_licence", "mit")}


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from(ORDER)), min_size=1, max_size=8))
def test_of_each_text_one_item_is_kept_and_none_has_a_better_licence(items: list[tuple[str, str]]) -> None:
    raw = licensed(raw_items(len(items)), *(licence for _, licence in items))
    decision = decide("b", raw, signals([text for text, _ in items]), similar(), OFF, licences=ORDER)
    left = [items[int(item[1:])] for item in kept(decision)]
    best = {text: min(ORDER.index(licence) for other, licence in items if other == text) for text, _ in items}
    assert sorted((text, ORDER.index(licence)) for text, licence in left) == sorted(best.items())
