"""What a threshold would reject is what it does reject, and its histogram holds every item."""

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cupel.cleaning.cuts import BINS, Cut, bars, cuts, cuts_table
from cupel.cleaning.decide import RULES, decide
from cupel.cleaning.signals import item_signals
from cupel.cli import main
from cupel.config.cleaning import RULE_NAMES, Cleaning, WebRules
from cupel.contract.tables.cleaning import ITEM_SIGNALS, SIMILAR_ITEMS
from cupel.contract.tables.raw import RAW_ITEMS
from cupel.errors import LakeError
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.show.signal_histograms import cuts_of, show_cuts, write_cuts

TEXTS = ["One two three four five six.", "Short.", "### !!! ???", "word " * 80, "The cat that sat on the mat. " * 20]


def raw(texts: Sequence[str]) -> pa.Table:
    rows = [
        {"batch": "b", "item_id": str(place), "source_file": "a", "line": place + 1, "text": text, "licence": "MIT"}
        for place, text in enumerate(texts)
    ]
    return pa.Table.from_pylist(rows, RAW_ITEMS.schema)


def found(texts: Sequence[str], settings: Cleaning) -> dict[str, Cut]:
    signals = item_signals(raw(texts), settings)
    return {cut.name: cut for cut in cuts(settings, lambda names: signals.select(list(names)))}


def test_every_threshold_is_shown_whether_asked_or_not() -> None:
    shown = found(TEXTS, Cleaning(web_rules=WebRules(sets=("c4",))))
    assert list(shown) == [*(rule.reason for rule in RULES), *RULE_NAMES]
    asked = {name for name, cut in shown.items() if cut.is_asked and "." in name}
    assert asked == {name for name in RULE_NAMES if name.startswith("c4.")}
    assert (shown["repeated_words"].threshold, shown["repeated_words"].rejected) == (None, 0)


@pytest.mark.parametrize("name", ["few_words", "few_letters", "gopher_quality.few_words", "c4.few_sentences"])
def test_the_share_shown_is_what_that_threshold_alone_rejects(name: str) -> None:
    off = {rule.setting: None for rule in RULES}
    if "." in name:
        strict = {rule: 0.0 if "few" in rule or "without" in rule or "short_w" in rule else 1e9 for rule in RULE_NAMES}
        strict |= {"gopher_repetition.empty": 0.0, "fineweb.no_lines": 0.0}
        del strict[name]
        own = {"web_rules": WebRules(sets=(name.partition(".")[0],), thresholds=strict)}  # type: ignore[arg-type]
    else:
        rule = next(rule for rule in RULES if rule.reason == name)
        own = {rule.setting: getattr(Cleaning(), rule.setting)}
    settings = Cleaning(**{**off, **own})  # type: ignore[arg-type]
    items = raw(TEXTS)
    decision = decide("b", items, item_signals(items, settings), SIMILAR_ITEMS.schema.empty_table(), settings)
    reasons = decision.rejected_items["reason"].to_pylist()
    assert found(TEXTS, settings)[name].rejected == reasons.count(name) > 0


@given(st.lists(st.text(max_size=30), max_size=8))
def test_every_item_is_in_the_histogram(texts: list[str]) -> None:
    for cut in found(texts, Cleaning()).values():
        assert sum(cut.counts) == cut.items == len(texts)
        assert len(cut.counts) in (0, BINS)
        assert bars(cut).count("|") <= 1


def test_the_page_shows_a_row_a_threshold() -> None:
    table = cuts_table(list(found(TEXTS, Cleaning()).values()))
    assert table.count("\n") == len(RULES) + len(RULE_NAMES) + 1
    assert "| few_words | at least 2 | yes | 40.00% |" in table


def test_the_command_shows_and_writes_what_was_measured(tmp_path: Path) -> None:
    lake, project = Lake(tmp_path / "lake", "sentiment"), load_project(Path("projects/sentiment.yaml"))
    with pytest.raises(LakeError, match="nothing was measured of it yet; measured are none"):
        cuts_of(lake, project, ["movies"])
    lake.write("item_signals", "movies", item_signals(raw(TEXTS), project.cleaning).cast(ITEM_SIGNALS.schema))
    shown = cuts_of(lake, project, ["movies"])
    console = Console(width=120, record=True, file=(tmp_path / "out").open("w"))
    show_cuts(console, shown, ["movies"])
    assert "movies: 5 items measured" in console.export_text()
    write_cuts(shown, tmp_path / "cuts.json")
    assert len(json.loads((tmp_path / "cuts.json").read_text())) == len(shown)
    done = CliRunner().invoke(main, ["signals", "sentiment", "--lake", str(tmp_path / "lake")])
    assert done.exit_code == 0, done.output
    assert "gopher_quality.few_words" in done.output
