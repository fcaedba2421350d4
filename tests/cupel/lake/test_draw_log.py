from collections.abc import Callable

import pytest

from cupel.errors import ReleaseError
from cupel.lake.draw_log import DRAWN, FROZEN, Nonce, bring_draws, record_draw
from cupel.store.event_log import EventLog
from cupel.store.memory import MemoryStore

ONE, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def log() -> EventLog:
    return EventLog(MemoryStore(), "draws")


def numbers() -> Callable[[str], Nonce]:
    """Return a source that gives another nonce each time, made of what it is asked about."""
    asked: list[str] = []

    def make(commitment: str) -> Nonce:
        asked.append(commitment)
        return Nonce(f"{len(asked)}/{commitment}", "operating system")

    return make


def test_the_freeze_is_recorded_before_the_nonce_that_is_asked_for_with_its_hash(log: EventLog) -> None:
    def make(commitment: str) -> Nonce:
        (freeze,) = log.read()
        assert (freeze["event"], freeze["frozen_sha256"]) == (FROZEN, ONE)
        assert commitment == log.head().hash
        return Nonce("n", "operating system")

    assert record_draw(log, "one-r1", "audit", ONE, make) == Nonce("n", "operating system")
    assert [event["event"] for event in log.read()] == [FROZEN, DRAWN]


def test_a_draw_that_is_recorded_is_replayed(log: EventLog) -> None:
    make = numbers()
    first = record_draw(log, "one-r1", "audit", ONE, make)
    assert record_draw(log, "one-r1", "audit", ONE, make) == first
    assert len(log.read()) == 2


def test_a_second_draw_of_the_same_release_is_refused_and_shows(log: EventLog) -> None:
    make = numbers()
    record_draw(log, "one-r1", "audit", ONE, make)
    with pytest.raises(ReleaseError, match="one-r1: its audit was drawn before, when something else was frozen"):
        record_draw(log, "one-r1", "audit", OTHER, make)
    assert [event["frozen_sha256"] for event in log.read()] == [ONE, ONE, OTHER]


def test_releases_and_their_two_draws_are_drawn_by_nonces_of_their_own(log: EventLog) -> None:
    make = numbers()
    found = {
        record_draw(log, release, part, ONE, make).nonce
        for release in ("one-r1", "two-r1")
        for part in ("audit", "adjudicators")
    }
    assert len(found) == 4


def test_a_freeze_without_a_nonce_may_be_frozen_otherwise(log: EventLog) -> None:
    def down(commitment: str) -> Nonce:
        raise ReleaseError("the witness is down")

    with pytest.raises(ReleaseError, match="is down"):
        record_draw(log, "one-r1", "audit", ONE, down)
    assert record_draw(log, "one-r1", "audit", OTHER, numbers()).nonce
    assert [event["event"] for event in log.read()] == [FROZEN, FROZEN, DRAWN]


def test_another_lake_that_gets_the_events_draws_the_same(log: EventLog) -> None:
    make = numbers()
    kept = [record_draw(log, name, "audit", ONE, make) for name in ("one-r1", "two-r1", "three-r1")]
    copy = EventLog(MemoryStore(), "draws")
    bring_draws(copy, log.read(), "two-r1")
    bring_draws(copy, log.read(), "two-r1")
    assert record_draw(copy, "two-r1", "audit", ONE, make) == kept[1]
    assert copy.read() == log.read()[:4]
    assert copy.read_chain() == log.read_chain()[:4]
