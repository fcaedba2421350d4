"""Steps that change a text: each is a switch, and what each changed is told."""

import duckdb
import pyarrow as pa
import pytest

from cupel.cleaning.kept_texts import MOST_REMOVED
from cupel.cleaning.repairs import STEPS, repaired, without_mojibake
from cupel.cleaning.repeated_lines import repeated_lines
from cupel.cleaning.signals import item_signals
from cupel.config.cleaning import Cleaning, Repairs
from cupel.tables import RAW_ITEMS

ALL = Repairs(mojibake=True, unwrap=True, policy_lines=True, repeated_lines=2, c4_lines=True)
WRAPPED = "\n".join(f"line {number} of a text that was broken to fit a width {number}" for number in range(4))
EACH = {
    "repeated_lines": "News.\nShare this page with friends",
    "mojibake": "caf\u00c3\u00a9",
    "unicode": "cafe\u0301",
    "hidden": "in\u200bvisible",
    "spaces": "a  b",
    "policy_lines": "News of today.\nThis site uses cookies",
    "unwrap": WRAPPED,
    "c4_lines": "One two three.\nno end here",
}


def raw_items(texts: list[str]) -> pa.Table:
    rows = [
        {"batch": "b", "item_id": str(place), "source_file": "a", "line": place + 1, "text": text, "licence": "MIT"}
        for place, text in enumerate(texts)
    ]
    return pa.Table.from_pylist(rows, RAW_ITEMS.schema)


def with_only(step: str) -> Cleaning:
    off = {"hidden": step == "hidden", "spaces": step == "spaces"}
    on = {} if step in ("unicode", "hidden", "spaces") else {step: 2 if step == "repeated_lines" else True}
    return Cleaning(repairs=Repairs(**off, **on))


@pytest.mark.parametrize("step", STEPS)
def test_each_step_is_a_switch_and_tells_that_it_changed_the_text(step: str) -> None:
    found = repaired(EACH[step], with_only(step), {"Share this page with friends"})
    assert found.steps == (step,)
    assert found.text != EACH[step]


@pytest.mark.parametrize("step", [step for step in STEPS if step != "unicode"])
def test_a_step_that_is_off_changes_nothing(step: str) -> None:
    off = Cleaning(repairs=Repairs(hidden=False, spaces=False))
    assert repaired(EACH[step], off, {"Share this page with friends"}) == (EACH[step], (), ())


def test_by_default_only_the_normal_form_is_made() -> None:
    changed = {
        step for step, text in EACH.items() if repaired(text, Cleaning(), {"Share this page with friends"}).steps
    }
    assert changed == {"unicode", "hidden", "spaces"}


def test_mojibake_is_repaired_line_by_line_and_right_text_left_alone() -> None:
    assert without_mojibake("sch\u00c3\u00b6n\nsch\u00f6n, \u4e2d\u6587") == "sch\u00f6n\nsch\u00f6n, \u4e2d\u6587"


def test_lines_of_many_items_are_found_once_an_item() -> None:
    footer, twice = "Share this page with friends", "A refrain that one item repeats"
    texts = [f"a\n {footer} ", f"b\r\n{footer}\r\n", f"{twice}\n{twice}\nc", "short line\nd", "short line\ne"]
    with duckdb.connect() as connection:
        found = repeated_lines(connection.from_arrow(raw_items(texts)), 2)
    assert found == {footer}


def test_signals_tell_what_was_removed_masked_and_shortened() -> None:
    lines = ["We use cookies, write to a@b.example", *[f"use cookies {number}" for number in range(30)]]
    text = "\n".join(["News of the day.", *lines])
    (row,) = item_signals(raw_items([text]), Cleaning(repairs=ALL)).to_pylist()
    assert row["text"] == "News of the day."
    assert (row["is_changed"], row["repairs"], row["lines_removed"]) == (True, ["policy_lines"], 31)
    assert len(row["removed_lines"]) == MOST_REMOVED
    assert row["removed_lines"][0] == "We use cookies, write to <EMAIL>"
