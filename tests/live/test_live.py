"""People at a real Label Studio server until a release is certified; every row is held against what they said."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator

import pytest

from cupel.people.label_studio.events import Events
from cupel.people.label_studio.record import Records
from cupel.release.facts import release_facts
from samples.label_studio import PROGRAM, fresh
from samples.studio_server import StudioServer, stop
from story import CLICKER, CLICKS, EXPERT, ITEMS, LOCK_SECONDS, SPAMMER, Story, Told, truth

PORT = int(os.environ.get("CUPEL_LIVE_PORT", "8179"))

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("live")
    # Building the database takes half a minute; it is made once, and each test begins with a copy.
    shutil.copytree(fresh(), folder / "server")
    server = StudioServer(folder / "server", PROGRAM, PORT)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CUPEL_LABEL_STUDIO_TOKEN", server.people["admin"].token)
        patched.setenv("TASK_LOCK_TTL", str(LOCK_SECONDS))
        try:
            server.start()
            yield Story(server, folder).tell()
        finally:
            stop(server.folder)


def items(told: Told) -> dict[str, str]:
    """Return the items' ids by text."""
    return {row["text"]: row["item_id"] for row in told.lake.read("clean_items", "one").to_pylist()}


def rejected(told: Told) -> dict[int, str]:
    """Return why answers do not count, by annotation on the server."""
    log = {row["sequence"]: row["source"] for row in told.lake.answers.read().to_pylist()}
    rows = told.lake.read("rejected_answers", "one").to_pylist()
    return {int(log[row["sequence"]].rpartition(":")[2]): row["reason"] for row in rows}


def kept(told: Told) -> dict[str, list[str]]:
    """Return by item what was said by annotators whom no policy removed, and who were asked."""
    ids: dict[str, list[str]] = {item: [] for item in items(told).values()}
    unasked = rejected(told)
    for name, said in told.said.items():
        for one in said if name not in (SPAMMER, EXPERT) else ():
            if one.annotation_id not in unasked:
                ids[items(told)[one.text]].append(one.label)
    return ids


def test_the_log_holds_each_answer_that_was_given_once_and_no_other(told: Told) -> None:
    log = told.lake.answers.read().to_pylist()
    said = {one.annotation_id: (name, one) for name, people in told.said.items() for one in people}
    arrived = {int(row["source"].rpartition(":")[2]): row for row in log}
    assert len(arrived) == len(log)
    assert arrived.keys() == said.keys()
    for annotation_id, row in arrived.items():
        name, one = said[annotation_id]
        given = (row["annotator"], row["item_id"], row["label"], int(row["source"].split(":")[2]))
        assert given == (name, items(told)[one.text], one.label, one.tool_task)
        assert (row["purpose"] == "label") == (name != EXPERT)
        assert row["seconds_spent"] > 0


def test_the_server_holds_the_same_answers_after_it_was_killed(told: Told) -> None:
    there = {
        note["id"]: (told.users[note["completed_by"]], note["text"], note["result"][0]["value"]["choices"])
        for note in told.on_server
    }
    said = {
        one.annotation_id: (told.emails[name], one.text, [one.label])
        for name, people in told.said.items() for one in people
    }  # fmt: skip
    assert there == said


def test_only_the_spammer_and_answers_that_nobody_asked_for_do_not_count(told: Told) -> None:
    log = {int(row["source"].rpartition(":")[2]): row for row in told.lake.answers.read().to_pylist()}
    reasons = rejected(told)
    for annotation_id, row in log.items():
        # To people who ask at the same time Label Studio gives a task more often than it is told to.
        unasked = "not_asked" if row["task_id"] is None else None
        assert reasons.get(annotation_id) == ("annotator_removed" if row["annotator"] == SPAMMER else unasked)


def test_what_was_clicked_in_the_browser_counts_like_any_answer(told: Told) -> None:
    clicked = [row for row in told.lake.read("annotations", "one").to_pylist() if row["annotator"] == CLICKER]
    asked = [one for one in told.said[CLICKER] if one.annotation_id not in rejected(told)]
    assert len(told.said[CLICKER]) >= CLICKS
    assert sorted((row["item_id"], row["label"]) for row in clicked) == sorted(
        (items(told)[one.text], one.label) for one in asked
    )
    assert len(asked) > len(told.said[CLICKER]) / 2


def test_the_spammer_is_removed_and_others_are_asked_instead(told: Told) -> None:
    actions = [(one.annotator, one.deed, one.finding) for one in told.lake.actions.read() if one.deed != "warn"]
    assert actions == [(SPAMMER, "remove", "guessing")]
    assert min(len(labels) for labels in kept(told).values()) == 2


def test_routes_follow_from_what_those_said_who_count(told: Told) -> None:
    predicted = {row["item_id"]: row["predicted_label"] for row in told.lake.read("predictions", "one").to_pylist()}
    rows = {row["item_id"]: row for row in told.lake.read("routes", "one").to_pylist()}
    assert rows.keys() == kept(told).keys()
    for item, labels in kept(told).items():
        (most, _), is_split = Counter(labels).most_common(1)[0], len(set(labels)) > 1
        is_opposed = predicted[item] not in (None, most)
        assert rows[item]["votes"] == len(labels)
        assert len(labels) in ((3,) if is_split else (2, 3))
        assert rows[item]["route"] in ("accept", "expert"), "nobody is asked any more"
        assert (rows[item]["reason"] == "annotators and checker agree") <= (not is_split and not is_opposed)
        assert (rows[item]["reason"] == "checker against people") <= is_opposed


def test_labels_are_the_experts_where_they_were_asked_and_the_annotators_elsewhere(told: Told) -> None:
    experts = {items(told)[one.text]: one.label for one in told.said[EXPERT]}
    labels = {row["item_id"]: row for row in told.lake.read("labels", "one").to_pylist()}
    released = told.lake.read("training_set", "one-r1").to_pylist()
    assert len(released) == len(labels) == ITEMS
    for row in released:
        item = row["item_id"]
        if item in experts:
            assert row["label"] == experts[item]
            continue
        assert row["label"] == labels[item]["label"]
        if row["decided_by"] == "people and checker":
            assert row["label"] == Counter(kept(told)[item]).most_common(1)[0][0]
    assert {row["item_id"] for row in released if row["decided_by"] in ("audit", "expert")} <= experts.keys()


def test_the_release_is_certified_and_keeps_its_budget(told: Told) -> None:
    wrong = [row for row in told.lake.read("training_set", "one-r1").to_pylist() if row["label"] != truth(row["text"])]
    assert release_facts(told.lake, told.project, "one-r1").verdict == "PASS"
    assert len(wrong) <= told.project.release.error_budget * ITEMS


def test_nothing_is_left_open_and_nothing_odd_was_seen(told: Told) -> None:
    assert told.done.tasks_open == 0
    assert Events(told.lake).read() == []
    for group in ("annotators", "experts"):
        assert not any(put.is_open for put in Records(told.lake).read(group).puts.values())
