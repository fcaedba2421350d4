"""The log of actions: appended, chained, never changed."""

import json
from pathlib import Path

import pytest

from cupel.annotators.actions import Action, ActionsLog
from cupel.errors import AnswerError


def action(name: str, deed: str = "remove", weight: float = 0.0, batch: str = "one") -> Action:
    return Action(batch, name, deed, weight, "guessing", "so it is", 0.1, 0.01, 50, "policy", 9)  # type: ignore[arg-type]


def test_what_was_appended_is_read_back_in_order(tmp_path: Path) -> None:
    log = ActionsLog(tmp_path / "actions")
    assert log.append([action("p"), action("q", batch="two")]) == 2
    assert [one.annotator for one in log.read()] == ["p", "q"]
    assert log.read("two") == [action("q", batch="two")]


def test_the_last_action_holds_and_a_warning_changes_nothing(tmp_path: Path) -> None:
    log = ActionsLog(tmp_path / "actions")
    log.append([action("p"), action("p", "warn", 1.0), action("q"), action("q", "restore", 1.0)])
    assert list(log.in_force("one")) == ["p"]


def test_the_version_is_of_the_batch_alone(tmp_path: Path) -> None:
    log = ActionsLog(tmp_path / "actions")
    log.append([action("p")])
    before = log.version("one")
    log.append([action("q", batch="two")])
    assert log.version("one") == before
    log.append([action("r")])
    assert log.version("one") != before


@pytest.mark.parametrize("harm", ["alter", "remove"])
def test_an_altered_or_missing_action_is_noticed(tmp_path: Path, harm: str) -> None:
    log = ActionsLog(tmp_path / "actions")
    log.append([action("p"), action("q"), action("r")])
    path = log.folder / "000002.json"
    path.unlink() if harm == "remove" else path.write_text(path.read_text().replace('"q"', '"z"'))
    with pytest.raises(AnswerError, match=r"000003\.json"):
        log.read()


def test_an_unknown_deed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AnswerError, match="allowed"):
        ActionsLog(tmp_path).append([action("p", "fire")])


def test_what_is_no_action_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "000001.json").write_text("[1]")
    with pytest.raises(AnswerError, match=r"000001\.json"):
        ActionsLog(tmp_path).read()


def test_a_log_from_before_there_were_ratios_is_read(tmp_path: Path) -> None:
    log = ActionsLog(tmp_path / "actions")
    log.append([action("p")])
    (path,) = (tmp_path / "actions").glob("*.json")
    content = json.loads(path.read_text())
    del content["log10_ratio"]
    path.write_text(json.dumps(content))
    assert log.read() == [action("p")]
