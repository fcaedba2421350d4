from datetime import timedelta
from functools import partial
from typing import Any

import pyarrow.parquet as pq
import pytest

from cupel.errors import WorkforceError
from cupel.lake.lake import Lake
from cupel.people.answers.annotations import annotations, keep_classes
from cupel.people.label_studio.events import Events
from cupel.people.label_studio.record import Records
from cupel.people.label_studio.workforce import LabelStudioWorkforce
from label_studio_server import Heard, LabelStudioServer, Wrong, times
from live_lake import CLASSES, ask, gather, log

ITEMS = ["i0", "i1", "i2"]


PARSE = partial(keep_classes, classes=CLASSES)


def sorted_out(lake: Lake) -> tuple[list[tuple[str, str, str]], list[tuple[str, str | None]]]:
    """Return the answers that count, and the others with their reasons, as the chain sorts them."""
    kept, rejected = annotations(
        lake.answers.read("one", ["label"]), ITEMS, partial(keep_classes, classes=CLASSES), True
    )
    counts = [(row["item_id"], row["annotator"], row["label"]) for row in kept.to_pylist()]
    return counts, [(row["reason"], row["evidence"]) for row in rejected.to_pylist()]


def test_an_answer_outside_the_ontology_is_rejected_with_its_words(lake: Lake, server: LabelStudioServer) -> None:
    gather(lake, server)
    first, second, _ = server.shown("annotators")
    server.annotate(first, "ann@x.org", "hot")
    server.annotate(second, "ann@x.org", "warm", result=[{"from_name": "other", "value": {"text": ["x"]}}])
    assert gather(lake, server) == 2
    counts, rejected = sorted_out(lake)
    assert counts == []
    assert rejected[0] == ("unknown_label", "hot")
    assert rejected[1][0] == "unknown_label"
    assert str(rejected[1][1]).startswith("not a choice: [{")


def test_more_answers_than_were_asked_for_and_edits_are_in_the_log_and_do_not_count(
    lake: Lake, server: LabelStudioServer
) -> None:
    gather(lake, server)
    first = server.shown("annotators")[0]
    note = server.annotate(first, "ann@x.org", "warm")
    server.annotate(first, "bob@x.org", "warm")
    server.annotate(first, "cy@x.org", CLASSES[1])
    assert gather(lake, server) == 3
    server.edit(note, CLASSES[1])
    assert gather(lake, server) == 1
    counts, rejected = sorted_out(lake)
    assert counts == [("i0", "ann", "warm"), ("i0", "bob", "warm")]
    assert rejected == [("not_asked", CLASSES[1])] * 2


def test_an_edit_never_takes_the_place_of_another_persons_answer(lake: Lake, server: LabelStudioServer) -> None:
    gather(lake, server)
    note = server.annotate(server.shown("annotators")[0], "ann@x.org", "warm")
    gather(lake, server)
    server.edit(note, CLASSES[1])
    gather(lake, server)
    assert [row["task_id"] for row in log(lake)] == ["label-0-1", None]


def test_a_skip_is_asked_of_somebody_else_and_may_be_taken_back(lake: Lake, server: LabelStudioServer) -> None:
    gather(lake, server)
    first = server.shown("annotators")[0]
    server.annotate(first, "ann@x.org", None)
    gather(lake, server)
    assert sorted_out(lake) == ([], [("undecided", None)])
    assert first in server.shown("annotators")
    ask(lake, slots=3)
    server.annotate(first, "ann@x.org", "warm")
    gather(lake, server)
    assert sorted_out(lake)[0] == [("i0", "ann", "warm")]


def test_somebody_who_is_not_in_the_group_does_not_count_and_is_told(lake: Lake, server: LabelStudioServer) -> None:
    gather(lake, server)
    server.annotate(server.shown("annotators")[0], "eve@x.org", "warm")
    gather(lake, server)
    assert sorted_out(lake) == ([], [("unknown_annotator", None)])
    assert [(event.kind, event.item_id) for event in Events(lake).read()] == [("stranger", "i0")]
    gather(lake, server)
    assert len(Events(lake).read()) == 1


def test_an_annotator_who_deletes_everything_takes_nothing_out_of_the_log(
    lake: Lake, server: LabelStudioServer
) -> None:
    gather(lake, server)
    for there in server.shown("annotators"):
        server.annotate(there, "ann@x.org", "warm")
    gather(lake, server)
    assert server.delete("ann@x.org") == 3
    gather(lake, server, snapshot_hours=1e-9)
    gather(lake, server, snapshot_hours=1e-9)
    assert [(event.kind, event.item_id) for event in Events(lake).read()] == [("deleted", item) for item in ITEMS]
    assert len(sorted_out(lake)[0]) == 3


def test_a_task_that_somebody_else_put_there_is_told_and_not_collected(lake: Lake, server: LabelStudioServer) -> None:
    gather(lake, server)
    first = server.shown("annotators")[0]
    server.annotate(first, "ann@x.org", "warm")
    stranger = {**first, "id": 999, "data": {"text": "another"}, "annotations": []}
    server.tasks[999] = stranger
    server.annotate(stranger, "ann@x.org", "warm")
    assert gather(lake, server) == 1
    assert [event.kind for event in Events(lake).read()] == ["unknown_task"]


@pytest.mark.parametrize("data", [{"text": "text 0!"}, {"task_id": "another"}, {"more": "x"}])
def test_what_is_answered_after_somebody_changed_a_task_is_rejected_and_the_task_is_put_there_anew(
    lake: Lake, server: LabelStudioServer, data: dict[str, str]
) -> None:
    gather(lake, server)
    first = server.shown("annotators")[0]
    server.annotate(first, "ann@x.org", "warm")
    gather(lake, server)
    server.rewrite(first, **data)
    server.annotate(first, "bob@x.org", "warm")
    assert gather(lake, server) == 1
    assert sorted_out(lake) == ([("i0", "ann", "warm")], [("task_changed", None)])
    assert [(event.kind, event.item_id) for event in Events(lake).read()] == [("task_changed", "i0")]
    assert sorted(there["data"]["text"] for there in server.shown("annotators")) == ["text 0", "text 1", "text 2"]
    assert first["is_labeled"]
    again = next(there for there in server.shown("annotators") if there["data"]["text"] == "text 0")
    assert again["overlap"] == 1
    server.annotate(again, "bob@x.org", "warm")
    gather(lake, server)
    gather(lake, server, snapshot_hours=1e-9)
    assert sorted_out(lake)[0] == [("i0", "ann", "warm"), ("i0", "bob", "warm")]
    kinds = {event.kind for event in Events(lake).read()}
    assert "task_changed" in kinds
    assert kinds <= {"task_changed", "unknown_task"}  # one whose key is gone is nobody's, once it was replaced


def test_what_came_in_the_same_collection_as_the_change_is_rejected_for_nobody_can_tell(
    lake: Lake, server: LabelStudioServer
) -> None:
    gather(lake, server)
    first = server.shown("annotators")[0]
    server.annotate(first, "ann@x.org", "warm")
    server.rewrite(first, text="another")
    gather(lake, server)
    assert sorted_out(lake) == ([], [("task_changed", None)])


def test_a_changed_task_is_not_taken_for_the_new_one_whose_import_was_lost(
    lake: Lake, server: LabelStudioServer
) -> None:
    gather(lake, server)
    server.rewrite(server.shown("annotators")[0], text="another")
    server.misbehaviour = times(1, "POST", r"/api/projects/\d+/import", Wrong(500))
    gather(lake, server)
    assert sorted(there["data"]["text"] for there in server.shown("annotators")) == ["text 0", "text 1", "text 2"]
    gather(lake, server)
    assert sorted(there["data"]["text"] for there in server.shown("annotators")) == ["text 0", "text 1", "text 2"]


def test_a_snapshot_finds_deleted_tasks_and_puts_those_that_are_open_there_anew(
    lake: Lake, server: LabelStudioServer
) -> None:
    gather(lake, server)
    first, second, _ = server.shown("annotators")
    for person in ("ann@x.org", "bob@x.org"):
        server.annotate(first, person, "warm")
    gather(lake, server)
    server.tasks.pop(first["id"])
    server.tasks.pop(second["id"])
    gather(lake, server)
    assert len(server.shown("annotators")) == 1  # nothing tells that a task is gone but a look at all of them
    gather(lake, server, snapshot_hours=1e-9)
    assert sorted(there["data"]["text"] for there in server.shown("annotators")) == ["text 1", "text 2"]
    gone = [event.item_id for event in Events(lake).read() if event.kind == "task_deleted"]
    assert sorted(str(item) for item in gone) == ["i0", "i1"]
    assert len(sorted_out(lake)[0]) == 2  # its answers stay and count


def test_a_record_of_before_hashes_were_kept_is_read(lake: Lake, server: LabelStudioServer) -> None:
    gather(lake, server)
    path = Records(lake).folder / "annotators.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["shown"]), path)
    assert {put.shown for put in Records(lake).read("annotators").puts.values()} == {None}
    server.annotate(server.shown("annotators")[0], "ann@x.org", "warm")
    assert gather(lake, server) == 1


@pytest.mark.parametrize("skew", [timedelta(days=-400), timedelta(days=400)])
def test_a_servers_clock_that_is_far_off_loses_nothing(lake: Lake, server: LabelStudioServer, skew: timedelta) -> None:
    server.skew = skew
    gather(lake, server)
    for there in server.shown("annotators"):
        server.annotate(there, "ann@x.org", "warm")
        assert gather(lake, server) == 1


def test_changes_of_the_same_time_or_a_little_before_the_last_are_not_passed_over(
    lake: Lake, server: LabelStudioServer
) -> None:
    gather(lake, server)
    first, second, third = server.shown("annotators")
    server.annotate(first, "ann@x.org", "warm")
    assert gather(lake, server) == 1
    server.annotate(second, "ann@x.org", "warm")
    second["updated_at"] = first["updated_at"]
    server.skew = timedelta(minutes=-4)
    server.annotate(third, "ann@x.org", "warm")
    assert gather(lake, server) == 2


def listed(server: LabelStudioServer) -> list[list[int]]:
    """Return a list that grows by the ids of each page of tasks that the server gives from now on."""
    pages: list[list[int]] = []
    obey = server.obey

    def noted(heard: Heard) -> tuple[int, Any]:
        status, content = obey(heard)
        if "tasks" in content and heard.query["page_size"] != "1":
            pages.append([task["id"] for task in content["tasks"]])
        return status, content

    server.obey = noted  # type: ignore[method-assign]
    return pages


def test_what_was_read_is_not_read_again(lake: Lake, server: LabelStudioServer) -> None:
    gather(lake, server)
    gather(lake, server)
    pages = listed(server)
    gather(lake, server)
    assert pages == [[]]
    first, second, _ = server.shown("annotators")
    for task in (first, second):
        server.annotate(task, "ann@x.org", "warm")
        pages.clear()
        assert gather(lake, server) == 1
        assert pages == [[task["id"]]]
    pages.clear()
    assert gather(lake, server) == 0
    assert pages == [[]]


def test_what_is_gone_is_looked_for_once(lake: Lake, server: LabelStudioServer) -> None:
    gather(lake, server)
    for task in server.shown("annotators"):
        server.annotate(task, "ann@x.org", "warm")
    assert gather(lake, server) == 3
    server.delete("ann@x.org")
    pages = listed(server)
    gather(lake, server)
    # Cupel asks again for what was deleted, which changes the tasks: they are read once more, and then no more.
    gather(lake, server)
    gather(lake, server)
    assert [len(page) for page in pages] == [0, 3, 3, 0]


def test_a_collection_that_dies_before_its_end_is_done_again_and_counts_once(
    lake: Lake, server: LabelStudioServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    gather(lake, server)
    for there in server.shown("annotators"):
        server.annotate(there, "ann@x.org", "warm")
    server.annotate(server.shown("annotators")[0], "eve@x.org", "warm")
    with monkeypatch.context() as patched:
        patched.setattr(LabelStudioWorkforce, "end", lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            gather(lake, server)
    assert gather(lake, server) == 0
    assert len(log(lake)) == 4
    assert lake.answers.verify().sequence == 4


def test_a_page_that_comes_again_is_an_error_and_nothing_of_it_is_lost(
    lake: Lake, server: LabelStudioServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    gather(lake, server)
    for there in server.shown("annotators"):
        server.annotate(there, "ann@x.org", "warm")
    monkeypatch.setattr("cupel.people.label_studio.pull.PAGE_TASKS", 1)
    obey, pages = server.obey, []

    def repeat(heard: object) -> tuple[int, object]:
        found = obey(heard)  # type: ignore[arg-type]
        if "tasks" in found[1]:
            pages.append(found[1])
            return 200, pages[0]
        return found

    server.obey = repeat  # type: ignore[method-assign]
    with pytest.raises(WorkforceError, match=r"a page gives task \d+ again"):
        gather(lake, server)
    server.obey = obey  # type: ignore[method-assign]
    assert gather(lake, server) == 3


def test_a_server_that_fails_in_the_middle_of_the_pages_loses_nothing(
    lake: Lake, server: LabelStudioServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    gather(lake, server)
    for there in server.shown("annotators"):
        server.annotate(there, "ann@x.org", "warm")
    monkeypatch.setattr("cupel.people.label_studio.pull.PAGE_TASKS", 1)
    server.misbehaviour = times(3, "GET", "/api/tasks/", Wrong(200, None, is_obeyed=True))
    assert gather(lake, server) == 3


def flag_and(label: str) -> list[dict[str, object]]:
    ticked = {"from_name": "flag", "value": {"choices": ["Something is wrong with this task"]}}
    return [{"from_name": "label", "value": {"choices": [label]}}, ticked]


def test_a_flagged_task_is_an_event_and_its_answer_a_skip(lake: Lake, server: LabelStudioServer) -> None:
    gather(lake, server)
    first = server.shown("annotators")[0]
    server.annotate(first, "ann@x.org", "warm", result=flag_and("warm"))
    gather(lake, server)
    gather(lake, server)
    assert sorted_out(lake) == ([], [("undecided", None)])
    assert [(event.kind, event.item_id, event.said) for event in Events(lake).read()] == [("flagged", "i0", "warm")]
    ask(lake, slots=3)
    gather(lake, server)
    assert first["overlap"] == 1 + 2  # the server counts who flagged it as having answered
