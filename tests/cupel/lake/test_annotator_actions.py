"""The log of actions: appended, chained, never changed."""

from datetime import UTC, datetime, timedelta

import pytest

from cupel.errors import AnswerError
from cupel.lake.annotator_actions import Action, ActionsLog, version_of
from cupel.store.event_log import BrokenLogError, EventLog
from cupel.store.memory import MemoryStore


def action(name: str, deed: str = "remove", weight: float = 0.0, batch: str = "one") -> Action:
    return Action(batch, name, deed, weight, "guessing", "so it is", 0.1, 0.01, 50, "policy", 9)  # type: ignore[arg-type]


@pytest.fixture
def log() -> ActionsLog:
    return ActionsLog(EventLog(MemoryStore(), "actions"))


def test_what_was_appended_is_read_back_in_order(log: ActionsLog) -> None:
    assert log.append([action("p"), action("q", batch="two")]) == 2
    assert [one.annotator for one in log.read()] == ["p", "q"]
    assert log.read("two") == [action("q", batch="two")]


def test_the_last_action_holds_and_a_warning_changes_nothing(log: ActionsLog) -> None:
    log.append([action("p"), action("p", "warn", 1.0), action("q"), action("q", "restore", 1.0)])
    assert list(log.in_force("one")) == ["p"]


def test_the_version_is_of_the_batch_alone(log: ActionsLog) -> None:
    log.append([action("p")])
    before = log.version("one")
    log.append([action("q", batch="two")])
    assert log.version("one") == before
    log.append([action("r")])
    assert log.version("one") != before


def test_an_altered_action_is_noticed() -> None:
    store = MemoryStore()
    log = ActionsLog(EventLog(store, "actions"))
    log.append([action("p"), action("q"), action("r")])
    (segment,) = (one.name for one in store.list("actions") if one.name.endswith(".jsonl"))
    store.put(segment, store.read(segment).replace(b'"q"', b'"z"'))
    with pytest.raises(BrokenLogError, match="event 2 was altered"):
        log.read()


def test_an_unknown_deed_is_refused_and_nothing_is_appended(log: ActionsLog) -> None:
    with pytest.raises(AnswerError, match="allowed"):
        log.append([action("p"), action("q", "fire")])
    assert log.read() == []


def test_when_an_action_was_appended_is_known_and_is_not_in_its_version(log: ActionsLog) -> None:
    log.append([action("p")])
    (one,) = log.read_with_times()
    assert one.at is not None
    assert abs(datetime.now(UTC) - one.at) < timedelta(minutes=1)
    assert log.version("one") == version_of([action("p")])
