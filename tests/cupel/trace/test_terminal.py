import io
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hostile_names import HOSTILE_ID
from rich.console import Console

from cupel.certificate.design import Rising, design_text
from cupel.lake.lake import Lake
from cupel.trace.terminal import show
from cupel.trace.trace import Trace, trace


def shown(found: Trace, width: int = 100, all_gates: bool = False, is_terminal: bool = False) -> str:
    out = io.StringIO()
    colours = {"color_system": "standard", "force_terminal": True} if is_terminal else {}
    show(Console(file=out, width=width, highlight=False, **colours), found, all_gates)  # type: ignore[arg-type]
    return out.getvalue()


def words(found: Trace, **settings: bool) -> str:
    return " ".join(shown(found, **settings).split())  # type: ignore[arg-type]


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_longer_than_the_terminal_is_wide(traced: Path, width: int) -> None:
    for item_id in ("i3", "i4", "i7", "twin", HOSTILE_ID):
        lines = shown(trace(traced, f"one/{item_id}"), width).splitlines()
        assert len(lines) > 30
        assert [line for line in lines if len(line) > width or line != line.rstrip()] == []


def test_the_first_words_say_what_became_of_the_label(traced: Path) -> None:
    lake = Lake(traced, "small")
    for item_id, said in (
        (lake.read("training_set", "one-r2")["item_id"][0].as_py(), "Released in one-r2 as "),
        (lake.read("withheld_items", "one-r2")["item_id"][0].as_py(), "Withheld from one-r2: contested"),
        ("twin", "Not released: cleaning rejected the item."),
    ):
        assert shown(trace(traced, f"one/{item_id}")).splitlines()[2].startswith(said)


def test_every_part_of_the_story_is_there(traced: Path) -> None:
    text = words(trace(traced, "one/i3"))
    parts = (
        "small/one.jsonl, row 4", "Cleaning: kept", "#", "ann", "not counted", "unknown_label", "consensus",
        "checker linear", "route: ", "Gates: batch one", "Release: one-r2", "attempt 2", "risk rank", "certificate:",
        "released as", "release_sha256", "cupel trace small/one/i3 --release one-r1", "Rests on:",
    )  # fmt: skip
    assert [part for part in parts if part not in text] == []


def test_what_others_wrote_is_not_obeyed(traced: Path) -> None:
    found = trace(traced, f"one/{HOSTILE_ID}")
    text = shown(found, 400)
    assert not {"\x1b", "\u202e", "\x9b"} & set(text)
    for literal in ("[red]x[/]", "\\x1b[31mred", "[bold]lava[/bold]", "\\u202e", "[green]eve\\x1b[32m", "toast\\nnext"):
        assert literal in text
    coloured = shown(found, 400, is_terminal=True)
    assert "\\x1b[31mred" in coloured
    assert "\x1b[31mred" not in coloured


def test_checks_that_passed_are_shown_when_asked_for(traced: Path) -> None:
    found = trace(traced, "one/i3")
    passed = [gate.row["check"] for gate in found.gates if gate.row["outcome"] == "pass" and not gate.names_item]
    assert [check for check in passed if f"{check}: pass" in words(found)] == []
    assert [check for check in passed if f"{check}: pass" not in words(found, all_gates=True)] == []


def test_before_its_release_a_label_has_a_story_too(traced: Path, tmp_path: Path) -> None:
    root = shutil.copytree(traced, tmp_path / "lake")
    for table in (root / "small" / "tables").iterdir():
        if any(path.name.startswith("one-r") for path in table.iterdir()):
            shutil.rmtree(table)
    text = words(trace(root, "one/i3"))
    assert "Not released: no release of its batch is planned yet" in text
    assert "Release: none of its batch is planned" in text
    shutil.rmtree(root / "small" / "tables" / "labels")
    assert "Not released: it has no label yet" in words(trace(root, "one/i3"))


def test_damage_and_alteration_are_in_the_story(traced: Path, tmp_path: Path) -> None:
    root = shutil.copytree(traced, tmp_path / "lake")
    lake = Lake(root, "small")
    Path(lake.files("consensus", "one")[0]).write_bytes(b"nonsense")
    row = lake.read("training_set", "one-r2").to_pylist()[0]
    (root / "small" / "releases" / "one-r2" / "data" / f"{row['split']}.parquet").write_bytes(b"")
    text = words(trace(root, f"one/{row['item_id']}"))
    assert "could not be read: consensus@one" in text
    assert "ALTERED: not what its manifest says" in text


def test_no_cut_is_spoken_of_where_a_rising_audit_was_held(traced: Path) -> None:
    row = Lake(traced, "small").read("training_set", "one-r2").to_pylist()[0]
    found = trace(traced, f"one/{row['item_id']}")
    assert found.release is not None
    assert "the cut" in words(found)
    plan = {**found.release.plan, "design": design_text(Rising(1.0, 4))}
    told = words(replace(found, release=replace(found.release, plan=plan)))
    assert "the audit's end" in told
    assert "the cut" not in told


def test_an_answer_that_counts_in_other_words_is_among_those_that_count(traced: Path) -> None:
    found = trace(traced, "one/i3")
    answers = [one for one in found.answers if one.purpose == "label"]
    counted = sum(one.standing == "counted" for one in answers)
    assert counted
    told = [replace(one, standing="counted as x") if one.standing == "counted" else one for one in found.answers]
    assert f"{len(answers)} answers, of which {counted} count" in words(replace(found, answers=tuple(told)))
