import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hostile_names import HOSTILE_ID, HOSTILE_TEXT

from cupel.cli import main
from cupel.errors import OutputError
from cupel.trace.machine import as_json, write_json
from cupel.trace.trace import trace


def test_the_same_keys_are_there_for_every_label(traced: Path) -> None:
    found = [json.loads(as_json(trace(traced, f"one/{name}"))) for name in ("i3", "twin", "ghost", HOSTILE_ID)]
    assert {tuple(content) for content in found} == {tuple(found[0])}
    assert found[0]["label_id"] == {"project": "small", "batch": "one", "item_id": "i3"}
    assert found[0]["release"]["certificate"]["status"] == "certified"
    assert found[3]["raw"]["item"]["text"] == HOSTILE_TEXT
    assert as_json(trace(traced, f"one/{HOSTILE_ID}")).isascii()


def test_a_file_that_cannot_be_written_is_an_error(traced: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"--json .*nowhere/trace\.json: cannot be written"):
        write_json(trace(traced, "one/i3"), tmp_path / "nowhere" / "trace.json")


def test_the_command_prints_the_story_or_json(traced: Path, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    arguments = ["trace", "one/i3", "--lake", str(traced)]
    story = CliRunner().invoke(main, [*arguments, "--json", str(path)])
    assert (story.exit_code, "Cleaning: kept" in story.stdout) == (0, True)
    printed = CliRunner().invoke(main, [*arguments, "--json", "-"])
    assert (printed.exit_code, printed.stdout) == (0, path.read_text())
    missed = CliRunner().invoke(main, ["trace", "one/i9999", "--lake", str(traced)])
    assert (missed.exit_code, missed.stderr.startswith("Error: small/one: no item 'i9999'")) == (1, True)
